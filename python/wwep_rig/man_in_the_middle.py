"""A man in the middle: he has the secure port, a certificate of his own CA, and rewrites frames.

    with bench.man_in_the_middle() as thief:
        bench.press("button1", until=Until.led)
        intrusions = thief.wait_until_left_alone(timeout_s=10)
    assert not thief.stolen, thief.text
"""

import asyncio
import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from . import _core, certs
from .between import Between, streams
from .errors import TargetFailed

FRAME_S_MAX = 5.0
READ_SIZE = 65536
LEFT_ALONE_S = 0.3
_READ_LENGTH, _WRITE_LENGTH = 7, 11


def other_value(frame: bytes) -> bytes:
    """The frame with the lowest bit of its value turned: the LED's other state."""
    if len(frame) != _WRITE_LENGTH or frame[-1:] not in b"0123456789abcdefABCDEF":
        return frame
    return frame[:-1] + b"%X" % (int(frame[-1:], 16) ^ 1)


@dataclass(frozen=True)
class Intrusion:
    """One connection that the target made to a man in the middle.

    Attributes:
        refusal: why the target did not let him in; empty: it did.
        stolen: what he read of it.
        forwarded: what he told the server instead.
        reply: what the server answered.
        told: what he told the target.
    """

    refusal: str = ""
    stolen: bytes = b""
    forwarded: bytes = b""
    reply: bytes = b""
    told: bytes = b""

    @property
    def text(self) -> str:
        """For people."""
        if self.refusal:
            return f"was not let in: {self.refusal}"
        if not self.stolen:
            return "was let in, but nothing was said"
        return (
            f"was let in, read {_shown(self.stolen)} and sent {_shown(self.forwarded)} on; the "
            f"server answered {_shown(self.reply)}, the target heard {_shown(self.told)}"
        )


class ManInTheMiddle(Between):
    """He stands on the secure port of a bench for the length of a `with` block.

    His certificate is made out to the server's names and in order but for its CA, which the target
    has no reason to trust. What he reads goes on to the server over TLS, rewritten; the reply
    comes back the same way, so that a target that lets him in notices nothing. Each connection is a
    fault on the timeline, and what became of it a remark.
    """

    def __init__(
        self,
        core: _core.Bench,
        identity: certs.Identity,
        rewrite: Callable[[bytes], bytes] = other_value,
    ) -> None:
        """He is in place when the `with` block begins.

        Args:
            core: the bench.
            identity: whom he gives himself out for.
            rewrite: what he makes of a frame.
        """
        super().__init__(core, secure=True)
        self._rewrite = rewrite
        self._shows = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._shows.load_cert_chain(identity.cert_path, identity.key_path)
        self._shows.set_ciphers("DEFAULT:@SECLEVEL=0")  # boards of any age are welcome
        self._trusts = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._trusts.check_hostname = False
        self._trusts.verify_mode = ssl.CERT_NONE  # whoever answers will do
        self._changed = threading.Condition()
        self._intrusions: list[Intrusion] = []
        self._under_way = 0

    @property
    def intrusions(self) -> tuple[Intrusion, ...]:
        """The connections that have ended."""
        with self._changed:
            return tuple(self._intrusions)

    @property
    def stolen(self) -> bytes:
        """Everything that he read."""
        return b"".join(each.stolen for each in self.intrusions)

    @property
    def text(self) -> str:
        """What became of him, for people."""
        return "; ".join(f"the man in the middle {each.text}" for each in self.intrusions)

    def wait_until_left_alone(
        self, *, timeout_s: float, for_s: float = LEFT_ALONE_S
    ) -> tuple[Intrusion, ...]:
        """Wait until the target has come to him, and then has stayed away.

        Args:
            timeout_s: how long it may take until the first of its connections has ended.
            for_s: how long it has to stay away; longer than it waits between attempts.

        Raises:
            TargetFailed: it did not come to him.
        """
        give_up_at = time.monotonic() + timeout_s
        with self._changed:
            if not self._changed.wait_for(lambda: bool(self._intrusions), timeout_s):
                raise TargetFailed(
                    f"waited {timeout_s:g} s for the target to connect to the man in the middle, "
                    "which it did not"
                )
            while time.monotonic() < give_up_at:
                came = self._changed.wait(for_s)
                if not came and not self._under_way:
                    break
            return tuple(self._intrusions)

    async def serve(self, accepted: socket.socket, server: tuple[str, int]) -> None:
        """Read, rewrite, hand on; and the same with the reply."""
        with self._changed:
            self._under_way += 1
            self._changed.notify_all()
        self.core.note_fault("man_in_the_middle")
        intrusion = Intrusion(refusal="the connection broke off")
        try:
            intrusion = await self._intrude(accepted, server)
        finally:
            self.core.note(f"man in the middle: {intrusion.text}")
            with self._changed:
                self._under_way -= 1
                self._intrusions.append(intrusion)
                self._changed.notify_all()

    async def _intrude(self, accepted: socket.socket, server: tuple[str, int]) -> Intrusion:
        try:
            reader, writer = await streams(accepted, self._shows)
        except (OSError, ssl.SSLError) as error:
            accepted.close()
            return Intrusion(refusal=getattr(error, "reason", None) or str(error) or "closed")
        stolen = forwarded = reply = told = b""
        try:
            stolen = await _read_frame(reader)
            if stolen:
                forwarded = self._rewrite(stolen)
                reply = await self._ask(server, forwarded)
                told = reply.replace(forwarded[1:], stolen[1:])
                writer.write(told)
                await writer.drain()
        except (OSError, ssl.SSLError):
            pass  # the target goes away as it likes; what was read until then counts
        finally:
            writer.close()
        return Intrusion("", stolen, forwarded, reply, told)

    async def _ask(self, server: tuple[str, int], frame: bytes) -> bytes:
        reader, writer = await asyncio.open_connection(*server, ssl=self._trusts)
        try:
            writer.write(frame)
            await writer.drain()
            return await asyncio.wait_for(reader.read(READ_SIZE), FRAME_S_MAX)
        finally:
            writer.close()


async def _read_frame(reader: asyncio.StreamReader) -> bytes:
    """A frame, or as much of it as comes."""
    read = b""
    try:
        async with asyncio.timeout(FRAME_S_MAX):
            while len(read) < (_READ_LENGTH if read[:1] == b"R" else _WRITE_LENGTH):
                part = await reader.read(READ_SIZE)
                if not part:
                    break
                read += part
    except (TimeoutError, OSError, ssl.SSLError):
        pass
    return read


def _shown(text: bytes) -> str:
    return text.decode("ascii", "backslashreplace") or "nothing"
