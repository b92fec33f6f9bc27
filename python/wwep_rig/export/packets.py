"""The packets of a recording, rebuilt: what a network capture of its connections might have been.

A recording has no packets. It knows who connected when, and each frame and reply with its time; the
handshake, the acknowledgements and the ends are made up around them, and the file says so.
"""

import heapq
import ipaddress
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, NamedTuple

from .pcapng import Writer
from .recorded import Recorded, Row, blob, number, text

_FIN, _SYN, _RST, _PSH, _ACK = 0x01, 0x02, 0x04, 0x08, 0x10
_TCP = 6
_WINDOW = 65_535
_HOPS = 64

_NOTE = (
    "Rebuilt from a recording, not captured: frames, replies and their times are real, the TCP "
    "packets around them are made up."
)
_SECURE_NOTE = "rebuilt in the clear: this went over TLS"


class _Packet(NamedTuple):
    """One packet, with what Wireshark shows beside it."""

    at_ns: int
    content: bytes
    comment: str = ""


@dataclass
class _Side:
    """One end of a connection, and where it is in its stream."""

    address: ipaddress.IPv4Address | ipaddress.IPv6Address
    port: int
    sequence: int = field(default=0)


def rebuild_packets(recorded: Recorded, out: BinaryIO, application: str) -> int:
    """Rebuild all connections of a recording; returns how many packets it took."""
    writer = Writer(out, comment=f"{_NOTE} {recorded.title}", application=application)
    count = 0
    for packet in _packets(recorded):
        writer.packet(recorded.wall_ns(packet.at_ns), packet.content, packet.comment)
        count += 1
    return count


def _packets(recorded: Recorded) -> Iterator[_Packet]:
    """The packets of all connections in the order of time."""
    frames: dict[int, list[Row]] = {}
    for frame in recorded.rows("frames"):
        frames.setdefault(number(frame, "connection_id"), []).append(frame)
    connections = [
        (each, frames.get(number(each, "id"), [])) for each in recorded.rows("connections")
    ]
    connections.sort(key=lambda each: _began_ns(*each))
    waiting: list[tuple[int, int, _Packet]] = []
    count = 0
    for connection, own_frames in connections:
        # What the connections before it have until it begins can go; the rest may mix with its own.
        while waiting and waiting[0][0] <= _began_ns(connection, own_frames):
            yield heapq.heappop(waiting)[2]
        for packet in _packets_of(connection, own_frames):
            count += 1
            heapq.heappush(waiting, (packet.at_ns, count, packet))
    while waiting:
        yield heapq.heappop(waiting)[2]


def _began_ns(connection: Row, frames: list[Row]) -> int:
    """The kernel stamps bytes as they arrive, the server sees a connection when it accepts it."""
    times = (number(frame, "received_ns") for frame in frames)
    return min([number(connection, "opened_ns"), *times])


def _packets_of(connection: Row, frames: list[Row]) -> list[_Packet]:
    """A connection's packets in the order of time."""
    client, server = _side(text(connection, "peer")), _side(text(connection, "local"))
    if client is None or server is None:
        return []  # no address that a packet could have
    packets = list(_opening(_began_ns(connection, frames), client, server))
    secure_note = f"{_SECURE_NOTE} ({_tls_of(connection)})" if number(connection, "secure") else ""
    sent = []
    for frame in frames:
        note = "; ".join(part for part in (text(frame, "reason"), secure_note) if part)
        sent.append((number(frame, "received_ns"), client, server, blob(frame, "raw"), note))
        if frame["replied_ns"] is not None:
            reply = blob(frame, "reply")
            sent.append((number(frame, "replied_ns"), server, client, reply, secure_note))
    for at_ns, sender, receiver, content, note in sorted(sent, key=lambda each: each[0]):
        if not content:
            continue
        packets.append(_Packet(at_ns, _tcp(sender, receiver, _PSH | _ACK, content), note))
        packets.append(_Packet(at_ns, _tcp(receiver, sender, _ACK)))
    packets += _ending(connection, packets[-1].at_ns, client, server)
    # A later packet of the stream is never before an earlier one, whatever the stamps say.
    latest_ns = 0
    in_order = []
    for packet in packets:
        latest_ns = max(latest_ns, packet.at_ns)
        in_order.append(_Packet(latest_ns, packet.content, packet.comment))
    return in_order


def _opening(at_ns: int, client: _Side, server: _Side) -> Iterator[_Packet]:
    yield _Packet(at_ns, _tcp(client, server, _SYN))
    yield _Packet(at_ns, _tcp(server, client, _SYN | _ACK))
    yield _Packet(at_ns, _tcp(client, server, _ACK))


def _ending(connection: Row, last_ns: int, client: _Side, server: _Side) -> Iterator[_Packet]:
    at_ns = number(connection, "closed_ns")
    if not at_ns:
        return  # still open when the recording was read, or when the rig was killed
    at_ns = max(at_ns, last_ns)
    reason, ignored = text(connection, "end_reason"), number(connection, "ignored_bytes")
    note = f"end of the connection: {reason}" if reason else ""
    if ignored:
        note += f"; {ignored} bytes more came, were ignored, and are not in the recording"
    if "reset" in reason:
        yield _Packet(at_ns, _tcp(client, server, _RST | _ACK), note)
        return
    yield _Packet(at_ns, _tcp(server, client, _FIN | _ACK), note)
    yield _Packet(at_ns, _tcp(client, server, _FIN | _ACK))
    yield _Packet(at_ns, _tcp(server, client, _ACK))


def _tls_of(connection: Row) -> str:
    words = [text(connection, "tls_version"), text(connection, "cipher")]
    return " ".join(word for word in words if word) or "the handshake failed"


def _side(endpoint: str) -> _Side | None:
    """Reads "198.51.100.7:50001" or "[2001:db8::7]:50001"."""
    host, _, port = endpoint.rpartition(":")
    try:
        address = ipaddress.ip_address(host.strip("[]").partition("%")[0])
        return _Side(address, int(port))
    except ValueError:
        return None


def _tcp(sender: _Side, receiver: _Side, flags: int, content: bytes = b"") -> bytes:
    """An IP packet with a TCP segment in it; the sender's stream goes on behind it."""
    acknowledged = receiver.sequence if flags & _ACK else 0
    head = (sender.port, receiver.port, sender.sequence, acknowledged, 5 << 4, flags, _WINDOW)
    is_v4 = sender.address.version == 4
    addresses = sender.address.packed + receiver.address.packed
    size = 20 + len(content)
    pseudo = addresses + (
        struct.pack("!BBH", 0, _TCP, size) if is_v4 else struct.pack("!II", size, _TCP)
    )
    unsummed = struct.pack("!HHIIBBHHH", *head, 0, 0) + content
    total = _checksum(pseudo + unsummed)
    segment = struct.pack("!HHIIBBHHH", *head, total, 0) + content
    sender.sequence = (sender.sequence + len(content) + bool(flags & (_SYN | _FIN))) & 0xFFFFFFFF
    if is_v4:
        fields = (0x45, 0, 20 + size, 0, 0x4000, _HOPS, _TCP)
        sum_of_head = _checksum(struct.pack("!BBHHHBBH", *fields, 0) + addresses)
        return struct.pack("!BBHHHBBH", *fields, sum_of_head) + addresses + segment
    return struct.pack("!IHBB", 6 << 28, size, _TCP, _HOPS) + addresses + segment


def _checksum(content: bytes) -> int:
    """The ones' complement sum of IP and TCP."""
    if len(content) % 2:
        content += b"\0"
    total: int = sum(struct.unpack(f"!{len(content) // 2}H", content))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
