"""The presses of a recording, each joined to what it caused and judged by the bench's contract."""

import json
import sys
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, NamedTuple, TypeVar

from . import _core
from .latencies import LABELS, Latencies, missing_of

Row = Mapping[str, Any]

# How long a press is waited for, in recordings that do not say it.
_PATIENCE_S = 1.0


class PressRow(NamedTuple):
    """A row of `presses`."""

    id: int
    line: str
    before_ns: int
    after_ns: int
    released_ns: int | None
    profile: str


class FrameRow(NamedTuple):
    """A row of `frames`."""

    id: int
    received_ns: int
    connection_id: int
    verdict: str
    device: int | None
    register: int | None
    value: int | None
    raw: bytes
    reply: bytes | None
    replied_ns: int | None
    reason: str | None


class ConnectionRow(NamedTuple):
    """A row of `connections`."""

    id: int
    opened_ns: int
    closed_ns: int | None
    peer: str
    secure: int
    tls_version: str | None
    cipher: str | None
    handshake_ns: int | None
    end_reason: str | None


class State(Enum):
    """What a press in a recording came to."""

    GOOD = "good"
    FAILED = "failed"
    EXPECTED = "expected"
    """Something is missing, and the test that pressed passed with that."""
    INTERRUPTED = "interrupted"
    """The run ended before anything could be said."""


@dataclass(frozen=True)
class RecordedTrip:
    """A press in a recording and what it caused.

    Attributes:
        id: of the press.
        button: its name.
        before_ns: just before the line was set.
        after_ns: just after.
        released_ns: when the rig let go; None: it never did.
        profile: the bounce profile.
        latencies: what was measured.
        led: the LED that belongs to the button; empty: none is watched.
        led_is_on: that LED's state after its last edge; None: there was no edge.
        frame: the row of the frame; None: there was none.
        connection: the row of its connection, likewise.
        test: the test that pressed; empty: none.
        is_retried: whether that test was tried again after it.
        problem: what is wrong with it, for people; empty: nothing.
        state: what it came to.
    """

    id: int
    button: str
    before_ns: int
    after_ns: int
    released_ns: int | None
    profile: str
    latencies: Latencies
    led: str
    led_is_on: bool | None
    frame: FrameRow | None
    connection: ConnectionRow | None
    test: str
    is_retried: bool
    problem: str
    state: State

    @property
    def test_text(self) -> str:
        """The test that pressed, for people."""
        return f"{self.test}, tried again" if self.is_retried else self.test

    @property
    def ended_ns(self) -> int:
        """The last that is known to have happened because of it."""
        times = [self.after_ns, self.released_ns]
        if self.latencies.press_to_led_ms is not None:
            times.append(self.before_ns + round(self.latencies.press_to_led_ms * 1e6))
        times += [self.frame.received_ns, self.frame.replied_ns] if self.frame else []
        times += [self.connection.closed_ns] if self.connection else []
        return max(time for time in times if time is not None)


def missing_parts(trip: RecordedTrip) -> list[str]:
    """What a failed press should have had, by the fields of `Latencies`."""
    return missing_of(trip.latencies, has_led=bool(trip.led))


def latencies_of(press: _core.PressLatency, after_ns: int) -> Latencies:
    """What a recording knows of one press."""

    def ms(value_ns: int | None) -> float | None:
        return None if value_ns is None else value_ns / 1e6

    return Latencies(
        press_to_led_ms=ms(press.press_to_led_ns),
        press_to_frame_ms=ms(press.press_to_frame_ns),
        frame_to_reply_ms=ms(press.frame_to_reply_ns),
        handshake_ms=ms(press.handshake_ns),
        press_uncertainty_ms=(after_ns - press.before_ns) / 1e6,
    )


def as_object(value: object) -> Row:
    """What JSON holds if that is an object, else an empty one."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return {}
    return value if isinstance(value, dict) else {}


class _EdgeRow(NamedTuple):
    at_ns: int
    line: str
    level: int
    source: str


_Named = TypeVar("_Named", PressRow, FrameRow, ConnectionRow, _EdgeRow)


def _read(reader: _core.RecordingReader, table: str, kind: type[_Named]) -> Iterator[_Named]:
    """The rows of a table as tuples, which take far less memory; of equal texts one is kept."""
    for row in reader.rows(table):
        values = (row[name] for name in kind._fields)
        yield kind._make(sys.intern(each) if type(each) is str else each for each in values)


class Trips:
    """Joins the tables of a recording to presses with what they caused."""

    def __init__(
        self,
        reader: _core.RecordingReader,
        bench_facts: Row,
        pairings: dict[str, tuple[str, bool]],
        runs: Sequence[Row],
        tests: Sequence[Row],
    ) -> None:
        """Read the tables.

        Args:
            reader: of the recording.
            bench_facts: what it says of its bench.
            pairings: by the button's name its LED, and whether its frames are secure.
            runs: the rows of `runs`.
            tests: those of `RecordedRun.tests`.
        """
        self._reader = reader
        self._bench_facts = bench_facts
        self._pairings = pairings
        self._runs = runs
        self._budgets = as_object(bench_facts.get("budgets"))
        self._presses = {each.id: each for each in _read(reader, "presses", PressRow)}
        self._pressed = sorted(press.before_ns for press in self._presses.values())
        self._frames = {each.id: each for each in _read(reader, "frames", FrameRow)}
        self._connections = {each.id: each for each in _read(reader, "connections", ConnectionRow)}
        self._tests = sorted(tests, key=lambda row: int(row["began_ns"]))
        self._tests_began = [int(row["began_ns"]) for row in self._tests]
        self._runs_began = [int(row["began_ns"]) for row in runs]
        self._led_edges: dict[str, list[tuple[int, bool]]] = defaultdict(list)
        lines = as_object(bench_facts.get("lines"))
        is_high = {name: as_object(line).get("active") != "low" for name, line in lines.items()}
        for edge in _read(reader, "edges", _EdgeRow):
            if edge.source != "rig":
                is_on = bool(edge.level) == is_high.get(edge.line, True)
                self._led_edges[edge.line].append((edge.at_ns, is_on))
        for edges in self._led_edges.values():
            edges.sort()

    def all(self) -> list[RecordedTrip]:
        """Every press, in the order of time."""
        return list(self.backwards())[::-1]

    def backwards(self) -> Iterator[RecordedTrip]:
        """Every press, the last one first."""
        next_ns: dict[str, int] = {}
        for press in reversed(self._reader.latencies(self._pairings)):
            yield self._trip(press, next_ns.get(press.button))
            next_ns[press.button] = press.before_ns

    def _trip(self, press: _core.PressLatency, next_ns: int | None) -> RecordedTrip:
        row = self._presses[press.press_id]
        frame = self._frames.get(press.frame_id or 0)
        led = self._pairings.get(press.button, ("", False))[0]
        latencies = latencies_of(press, row.after_ns)
        led_is_on = self._led_is_on(led, press.before_ns, next_ns)
        problem = self._problem(latencies, led, led_is_on, frame)
        test = self._test_of(press.before_ns)
        return RecordedTrip(
            id=press.press_id,
            button=press.button,
            before_ns=press.before_ns,
            after_ns=row.after_ns,
            released_ns=row.released_ns,
            profile=row.profile,
            latencies=latencies,
            led=led,
            led_is_on=led_is_on,
            frame=frame,
            connection=self._connections.get(frame.connection_id) if frame else None,
            test=test["nodeid"] if test else "",
            is_retried=bool(test and test["is_retried"]),
            problem=problem,
            state=self._state(press.before_ns, problem, test, frame is None or not frame.reply),
        )

    def _led_is_on(self, led: str, from_ns: int, until_ns: int | None) -> bool | None:
        edges = self._led_edges.get(led, [])
        end = len(edges) if until_ns is None else bisect_left(edges, (until_ns, False))
        last = edges[end - 1] if end else None
        return last[1] if last and last[0] >= from_ns else None

    def _problem(
        self, latencies: Latencies, led: str, led_is_on: bool | None, frame: FrameRow | None
    ) -> str:
        problems = []
        if led and led_is_on is None:
            problems.append(f"{led} did not change")
        if frame is None:
            problems.append("no frame came")
        elif frame.reply is None:
            problems.append("the frame was not answered")
        elif not frame.reply.startswith(b"A"):
            problems.append(f"the frame was answered {frame.reply.decode('latin-1')}")
        elif led_is_on is not None and frame.value != led_is_on:
            problems.append(f"{led} is {'on' if led_is_on else 'off'}, and {frame.value} was sent")
        for key, took_ms in vars(latencies).items():
            limit_ms = self._budgets.get(key)
            if limit_ms is not None and took_ms is not None and took_ms > limit_ms:
                problems.append(f"{LABELS[key]} took {took_ms:.3f} ms, allowed {limit_ms:g}")
        return "; ".join(problems)

    def _test_of(self, at_ns: int) -> Row | None:
        place = bisect_right(self._tests_began, at_ns)
        test = self._tests[place - 1] if place else None
        return test if test and at_ns <= (test["ended_ns"] or at_ns) else None

    def _state(self, at_ns: int, problem: str, test: Row | None, is_unanswered: bool) -> State:
        if not problem:
            return State.GOOD
        outcome = test["outcome"] if test else None
        if outcome == "passed":
            return State.EXPECTED
        # A test that failed has given it up, however soon the run ended after that.
        is_open = is_unanswered and outcome != "failed"
        return State.INTERRUPTED if is_open and self._was_cut_off(at_ns) else State.FAILED

    def _was_cut_off(self, at_ns: int) -> bool:
        """Whether its run ended before a press could be given up."""
        place = bisect_right(self._runs_began, at_ns) - 1
        run = self._runs[place] if place >= 0 else {}
        ended_ns = run.get("ended_ns")
        if ended_ns is None:
            # Killed: all that is known of its end is that it came after its last press.
            later = self._runs_began[place + 1 : place + 2]
            last = bisect_left(self._pressed, later[0]) if later else len(self._pressed)
            ended_ns = self._pressed[last - 1]
        patience_s = self._bench_facts.get("press_timeout_s", _PATIENCE_S)
        return bool(ended_ns - at_ns < patience_s * 1e9)
