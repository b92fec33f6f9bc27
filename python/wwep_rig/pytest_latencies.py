"""The latencies that the presses of a pytest run took, as its summary and its JUnit file tell."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

import pytest

from .bench import Bench
from .calibration import Calibration
from .errors import RigError
from .latencies import LABELS, Latencies, distributions, missing_of, table
from .round_trip import Press, RoundTrip


class RunLatencies:
    """Collects them test by test."""

    def __init__(self) -> None:
        self._measured: list[Latencies] = []
        self._missed: Counter[str] = Counter()
        self._forgotten = 0

    def add(
        self, item: pytest.Item, bench: Bench, presses: Sequence[Press], *, failed: bool
    ) -> None:
        """Take those of a test that has ended; its longest become properties of it.

        Args:
            item: the test.
            bench: where it pressed.
            presses: its presses.
            failed: whether it did. What a test that passed does without, it does so on purpose.
        """
        trips = list(_trips_kept(bench, presses))
        self._forgotten += len(presses) - len(trips)
        measured = [trip.latencies for trip in trips]
        self._measured += measured
        if failed:
            for trip in trips:
                self._missed.update(missing_of(trip.latencies, has_led=bool(trip.led.name)))
        for name in LABELS:
            known = [value for one in measured if (value := getattr(one, name)) is not None]
            if known:
                item.user_properties.append((f"rig_{name}_max", f"{max(known):.3f}"))

    def __bool__(self) -> bool:
        return bool(distributions(self._measured, self._missed))

    def lines(self, floor: Calibration | None) -> Iterator[str]:
        """The table for people; none when nothing was measured."""
        if not self:
            return
        rows = distributions(self._measured, self._missed)
        yield from table(rows, floor.floors_ms if floor else None)
        if self._forgotten:
            presses = "press" if self._forgotten == 1 else "presses"
            yield f"without {self._forgotten:,} earlier {presses}: see the report"
        if floor:
            yield f"rig floor: {floor.text}"

    def write_properties(self, write: Callable[[str, object], None]) -> None:
        """Each latency as a property of the run."""
        for row in distributions(self._measured, self._missed):
            numbers = (row.min_ms, row.p50_ms, row.p95_ms, row.p99_ms, row.max_ms)
            names = ("min", "p50", "p95", "p99", "max")
            text = " ".join(f"{name}={number:.3f}" for name, number in zip(names, numbers))
            write(f"rig_{row.key}", f"n={row.count} missed={row.missed} {text}")


def _trips_kept(bench: Bench, presses: Sequence[Press]) -> Iterator[RoundTrip]:
    """What presses have caused, the newest first, as far back as the bench remembers."""
    for press in reversed(presses):
        try:
            yield bench.trip_of(press.id)
        except RigError:
            return
