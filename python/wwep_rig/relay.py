"""A bad network between target and server: late, slow, or at a standstill for a while.

    with bench.bad_network(delay_s=0.1):
        trip = bench.press("button0")

It is a relay in user space, on any machine: what it does to a stream, TCP may do. Loss, duplication
and re-ordering are below TCP, and show up there as delay; an emulated board's Ethernet link has
them (`bad_link`).
"""

import asyncio
import socket
from dataclasses import dataclass

from . import _core
from .between import Between, streams

_READ_SIZE = 4096
_CHUNKS_WAITING_MAX = 256
# A slow line carries in one go what takes it so long, one byte at least.
_PIECE_S = 0.01


@dataclass(frozen=True)
class Network:
    """How bad it is.

    Attributes:
        delay_s: how much later everything arrives, each way.
        bytes_per_s: how much it carries, each way; 0: as much as there is.
        stall_after: of each connection, after so many bytes in either direction nothing goes on
            for a while; None: it never stalls.
        stall_s: how long that while is.
    """

    delay_s: float = 0.0
    bytes_per_s: float = 0.0
    stall_after: int | None = None
    stall_s: float = 0.0

    def __post_init__(self) -> None:
        if min(self.delay_s, self.bytes_per_s, self.stall_s, self.stall_after or 0) < 0:
            raise ValueError(f"{self}: nothing of a network is below 0")
        if self.stall_after is not None and not self.stall_s:
            raise ValueError(f"{self}: say with stall_s how long it stalls")

    def __str__(self) -> str:
        words = [f"delay={self.delay_s:g}s"] if self.delay_s else []
        words += [f"bytes_per_s={self.bytes_per_s:g}"] if self.bytes_per_s else []
        if self.stall_after is not None:
            words += [f"stall_after={self.stall_after}", f"stall={self.stall_s:g}s"]
        return " ".join(words) or "as it is"


class Relay(Between):
    """Passes on what comes on one port of a bench, the way a bad network would."""

    def __init__(self, core: _core.Bench, network: Network, *, secure: bool) -> None:
        """It is in place when the `with` block begins."""
        super().__init__(core, secure=secure)
        self._network = network

    def __enter__(self) -> "Relay":
        super().__enter__()
        self.core.note_fault(f"network {self._network} (relay in user space)")
        return self

    async def serve(self, accepted: socket.socket, server: tuple[str, int]) -> None:
        """Pass on both directions of one connection until both have ended."""
        reader, writer = await streams(accepted)
        try:
            from_server, to_server = await asyncio.open_connection(*server)
        except OSError:
            writer.transport.abort()
            return
        passage = _Passage(self._network)
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(passage.carry(reader, to_server))
                both.create_task(passage.carry(from_server, writer))
        except* OSError:
            to_server.transport.abort()  # whoever reset it, both ends hear of it
            writer.transport.abort()
        finally:
            to_server.close()
            writer.close()


class _Passage:
    """One connection on its way through the network."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._left_before_stall = network.stall_after
        self._goes_on = asyncio.Event()
        self._goes_on.set()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one direction to its end."""
        under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(_CHUNKS_WAITING_MAX)
        async with asyncio.TaskGroup() as both:
            both.create_task(self._take(reader, under_way))
            both.create_task(self._give(under_way, writer))

    async def _take(
        self, reader: asyncio.StreamReader, under_way: asyncio.Queue[tuple[float, bytes]]
    ) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            data = await reader.read(_READ_SIZE)
            await under_way.put((clock() + self._network.delay_s, data))
            if not data:
                return

    async def _give(
        self, under_way: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter
    ) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            due, data = await under_way.get()
            await asyncio.sleep(max(0.0, due - clock()))
            if not data:
                writer.write_eof()
                return
            while data:
                size = await self._wait_for_turn(len(data))
                writer.write(data[:size])
                await writer.drain()
                data = data[size:]

    async def _wait_for_turn(self, wanted: int) -> int:
        """Wait until something may go on; how many bytes of those that want to."""
        if self._left_before_stall == 0:
            self._left_before_stall = None
            self._goes_on.clear()
            await asyncio.sleep(self._network.stall_s)
            self._goes_on.set()
        await self._goes_on.wait()
        size = wanted
        if rate := self._network.bytes_per_s:
            size = min(size, max(1, int(rate * _PIECE_S)))
            await asyncio.sleep(size / rate)
        if self._left_before_stall is not None:
            size = min(size, self._left_before_stall)
            self._left_before_stall -= size
        return size
