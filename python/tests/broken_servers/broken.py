"""Servers with one defect each: what deviates from the good one is what is wrong with them."""

import socket
import ssl
import struct
import threading

from .good import SIZES, Gone, GoodKeepingServer, GoodServer


# Where tcpi_data_segs_in is in the kernel's struct tcp_info (linux/tcp.h).
_DATA_SEGS_IN = 152


def _segments_received(peer: socket.socket) -> int:
    """How many segments with data the peer has sent on this connection."""
    size = struct.calcsize("I")
    facts = peer.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _DATA_SEGS_IN + size)
    return int(struct.unpack_from("I", facts, _DATA_SEGS_IN)[0])


class SharesRegisters(GoodServer):
    """All devices have the same registers."""

    def key(self, device: int, register: int) -> object:
        return register


class KeepsEightBits(GoodServer):
    """The upper half of a value is lost."""

    def stored(self, value: int) -> int:
        return value & 0xFF


class SwapsBytes(GoodServer):
    """Values are kept in the wrong byte order."""

    def stored(self, value: int) -> int:
        return (value & 0xFF) << 8 | value >> 8


class HasHalfTheRegisters(GoodServer):
    """Register addresses have seven bits."""

    def key(self, device: int, register: int) -> object:
        return device, register & 0x7F


class ReadsUnwrittenAsZero(GoodServer):
    """A register that nothing has written reads as 0."""

    def unwritten(self, device: int, register: int) -> bytes:
        return b"A%04X%02X0000" % (device, register)


class EndsRepliesWithNewline(GoodServer):
    """An accepting reply has a twelfth byte."""

    def accepted(self, reply: bytes) -> bytes:
        return reply + b"\n"


class AnswersEarly(GoodServer):
    """A write is answered although its value has not come whole."""

    def paused(self, frame: bytes) -> bytes:
        return frame.ljust(SIZES[b"W"], b"0") if len(frame) > 7 else frame

    def unfinished(self, frame: bytes) -> bytes:
        return self.paused(frame) if len(frame) > 7 else super().unfinished(frame)


class BreaksOnSplitReads(GoodServer):
    """A frame that comes in more than one segment is not understood: the connection is closed.

    The segments are the kernel's count of them. On a busy machine this server would otherwise
    read so late that the rest has come, and would be right by chance.
    """

    def read_frame(self, peer: socket.socket) -> bytes:
        frame = super().read_frame(peer)
        if _segments_received(peer) > 1:
            raise Gone
        return frame

    def unfinished(self, frame: bytes) -> bytes:
        raise Gone


class LeavesTruncatedUnanswered(GoodServer):
    """An unfinished frame is met with a close."""

    def unfinished(self, frame: bytes) -> bytes:
        raise Gone


class RefusesWithAnotherLetter(GoodServer):
    """An illegal frame is answered E."""

    def refusal(self) -> bytes:
        return b"E"


class TakesSigns(GoodServer):
    """Numbers may begin with a sign or a blank, as some library functions take them."""

    def is_digit(self, byte: bytes) -> bool:
        return super().is_digit(byte) or byte in b"+ "

    def answer(self, frame: bytes) -> bytes:
        try:
            return super().answer(frame)
        except ValueError:
            return b"X"


class DiesOfAReset(GoodServer):
    """A connection that is reset takes the whole server along."""

    one_at_a_time = True

    def receive(self, peer: socket.socket, count: int, timeout_s: float) -> bytes:
        try:
            return super().receive(peer, count, timeout_s)
        except ConnectionResetError:
            self.stop_listening()
            raise


class WaitsForWhoNeverReads(GoodKeepingServer):
    """While a reply cannot be sent, nobody else is answered."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._sending = threading.Lock()
        super().__init__(tls)

    def send(self, peer: socket.socket, reply: bytes) -> None:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
        with self._sending:
            super().send(peer, reply)


class AnswersInTheClear(GoodServer):
    """The port over TLS also serves clients without TLS."""

    def secured(self, peer: socket.socket) -> socket.socket:
        peer.settimeout(30.0)
        begun = peer.recv(1, socket.MSG_PEEK)
        return peer if begun in SIZES else super().secured(peer)


# Not wrong, but not what the rulings say: notes.


class TakesUpperCaseOnly(GoodServer):
    """Digits in lower case are refused."""

    def is_digit(self, byte: bytes) -> bool:
        return byte in b"0123456789ABCDEF"


class SaysMoreAfterX(GoodServer):
    """An X is followed by text."""

    def refusal(self) -> bytes:
        return b"X Not Found"

    def unwritten(self, device: int, register: int) -> bytes:
        return b"X Not Found"


class ShowsLowerCase(GoodServer):
    """Replies are in lower case."""

    def accepted(self, reply: bytes) -> bytes:
        return b"A" + reply[1:].lower()


class EndsWithoutCloseNotify(GoodServer):
    """A connection over TLS ends with a bare FIN."""

    def finish(self, peer: socket.socket) -> None:
        # Past the TLS of the socket, which stays open until the peer is gone.
        socket.socket.shutdown(peer, socket.SHUT_WR)
        self.is_there(peer, 1.0)
