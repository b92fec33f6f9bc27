"""A bad network by the kernel's own tools: a namespace whose loopback interface has a netem qdisc.

What goes through it is TCP between two sockets of that namespace, so what is lost, doubled or
overtaken in there the kernel's TCP has to make up for. It needs no root.
"""

import asyncio
import functools
import json
import os
import shutil
import socket
import subprocess
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .closing import Closing
from .emulator import helper_path
from .errors import NoBench, RigError

NAME = "netem in a namespace"
# Connections made before the network becomes bad. What a target's own handshake meets is the rig's
# relay; that of the connection in here must not take its time as well.
AHEAD = 8

_HELPER_S_MAX = 10.0
_INTERFACE = "lo"
# All that might be on its way: what the queue has no room for would be lost.
_PACKETS_MAX = 100_000
# Of each packet the headers of Ethernet, IPv4 and TCP, which a stream's bytes are without.
_HEADER_BYTES = 54
# Where Debian has tc; not every user's PATH leads there.
_ADMIN_PATH = "/usr/sbin:/sbin"

Pair = tuple[socket.socket, socket.socket]


@dataclass(frozen=True)
class Counts:
    """What netem has done.

    Attributes:
        packets: how many it let through, duplicates included.
        lost: how many not.
        reordered: how many of them overtook others.
    """

    packets: int
    lost: int
    reordered: int

    def __str__(self) -> str:
        return f"{self.packets} packets sent, {self.lost} lost, {self.reordered} re-ordered"


@functools.cache
def lack() -> NoBench | None:
    """Why there is no netem here, with the remedy; None: there is. Tried once a process."""
    try:
        with Namespace() as namespace:
            namespace.make_bad([])
    except NoBench as error:
        return error
    return None


def words(chances: Mapping[str, float], *, delay_s: float, bytes_per_s: float) -> list[str]:
    """What `tc` is told of such a network."""
    said = ["delay", f"{delay_s * 1e6:.0f}us"] if delay_s else []
    for name, chance in chances.items():
        said += [name, f"{chance * 100:.7f}%"] if chance else []
    if bytes_per_s:
        said += ["rate", f"{max(1, round(bytes_per_s)) * 8}bit", str(-_HEADER_BYTES)]
    return said


class Namespace(Closing):
    """A network namespace for as long as this lives, and sockets in it.

    Its helper ends with this process, however that ends, and the namespace with it.
    """

    def __init__(self) -> None:
        """Make it, some milliseconds. Raises NoBench where this machine grants none."""
        path = helper_path()
        ours, its = socket.socketpair()
        ours.settimeout(_HELPER_S_MAX)
        self._wire = ours
        try:
            with its:
                self._helper = subprocess.Popen(
                    [str(path), "lend"],
                    stdin=its.fileno(),
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE,
                    start_new_session=True,  # Ctrl-C is for the rig, which then ends it
                )
        except OSError as error:
            ours.close()
            raise NoBench(
                f"start {path}: {error.strerror}", "build the rig with ci/build"
            ) from None
        try:
            self.socket().close()  # after this it is complete
        except RigError as error:
            self.close()
            raise NoBench(
                f"make a network namespace: {error}",
                "allow them to users: `wwep-rig doctor --bench emulator` says how",
            ) from None
        except BaseException:
            self.close()
            raise

    def socket(self) -> socket.socket:
        """A new TCP socket of its network. Raises RigError."""
        try:
            self._wire.sendall(b"s")
            _, descriptors, _, _ = socket.recv_fds(self._wire, 1, 1)
        except TimeoutError:
            raise RigError(f"{helper_path().name} gives no socket") from None
        except OSError:  # it has ended before it read the wish
            descriptors = []
        if not descriptors:
            raise RigError(f"{helper_path().name} has ended: {self._last_words()}")
        return socket.socket(fileno=descriptors[0])

    def _last_words(self) -> str:
        assert self._helper.stderr is not None
        return self._helper.stderr.read().decode(errors="replace").strip() or "it said nothing"

    def make_bad(self, what: Sequence[str]) -> None:
        """Have netem do this to each packet from now on. Raises NoBench where there is no netem."""
        qdisc = ["qdisc", "replace", "dev", _INTERFACE, "root", "netem"]
        done = self._tc(*qdisc, "limit", str(_PACKETS_MAX), *what)
        if done.returncode != 0:
            raise NoBench(
                f"the kernel's netem cannot be had: {done.stderr.strip()}",
                "load its module: sudo modprobe sch_netem (a kernel may be built without)",
            )

    def counts(self) -> Counts:
        """What netem has done so far. Raises RigError."""
        done = self._tc("-s", "-j", "qdisc", "show", "dev", _INTERFACE)
        if done.returncode != 0:
            raise RigError(f"ask tc what netem did: {done.stderr.strip()}")
        (qdisc,) = json.loads(done.stdout)
        return Counts(qdisc["packets"], qdisc["drops"], qdisc["requeues"])

    def _tc(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        path = os.environ.get("PATH", os.defpath) + os.pathsep + _ADMIN_PATH
        tools = [shutil.which(name, path=path) for name in ("nsenter", "tc")]
        if not all(tools):
            raise NoBench("there is no tc", "sudo apt install iproute2 util-linux")
        enter, tc = map(str, tools)
        where = ["--target", str(self._helper.pid), "--user", "--net", "--preserve-credentials"]
        return subprocess.run(
            [enter, *where, tc, *arguments],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            text=True,
            check=False,
        )

    def close(self) -> None:
        """Let it go. Sockets that are open keep the network for as long as they are."""
        self._wire.close()
        self._helper.wait()
        if self._helper.stderr is not None:
            self._helper.stderr.close()


class Way(Closing):
    """Connections from one end of a namespace to the other, through a bad network."""

    def __init__(self, what: Sequence[str]) -> None:
        """Make it, and some connections ahead; then it becomes bad. Raises NoBench, RigError."""
        self._namespace = Namespace()
        self._pairs: deque[Pair] = deque()
        self._one_at_a_time = asyncio.Lock()
        try:
            self._far = self._namespace.socket()
            self._far.bind(("127.0.0.1", 0))
            self._far.listen(AHEAD)
            for _ in range(AHEAD):
                near = self._namespace.socket()
                near.connect(self._far.getsockname())
                self._pairs.append(_ready(near, self._far.accept()[0]))
            self._far.setblocking(False)
            self._namespace.make_bad(what)
        except BaseException:
            self.close()
            raise

    async def pair(self) -> Pair:
        """Both ends of a connection: the oldest of those made ahead, or a new one."""
        while not self._pairs:
            await self.make_ahead()
        return self._pairs.popleft()

    async def make_ahead(self) -> None:
        """Make one more. Raises OSError when the network is too bad for it."""
        loop = asyncio.get_running_loop()
        near = self._namespace.socket()
        try:
            near.setblocking(False)
            async with self._one_at_a_time:
                await loop.sock_connect(near, self._far.getsockname())
                while True:
                    far, peer = await loop.sock_accept(self._far)
                    if peer == near.getsockname():
                        break
                    far.close()  # of one that was given up
        except BaseException:
            near.close()
            raise
        self._pairs.append(_ready(near, far))

    def counts(self) -> Counts:
        """What has been done to the packets so far. Raises RigError."""
        return self._namespace.counts()

    def close(self) -> None:
        """Let the network go, with the connections that nobody took."""
        for pair in self._pairs:
            for end in pair:
                end.close()
        self._pairs.clear()
        if hasattr(self, "_far"):
            self._far.close()
        self._namespace.close()


def _ready(near: socket.socket, far: socket.socket) -> Pair:
    for end in (near, far):
        end.setblocking(False)
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return near, far
