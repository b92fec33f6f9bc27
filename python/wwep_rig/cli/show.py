"""`wwep-rig show`: what a recording holds."""

import json
import os
from datetime import datetime

import click

from wwep_rig import _core
from wwep_rig.calibration import from_value
from wwep_rig.latencies import Latencies, distributions, table
from wwep_rig.recordings import newest
from wwep_rig.timeline_text import row_line
from wwep_rig.user_dirs import state_directory

from .common import json_option, print_json


@click.command()
@click.argument("recording", type=click.Path(), required=False)
@click.option(
    "--last",
    type=click.IntRange(min=0),
    default=20,
    show_default=True,
    metavar="N",
    help="Rows of the timeline; 0: all.",
)
@json_option
def show(recording: str | None, last: int, as_json: bool) -> None:
    """Show a recording: the run, its latencies, the end of its timeline.

    Without RECORDING it is the newest one in your state directory.

    \b
    Example:
        $ wwep-rig show report.sqlite --last 5
    """
    path = recording or newest(state_directory(os.environ) / "recordings")
    reader = _core.RecordingReader(str(path))
    run = json.loads(reader.run_json())
    presses = [_latencies_of(each) for each in reader.latencies()]
    rows = reader.timeline(last)
    counts = reader.counts()
    floor = from_value((run.get("facts") or {}).get("calibration"))
    floors_ms = floor.floors_ms if floor else {}
    if as_json:
        print_json(
            {
                "run": run,
                "counts": counts,
                "latencies": [
                    {
                        "latency": row.key,
                        "n": row.count,
                        "min_ms": row.min_ms,
                        "p50_ms": row.p50_ms,
                        "p95_ms": row.p95_ms,
                        "p99_ms": row.p99_ms,
                        "max_ms": row.max_ms,
                        "rig_floor_ms": floors_ms.get(row.key),
                    }
                    for row in distributions(presses)
                ],
                "timeline": [
                    {"at_ns": row.at_ns, "lane": row.lane, "what": row.what} for row in rows
                ],
            }
        )
        return
    click.echo(f"{'recording':<10} {path}")
    for name in ("bench", "firmware", "host", "command"):
        if run.get(name):
            click.echo(f"{name:<10} {run[name]}")
    if began := run.get("began_wall_ns"):
        click.echo(f"{'began':<10} {datetime.fromtimestamp(began / 1e9):%Y-%m-%d %H:%M:%S}")
    click.echo(f"{'rows':<10} " + ", ".join(f"{name} {count}" for name, count in counts.items()))
    if found := distributions(presses):
        click.echo("\n" + "\n".join(table(found, floors_ms if floor else None)))
        if floor:
            click.echo(f"rig floor: {floor.text}")
    if rows:
        click.echo(f"\nthe last {len(rows)} rows of the timeline")
        for row in rows:
            click.echo(row_line(row.at_ns, row.lane, row.what, rows[0].at_ns))


def _latencies_of(press: _core.PressLatency) -> Latencies:
    def ms(value_ns: int | None) -> float | None:
        return None if value_ns is None else value_ns / 1e6

    return Latencies(
        press_to_led_ms=ms(press.press_to_led_ns),
        press_to_frame_ms=ms(press.press_to_frame_ns),
        frame_to_reply_ms=ms(press.frame_to_reply_ns),
        handshake_ms=ms(press.handshake_ns),
        press_uncertainty_ms=0.0,
    )
