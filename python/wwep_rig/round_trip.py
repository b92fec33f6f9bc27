"""A press and what it caused, as frozen values."""

import json
from dataclasses import dataclass
from typing import Any

from . import _core
from ._core import Level, StampSource, Until, Verdict
from .errors import TargetFailed
from .latencies import Latencies

__all__ = [
    "Connection",
    "ConsoleLine",
    "Edge",
    "Frame",
    "Led",
    "Level",
    "Press",
    "Reply",
    "RoundTrip",
    "StampSource",
    "Until",
    "Verdict",
]


@dataclass(frozen=True)
class Press:
    """A button, asserted and let go.

    Attributes:
        id: counts the presses of a run from 1.
        button: its name.
        before_ns: just before the line was set.
        after_ns: just after.
        released_ns: when the rig let go; 0: not yet.
        profile: the bounce profile.
    """

    id: int
    button: str
    before_ns: int
    after_ns: int
    released_ns: int
    profile: str

    @property
    def at_ns(self) -> int:
        """Just before the line was set: latencies count from here, so none is too short."""
        return self.before_ns


@dataclass(frozen=True)
class Edge:
    """A change of level on a line that the rig watches or drives.

    Attributes:
        at_ns: when, by the clock that `source` names.
        line: its name.
        is_on: whether the line is active after it (an LED: lit, a button: pressed).
        seqno: counts the line's edges.
    """

    at_ns: int
    line: str
    is_on: bool
    seqno: int


@dataclass(frozen=True)
class Led:
    """An LED during a round trip.

    Attributes:
        name: the line's name.
        is_on: its state at the end of the round trip.
        edges: what it did meanwhile.
    """

    name: str
    is_on: bool
    edges: tuple[Edge, ...]

    @property
    def at_ns(self) -> int:
        """Its first edge; 0: it did not change."""
        return self.edges[0].at_ns if self.edges else 0


@dataclass(frozen=True)
class Frame:
    """A request, complete or not, as the server took it.

    Attributes:
        device: 16-bit device ID; None in an illegal or truncated frame.
        register: 8-bit address; likewise.
        value: of a write: written; of a read: answered, if it was.
        verdict: what the server took it for.
        raw: the bytes as they came, at most 64 of an illegal frame.
        received_ns: arrival of its last byte.
        stamp: where that time comes from.
        reason: why it is illegal or truncated; else empty.
        connection_id: the connection that brought it.
    """

    device: int | None
    register: int | None
    value: int | None
    verdict: Verdict
    raw: bytes
    received_ns: int
    stamp: StampSource
    reason: str
    connection_id: int


@dataclass(frozen=True)
class Reply:
    """What the server answered.

    Attributes:
        bytes: `A` and ten digits, or `X`.
        replied_ns: when they were handed to the kernel.
        connection_id: the connection that took it.
    """

    bytes: bytes
    replied_ns: int
    connection_id: int

    @property
    def accepted(self) -> bool:
        """Whether the server took the frame."""
        return self.bytes.startswith(b"A")


@dataclass(frozen=True)
class Connection:
    """One TCP connection.

    Attributes:
        id: counts the connections of a run from 1.
        peer: address and port of the target.
        local: address and port of the server.
        secure: whether it came to the TLS port.
        opened_ns: when it was accepted.
        closed_ns: when it ended; 0: it is open.
        end_reason: why it ended, for people.
        tls_version: `TLSv1.3`; empty in the clear and when the handshake failed.
        cipher: IANA name; likewise.
        handshake_ns: how long the handshake took; 0: none ended.
        offered: what the ClientHello offered; None: there was none.
        failure: why the handshake failed, for people; empty: it did not.
        ignored_bytes: received after the frame that ended the connection.
        frames: what it brought.
        replies: what was answered.
    """

    id: int
    peer: str
    local: str
    secure: bool
    opened_ns: int
    closed_ns: int = 0
    end_reason: str = ""
    tls_version: str = ""
    cipher: str = ""
    handshake_ns: int = 0
    offered: dict[str, Any] | None = None
    failure: str = ""
    ignored_bytes: int = 0
    frames: tuple[Frame, ...] = ()
    replies: tuple[Reply, ...] = ()

    @property
    def is_closed(self) -> bool:
        """Whether it has ended."""
        return self.closed_ns != 0


@dataclass(frozen=True)
class ConsoleLine:
    """One line that the target's firmware printed."""

    at_ns: int
    text: str


@dataclass(frozen=True)
class RoundTrip:
    """A press and what it caused, as far as it had happened.

    `frame`, `reply` and `connection` are the last ones, and fail the test when there is none; the
    plural names hold all of them, and may be empty.
    """

    press: Press
    led: Led
    connections: tuple[Connection, ...]
    console: tuple[ConsoleLine, ...]

    @property
    def frames(self) -> tuple[Frame, ...]:
        """The frames of all connections."""
        return tuple(frame for each in self.connections for frame in each.frames)

    @property
    def replies(self) -> tuple[Reply, ...]:
        """The replies on all connections."""
        return tuple(reply for each in self.connections for reply in each.replies)

    @property
    def connection(self) -> Connection:
        """The last connection."""
        if not self.connections:
            raise TargetFailed(f"the press of {self.press.button} brought no connection")
        return self.connections[-1]

    @property
    def frame(self) -> Frame:
        """The last frame."""
        if not self.frames:
            raise TargetFailed(f"the press of {self.press.button} brought no frame")
        return self.frames[-1]

    @property
    def reply(self) -> Reply:
        """The last reply."""
        if not self.replies:
            raise TargetFailed(f"the press of {self.press.button} was not replied to")
        return self.replies[-1]

    @property
    def latencies(self) -> Latencies:
        """How long each part took, as far as the first frame and the reply to it go."""
        start_ns = self.press.at_ns
        bearer = next((each for each in self.connections if each.frames), None)
        frame = bearer.frames[0] if bearer else None
        reply = bearer.replies[0] if bearer and bearer.replies else None
        handshake_ns = bearer.handshake_ns if bearer else 0

        def since(begin_ns: int, end_ns: int) -> float | None:
            return (end_ns - begin_ns) / 1e6 if end_ns else None

        return Latencies(
            press_to_led_ms=since(start_ns, self.led.at_ns),
            press_to_frame_ms=since(start_ns, frame.received_ns) if frame else None,
            frame_to_reply_ms=since(frame.received_ns, reply.replied_ns)
            if frame and reply
            else None,
            handshake_ms=handshake_ns / 1e6 if handshake_ns else None,
            press_uncertainty_ms=(self.press.after_ns - self.press.before_ns) / 1e6,
        )


def frame_of(event: _core.FrameReceived) -> Frame:
    """The frame that an event tells of."""
    return Frame(
        device=event.device,
        register=event.register,
        value=event.value,
        verdict=event.verdict,
        raw=event.raw,
        received_ns=event.received_ns,
        stamp=event.stamp,
        reason=event.reason,
        connection_id=event.connection_id,
    )


def reply_of(event: _core.ReplySent) -> Reply:
    """The reply that an event tells of."""
    return Reply(event.reply, event.replied_ns, event.connection_id)


def connection_of(
    opened: _core.ConnectionOpened,
    handshake: _core.HandshakeEnded | None,
    closed: _core.ConnectionClosed | None,
    frames: tuple[Frame, ...],
    replies: tuple[Reply, ...],
) -> Connection:
    """The connection that these events tell of."""
    return Connection(
        id=opened.id,
        peer=opened.peer,
        local=opened.local,
        secure=opened.secure,
        opened_ns=opened.at_ns,
        closed_ns=closed.at_ns if closed else 0,
        end_reason=closed.end_reason if closed else "",
        tls_version=handshake.tls_version if handshake else "",
        cipher=handshake.cipher if handshake else "",
        handshake_ns=handshake.handshake_ns if handshake else 0,
        offered=json.loads(handshake.offered) if handshake and handshake.offered else None,
        failure=handshake.failure if handshake else "",
        ignored_bytes=closed.ignored_bytes if closed else 0,
        frames=frames,
        replies=replies,
    )


def edge_of(event: _core.EdgeSeen, is_active_high: bool) -> Edge:
    """The edge that an event tells of."""
    # pybind11 makes a new object of an enum each time: == and not `is`.
    is_high = event.level == Level.high
    return Edge(event.at_ns, event.line, is_high == is_active_high, event.seqno)


def round_trip_of(
    trip: _core.RoundTrip, *, is_active_high: bool, was_on_before_first_edge: bool
) -> RoundTrip:
    """The frozen view of what the C++ side has seen.

    Args:
        trip: what it has seen.
        is_active_high: of the LED.
        was_on_before_first_edge: the LED's state if it did not change.
    """
    edges = tuple(edge_of(each, is_active_high) for each in trip.led_edges)
    return RoundTrip(
        press=Press(
            id=trip.press.id,
            button=trip.press.line,
            before_ns=trip.press.before_ns,
            after_ns=trip.press.after_ns,
            released_ns=trip.released_ns,
            profile=trip.press.profile,
        ),
        led=Led(trip.led_line, edges[-1].is_on if edges else was_on_before_first_edge, edges),
        connections=tuple(
            connection_of(
                each.opened,
                each.handshake,
                each.closed,
                tuple(frame_of(frame) for frame in each.frames),
                tuple(reply_of(reply) for reply in each.replies),
            )
            for each in trip.connections
        ),
        console=tuple(ConsoleLine(each.at_ns, each.text) for each in trip.console),
    )
