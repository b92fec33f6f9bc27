"""What stands between target and server, on a port of the bench, for the length of a `with` block.

The server steps aside, to a free port of the same address, and this listens where it was: the
target notices nothing. All of it runs on a thread of its own.
"""

import asyncio
import os
import socket
import threading
from abc import abstractmethod
from collections.abc import Coroutine
from typing import Any, Self

from . import _core
from .closing import Closing
from .errors import RigError

_BACKLOG = 64
_THREAD_END_S = 10.0


async def streams(
    sock: socket.socket, tls: Any = None
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Reader and writer of an accepted connection, after its handshake if there is one."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    transport, _ = await loop.connect_accepted_socket(lambda: protocol, sock, ssl=tls)
    return reader, asyncio.StreamWriter(transport, protocol, reader, loop)


class Between(Closing):
    """Takes the connections of one port. Subclasses say in `serve` what becomes of each."""

    def __init__(self, core: _core.Bench, *, secure: bool) -> None:
        """Nothing happens before the `with` block."""
        self.core = core
        self._secure = secure
        self._listeners: list[socket.socket] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    @abstractmethod
    async def serve(self, accepted: socket.socket, server: tuple[str, int]) -> None:
        """Do with one connection what is to be done, up to its end.

        Args:
            accepted: the target's connection.
            server: address and port where the server is now.
        """

    def __enter__(self) -> Self:
        usual = self.core.tls_endpoints if self._secure else self.core.plain_endpoints
        if not usual:
            raise RigError("the rig's server has no such port, so nothing can stand before it")
        loop = self._loop = asyncio.new_event_loop()
        aside = self.core.step_aside(secure=self._secure)
        try:
            for here, lent in zip(usual, aside, strict=True):
                listener = _listen(here, lent)
                self._listeners.append(listener)
                self._start(loop, self._accept(listener, _split(lent.server)))
        except BaseException:
            self.close()
            raise
        self._thread = threading.Thread(target=loop.run_forever, name="between", daemon=True)
        self._thread.start()
        return self

    def close(self) -> None:
        """End every connection and let the server have its port again; twice is fine."""
        loop, self._loop = self._loop, None
        if loop is None:
            return
        if self._thread is not None:
            asyncio.run_coroutine_threadsafe(self._end(), loop).result(_THREAD_END_S)
            loop.call_soon_threadsafe(loop.stop)
            self._thread.join(_THREAD_END_S)
        else:
            loop.run_until_complete(self._end())
        loop.close()
        for listener in self._listeners:
            listener.shutdown(socket.SHUT_RDWR)  # a lent one listens until it is told
            listener.close()
        self.core.step_back(secure=self._secure)

    async def _end(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _start(self, loop: asyncio.AbstractEventLoop, what: Coroutine[Any, Any, None]) -> None:
        task = loop.create_task(what)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _accept(self, listener: socket.socket, server: tuple[str, int]) -> None:
        loop = asyncio.get_running_loop()
        while True:
            accepted, _ = await loop.sock_accept(listener)
            accepted.setblocking(False)
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._start(loop, self.serve(accepted, server))


def _split(endpoint: str) -> tuple[str, int]:
    host, _, port = endpoint.rpartition(":")
    return host.strip("[]"), int(port)


def _listen(here: str, lent: _core.LentPort) -> socket.socket:
    try:
        listener = _bound(*_split(here)) if lent.socket < 0 else _borrowed(lent.socket)
        try:
            listener.listen(_BACKLOG)
            listener.setblocking(False)
        except OSError:
            listener.close()
            raise
    except OSError as error:
        raise RigError(f"listen on {here} between target and server: {error}") from None
    return listener


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    return listener


def _borrowed(bound: int) -> socket.socket:
    """The server's own, in a network that this process is not in."""
    return socket.socket(fileno=os.dup(bound))
