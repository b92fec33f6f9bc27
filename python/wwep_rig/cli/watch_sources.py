"""Where `watch` looks: an open bench, or a recording that another process writes."""

import json
import time
from collections import deque
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

from wwep_rig import _core
from wwep_rig.bench import Bench
from wwep_rig.errors import WwepRigError
from wwep_rig.latencies import Latencies
from wwep_rig.recorded import RecordedRun
from wwep_rig.recorded_trips import as_object, latencies_of

from .live_view import EVENTS_KEPT_MAX, Seen

# Rows come into a recording some milliseconds after what they tell, on a bad day seconds.
_LATE_MAX_NS = 5_000_000_000
_EVENTS_AT_ONCE_MAX = 20_000


class Source(Protocol):
    """What `watch` needs of either."""

    title: str
    buttons: tuple[str, ...]
    leds: tuple[str, ...]
    active: Mapping[str, str]
    can_press: bool

    def events(self) -> Iterator[Seen]:
        """What has happened since the last call."""

    def latencies(self) -> Iterator[Latencies]:
        """Of the presses that have come to their end since the last call."""

    def missed(self) -> int:
        """How many events were gone before they could be told."""

    def is_over(self) -> bool:
        """Whether nothing more will come."""

    def press(self, button: str) -> str:
        """Press a button; what went wrong, empty if nothing did."""


class BenchSource:
    """A bench that this process has opened."""

    can_press = True

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._window = bench.record()
        self._pending: dict[int, float] = {}
        self.title = f"{bench.name} ({bench.kind.value})"
        self.buttons, self.leds = bench.buttons, bench.leds
        self.active: Mapping[str, str] = {
            name: "high" if line.is_active_high else "low"
            for name, line in bench.config.lines.items()
        }

    def events(self) -> Iterator[Seen]:
        """What has happened since the last call."""
        for _ in range(_EVENTS_AT_ONCE_MAX // 1000):
            part = self._window.next_events(timeout_s=0.0)
            if not part:
                return
            for event in part:
                if isinstance(event.value, _core.PressAsserted):
                    self._pending[event.value.id] = time.monotonic()
                yield Seen(event.at_ns, event.lane, event.text)

    def latencies(self) -> Iterator[Latencies]:
        """Of the presses that have come to their end since the last call."""
        now_s, patience_s = time.monotonic(), self._bench.config.press_timeout_s
        for press_id, since_s in list(self._pending.items()):
            trip = self._bench.trip_of(press_id)
            is_over = trip.connections and trip.connections[-1].is_closed
            if (is_over and trip.press.released_ns) or now_s - since_s > patience_s:
                del self._pending[press_id]
                yield trip.latencies

    def missed(self) -> int:
        """How many events were gone before they could be told."""
        return self._window.follow_missed

    def is_over(self) -> bool:
        """A bench goes on until somebody ends it."""
        return False

    def press(self, button: str) -> str:
        """Press a button; what went wrong, empty if nothing did."""
        try:
            self._bench.start_press(button)
        except WwepRigError as error:
            return str(error)
        return ""


class RecordingSource:
    """A recording, finished or being written. No bench and no lock is needed."""

    can_press = False

    def __init__(self, path: Path, *, rows_max: int = EVENTS_KEPT_MAX) -> None:
        """Look at it.

        Args:
            path: the recording.
            rows_max: how many of the rows that are there already are told; 0: all.
        """
        self._recorded = RecordedRun(path)
        self._reader = self._recorded.reader
        self._rows_max = rows_max
        self._from_ns: int | None = None
        self._first_ns = 0
        self._told: deque[tuple[int, str, str]] = deque()
        self._measured_ns = 0
        facts = self._recorded.bench_facts
        lines = as_object(facts.get("lines"))
        self.title = f"{self._recorded.run.get('bench', '')}: {path.name}"
        self.buttons = tuple(self._recorded.pairings)
        self.leds = tuple(led for led, _ in self._recorded.pairings.values() if led)
        self.active: Mapping[str, str] = {
            name: str(line.get("active", "")) for name, line in lines.items()
        }

    def events(self) -> Iterator[Seen]:
        """What has come since the last call. Rows are ordered by their own time, and a late one
        appears in the middle."""
        if self._from_ns is None:
            rows = self._reader.timeline(self._rows_max)
            # What is older was left out, and is not new because it is looked at again.
            self._first_ns = rows[0].at_ns + 1 if self._rows_max and rows else 0
        else:
            rows = self._reader.timeline(0, self._from_ns)
        told = set(self._told)
        for row in rows:
            key = (row.at_ns, row.lane, row.what)
            if key not in told:
                told.add(key)
                self._told.append(key)
                yield Seen(*key)
        newest_ns = max((key[0] for key in self._told), default=0)
        self._from_ns = max(newest_ns - _LATE_MAX_NS, self._first_ns)
        self._told = deque(key for key in self._told if key[0] >= self._from_ns)

    def latencies(self) -> Iterator[Latencies]:
        """Of the presses that have come to their end since the last call."""
        newest_ns = self._reader.newest_ns()
        for press in self._reader.latencies(self._recorded.pairings, self._measured_ns + 1):
            is_complete = press.frame_to_reply_ns is not None
            if not is_complete and newest_ns - press.before_ns < _LATE_MAX_NS:
                break  # the rest when it is there
            self._measured_ns = press.before_ns
            yield latencies_of(press, press.before_ns)

    def missed(self) -> int:
        """A recording has everything."""
        return 0

    def is_over(self) -> bool:
        """Whether the run that writes it has ended."""
        return json.loads(self._reader.run_json()).get("ended_ns") is not None

    def press(self, button: str) -> str:
        """Nothing can be pressed in a recording."""
        return "a recording is only looked at"
