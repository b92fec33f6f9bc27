"""Tells the events of a server as one line a transaction."""

import json
from dataclasses import dataclass, field
from datetime import datetime

from wwep_rig import _core

CONNECTIONS_KEPT_MAX = 10_000


@dataclass
class _Open:
    opened: _core.ConnectionOpened
    how: str = "clear"
    failure: str = ""
    frames: dict[int, _core.FrameReceived] = field(default_factory=dict)
    has_told: bool = False


class Transactions:
    """Joins connection, handshake, frame and reply; not thread-safe."""

    def __init__(self, wall_minus_monotonic_ns: int, *, as_json: bool) -> None:
        """The difference of the clocks turns timestamps into times of day."""
        self._offset_ns = wall_minus_monotonic_ns
        self._as_json = as_json
        self._connections: dict[int, _Open] = {}

    def lines(self, event: _core.Event) -> list[str]:
        """What is to be printed because of an event: mostly nothing, or one line."""
        value = event.value
        if isinstance(value, _core.ConnectionOpened):
            self._forget_oldest()
            self._connections[value.id] = _Open(value)
        elif isinstance(value, _core.HandshakeEnded):
            return self._handshake(value)
        elif isinstance(value, _core.FrameReceived):
            if connection := self._connections.get(value.connection_id):
                connection.frames[value.id] = value
        elif isinstance(value, _core.ReplySent):
            return self._reply(value)
        elif isinstance(value, _core.ConnectionClosed):
            return self._closed(value)
        elif isinstance(value, _core.FaultFired):
            return [self._fault(value)]
        return []

    def _forget_oldest(self) -> None:
        while len(self._connections) >= CONNECTIONS_KEPT_MAX:
            del self._connections[next(iter(self._connections))]

    def _handshake(self, value: _core.HandshakeEnded) -> list[str]:
        connection = self._connections.get(value.id)
        if connection is None:
            return []
        if not value.failure:
            connection.how = f"{value.tls_version} {value.cipher}"
            return []
        connection.has_told = True
        return [self._line(connection, value.at_ns, "handshake failed", value.failure)]

    def _reply(self, value: _core.ReplySent) -> list[str]:
        connection = self._connections.get(value.connection_id)
        frame = connection.frames.pop(value.frame_id, None) if connection else None
        if connection is None or frame is None:
            return []
        connection.has_told = True
        return [self._line(connection, frame.received_ns, "transaction", "", frame, value.reply)]

    def _closed(self, value: _core.ConnectionClosed) -> list[str]:
        connection = self._connections.pop(value.id, None)
        if connection is None:
            return []
        lines = [
            self._line(connection, frame.received_ns, "transaction", value.end_reason, frame, b"")
            for frame in connection.frames.values()
        ]
        if not lines and not connection.has_told:
            lines.append(self._line(connection, value.at_ns, "no request", value.end_reason))
        return lines

    def _fault(self, value: _core.FaultFired) -> str:
        if connection := self._connections.get(value.connection_id):
            return self._line(connection, value.at_ns, "fault", value.name)
        moment = datetime.fromtimestamp((value.at_ns + self._offset_ns) / 1e9)
        if self._as_json:
            time = moment.isoformat(timespec="milliseconds")
            event = {"event": "fault", "time": time, "at_ns": value.at_ns, "reason": value.name}
            return json.dumps(event)
        return f"{moment:%H:%M:%S}.{moment.microsecond // 1000:03}  fault  ({value.name})"

    def _line(
        self,
        connection: _Open,
        at_ns: int,
        event: str,
        note: str,
        frame: _core.FrameReceived | None = None,
        reply: bytes | None = None,
    ) -> str:
        moment = datetime.fromtimestamp((at_ns + self._offset_ns) / 1e9)
        peer = connection.opened.peer
        reason = note or (frame.reason if frame else "")
        if self._as_json:
            return json.dumps(
                {
                    "event": event.replace(" ", "-"),
                    "time": moment.isoformat(timespec="milliseconds"),
                    "at_ns": at_ns,
                    "peer": peer,
                    "local": connection.opened.local,
                    "secure": connection.opened.secure,
                    "how": connection.how,
                    "request": frame.raw.decode("latin-1") if frame else None,
                    "reply": reply.decode("latin-1") if reply is not None else None,
                    "reason": reason,
                }
            )
        how = "TLS" if connection.opened.secure and connection.how == "clear" else connection.how
        parts = [f"{moment:%H:%M:%S}.{moment.microsecond // 1000:03}", peer, how]
        if frame:
            parts += [printable(frame.raw), "→", printable(reply) if reply else "no reply"]
        else:
            parts.append(event)
        text = "  ".join(parts[:3]) + "  " + " ".join(parts[3:])
        return f"{text}  ({reason})" if reason else text


def printable(raw: bytes) -> str:
    """Bytes as text, with escapes for what is not printable ASCII."""
    return "".join(chr(byte) if 32 <= byte < 127 else f"\\x{byte:02x}" for byte in raw)
