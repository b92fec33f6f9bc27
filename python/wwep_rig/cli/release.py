"""`wwep-rig release`: every button to high impedance."""

import click

from wwep_rig.opening import open_bench

from .common import bench_option, json_option, print_json, wait_option


@click.command()
@bench_option
@wait_option
@json_option
def release(bench_name: str, wait_s: float, as_json: bool) -> None:
    """Put every button of a bench to high impedance.

    The rig does so itself whenever it ends, however it ends; this is for what something else left
    behind.

    \b
    Example:
        $ wwep-rig release --bench bench-1
        released button0, button1
    """
    with open_bench(bench_name, wait_s=wait_s) as bench:
        bench.release_buttons()
        buttons = list(bench.buttons)
    if as_json:
        print_json({"released": buttons})
    else:
        click.echo(f"released {', '.join(buttons)}")
