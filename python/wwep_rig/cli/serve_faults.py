"""The options of `serve` that let the server misbehave, and what becomes of them."""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

import click

from wwep_rig import _core, faults
from wwep_rig.errors import NoBench

from .output import PatientOutput

_Command = TypeVar("_Command", bound=Callable[..., object])


def _tell(context: click.Context, _option: click.Parameter, texts: tuple[str, ...]) -> list[str]:
    if "help" in texts:
        click.echo(faults.help_text())
        context.exit()
    return list(texts)


def fault_options(command: _Command) -> _Command:
    """The options --fault and --faults, as `fault_texts` and `fault_files`."""
    command = click.option(
        "--faults",
        "fault_files",
        multiple=True,
        type=click.Path(exists=True, dir_okay=False),
        metavar="FILE",
        help="TOML with tables [[fault]]: kind, its parameters, nth, ...",
    )(command)
    return click.option(
        "--fault",
        "fault_texts",
        multiple=True,
        metavar="TEXT",
        callback=_tell,
        help="What to do wrong, and when: 'late by=300ms nth=2'. May repeat. 'help' lists all.",
    )(command)


def scheduled_faults(texts: list[str], files: tuple[str, ...]) -> list[faults.Scheduled]:
    """What the options ask for. Raises UsageError."""
    try:
        from_files = [each for path in files for each in faults.load(Path(path))]
        return [*(faults.parse(text) for text in texts), *from_files]
    except NoBench as error:
        raise click.UsageError(f"{error}. `wwep-rig serve --fault help` lists them.") from None


def arm_faults(
    bench: _core.Bench,
    scheduled: list[faults.Scheduled],
    errors: PatientOutput,
    resources: ExitStack,
) -> None:
    """Arm them until the resources are closed; then name those that never came into effect."""
    try:
        armed = [(each, bench.add_fault(each.spec)) for each in scheduled]
    except NoBench as error:
        raise click.UsageError(str(error)) from None

    def report_unused() -> None:
        for each, fault_id in armed:
            if bench.remove_fault(fault_id) == 0 and not each.optional:
                errors.write_line(f"wwep-rig: the fault {each.text} never came into effect")

    resources.callback(report_unused)
