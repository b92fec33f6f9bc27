"""`wwep-rig watch`: what happens on a bench or in a recording, live."""

import contextlib
import json
import os
import select
import sys
import termios
import time
import tty
from collections.abc import Callable, Iterator
from pathlib import Path

import click
from rich.console import Console
from rich.live import Live

from wwep_rig import _core
from wwep_rig.bench import Bench
from wwep_rig.opening import open_bench
from wwep_rig.timeline_text import row_line

from .common import bench_option, json_option, progress, until_stopped, wait_option
from .live_view import LiveView
from .output import PatientOutput
from .watch_sources import BenchSource, RecordingSource, Source

_POLL_S = 0.3
# Calm for the eye and for a slow line, however much happens.
_DRAWN_EVERY_S = 0.2
_KEY_BYTES_MAX = 16


@click.command()
@click.argument("recording", required=False, type=click.Path(exists=True, dir_okay=False))
@bench_option
@wait_option
@click.option(
    "--lines", "as_lines", is_flag=True, help="A line for each event, also on a terminal."
)
@json_option
def watch(
    recording: str | None, bench_name: str, wait_s: float, as_lines: bool, as_json: bool
) -> int:
    """Show what happens on a bench, or in a RECORDING that another process writes.

    On a terminal: buttons, LEDs, connections, latencies, the newest events and console lines; the
    keys 0 to 9 press the bench's buttons, q ends; any other is answered with those there are.
    Elsewhere, and with --lines or --json, a line for each event. Ctrl-C ends it, and so does the
    end of the recorded run. Following a recording needs no bench and takes no lock.

    \b
    Example: while pytest runs in another terminal:
        $ wwep-rig watch recordings/20260101-120000-sim-4711.sqlite
    """
    is_live = not as_json and not as_lines and sys.stdin.isatty() and sys.stdout.isatty()
    with until_stopped():
        if recording is not None and is_live:
            _show_live(RecordingSource(Path(recording)))
        elif recording is not None:
            _follow(Path(recording), as_json)
        elif is_live:
            with progress("opening the bench"):
                bench = open_bench(bench_name, wait_s=wait_s)
            with bench:
                source = BenchSource(bench)
                with progress("starting the target"):
                    bench.target.start()
                _show_live(source)
        else:
            with open_bench(bench_name, wait_s=wait_s) as bench:
                print_events(bench, as_json, lambda event: True)
    return 0


def _show_live(source: Source) -> None:
    """Draw at a fixed rate until q is pressed or the source is over."""
    keys = " ".join(f"{i} {name}" for i, name in enumerate(source.buttons[:10]))
    told = f"keys: {keys}  q end" if source.can_press else "keys: q end"
    view = LiveView(source.title, source.active, told)
    view.lines_known(source.buttons, source.leds)
    console = Console()
    drawn: tuple[tuple[int, int], str] | None = None
    has_told_end = False
    with _keys() as key, Live(console=console, screen=True, auto_refresh=False) as live:
        while True:
            # Asked first: what is recorded between the two is shown all the same.
            is_over = source.is_over()
            before = view.counts.total()
            for seen in source.events():
                view.take(seen)
            for latencies in source.latencies():
                view.take_latencies(latencies)
            view.missed = source.missed()
            if is_over and not has_told_end:
                view.message, has_told_end = "the run has ended; q ends", True
            size = (console.width, console.height)
            if view.counts.total() != before or view.is_moving or (size, view.message) != drawn:
                drawn = (size, view.message)
                live.update(view.drawn(*size), refresh=True)
            pressed = key(_DRAWN_EVERY_S)
            if pressed == "q":
                return
            if pressed.isdecimal() and int(pressed) < len(source.buttons):
                view.message = source.press(source.buttons[int(pressed)])
            elif pressed:
                shown = pressed if pressed.isprintable() else repr(pressed)
                view.message = f"no key {shown}; {told}"


@contextlib.contextmanager
def _keys() -> Iterator[Callable[[float], str]]:
    """Keys one by one, without Enter: a function that waits so long for one, else gives "".

    A key that sends several characters, such as an arrow, is one.
    """
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)

    def key(timeout_s: float) -> str:
        if not select.select([descriptor], [], [], timeout_s)[0]:
            return ""
        if not (typed := os.read(descriptor, 1)):
            return "q"  # the terminal is gone
        if typed == b"\x1b" and select.select([descriptor], [], [], 0)[0]:
            typed += os.read(descriptor, _KEY_BYTES_MAX - 1)
        return typed.decode("ascii", "replace")

    try:
        tty.setcbreak(descriptor)
        yield key
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def print_events(bench: Bench, as_json: bool, is_wanted: Callable[[_core.Event], bool]) -> None:
    """Start a bench's target and print the events that are wanted, without end."""
    output = PatientOutput(1)
    window = bench.record()
    bench.target.start()
    try:
        for event in filter(is_wanted, window.follow()):
            if as_json:
                output.write_line(event.to_json())
            else:
                text = row_line(event.at_ns, event.lane, event.text, window.began_ns)
                output.write_line(text)
    finally:
        output.close()


def _follow(path: Path, as_json: bool) -> None:
    source = RecordingSource(path, rows_max=0)
    output = PatientOutput(1)
    zero_ns = 0
    try:
        is_over = False
        while not is_over:
            # Asked first: what is recorded between the two is shown all the same.
            is_over = source.is_over()
            for seen in source.events():
                zero_ns = zero_ns or seen.at_ns
                if as_json:
                    value = {"at_ns": seen.at_ns, "lane": seen.lane, "what": seen.text}
                    output.write_line(json.dumps(value))
                else:
                    output.write_line(row_line(seen.at_ns, seen.lane, seen.text, zero_ns))
            if not is_over:
                time.sleep(_POLL_S)
    finally:
        output.close()
