"""`wwep-rig show`: what a recording holds."""

import os
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from wwep_rig.latencies import LABELS, as_value, table
from wwep_rig.recorded import RecordedRun, Worst
from wwep_rig.recordings import newest
from wwep_rig.timeline_text import row_line
from wwep_rig.user_dirs import state_directory

from .common import json_option, print_json, progress

_SHORT = {key.removesuffix("_ms").replace("_", "-"): key for key in LABELS}


@click.command()
@click.argument(
    "recording", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=False
)
@click.option(
    "--last",
    type=click.IntRange(min=0),
    default=20,
    show_default=True,
    metavar="N",
    help="Rows of the timeline; 0: all.",
)
@click.option(
    "--worst",
    type=click.Choice(sorted(_SHORT)),
    help="Instead, what happened around the press with the longest of this latency; one that "
    "missed it is worse than any.",
)
@json_option
def show(recording: Path | None, last: int, worst: str | None, as_json: bool) -> None:
    """Show a recording: the run, its latencies, the end of its timeline.

    Without RECORDING it is the newest one in your state directory.

    \b
    Example:
        $ wwep-rig show report.sqlite --last 5
        $ wwep-rig show report.sqlite --worst press-to-frame
    """
    path = recording or newest(state_directory(os.environ) / "recordings")
    with progress("reading the recording"):
        recorded = RecordedRun(path)
        floor = recorded.floor
        found = recorded.distributions
    worst_press = recorded.worst(_SHORT[worst]) if worst else None
    if worst:
        _show_worst(worst_press, worst, as_json)
        return
    rows = recorded.reader.timeline(last)
    floors_ms = floor.floors_ms if floor else {}
    if as_json:
        print_json(
            {
                "run": recorded.run,
                "runs": len(recorded.runs),
                "counts": recorded.counts,
                "latencies": [as_value(row, floors_ms) for row in found],
                "timeline": [
                    {"at_ns": row.at_ns, "lane": row.lane, "what": row.what} for row in rows
                ],
            }
        )
        return
    run = recorded.run
    click.echo(f"{'recording':<10} {path}")
    for name in ("bench", "firmware", "host", "command"):
        if run.get(name):
            click.echo(f"{name:<10} {run[name]}")
    if recorded.runs:
        began = datetime.fromtimestamp(recorded.runs[0]["began_wall_ns"] / 1e9)
        again = f", gone on with {len(recorded.runs) - 1} times" if recorded.runs[1:] else ""
        click.echo(f"{'began':<10} {began:%Y-%m-%d %H:%M:%S}{again}")
    counts = recorded.counts
    click.echo(f"{'rows':<10} " + ", ".join(f"{name} {count}" for name, count in counts.items()))
    if found:
        lines = table(found, floors_ms if floor else None, with_interval=True)
        click.echo("\n" + "\n".join(lines))
        if floor:
            click.echo(f"rig floor: {floor.text}")
    if rows:
        click.echo(f"\nthe last {len(rows)} rows of the timeline")
        for row in rows:
            click.echo(row_line(row.at_ns, row.lane, row.what, rows[0].at_ns))


def _show_worst(found: Worst | None, name: str, as_json: bool) -> None:
    if as_json:
        print_json(_worst_value(found) if found else None)
        return
    if found is None:
        click.echo(f"no press of this recording has a latency {name}")
        return
    took = "missed" if found.value_ms is None else f"{found.value_ms:.3f} ms"
    median = "" if found.median_ms is None else f", the median is {found.median_ms:.3f} ms"
    trip = found.trip
    click.echo(f"{LABELS[found.key]}: {took}{median}")
    click.echo(f"press {trip.id} of {trip.button}{f': {trip.problem}' if trip.problem else ''}")
    click.echo("what happened around it, counted from the press")
    for row in found.events:
        click.echo(row_line(row.at_ns, row.lane, row.what, trip.before_ns))


def _worst_value(found: Worst) -> dict[str, Any]:
    return {
        "latency": found.key,
        "value_ms": found.value_ms,
        "median_ms": found.median_ms,
        "press": found.trip.id,
        "button": found.trip.button,
        "problem": found.trip.problem or None,
        "events": [
            {"at_ns": row.at_ns, "lane": row.lane, "what": row.what} for row in found.events
        ],
    }
