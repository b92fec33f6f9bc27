"""A bad network between target and server: late, lossy, slow, or at a standstill for a while.

    with bench.bad_network(delay_s=0.1):
        trip = bench.press("button0")

It is a relay, on any machine. Where the kernel has netem (`netem.py`), what the relay passes on
goes through a bad network of the kernel's on its way, and packets can be lost, come twice or out of
turn; elsewhere the relay itself is slow. The fault on the timeline says which it is.
"""

import asyncio
import math
import socket
from contextlib import suppress
from dataclasses import dataclass

from . import _core, netem
from .bad_link import Chances
from .between import Between, streams
from .errors import NoBench, RigError

_READ_SIZE = 4096
_CHUNKS_WAITING_MAX = 256
# A slow line carries in one go what takes it so long, one byte at least.
_PIECE_S = 0.01

_Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True)
class Network(Chances):
    """How bad it is.

    Attributes:
        loss: the probability of each packet to be lost, 0 to 1.
        duplicate: to come twice.
        reorder: to overtake those before it, which takes a delay.
        delay_s: how much later everything arrives, each way.
        bytes_per_s: how much it carries, each way, with netem both ways together; 0: as much as
            there is.
        stall_after: of each connection, after so many bytes in either direction nothing goes on
            for a while; None: it never stalls.
        stall_s: how long that while is.
    """

    delay_s: float = 0.0
    bytes_per_s: float = 0.0
    stall_after: int | None = None
    stall_s: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        numbers = (self.delay_s, self.bytes_per_s, self.stall_s, self.stall_after or 0)
        if not all(0 <= each < math.inf for each in numbers):
            raise ValueError(f"{self}: nothing of a network is below 0 or without end")
        if self.stall_after is not None and not self.stall_s:
            raise ValueError(f"{self}: say with stall_s how long it stalls")
        if self.reorder and not self.delay_s:
            raise ValueError(f"{self}: say with delay_s how late those are that are overtaken")

    def __str__(self) -> str:
        words = self.words
        words += [f"delay={self.delay_s:g}s"] if self.delay_s else []
        words += [f"bytes_per_s={self.bytes_per_s:g}"] if self.bytes_per_s else []
        if self.stall_after is not None:
            words += [f"stall_after={self.stall_after}", f"stall={self.stall_s:g}s"]
        return " ".join(words) or "as it is"

    @property
    def of_netem(self) -> list[str]:
        """What of it netem can do, as it is told; empty: nothing."""
        return netem.words(self.chances, delay_s=self.delay_s, bytes_per_s=self.bytes_per_s)

    @property
    def beside_netem(self) -> "Network":
        """What it cannot."""
        return Network(stall_after=self.stall_after, stall_s=self.stall_s)


class Relay(Between):
    """Passes on what comes on one port of a bench, the way a bad network would."""

    def __init__(self, core: _core.Bench, network: Network, *, secure: bool) -> None:
        """It is in place when the `with` block begins. Raises NoBench then."""
        super().__init__(core, secure=secure)
        self._network = network
        self._way: netem.Way | None = None

    def __enter__(self) -> "Relay":
        self._way = self._through_netem()
        try:
            super().__enter__()
        except BaseException:
            if self._way is not None:
                self._way.close()
            raise
        how = netem.NAME if self._way else "relay in user space"
        self.core.note_fault(f"network {self._network} ({how})")
        return self

    def _through_netem(self) -> netem.Way | None:
        what = self._network.of_netem
        if not what:
            return None
        lack = netem.lack()
        if lack is None:
            return netem.Way(what)
        if needs := ", ".join(self._network.words):
            raise NoBench(f"a network with {needs} takes the kernel's: {lack.trouble}", lack.remedy)
        return None

    def close(self) -> None:
        """End every connection and let the server have its port again; twice is fine."""
        try:
            super().close()
        finally:
            way, self._way = self._way, None
            if way is not None:
                with way:
                    done = f"network {self._network} ended ({netem.NAME}): {way.counts()}"
                    self.core.note(done)

    async def serve(self, accepted: socket.socket, server: tuple[str, int]) -> None:
        """Pass on both directions of one connection until both have ended."""
        ends = [await streams(accepted)]
        try:
            ends += await self._ends_of_way()
            ends.append(await asyncio.open_connection(*server))
        except (OSError, RigError):
            _abort(ends)
            return
        # From the target straight to the server, or to one end of the way and on from the other.
        networks = [self._network.beside_netem, Network()] if self._way else [self._network]
        try:
            async with asyncio.TaskGroup() as all_of_them:
                for network, here, there in zip(networks, ends[::2], ends[1::2], strict=True):
                    passage = _Passage(network)
                    all_of_them.create_task(passage.carry(here[0], there[1]))
                    all_of_them.create_task(passage.carry(there[0], here[1]))
        except* OSError:
            _abort(ends)  # whoever reset it, both ends hear of it
        finally:
            for _, writer in ends:
                writer.close()

    async def _ends_of_way(self) -> list[_Streams]:
        if self._way is None:
            return []
        near, far = await self._way.pair()
        self._start(asyncio.get_running_loop(), self._make_ahead(self._way))
        return [await streams(near), await streams(far)]

    async def _make_ahead(self, way: netem.Way) -> None:
        with suppress(OSError, RigError):  # whoever finds none made will try, and hear of it
            await way.make_ahead()


def _abort(ends: list[_Streams]) -> None:
    for _, writer in ends:
        writer.transport.abort()


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
