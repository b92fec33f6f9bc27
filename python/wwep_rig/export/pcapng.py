"""The blocks of a pcapng file, written, and secrets put into one that another program wrote.

The format: https://datatracker.ietf.org/doc/draft-ietf-opsawg-pcapng/
"""

import struct
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from wwep_rig.capture import MARK
from wwep_rig.errors import RigError

LINK_RAW_IP = 101  # packets begin with an IPv4 or IPv6 header
BLOCK_BYTES_MAX = 64 * 1024 * 1024

_SECTION, _INTERFACE, _PACKET, _SECRETS = 0x0A0D0D0A, 1, 6, 10
_TLS_KEY_LOG = 0x544C534B
_BYTE_ORDER = 0x1A2B3C4D
_COMMENT, _OPTIONS_END = 1, 0
_SECTION_APPLICATION = 4
_INTERFACE_NAME, _INTERFACE_TIME_UNIT = 2, 9
_UNIT_NS = 9  # times are in units of 10 to the power of -9 s


def _padded(content: bytes) -> bytes:
    return content + bytes(-len(content) % 4)


def _options(options: Sequence[tuple[int, bytes]]) -> bytes:
    if not options:
        return b""
    parts = [
        struct.pack("<HH", code, len(value)) + _padded(value)
        for code, value in (*options, (_OPTIONS_END, b""))
    ]
    return b"".join(parts)


def _block(kind: int, body: bytes, order: str = "<") -> bytes:
    size = struct.pack(f"{order}I", 12 + len(body))
    return struct.pack(f"{order}I", kind) + size + body + size


class Writer:
    """Writes one section with one interface, times in nanoseconds since 1970."""

    def __init__(self, out: BinaryIO, *, comment: str, application: str) -> None:
        """Write what comes before the packets.

        Args:
            out: where to.
            comment: of the whole file; Wireshark shows it under Capture File Properties.
            application: what wrote it.
        """
        self._out = out
        head = struct.pack("<IHHq", _BYTE_ORDER, 1, 0, -1)
        options = [(_COMMENT, comment.encode()), (_SECTION_APPLICATION, application.encode())]
        out.write(_block(_SECTION, head + _options(options)))
        interface = struct.pack("<HHI", LINK_RAW_IP, 0, 0)
        names = [(_INTERFACE_NAME, b"rebuilt"), (_INTERFACE_TIME_UNIT, bytes([_UNIT_NS]))]
        out.write(_block(_INTERFACE, interface + _options(names)))

    def packet(self, at_ns: int, content: bytes, comment: str = "") -> None:
        """Write one packet."""
        head = struct.pack("<IIIII", 0, at_ns >> 32, at_ns & 0xFFFFFFFF, len(content), len(content))
        options = _options([(_COMMENT, comment.encode())] if comment else [])
        self._out.write(_block(_PACKET, head + _padded(content) + options))


def _secrets_block(key_log: bytes, order: str = "<") -> bytes:
    """The block with which Wireshark decrypts TLS: a key log as NSS writes it."""
    head = struct.pack(f"{order}II", _TLS_KEY_LOG, len(key_log))
    return _block(_SECRETS, head + _padded(key_log), order)


def copy_capture(capture: BinaryIO, key_log: bytes, out: BinaryIO, what: str) -> int:
    """Copy a capture of the rig's, a key log put before its packets; how many packets it has.

    The rig's own marks are left out. A capture that ends in the middle of a block, because it is
    still being written, is copied up to there.

    Args:
        capture: what dumpcap wrote.
        key_log: empty: none.
        out: where to.
        what: the capture's name, for errors.

    Raises:
        RigError: it is no pcapng file.
    """
    packets = 0
    is_placed = not key_log
    for kind, order, block in _blocks(capture, what):
        if not is_placed and kind not in (_SECTION, _INTERFACE):
            out.write(_secrets_block(key_log, order))
            is_placed = True
        if kind == _PACKET:
            if MARK in block:
                continue
            packets += 1
        out.write(block)
    return packets


def _blocks(capture: BinaryIO, what: str) -> Iterator[tuple[int, str, bytes]]:
    """Kind, byte order and bytes of each whole block."""
    order = ""
    while len(head := capture.read(12)) == 12:
        if head[:4] == struct.pack("<I", _SECTION):  # reads the same in either order
            order = "<" if head[8:12] == struct.pack("<I", _BYTE_ORDER) else ">"
        if not order:
            raise RigError(f"{what} is no pcapng capture")
        kind, size = struct.unpack(f"{order}II", head[:8])
        if size < 12 or size % 4 or size > BLOCK_BYTES_MAX:
            raise RigError(f"{what} is damaged: a block of {size} bytes")
        rest = capture.read(size - 12)
        if len(rest) < size - 12:
            return
        yield kind, order, head + rest
