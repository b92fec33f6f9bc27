"""`wwep-rig watch`: the timeline as it grows."""

import json
import time
from collections.abc import Callable
from pathlib import Path

import click

from wwep_rig import _core
from wwep_rig.bench import Bench
from wwep_rig.opening import open_bench
from wwep_rig.timeline_text import row_line

from .common import bench_option, json_option, until_stopped, wait_option
from .output import PatientOutput

_POLL_S = 0.3


@click.command()
@click.argument("recording", required=False, type=click.Path(exists=True, dir_okay=False))
@bench_option
@wait_option
@json_option
def watch(recording: str | None, bench_name: str, wait_s: float, as_json: bool) -> int:
    """Show what happens on a bench, or in a RECORDING that another process writes.

    Ctrl-C ends it, and so does the end of the recorded run. Following a recording needs no bench
    and takes no lock.

    \b
    Example: while pytest runs in another terminal:
        $ wwep-rig watch recordings/20260101-120000-sim-4711.sqlite
    """
    with until_stopped():
        if recording is not None:
            _follow(Path(recording), as_json)
        else:
            _watch_bench(bench_name, wait_s, as_json)
    return 0


def _watch_bench(bench_name: str, wait_s: float, as_json: bool) -> None:
    with open_bench(bench_name, wait_s=wait_s) as bench:
        print_events(bench, as_json, lambda event: True)


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
    reader = _core.RecordingReader(str(path))
    output = PatientOutput(1)
    seen: set[tuple[int, str, str]] = set()
    zero_ns = 0
    try:
        is_over = False
        while not is_over:
            # Asked first: what is recorded between the two is shown all the same.
            is_over = json.loads(reader.run_json()).get("ended_ns") is not None
            # Rows are ordered by their own time, so a late one appears in the middle.
            for row in reader.timeline(0):
                key = (row.at_ns, row.lane, row.what)
                if key in seen:
                    continue
                seen.add(key)
                zero_ns = zero_ns or row.at_ns
                if as_json:
                    value = {"at_ns": row.at_ns, "lane": row.lane, "what": row.what}
                    output.write_line(json.dumps(value))
                else:
                    output.write_line(row_line(row.at_ns, row.lane, row.what, zero_ns))
            if not is_over:
                time.sleep(_POLL_S)
    finally:
        output.close()
