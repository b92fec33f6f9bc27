"""`wwep-rig press`: one press by hand, from the edge to the reply."""

from collections.abc import Mapping
from typing import Any

import click

from wwep_rig.bench import Bench
from wwep_rig.latencies import LABELS, distributions, table
from wwep_rig.round_trip import Connection, Frame, Reply, RoundTrip

from .common import bench_option, json_option, print_json, progress, wait_option
from .pressing import (
    hold_option,
    profile_option,
    refuse_unknown_button,
    refuse_unknown_profile,
    started_bench,
)
from .transactions import printable


@click.command()
@click.argument("button")
@bench_option
@wait_option
@hold_option
@profile_option
@click.option(
    "--timeout",
    "timeout_s",
    type=click.FloatRange(min=0.001),
    metavar="SECONDS",
    help="Default: what the bench's budgets allow.",
)
@click.option(
    "--count",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    metavar="N",
    help="How many presses; more than one end with a table of latencies.",
)
@json_option
def press(
    button: str,
    bench_name: str,
    wait_s: float,
    hold_s: float | None,
    timeout_s: float | None,
    profile: str,
    count: int,
    as_json: bool,
) -> None:
    """Press BUTTON and show what comes of it.

    \b
    Example: the simulated board's button that talks in the clear:
        $ wwep-rig press button0
        button0: led0 on, in the clear: W0003050001 → A0003050001

    Exit code 1 when the round trip is not complete in time.
    """
    refuse_unknown_button(bench_name, button)
    refuse_unknown_profile(profile, hold_s)
    with started_bench(bench_name, wait_s) as bench:
        trips = []
        for _ in range(count):
            trips.append(_press_once(bench, button, hold_s, timeout_s, profile, as_json))
        if count > 1 and not as_json:
            rows = distributions(trip.latencies for trip in trips)
            floor = bench.calibration
            click.echo("\n".join(table(rows, floor.floors_ms if floor else None)))


def _press_once(
    bench: Bench,
    button: str,
    hold_s: float | None,
    timeout_s: float | None,
    profile: str,
    as_json: bool,
) -> RoundTrip:
    bench.raise_new_rig_errors()
    with progress(f"pressing {button}"):
        trip = bench.press(button, hold_s=hold_s, timeout_s=timeout_s, profile=profile)
    floors_ms = bench.calibration.floors_ms if bench.calibration else {}
    if as_json:
        print_json(as_value(trip, floors_ms))
    else:
        click.echo(as_text(trip, floors_ms))
    return trip


def _last_exchange(trip: RoundTrip) -> tuple[Connection, Frame, Reply]:
    """The last that was replied to: a contact that bounces may have begun another connection."""
    for connection in reversed(trip.connections):
        if pairs := list(zip(connection.frames, connection.replies)):
            return connection, *pairs[-1]
    return trip.connection, trip.frame, trip.reply


def as_text(trip: RoundTrip, floors_ms: Mapping[str, float]) -> str:
    """A round trip in two lines for people, with what the rig adds to a latency beside it."""
    (connection, frame, reply), latencies = _last_exchange(trip), trip.latencies
    how = f"{connection.tls_version} {connection.cipher}" if connection.secure else "in the clear"
    led = f"{trip.led.name} {'on' if trip.led.is_on else 'off'}, " if trip.led.name else ""
    measured = (
        f"{LABELS[name]} {value:.3f} ms"
        + (f" (rig floor {floors_ms[name]:.3f})" if name in floors_ms else "")
        for name in LABELS
        if (value := getattr(latencies, name)) is not None
    )
    return (
        f"{trip.press.button}: {led}{how}: {printable(frame.raw)} → "
        f"{printable(reply.bytes)}\n    {', '.join(measured)}"
    )


def as_value(trip: RoundTrip, floors_ms: Mapping[str, float]) -> dict[str, Any]:
    """A round trip as a JSON object."""
    connection, frame, reply = _last_exchange(trip)
    latencies = {name: getattr(trip.latencies, name) for name in LABELS}
    return {
        "button": trip.press.button,
        "led": {"name": trip.led.name, "is_on": trip.led.is_on},
        "secure": connection.secure,
        "tls_version": connection.tls_version,
        "cipher": connection.cipher,
        "device": frame.device,
        "register": frame.register,
        "value": frame.value,
        "request": frame.raw.decode("latin-1"),
        "reply": reply.bytes.decode("latin-1"),
        "latencies": {**latencies, "press_uncertainty_ms": trip.latencies.press_uncertainty_ms},
        "rig_floors_ms": dict(floors_ms),
        "console": [line.text for line in trip.console],
    }
