"""Latencies of presses, and their distribution as a table."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields


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

    Attributes:
        key: the field of Latencies, `press_to_led_ms`.
        name: the same for people.
        count: of presses that had it.
    """

    key: str
    name: str
    count: int
    min_ms: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float


LABELS = {
    "press_to_led_ms": "press → LED",
    "press_to_frame_ms": "press → frame",
    "frame_to_reply_ms": "frame → reply",
    "handshake_ms": "handshake",
}


def percentile(ordered: Sequence[float], percent: float) -> float:
    """The nearest-rank percentile of values that are in order and not empty."""
    rank = -(-len(ordered) * percent // 100)
    return ordered[max(0, int(rank) - 1)]


def distributions(trips: Iterable[Latencies]) -> list[Distribution]:
    """One entry for each latency that was measured at least once."""
    all_trips = list(trips)
    found = []
    for each in fields(Latencies):
        if each.name not in LABELS:
            continue
        values = (getattr(trip, each.name) for trip in all_trips)
        ordered = sorted(value for value in values if value is not None)
        if ordered:
            found.append(
                Distribution(
                    each.name,
                    LABELS[each.name],
                    len(ordered),
                    ordered[0],
                    percentile(ordered, 50),
                    percentile(ordered, 95),
                    percentile(ordered, 99),
                    ordered[-1],
                )
            )
    return found


def table(rows: Iterable[Distribution], floors_ms: Mapping[str, float] | None = None) -> list[str]:
    """The distributions as lines of text, in milliseconds.

    Args:
        rows: the distributions.
        floors_ms: what the rig itself adds to each latency, by its key; None: not measured.
    """
    header = ("latency (ms)", "n", "min", "p50", "p95", "p99", "max")
    end = f"{'rig floor':>11}" if floors_ms is not None else ""
    lines = [f"{header[0]:<16}" + "".join(f"{name:>10}" for name in header[1:]) + end]
    for row in rows:
        numbers = (row.min_ms, row.p50_ms, row.p95_ms, row.p99_ms, row.max_ms)
        cells = "".join(f"{number:>10.3f}" for number in numbers)
        if floors_ms is not None:
            # A dash: that latency is between two stamps of the network, not of a line.
            cells += f"{floors_ms[row.key]:>11.3f}" if row.key in floors_ms else f"{'-':>11}"
        lines.append(f"{row.name:<16}{row.count:>10}{cells}")
    return lines
