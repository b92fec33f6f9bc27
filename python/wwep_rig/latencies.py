"""Latencies of presses, and their distribution as a table."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .statistics import CONFIDENCE, Interval, nearest_rank, percentile_interval


@dataclass(frozen=True)
class Latencies:
    """How long the parts of a round trip took, in milliseconds. None: that part did not happen.

    Attributes:
        press_to_led_ms: from just before the line was set to the LED's first edge.
        press_to_frame_ms: to the arrival of the frame's last byte.
        frame_to_reply_ms: from there to the reply.
        handshake_ms: of TLS, on the server's side.
        press_uncertainty_ms: latencies from the press are too long by at most this.
    """

    press_to_led_ms: float | None
    press_to_frame_ms: float | None
    frame_to_reply_ms: float | None
    handshake_ms: float | None
    press_uncertainty_ms: float


@dataclass(frozen=True)
class Distribution:
    """Of one latency over a run, in milliseconds; percentiles by nearest rank.

    A miss is later than anything: a percentile that falls among the misses is `math.inf`.

    Attributes:
        key: the field of Latencies, `press_to_led_ms`.
        name: the same for people.
        count: of presses that had it.
        missed: of presses that should have had it, and had not.
        min_ms, max_ms: of those that had it.
        p50_between, p95_between, p99_between: where the percentile of all such presses lies, with
            `statistics.CONFIDENCE`.
    """

    key: str
    name: str
    count: int
    missed: int
    min_ms: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float
    p50_between: Interval
    p95_between: Interval
    p99_between: Interval


LABELS = {
    "press_to_led_ms": "press → LED",
    "press_to_frame_ms": "press → frame",
    "frame_to_reply_ms": "frame → reply",
    "handshake_ms": "handshake",
}


def missing_of(latencies: Latencies, *, has_led: bool) -> list[str]:
    """What a press that reached nobody lacks; a handshake is a part of the way to the frame."""
    missing = []
    if has_led and latencies.press_to_led_ms is None:
        missing.append("press_to_led_ms")
    if latencies.press_to_frame_ms is None:
        missing.append("press_to_frame_ms")
    elif latencies.frame_to_reply_ms is None:
        missing.append("frame_to_reply_ms")
    return missing


def distributions(
    trips: Iterable[Latencies], missed: Mapping[str, int] | None = None
) -> list[Distribution]:
    """One entry for each latency that was measured at least once.

    Args:
        trips: what was measured.
        missed: how many presses should have had a latency and had not, by its key.
    """
    all_trips = list(trips)
    found = []
    for key, name in LABELS.items():
        values = (getattr(trip, key) for trip in all_trips)
        ordered = sorted(value for value in values if value is not None)
        if ordered:
            found.append(_distribution(key, name, ordered, (missed or {}).get(key, 0)))
    return found


def _distribution(key: str, name: str, ordered: list[float], missed: int) -> Distribution:
    sample = ordered + [math.inf] * missed
    p50, p95, p99 = (nearest_rank(sample, percent) for percent in (50, 95, 99))
    between = [percentile_interval(sample, percent) for percent in (50, 95, 99)]
    return Distribution(
        key, name, len(ordered), missed, ordered[0], p50, p95, p99, ordered[-1], *between
    )


def table(
    rows: Iterable[Distribution],
    floors_ms: Mapping[str, float] | None = None,
    *,
    with_interval: bool = False,
) -> list[str]:
    """The distributions as lines of text, in milliseconds.

    Args:
        rows: the distributions.
        floors_ms: what the rig itself adds to each latency, by its key; None: not measured.
        with_interval: whether to say where the p99 of all presses lies.
    """
    names = ("min", "p50", "p95", "p99", "max")
    lines = [f"{'latency (ms)':<16}{'n':>7}{'missed':>8}" + "".join(f"{name:>9}" for name in names)]
    lines[0] += f"{'p99 between':>20}" if with_interval else ""
    lines[0] += f"{'rig floor':>11}" if floors_ms is not None else ""
    for row in rows:
        numbers = (row.min_ms, row.p50_ms, row.p95_ms, row.p99_ms, row.max_ms)
        cells = "".join(f"{_text(number):>9}" for number in numbers)
        if with_interval:
            low, high = row.p99_between.low, row.p99_between.high
            cells += f"{f'{_text(low)}..{_text(high)}':>20}"
        if floors_ms is not None:
            # A dash: that latency is between two stamps of the network, not of a line.
            cells += f"{floors_ms[row.key]:>11.3f}" if row.key in floors_ms else f"{'-':>11}"
        lines.append(f"{row.name:<16}{row.count:>7}{row.missed:>8}{cells}")
    return lines


def _text(value_ms: float) -> str:
    """A question mark: there are too few presses, or too many misses, to say."""
    return f"{value_ms:.3f}" if math.isfinite(value_ms) else "?"


def as_value(row: Distribution, floors_ms: Mapping[str, float] | None = None) -> dict[str, Any]:
    """A distribution for machines; null: nobody knows, or a miss."""

    def pair(interval: Interval) -> list[float | None]:
        return [finite(interval.low), finite(interval.high)]

    return {
        "latency": row.key,
        "n": row.count,
        "missed": row.missed,
        "min_ms": row.min_ms,
        "p50_ms": finite(row.p50_ms),
        "p95_ms": finite(row.p95_ms),
        "p99_ms": finite(row.p99_ms),
        "max_ms": row.max_ms,
        "p50_between_ms": pair(row.p50_between),
        "p95_between_ms": pair(row.p95_between),
        "p99_between_ms": pair(row.p99_between),
        "confidence": CONFIDENCE,
        "rig_floor_ms": (floors_ms or {}).get(row.key),
    }


def finite(value: float) -> float | None:
    """None for what JSON does not know."""
    return value if math.isfinite(value) else None
