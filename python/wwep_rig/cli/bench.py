"""`wwep-rig bench new` and `bench check`: make and check bench files."""

import os
from pathlib import Path

import click

from wwep_rig import _core
from wwep_rig.find_bench import BUILT_INS, load_bench_file

from .common import json_option, print_json


@click.group()
def bench() -> None:
    """Make and check bench files: what the lines are, which board is wired to them.

    \b
    Example:
        $ wwep-rig bench new bench-1 --kind board
        benches/bench-1.toml
        $ wwep-rig bench check bench-1
        bench-1 (board): good, device ID 0003
        $ wwep-rig doctor --bench bench-1
    """


@bench.command()
@click.argument("file", metavar="NAME|FILE")
@click.option(
    "--kind",
    type=click.Choice(["sim", "kernel", "emulator", "board"]),
    default="board",
    show_default=True,
    help="sim: simulated wires and a process; kernel: GPIO lines and a process; emulator: an "
    "emulated microcontroller; board: GPIO lines and a real board.",
)
@json_option
def new(file: str, kind: str, as_json: bool) -> None:
    """Write a commented bench file, to be edited. NAME stands for benches/NAME.toml.

    \b
    Example:
        $ wwep-rig bench new bench-1 --kind board
        benches/bench-1.toml
        $ wwep-rig bench check bench-1
    """
    is_path = "/" in file or file.endswith(".toml")
    if file in BUILT_INS:
        raise click.UsageError(f"{file} is a built-in bench: name yours otherwise")
    target = Path(file) if is_path else Path("benches") / f"{file}.toml"
    name = target.stem
    if not name or any(not (c.isalnum() or c in "-_.") for c in name) or name.startswith("."):
        raise click.BadParameter("letters, digits, - _ . only", param_hint="the bench's name")
    lines = _core.BenchFile.template(kind).splitlines(keepends=True)
    for number, line in enumerate(lines):
        if line.startswith("name = "):
            lines[number] = f'name = "{name}"\n'
            break
    try:
        if not is_path:
            target.parent.mkdir(exist_ok=True)
        with open(target, "x") as stream:
            stream.write("".join(lines))
    except FileExistsError:
        raise click.UsageError(f"{target} exists: name another file") from None
    except OSError as error:
        raise click.UsageError(f"write {target}: {error.strerror}") from None
    if as_json:
        print_json({"path": str(target)})
    else:
        click.echo(str(target))


@bench.command()
@click.argument("file", metavar="NAME|FILE")
@json_option
def check(file: str, as_json: bool) -> None:
    """Check a bench file; with --json, print all of it with what it leaves to defaults.

    \b
    Example:
        $ wwep-rig bench check benches/bench-1.toml
        bench-1 (board): good, device ID 0003

    Exit code 4 when it is not there or wrong, every problem named with its line.
    """
    found = load_bench_file(file, os.environ)
    if as_json:
        click.echo(found.to_json())
    else:
        click.echo(f"{found.name} ({found.kind}): good, device ID {found.device_id:04X}")
