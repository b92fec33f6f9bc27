"""A WWEP server of plain Python, correct, with one method for everything that can be wrong.

It uses nothing of the rig, so that the suite is not tested by the rig's own idea of the protocol
alone.
"""

import contextlib
import select
import socket
import ssl
import threading
import time

# A good server waits 200 ms. This one may run on a machine that is busy with other things.
FRAME_TIMEOUT_S = 0.3
IDLE_TIMEOUT_S = 30.0
DRAIN_S = 1.0
HEX = b"0123456789abcdefABCDEF"
SIZES = {b"R": 7, b"W": 11}


class Refused(Exception):
    """The frame gets an X, and the connection is closed."""


class Gone(Exception):
    """The peer has gone without a frame to answer."""


class GoodServer:
    """Serves until `close()`, each connection in a thread of its own unless one at a time."""

    keep_open = False
    one_at_a_time = False
    idle_timeout_s = IDLE_TIMEOUT_S

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        """Listens on a free port of 127.0.0.1."""
        self.tls = tls
        self.registers: dict[object, int] = {}
        self._peers: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept_all, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Closes everything and waits for the thread that listens."""
        self.stop_listening()
        for peer in list(self._peers):
            with contextlib.suppress(OSError):
                peer.shutdown(socket.SHUT_RDWR)
        self._thread.join()

    def stop_listening(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept_all(self) -> None:
        while True:
            try:
                peer, _ = self._listener.accept()
            except OSError:
                return
            self._peers.add(peer)
            if self.one_at_a_time:
                self._serve(peer)
            else:
                threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    def _serve(self, peer: socket.socket) -> None:
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        secure = peer
        try:
            secure = self.secured(peer)
            self.talk(secure)
            self.finish(secure)
        except (OSError, ValueError):
            pass
        finally:
            self._peers.discard(peer)
            with contextlib.suppress(OSError):
                secure.close()
            with contextlib.suppress(OSError):
                peer.close()

    # What the doubles replace.

    def secured(self, peer: socket.socket) -> socket.socket:
        """The connection to talk on."""
        if self.tls is None:
            return peer
        peer.settimeout(IDLE_TIMEOUT_S)
        return self.tls.wrap_socket(peer, server_side=True)

    def talk(self, peer: socket.socket) -> None:
        """Frames and replies, until the connection is to be closed."""
        while True:
            try:
                frame = self.read_frame(peer)
            except Gone:
                return
            except Refused:
                self.send(peer, self.refusal())
                return
            self.send(peer, self.answer(frame))
            if not self.keep_open:
                return

    def read_frame(self, peer: socket.socket) -> bytes:
        """The next frame, byte by byte: nobody reads ahead."""
        frame = self.receive(peer, 1, self.idle_timeout_s)
        if not frame:
            raise Gone
        if frame not in SIZES:
            raise Refused
        deadline = time.monotonic() + FRAME_TIMEOUT_S
        while len(frame) < SIZES[frame[:1]]:
            if not self.is_there(peer, 0.0):
                frame = self.paused(frame)
                if len(frame) == SIZES[frame[:1]]:
                    break
            byte = self.receive(peer, 1, max(0.0, deadline - time.monotonic()))
            if not byte:
                return self.unfinished(frame)
            frame += byte
            if not self.is_digit(byte):
                raise Refused
        return frame

    def is_digit(self, byte: bytes) -> bool:
        return byte in HEX

    def paused(self, frame: bytes) -> bytes:
        """What to go on with when the rest of a frame is not there yet."""
        return frame

    def unfinished(self, frame: bytes) -> bytes:
        """Nothing more comes of this frame."""
        raise Refused

    def receive(self, peer: socket.socket, count: int, timeout_s: float) -> bytes:
        """Up to `count` bytes, or none when they do not come in time or the peer has finished."""
        return peer.recv(count) if self.is_there(peer, timeout_s) else b""

    def is_there(self, peer: socket.socket, timeout_s: float) -> bool:
        """Whether there is something to read, or the peer's end."""
        has_pending = isinstance(peer, ssl.SSLSocket) and peer.pending()
        return bool(has_pending or select.select([peer], [], [], timeout_s)[0])

    def answer(self, frame: bytes) -> bytes:
        """The reply to a frame."""
        device, register = int(frame[1:5], 16), int(frame[5:7], 16)
        key = self.key(device, register)
        if frame[:1] == b"W":
            self.registers[key] = self.stored(int(frame[7:11], 16))
            return self.accepted(b"A" + frame[1:])
        value = self.registers.get(key)
        if value is None:
            return self.unwritten(device, register)
        return self.accepted(b"A%04X%02X%04X" % (device, register, value))

    def key(self, device: int, register: int) -> object:
        """Where a register is kept."""
        return device, register

    def stored(self, value: int) -> int:
        """What is kept of a value."""
        return value

    def accepted(self, reply: bytes) -> bytes:
        return reply

    def unwritten(self, device: int, register: int) -> bytes:
        return b"X"

    def refusal(self) -> bytes:
        return b"X"

    def send(self, peer: socket.socket, reply: bytes) -> None:
        peer.settimeout(IDLE_TIMEOUT_S)
        peer.sendall(reply)

    def finish(self, peer: socket.socket) -> None:
        """Half-close and drain, so that no reply is lost to a reset."""
        raw = peer
        if isinstance(peer, ssl.SSLSocket):
            peer.settimeout(DRAIN_S)
            with contextlib.suppress(OSError):
                raw = peer.unwrap()
        raw.shutdown(socket.SHUT_WR)
        deadline = time.monotonic() + DRAIN_S
        while select.select([raw], [], [], max(0.0, deadline - time.monotonic()))[0]:
            if not raw.recv(65536):
                return


class GoodKeepingServer(GoodServer):
    """The same, for any number of frames a connection; one line end may follow each."""

    keep_open = True

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        """What is left of a line end belongs to a connection, and so to its thread."""
        self._of_thread = threading.local()
        super().__init__(tls)

    def read_frame(self, peer: socket.socket) -> bytes:
        frame = super().read_frame(peer)
        self._of_thread.line_end = b"\r\n"
        return frame

    def receive(self, peer: socket.socket, count: int, timeout_s: float) -> bytes:
        """Byte by byte, without those of a line end after a frame."""
        while True:
            byte = super().receive(peer, count, timeout_s)
            may_come = getattr(self._of_thread, "line_end", b"")
            self._of_thread.line_end = b"\n" if byte == b"\r" else b""
            if not byte or byte not in may_come:
                return byte
