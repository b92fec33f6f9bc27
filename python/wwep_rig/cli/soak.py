"""`wwep-rig soak`: many presses, each accounted for; to be interrupted and gone on with."""

import os
import signal
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from wwep_rig import soak as soaking
from wwep_rig.bench_file import read_bench_file
from wwep_rig.closing import Closing
from wwep_rig.errors import RigError, TargetFailed
from wwep_rig.find_bench import load_bench_file
from wwep_rig.latencies import as_value, table
from wwep_rig.opening import new_recording_place, open_bench
from wwep_rig.recorded import RecordedRun
from wwep_rig.recorded_trips import State
from wwep_rig.recordings import KEEP_DEFAULT, InUse, RecordingPlace
from wwep_rig.soak import Account, Plan, Soak

from .common import GOOD, INTERRUPTED, TARGET_FAILED, Stopped, bench_option, json_option
from .common import print_json
from .common import progress as spinner
from .common import wait_option
from .pressing import hold_option, profile_option, refuse_unknown_profile

# What --resume takes from the recording.
_AS_IT_WAS_BEGUN = frozenset(
    ("buttons", "record", "hold_s", "profile", "failures_in_a_row_max", "bench_name")
)
_BAR_EVERY_S = 0.25
_LINE_EVERY_S = 10.0


@click.command()
@click.argument("buttons", nargs=-1, metavar="[BUTTON]...")
@click.option(
    "--presses", type=click.IntRange(min=1), metavar="N", help="How many; with --resume: in all."
)
@click.option(
    "--resume",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="RECORDING",
    help="Go on with an interrupted soak, in its recording.",
)
@click.option(
    "--record",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Where the recording goes.  [default: your state directory]",
)
@hold_option
@profile_option
@click.option(
    "--give-up",
    "failures_in_a_row_max",
    type=click.IntRange(min=1),
    default=10,
    show_default=True,
    metavar="N",
    help="End after so many failed presses in a row.",
)
@bench_option
@wait_option
@json_option
def soak(
    buttons: tuple[str, ...],
    presses: int | None,
    resume: Path | None,
    record: Path | None,
    hold_s: float | None,
    profile: str,
    failures_in_a_row_max: int,
    bench_name: str,
    wait_s: float,
    as_json: bool,
) -> int:
    """Press the BUTTONs in turn, N times in all; without BUTTON all that the contract names.

    Everything is recorded, and at the end every press is accounted for from the recording. It may
    be interrupted at any moment, by Ctrl-C, a signal or a crash, and resumed with the same
    recording; a press that was under way then does not count and is made again. Ctrl-C waits for
    the press under way, a second one does not.

    \b
    Example:
        $ wwep-rig soak --presses 1000 --record night.sqlite
        $ wwep-rig soak --resume night.sqlite
        $ wwep-rig report night.sqlite

    Exit code 1 when a press failed, 130 when it was interrupted.
    """
    if resume is None and presses is None:
        raise click.UsageError("say how often to press, --presses N, or --resume RECORDING")
    if resume is not None:
        _refuse_changes(click.get_current_context())
    if record is not None and record.exists():
        raise click.UsageError(f"{record} exists: go on with it by --resume, or name another file")
    with ExitStack() as resources:
        if resume is not None:
            path = resume
            resources.enter_context(InUse(path))
            plan, before = _resumed(path, presses)
        else:
            plan = _new_plan(buttons, presses, bench_name, hold_s, profile, failures_in_a_row_max)
            path = record or resources.enter_context(_new_place(bench_name)).path
            if record is not None:
                resources.enter_context(InUse(path))
            before = Account({}, (), ())
        stopper = resources.enter_context(_Stopper())
        try:
            pressed, trouble = _run(plan, path, before, stopper, wait_s)
        except RigError as error:
            if not path.exists():
                raise
            raise RigError(f"{error}\n{_how_to_go_on(path)}") from error
        account = soaking.account_of(RecordedRun(path))
        if not stopper.is_forced:
            soaking.check_account(account, before.presses, pressed, path)
    if as_json:
        print_json(_as_value(plan, path, account, trouble))
    else:
        click.echo("\n".join(_as_text(plan, path, account, trouble)))
    if account.failed or trouble:
        return TARGET_FAILED
    return GOOD if account.done >= plan.presses else INTERRUPTED


def _refuse_changes(context: click.Context) -> None:
    """A soak that is gone on with stays the same one; only how often it presses may change."""
    for parameter in context.command.params:
        name = parameter.name or ""
        is_given = context.get_parameter_source(name) is ParameterSource.COMMANDLINE
        if (
            name in _AS_IT_WAS_BEGUN and is_given and context.params[name]
        ):  # no BUTTON is given, too
            told = parameter.opts[0] if isinstance(parameter, click.Option) else "BUTTON"
            raise click.UsageError(f"--resume goes on as it was begun, with its own {told}")


def _resumed(path: Path, presses: int | None) -> tuple[Plan, Account]:
    recorded = RecordedRun(path)
    plan = soaking.plan_of(recorded)
    soaking.refuse_other_start(recorded)
    return replace(plan, presses=presses or plan.presses), soaking.account_of(recorded)


def _new_plan(
    buttons: tuple[str, ...],
    presses: int | None,
    bench_name: str,
    hold_s: float | None,
    profile: str,
    failures_in_a_row_max: int,
) -> Plan:
    contract = read_bench_file(load_bench_file(bench_name, os.environ)).target.contract
    unknown = sorted(set(buttons) - set(contract.buttons))
    if unknown:
        raise click.BadParameter(
            f"the contract of bench {bench_name} has no button {', '.join(unknown)}; its buttons: "
            f"{', '.join(contract.buttons) or 'none'}",
            param_hint="BUTTON",
        )
    refuse_unknown_profile(profile, hold_s)
    is_file = Path(bench_name).is_file()
    return Plan(
        presses=presses or 0,
        buttons=buttons or tuple(sorted(contract.buttons)),
        bench=str(Path(bench_name).absolute()) if is_file else bench_name,
        hold_s=hold_s,
        profile=profile,
        failures_in_a_row_max=failures_in_a_row_max,
    )


def _new_place(bench_name: str) -> RecordingPlace:
    return new_recording_place(Path(bench_name).stem, None, KEEP_DEFAULT, os.environ)


class _Stopper(Closing):
    """The first Ctrl-C or SIGTERM asks to end after the press under way, the second to end at once.

    Attributes:
        is_asked: whether there was one.
        is_forced: whether there was a second one.
    """

    def __init__(self) -> None:
        self.is_asked = False
        self.is_forced = False
        self._before = {
            number: signal.signal(number, self._stop) for number in (signal.SIGINT, signal.SIGTERM)
        }

    def _stop(self, number: int, frame: object) -> None:
        if self.is_asked and not self.is_forced:
            self.is_forced = True
            raise Stopped
        self.is_asked = True

    def close(self) -> None:
        """Signals do again what they did before."""
        for number, handler in self._before.items():
            signal.signal(number, handler)


def _run(
    plan: Plan, path: Path, before: Account, stopper: _Stopper, wait_s: float
) -> tuple[int, str]:
    """Press until it is done or somebody ends it; how often, and why it was given up."""
    soak = None
    try:
        with spinner("opening the bench"):
            bench = open_bench(
                plan.bench,
                recording=path,
                goes_on=bool(before.presses) or path.exists(),
                facts=plan.as_facts,
                wait_s=wait_s,
            )
        with bench, _Meter(plan.presses, before) as meter:
            bench.target.start()
            soak = Soak(bench, plan)
            while before.done + soak.pressed < plan.presses and not stopper.is_asked:
                soak.press(before.done + soak.pressed)
                meter.show(soak)
    except TargetFailed as error:
        if soak is None:
            raise
        return soak.pressed, str(error)
    except Stopped:
        pass
    return (soak.pressed if soak else 0), ""


class _Meter(Closing):
    """Progress on standard error: a bar on a terminal, else a line now and then."""

    def __init__(self, presses: int, before: Account) -> None:
        self._presses = presses
        self._before = before
        self._began_s = time.monotonic()
        console = Console(stderr=True)
        self._bar = Progress(
            TextColumn("{task.completed:,.0f} of {task.total:,.0f}"),
            BarColumn(bar_width=None),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(elapsed_when_finished=True),
            TextColumn("{task.fields[state]}"),
            console=console,
            disable=not console.is_terminal,
            refresh_per_second=4,
        )
        self._is_live = console.is_terminal
        self._every_s = _BAR_EVERY_S if self._is_live else _LINE_EVERY_S
        self._next_s = self._began_s + self._every_s
        self._task = self._bar.add_task("", total=presses, completed=before.done, rate="", state="")
        self._bar.start()

    def show(self, soak: Soak) -> None:
        """Say how far it is. Cheap: it is called after every press."""
        now_s = time.monotonic()
        if now_s < self._next_s:
            return
        self._next_s = now_s + self._every_s
        done = self._before.done + soak.pressed
        rate = f"{soak.pressed / (now_s - self._began_s):.1f}/s"
        state = f"{soak.failed} failed; p50/p99 in ms: {soak.running.text}"
        if self._is_live:
            self._bar.update(self._task, completed=done, rate=rate, state=state)
        else:
            left_s = (self._presses - done) * (now_s - self._began_s) / soak.pressed
            text = f"{done:,} of {self._presses:,}, {rate}, {left_s:.0f} s left, {state}"
            click.echo(text, err=True)

    def close(self) -> None:
        """Let the bar stand as it is."""
        self._bar.stop()


def _as_text(plan: Plan, path: Path, account: Account, trouble: str) -> list[str]:
    lines = [trouble] if trouble else []
    lines.append(
        f"{account.presses:,} presses: {account.states.get(State.GOOD, 0):,} good, "
        f"{account.failed:,} failed, {account.interrupted:,} interrupted; "
        f"{account.done:,} of {plan.presses:,} done"
    )
    lines += [f"    press {one.id} of {one.button}: {one.problem}" for one in account.failures]
    if account.failed > len(account.failures):
        lines.append(f"    and {account.failed - len(account.failures)} more")
    if account.rows:
        lines += ["", *table(account.rows, with_interval=True)]
    lines.append(f"recording: {path}")
    if account.done < plan.presses:
        lines.append(_how_to_go_on(path))
    return lines


def _how_to_go_on(path: Path) -> str:
    return f"go on with it: wwep-rig soak --resume {path}"


def _as_value(plan: Plan, path: Path, account: Account, trouble: str) -> dict[str, Any]:
    return {
        "recording": str(path),
        "presses": plan.presses,
        "done": account.done,
        "good": account.states.get(State.GOOD, 0),
        "failed": account.failed,
        "interrupted": account.interrupted,
        "gave_up": trouble or None,
        "failures": [
            {"press": one.id, "button": one.button, "problem": one.problem}
            for one in account.failures
        ],
        "latencies": [as_value(row) for row in account.rows],
    }
