"""Recording: the window of the timeline that belongs to one test (or to any stretch of a run)."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from . import _core
from .bench_config import BenchConfig
from .errors import RigError, TargetFailed, first_of
from .explained import Explained
from .round_trip import (
    Connection,
    ConsoleLine,
    Edge,
    Frame,
    Press,
    Reply,
    connection_of,
    edge_of,
    frame_of,
    reply_of,
)
from .timeline_text import EVENTS_SHOWN, last_events

EVENTS_A_SLICE_MAX = 10_000
FOLLOW_POLL_S = 1.0

_Value = TypeVar("_Value")


@dataclass(frozen=True)
class Silence:
    """Whether nothing happened for a while; true when nothing did.

    Attributes:
        for_s: how long it was listened.
        events: what disturbed it, as text; empty: nothing.
    """

    for_s: float
    events: str

    def __bool__(self) -> bool:
        return not self.events

    def __repr__(self) -> str:
        if self:
            return f"<nothing for {self.for_s:g} s>"
        return f"<not quiet for {self.for_s:g} s:\n{self.events}\n>"


class Recording:
    """What happened on a bench since a moment, growing as it happens.

    It reads the bench's timeline and owns nothing; the bench must outlive it. The kept timeline
    is long, but not endless: `events_missed` says what was gone before it was read, `follow_missed`
    what was before `next_events` or `follow` gave it.
    """

    def __init__(
        self,
        core: _core.Bench,
        config: BenchConfig,
        explained: Explained,
        cursor: int | None = None,
    ) -> None:
        """The window begins at a cursor; None: now."""
        self._core = core
        self._config = config
        self._explained = explained
        self._next = core.cursor() if cursor is None else cursor
        self._first = self._next
        self._followed = self._next
        self._events: list[_core.Event] = []
        self.began_ns = core.now_ns()
        self.events_missed = 0
        self.follow_missed = 0

    @property
    def events(self) -> tuple[_core.Event, ...]:
        """Everything, in the order in which the rig took it."""
        self._read()
        return tuple(self._events)

    @property
    def frames(self) -> tuple[Frame, ...]:
        """The frames that arrived."""
        return tuple(frame_of(each) for each in self._of(_core.FrameReceived))

    @property
    def replies(self) -> tuple[Reply, ...]:
        """What was answered."""
        return tuple(reply_of(each) for each in self._of(_core.ReplySent))

    @property
    def connections(self) -> tuple[Connection, ...]:
        """The connections that were opened, each with its handshake, frames and end."""
        handshakes = {each.id: each for each in self._of(_core.HandshakeEnded)}
        ends = {each.id: each for each in self._of(_core.ConnectionClosed)}
        frames, replies = self.frames, self.replies
        return tuple(
            connection_of(
                opened,
                handshakes.get(opened.id),
                ends.get(opened.id),
                tuple(each for each in frames if each.connection_id == opened.id),
                tuple(each for each in replies if each.connection_id == opened.id),
            )
            for opened in self._of(_core.ConnectionOpened)
        )

    @property
    def edges(self) -> tuple[Edge, ...]:
        """What the LEDs did."""
        return self._edges(is_rigs=False)

    @property
    def button_edges(self) -> tuple[Edge, ...]:
        """What the rig did to its buttons, bounces and all: on is pressed.

        Each is stamped right after the line was set, so these are the times that were driven and
        not those that a bounce profile asked for.
        """
        return self._edges(is_rigs=True)

    def _edges(self, *, is_rigs: bool) -> tuple[Edge, ...]:
        lines = self._config.lines
        return tuple(
            edge_of(each, lines[each.line].is_active_high if each.line in lines else True)
            for each in self._of(_core.EdgeSeen)
            if (each.source == _core.EdgeSource.rig) == is_rigs
        )

    @property
    def presses(self) -> tuple[Press, ...]:
        """The presses of the rig."""
        released = {each.id: each.released_ns for each in self._of(_core.PressReleased)}
        return tuple(
            Press(
                each.id,
                each.line,
                each.before_ns,
                each.after_ns,
                released.get(each.id, 0),
                each.profile,
            )
            for each in self._of(_core.PressAsserted)
        )

    @property
    def console(self) -> tuple[ConsoleLine, ...]:
        """What the firmware printed."""
        return tuple(ConsoleLine(each.at_ns, each.text) for each in self._of(_core.ConsoleLine))

    def wait_for(
        self, found: Callable[[_core.Event], bool], what: str, *, timeout_s: float
    ) -> _core.Event:
        """Wait for an event of this window; one that has happened already counts.

        Args:
            found: whether an event is the one.
            what: what is waited for, for the error: "a frame".
            timeout_s: how long.

        Raises:
            TargetFailed: it did not happen in time.
            RigError: nor did it, and the rig erred meanwhile.
        """
        give_up_at = time.monotonic() + timeout_s
        errors_known = len(self._core.rig_errors)
        looked_at = 0
        while True:
            self._read()
            for number, event in enumerate(self._events[looked_at:], looked_at):
                if found(event):
                    self._explained.add_everything_before(self._first + number + 1)
                    return event
            looked_at = len(self._events)
            left_s = give_up_at - time.monotonic()
            if left_s <= 0:
                if errors := self._core.rig_errors[errors_known:]:
                    raise RigError(first_of(errors))
                raise TargetFailed(
                    f"waited {timeout_s:g} s for {what}, which did not happen. "
                    f"What did, since the window began:\n{self.last()}"
                )
            self._core.wait_events(self._next, left_s, 1)

    def follow(self) -> Iterator[_core.Event]:
        """The events of this window as they happen, without end."""
        while True:
            yield from self.next_events(timeout_s=FOLLOW_POLL_S)

    def next_events(self, *, timeout_s: float) -> list[_core.Event]:
        """The events that no earlier call gave; waits at most `timeout_s` for the first of them."""
        part = self._core.wait_events(self._followed, timeout_s)
        self._followed = part.next
        self.follow_missed += part.dropped
        return part.events

    def wait_for_console(self, text: str, *, timeout_s: float) -> ConsoleLine:
        """Wait until the firmware prints a line with `text` in it."""

        def found(event: _core.Event) -> bool:
            return isinstance(event.value, _core.ConsoleLine) and text in event.value.text

        line = self.wait_for(found, f"{text!r} on the console", timeout_s=timeout_s).value
        assert isinstance(line, _core.ConsoleLine)
        return ConsoleLine(line.at_ns, line.text)

    def wait_for_frames(self, count: int, *, timeout_s: float) -> tuple[Frame, ...]:
        """Wait until so many frames have arrived in this window."""
        seen: set[int] = set()

        def found(event: _core.Event) -> bool:
            if isinstance(event.value, _core.FrameReceived):
                seen.add(event.value.id)
            return len(seen) >= count

        self.wait_for(found, f"{count} frames", timeout_s=timeout_s)
        return self.frames

    def wait_for_connection_end(self, *, timeout_s: float) -> Connection:
        """Wait until a connection of this window has ended; the first one that has."""
        opened: set[int] = set()

        def found(event: _core.Event) -> bool:
            if isinstance(event.value, _core.ConnectionOpened):
                opened.add(event.value.id)
            return isinstance(event.value, _core.ConnectionClosed) and event.value.id in opened

        self.wait_for(found, "the end of a connection", timeout_s=timeout_s)
        return next(each for each in self.connections if each.is_closed)

    def wait_for_connections(self, count: int, *, timeout_s: float) -> tuple[Connection, ...]:
        """Wait until so many connections of this window have ended; returns all of the window."""
        opened: set[int] = set()
        ended: set[int] = set()

        def found(event: _core.Event) -> bool:
            if isinstance(event.value, _core.ConnectionOpened):
                opened.add(event.value.id)
            if isinstance(event.value, _core.ConnectionClosed) and event.value.id in opened:
                ended.add(event.value.id)
            return len(ended) >= count

        self.wait_for(found, f"the end of {count} connections", timeout_s=timeout_s)
        return self.connections

    def wait_for_target_end(self, *, timeout_s: float) -> str:
        """Wait until the target has ended; returns how, for people."""

        def found(event: _core.Event) -> bool:
            return isinstance(event.value, _core.TargetChanged) and not event.value.is_running

        change = self.wait_for(found, "the target to end", timeout_s=timeout_s).value
        assert isinstance(change, _core.TargetChanged)
        return change.what

    def stays_quiet(self, *, for_s: float) -> Silence:
        """Listen for a while: no press, edge, connection or frame may come.

        What came before the call counts too, unless a press that was waited for explains it (with
        one edge, one connection and one frame) or something else was waited for since.

        Returns:
            A value that is true when nothing came, and shows what did.
        """
        give_up_at = time.monotonic() + for_s
        while True:
            self._read()
            disturbing = [
                event
                for number, event in enumerate(self._events)
                if self._explained.leaves_out(event, self._first + number)
            ]
            left_s = give_up_at - time.monotonic()
            if disturbing or left_s <= 0:
                break
            self._core.wait_events(self._next, left_s, 1)
        if not disturbing:
            return Silence(for_s, "")
        return Silence(for_s, last_events(disturbing, self._zero_ns()))

    def last(self, count: int = EVENTS_SHOWN) -> str:
        """The last `count` events as text, times counted from the last press if there is one."""
        self._read()
        return last_events(self._events, self._zero_ns(), count)

    def _zero_ns(self) -> int:
        presses = list(self._of(_core.PressAsserted))
        return presses[-1].before_ns if presses else self.began_ns

    def _read(self) -> None:
        while True:
            part = self._core.events(self._next, EVENTS_A_SLICE_MAX)
            self._events += part.events
            self._next = part.next
            self.events_missed += part.dropped
            self._first += part.dropped  # whatever is left counts from there
            if not part.events:
                return

    def _of(self, kind: type[_Value]) -> Iterator[_Value]:
        self._read()
        return (event.value for event in self._events if isinstance(event.value, kind))
