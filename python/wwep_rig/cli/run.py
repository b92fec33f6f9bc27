"""`wwep-rig run`: builds a WICED application and lets it run on a bench, live."""

import json
import os
import sys
import threading
import time
from collections.abc import Collection, Sequence
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

import click

from wwep_rig import _core
from wwep_rig.app_build import App
from wwep_rig.bench import Bench
from wwep_rig.bench_config import Role
from wwep_rig.bench_file import read_bench_file
from wwep_rig.errors import RigError, TargetFailed, WwepRigError
from wwep_rig.find_bench import load_bench_file
from wwep_rig.opening import open_bench

from .common import bench_option, json_option, until_stopped, wait_option
from .output import PatientOutput
from .recording_options import files_to_make, recording_options, refuse_existing
from .transactions import Transactions

_POLL_S = 0.1
# Without a text to wait for, an application that prints nothing more is taken to be up.
_QUIET_S = 0.5


def _setting(context: object, parameter: object, given: tuple[str, ...]) -> dict[str, str]:
    settings = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name.isascii() or not name.isidentifier():
            raise click.BadParameter(f"{text!r} is not NAME=VALUE")
        settings[name] = value
    return settings


@click.command()
@click.option(
    "--app",
    "folder",
    required=True,
    metavar="FOLDER",
    type=click.Path(exists=True, file_okay=False, resolve_path=True, path_type=Path),
    help="The application: its sources and its makefile, as the SDK wants them.",
)
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="NAME=VALUE",
    callback=_setting,
    help="A variable of the makefile, as on make's command line; one that it does not know "
    "becomes a macro of the C sources. May repeat.",
)
@click.option(
    "--lab-names", is_flag=True, help="Know the names that only the lab's text has; each use warns."
)
@click.option(
    "--ready",
    default="",
    metavar="TEXT",
    help="The console says this once the application is up; without it, --press waits until the "
    "console has been quiet for half a second.",
)
@click.option(
    "--press",
    "words",
    multiple=True,
    metavar="BUTTON",
    help="Press it once up: its name, or 0 for button0. May repeat.",
)
@click.option(
    "--for",
    "for_s",
    type=click.FloatRange(min=0.001),
    metavar="SECONDS",
    help="End after so long; without it, Ctrl-C ends it.",
)
@recording_options
@bench_option
@wait_option
@json_option
def run(
    folder: Path,
    settings: dict[str, str],
    lab_names: bool,
    ready: str,
    words: tuple[str, ...],
    for_s: float | None,
    record: Path | None,
    captures: bool,
    key_log: Path | None,
    bench_name: str,
    wait_s: float,
    as_json: bool,
) -> int:
    """Build the WICED application in FOLDER, start it on a bench, show what happens.

    The bench's server answers; console, LEDs and transactions are shown live. A line on standard
    input presses the button of that name, or of that number. Ctrl-C ends it and lets go of the
    buttons.

    \b
    Example: the application of one's own, and one press of its button:
        $ wwep-rig run --app ~/sdk/apps/lab/client --press button0

    \b
    Example: everything that Wireshark needs to show this run, TLS decrypted:
        $ wwep-rig run --app client --record run.sqlite --capture --keylog run.sqlite.keys
        $ wwep-rig export run.sqlite --format pcapng -o run.pcapng

    Exit code 1 when it does not build, does not come up or ends by itself, 3 when the rig erred.
    """
    refuse_existing(files_to_make(record, captures, key_log), "name another file")
    config = read_bench_file(load_bench_file(bench_name, os.environ))
    if key_log is not None and config.target.role is Role.SERVER:
        raise click.UsageError(
            f"--keylog is for the rig's own server, and bench {bench_name} has none: its target is "
            "the server"
        )
    known = config.buttons
    buttons = [_button_of(word, known, bench_name) for word in words]
    app = App(folder, settings, lab_names=lab_names, ready=ready)
    rig_errors: list[str] = []
    with until_stopped(), ExitStack() as resources:
        bench = resources.enter_context(
            open_bench(
                bench_name,
                app=app,
                recording=record,
                captures=captures,
                key_log=key_log,
                wait_s=wait_s,
            )
        )
        output = PatientOutput(1)
        resources.callback(output.close)
        live = _Live(bench, output, as_json=as_json)
        resources.callback(lambda: rig_errors.extend(bench.rig_errors))
        try:
            live.run(buttons, for_s)
        except TargetFailed:
            if not bench.rig_errors:  # otherwise nothing can be said about the target
                raise
    if rig_errors:
        raise RigError(f"the rig itself erred, first so: {rig_errors[0]}")
    return 0


def _button_of(word: str, known: Collection[str], bench: str) -> str:
    """The button of that name or number, as `--press` and standard input write it."""
    button = f"button{word}" if word.isdecimal() else word
    if button not in known:
        raise click.UsageError(f"no button {word!r} on bench {bench}: {', '.join(known) or 'none'}")
    return button


class _Live:
    """A bench while its application runs: shows events, presses buttons."""

    def __init__(self, bench: Bench, output: PatientOutput, *, as_json: bool) -> None:
        self._bench = bench
        self._output = output
        self._as_json = as_json
        self._offset_ns = time.time_ns() - time.monotonic_ns()
        self._transactions = Transactions(self._offset_ns, as_json=as_json)
        self._window = bench.record()
        self._heard_at = time.monotonic()
        self._has_ended = ""

    def run(self, buttons: Sequence[str], for_s: float | None) -> None:
        """Starts the target and shows events until the time is over, or a signal ends it."""
        bench = self._bench
        end_at = None if for_s is None else time.monotonic() + for_s
        try:
            bench.target.start()
        finally:
            # What it printed tells why it did not come up.
            self._show(0.0)
        self._output.write_line(_running_line(bench.endpoints, self._as_json))
        threading.Thread(target=self._read_buttons, daemon=True).start()
        waiting = list(buttons)
        while end_at is None or time.monotonic() < end_at:
            self._show(_POLL_S)
            is_up = bench.config.target.ready or time.monotonic() - self._heard_at > _QUIET_S
            if waiting and is_up:
                bench.start_press(waiting.pop(0))
            if self._has_ended:
                raise TargetFailed(f"the application ended by itself: {self._has_ended}")
        self._show(0.0)  # what happened since the last look is part of the time asked for

    def _read_buttons(self) -> None:
        """Presses what standard input names, until it ends."""
        # A background job that read from its terminal would be stopped.
        if os.isatty(0) and os.tcgetpgrp(0) != os.getpgrp():
            return
        for line in sys.stdin:
            if not line.strip():
                continue
            try:
                known = self._bench.buttons
                self._bench.start_press(_button_of(line.strip(), known, self._bench.name))
            except click.UsageError as error:
                click.echo(error.message, err=True)
            except WwepRigError as error:
                click.echo(f"wwep-rig: {error}", err=True)

    def _show(self, timeout_s: float) -> None:
        for event in self._window.next_events(timeout_s=timeout_s):
            value = event.value
            if isinstance(value, _core.ConsoleLine):
                self._heard_at = time.monotonic()
            if isinstance(value, _core.TargetChanged) and not value.is_running:
                self._has_ended = value.what
            for line in self._transactions.lines(event):
                self._output.write_line(line)
            if isinstance(value, _core.RigNote) and value.is_error:
                click.echo(f"wwep-rig: {event.text}", err=True)
            elif isinstance(value, _SHOWN) and not _is_drive(value):
                self._output.write_line(self._line(event))

    def _line(self, event: _core.Event) -> str:
        if self._as_json:
            return event.to_json()
        moment = datetime.fromtimestamp((event.at_ns + self._offset_ns) / 1e9)
        text = f"{moment:%H:%M:%S}.{moment.microsecond // 1000:03}  {event.lane:<8}"
        return f"{text}  {self._told(event)}"

    def _told(self, event: _core.Event) -> str:
        value = event.value
        if isinstance(value, _core.EdgeSeen) and value.line in self._bench.leds:
            is_high = value.level == _core.Level.high
            is_on = is_high == self._bench.config.lines[value.line].is_active_high
            return f"{value.line} {'on' if is_on else 'off'}"
        return f"{value.line} pressed" if isinstance(value, _core.PressAsserted) else event.text


def _running_line(endpoints: dict[str, tuple[str, ...]], as_json: bool) -> str:
    if as_json:
        return json.dumps({"event": "running", **endpoints})
    words = (f"{kind}={each}" for kind, some in endpoints.items() for each in some)
    return " ".join(("running", *words))


_SHOWN = (_core.ConsoleLine, _core.EdgeSeen, _core.PressAsserted, _core.TargetChanged)


def _is_drive(value: object) -> bool:
    """Whether it is an edge that the rig made itself: the press says as much."""
    return isinstance(value, _core.EdgeSeen) and value.source == _core.EdgeSource.rig
