"""`wwep-rig reset`, `power`, `flash` and `console`: a bench's target by hand."""

import time
from collections.abc import Callable
from pathlib import Path

import click

from wwep_rig import _core
from wwep_rig.bench import Bench
from wwep_rig.bench_config import Kind
from wwep_rig.errors import NoBench
from wwep_rig.opening import open_bench

from .common import bench_option, json_option, print_json, progress, until_stopped, wait_option
from .watch import print_events


_NOTHING_TELLS = (
    "nothing tells whether the board is up: its bench file can name what its console says then, "
    "as target.ready"
)


@click.command()
@bench_option
@wait_option
@json_option
def reset(bench_name: str, wait_s: float, as_json: bool) -> None:
    """Reset the target, and wait until it is ready.

    A board needs [target.reset] in its bench file, a line or a command, and target.ready, what its
    console says once it is up: without that nothing is waited for. A simulated board is a process:
    it is started for this command and started anew.

    The limits are target.ready_timeout_ms and, for a command, target.reset.timeout_ms: 10 s each
    unless the bench file says otherwise.

    \b
    Example:
        $ wwep-rig reset --bench bench-1
        bench-1: reset, ready after 1.24 s

    Exit codes: 1 the target is not ready in time, 3 the reset itself fails, 4 there is no way to
    reset it.
    """
    _do(bench_name, wait_s, as_json, "reset", lambda bench: bench.target.reset())


@click.command()
@click.argument("state", type=click.Choice(["on", "off", "cycle"]))
@bench_option
@wait_option
@json_option
def power(state: str, bench_name: str, wait_s: float, as_json: bool) -> None:
    """Switch the target on or off, or off and on again.

    A board needs [target.power] in its bench file. Commands leave it as it is switched. A line is
    held only while the rig has the bench: `on` and `cycle` hold it until Ctrl-C, and letting go of
    it switches the board off. A simulated board runs only while a command of the rig does: `on`
    keeps it.

    The limits are target.ready_timeout_ms and, for each command, target.power.timeout_ms: 10 s each
    unless the bench file says otherwise; a cycle leaves the board off for target.power.off_ms.

    \b
    Examples:
        $ wwep-rig power cycle --bench bench-1
        $ wwep-rig power off --bench bench-1

    Exit codes: 1 the target is not ready in time, 3 switching fails, 4 there is no way to switch
    it.
    """
    if state == "off":
        _do(bench_name, wait_s, as_json, "power off", lambda bench: bench.target.power_off())
    elif state == "cycle":
        _do(bench_name, wait_s, as_json, "power cycle", _power_cycle, _stays_on_a_line)
    else:
        _do(bench_name, wait_s, as_json, "power on", _power_on, _stays_on)


def _power_on(bench: Bench) -> None:
    bench.target.power_on()


def _power_cycle(bench: Bench) -> None:
    bench.target.power_cycle()


def _stays_on_a_line(bench: Bench) -> None:
    """The same after a cycle: a simulated board ran before for nobody else."""
    power_config = bench.config.target.power
    if power_config is not None and power_config.line:
        _stays_on(bench)


def _stays_on(bench: Bench) -> None:
    """Keep the bench where letting go of it would switch the target off."""
    power_config = bench.config.target.power
    if power_config is not None and not power_config.line:
        return
    click.echo(f"{bench.name}: it has power until Ctrl-C", err=True)
    with until_stopped():
        while True:
            time.sleep(3600)


@click.command()
@click.argument("image", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@bench_option
@wait_option
@json_option
def flash(image: Path, bench_name: str, wait_s: float, as_json: bool) -> None:
    """Write IMAGE into the board, and wait until it is ready.

    The bench file's target.flash is the command that does it; {image} in it stands for the image.
    It may take target.flash_timeout_ms, 120 s unless the bench file says otherwise.

    \b
    Example:
        $ wwep-rig flash build/dual_client.elf --bench bench-1
        bench-1: flash, ready after 7.80 s

    Exit codes: 1 the target is not ready in time, 3 the command fails; its output is shown, 4 there
    is none.
    """
    _do(bench_name, wait_s, as_json, "flash", lambda bench: bench.target.flash(image))


def _do(
    bench_name: str,
    wait_s: float,
    as_json: bool,
    step: str,
    act: Callable[[Bench], None],
    then: Callable[[Bench], None] | None = None,
) -> None:
    """Open the bench, do one step to its target, and say how long that took."""
    with progress("opening the bench"):
        bench = open_bench(bench_name, wait_s=wait_s)
    with bench:
        began = time.monotonic()
        with progress(f"{bench.name}: {step}"):
            act(bench)
        took_s = time.monotonic() - began
        is_ready = bench.target.is_running and bench.target.tells_when_ready
        if as_json:
            value: dict[str, object] = {"bench": bench.name, "step": step}
            value |= {"took_s": round(took_s, 3), "is_ready": is_ready}
            print_json(value)
        else:
            end = "ready" if is_ready else "done"
            click.echo(f"{bench.name}: {step}, {end} after {took_s:.2f} s")
            if bench.target.is_running and not is_ready:
                click.echo(_NOTHING_TELLS, err=True)
        if then is not None:
            then(bench)


@click.command()
@bench_option
@wait_option
@json_option
def console(bench_name: str, wait_s: float, as_json: bool) -> None:
    """Show what the target prints on its console, until Ctrl-C.

    A board's console is the serial port of [target.console]; a simulated board is started for it,
    and what it prints is shown.

    \b
    Example:
        $ wwep-rig console --bench bench-1
           0.412 s  console     WICED dual client is ready

    Exit codes: 0 it was stopped, 4 there is no console, or no such port.
    """
    with until_stopped(), open_bench(bench_name, wait_s=wait_s) as bench:
        if bench.kind is Kind.BOARD and bench.config.target.console is None:
            raise NoBench(
                f"bench {bench.name} has no console",
                "name its serial port in the bench file: console = { port = ..., baud = ... }",
            )
        print_events(
            bench,
            as_json,
            lambda event: isinstance(event.value, (_core.ConsoleLine, _core.TargetChanged)),
        )
