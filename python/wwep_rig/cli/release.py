"""`wwep-rig release`: every button to high impedance."""

import os
import sys
from contextlib import ExitStack

import click

from wwep_rig import _core
from wwep_rig.errors import NoBench
from wwep_rig.find_bench import find_bench_file, load_bench_file
from wwep_rig.locks import BenchLock, default_lock_directory

from .common import bench_option, json_option, print_json, wait_option


@click.command()
@bench_option
@wait_option
@json_option
def release(bench_name: str, wait_s: float, as_json: bool) -> None:
    """Put every button of a bench to high impedance.

    The rig does so itself whenever it ends, and the kernel frees the lines of a program that dies;
    this is for a chip that goes on driving all the same, and for what another program left behind.
    It opens neither target nor server. Buttons that can be released are, also when others cannot.

    \b
    Example:
        $ wwep-rig release --bench bench-1
        released button0, button1

    Exit code 4 when somebody has the bench, or a button cannot be had; the error names who has it.
    """
    bench_file = load_bench_file(bench_name, os.environ)
    with ExitStack() as resources:
        if find_bench_file(bench_name, os.environ) is not None:
            directory = default_lock_directory(os.environ)
            command = " ".join(sys.argv)
            resources.enter_context(
                BenchLock(bench_file.name, command, directory=directory, wait_s=wait_s)
            )
        lines = _core.release_lines(bench_file)
    released = [line.name for line in lines if not line.trouble]
    left = [line for line in lines if line.trouble]
    if as_json:
        troubles = {line.name: {"trouble": line.trouble, "remedy": line.remedy} for line in left}
        print_json({"released": released, "troubles": troubles})
    elif released:
        click.echo(f"released {', '.join(released)}")
    elif not left:
        click.echo(f"nothing to release: bench {bench_file.name} has no button on a GPIO chip")
    if left:
        raise NoBench("\n".join(f"not released: {line.trouble}; {line.remedy}" for line in left))
