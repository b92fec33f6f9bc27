"""A recording as values: its runs, its presses, what came of each, and what is wrong with it."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from . import _core
from .calibration import Calibration, from_value
from .latencies import Distribution, distributions
from .recorded_trips import RecordedTrip, Row, State, Trips, as_object, missing_parts
from .statistics import nearest_rank

_EVENTS_BEFORE_NS = 50_000_000
_EVENTS_AFTER_NS = 50_000_000
_NOTHING_AFTER_NS = 1_000_000_000
_EVENTS_SHOWN_MAX = 200


@dataclass(frozen=True)
class Worst:
    """The press with the longest of one latency, or one that missed it, and the events around it.

    Attributes:
        key: the field of `Latencies`.
        value_ms: how long it took; None: it did not happen.
        median_ms: how long it took the others, in the middle; None: it never happened.
        trip: the press.
        events: rows of the timeline.
    """

    key: str
    value_ms: float | None
    median_ms: float | None
    trip: RecordedTrip
    events: tuple[_core.TimelineRow, ...]


class RecordedRun:
    """A recording that is read as a whole. What the rig goes on writing later is not in it."""

    def __init__(self, path: Path) -> None:
        """Open it. Raises RigError: no such file, no recording, or one of a newer rig."""
        self.path = path
        self.reader = _core.RecordingReader(str(path))

    @cached_property
    def runs(self) -> Sequence[Row]:
        """One row for each process that wrote it, in their order; their facts are objects."""
        rows = self.reader.rows("runs")
        return [{**row, "facts": as_object(row.get("facts"))} for row in rows]

    @property
    def run(self) -> Row:
        """The newest of them; empty when there is none."""
        return self.runs[-1] if self.runs else {}

    @property
    def bench_facts(self) -> Row:
        """What the recording says of its bench; empty in recordings of older rigs."""
        return as_object(self.run.get("facts", {}).get("bench"))

    @property
    def floor(self) -> Calibration | None:
        """What the rig itself adds, if it was measured."""
        return from_value(self.run.get("facts", {}).get("calibration"))

    @cached_property
    def pairings(self) -> dict[str, tuple[str, bool]]:
        """By the button's name its LED, and whether its frames are secure."""
        contract = as_object(self.bench_facts.get("contract"))
        buttons: Mapping[str, Row] = as_object(contract.get("buttons"))
        if buttons:
            return {
                name: (each.get("led") or "", bool(each["secure"]))
                for name, each in buttons.items()
            }
        pressed = {str(row["line"]) for row in self.reader.rows("presses")}
        # The lab's wiring, which is all that there was before recordings said it.
        return {
            name: (name.replace("button", "led"), name == "button1")
            for name in pressed
            if name.startswith("button")
        }

    def rows(self, table: str) -> Sequence[Row]:
        """All rows of a table; none when an older rig had no such table."""
        return list(self.each_row(table))

    def each_row(self, table: str) -> Iterator[Row]:
        """The same one by one."""
        return iter(self.reader.rows(table)) if table in self.counts else iter(())

    @cached_property
    def counts(self) -> Mapping[str, int]:
        """How many rows each table has."""
        return self.reader.counts()

    @cached_property
    def tests(self) -> Sequence[Row]:
        """The tests of a pytest run. `attempt` counts the rows of one test from 1; the test was
        tried again when `is_retried`; `told` is the outcome for people."""
        rows = self.rows("tests")
        attempts_left = Counter(row["nodeid"] for row in rows)
        attempts: Counter[str] = Counter()
        found = []
        for row in rows:
            attempts[row["nodeid"]] += 1
            attempts_left[row["nodeid"]] -= 1
            attempt, is_retried = attempts[row["nodeid"]], attempts_left[row["nodeid"]] > 0
            told = (row["outcome"] or "unfinished") + (", tried again" if is_retried else "")
            told += f" (attempt {attempt})" if is_retried or attempt > 1 else ""
            found.append({**row, "attempt": attempt, "is_retried": is_retried, "told": told})
        return found

    @property
    def rig_errors(self) -> Sequence[str]:
        """What went wrong with the rig itself."""
        return [str(row["what"]) for row in self.rows("notes") if row["is_error"]]

    @cached_property
    def trips(self) -> Sequence[RecordedTrip]:
        """Every press, in the order of time."""
        return self._read_trips().all()

    def each_trip(self) -> Iterator[RecordedTrip]:
        """The same, one after another and the last one first, for those that need not keep them."""
        return self._read_trips().backwards()

    def _read_trips(self) -> Trips:
        return Trips(self.reader, self.bench_facts, self.pairings, self.runs, self.tests)

    @property
    def missed(self) -> Mapping[str, int]:
        """How many presses should have had a latency and had not, by the fields of `Latencies`."""
        found = Counter(
            key for trip in self.trips if trip.state is State.FAILED for key in missing_parts(trip)
        )
        return found

    @property
    def distributions(self) -> list[Distribution]:
        """Of each latency that was measured at least once."""
        return distributions((trip.latencies for trip in self.trips), self.missed)

    def worst(self, key: str, trips: Sequence[RecordedTrip] | None = None) -> Worst | None:
        """The press with the longest of a latency; one that missed it is worse than any.

        Args:
            key: the field of `Latencies`.
            trips: which presses; None: all.
        """
        trips = self.trips if trips is None else trips
        with_it = [trip for trip in trips if getattr(trip.latencies, key) is not None]
        without = [
            trip for trip in trips if trip.state is State.FAILED and key in missing_parts(trip)
        ]
        if not with_it and not without:
            return None
        values = sorted(getattr(trip.latencies, key) for trip in with_it)
        longest = max(values, default=None)
        trip = (without or [one for one in with_it if getattr(one.latencies, key) == longest])[0]
        return Worst(
            key,
            getattr(trip.latencies, key),
            nearest_rank(values, 50) if values else None,
            trip,
            self.events_around(trip),
        )

    def events_around(self, trip: RecordedTrip) -> tuple[_core.TimelineRow, ...]:
        """The timeline from shortly before a press until shortly after the last that it caused."""
        waits_ns = _EVENTS_AFTER_NS if trip.state is State.GOOD else _NOTHING_AFTER_NS
        rows = self.reader.timeline(0, trip.before_ns - _EVENTS_BEFORE_NS, trip.ended_ns + waits_ns)
        place = next((at for at, row in enumerate(rows) if row.at_ns >= trip.before_ns), 0)
        first = max(0, place - _EVENTS_SHOWN_MAX // 4)
        return tuple(rows[first : first + _EVENTS_SHOWN_MAX])
