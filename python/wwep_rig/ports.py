"""Who listens on a TCP port of this machine, so that an error can name them."""

import errno
import ipaddress
import os
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_LISTENING = "0A"


@dataclass(frozen=True)
class PortHolder:
    """A listener.

    Attributes:
        address: what it is bound to, `0.0.0.0` and `::` for every address.
        port: the TCP port.
        pid: of one process that has it open; 0 when that is another user's.
        command: the process's command line; empty when it is another user's.
    """

    address: str
    port: int
    pid: int
    command: str

    @property
    def is_wildcard(self) -> bool:
        """Whether it takes the port of every address."""
        return ipaddress.ip_address(self.address).is_unspecified

    def __str__(self) -> str:
        where = f"[{self.address}]" if ":" in self.address else self.address
        who = f"process {self.pid} ({self.command})" if self.pid else "another user's process"
        return f"{where}:{self.port} is held by {who}"


def _address_of(text: str) -> str:
    # The kernel prints 32-bit words in host order.
    words = [int(text[i : i + 8], 16).to_bytes(4, "little") for i in range(0, len(text), 8)]
    return str(ipaddress.ip_address(b"".join(words)))


def _listeners(port: int, proc: Path) -> list[tuple[str, str]]:
    """Address and socket inode of each listener on the port."""
    found = []
    for name in ("tcp", "tcp6"):
        try:
            rows = (proc / "net" / name).read_text().splitlines()[1:]
        except OSError:
            continue
        for row in rows:
            fields = row.split()
            address, _, port_text = fields[1].rpartition(":")
            if fields[3] == _LISTENING and int(port_text, 16) == port:
                found.append((_address_of(address), fields[9]))
    return found


def _processes_of(inodes: set[str], proc: Path) -> dict[str, tuple[int, str]]:
    """By socket inode, one process that has it open and its command line."""
    wanted = {f"socket:[{inode}]": inode for inode in inodes}
    found: dict[str, tuple[int, str]] = {}
    for folder in proc.iterdir():
        if not folder.name.isdigit() or len(found) == len(wanted):
            continue
        try:
            for link in (folder / "fd").iterdir():
                inode = wanted.get(os.readlink(link))
                if inode is not None and inode not in found:
                    words = (folder / "cmdline").read_bytes().rstrip(b"\0").split(b"\0")
                    command = b" ".join(words).decode(errors="replace")
                    found[inode] = (int(folder.name), command)
        except OSError:
            continue  # it has ended, or is another user's
    return found


def holders(port: int, address: str = "", proc: Path = Path("/proc")) -> list[PortHolder]:
    """The listeners that keep `address` from being bound to the port.

    Args:
        port: TCP port.
        address: IPv4 or IPv6; empty: any listener on the port counts.
        proc: where the kernel's process information lies.
    """
    rows = [
        (bound, inode)
        for bound, inode in _listeners(port, proc)
        if address in ("", bound) or ipaddress.ip_address(bound).is_unspecified
    ]
    processes = _processes_of({inode for _, inode in rows}, proc)
    return [PortHolder(bound, port, *processes.get(inode, (0, ""))) for bound, inode in rows]


def held(addresses: Iterable[str], ports: Iterable[int | None]) -> str:
    """Who keeps these addresses from being bound to these ports, for people; empty: nobody.

    Port 0 and None cannot be held.
    """
    found = [
        str(holder)
        for address in addresses
        for port in ports
        if port
        for holder in holders(port, address)
    ]
    return "; ".join(dict.fromkeys(found))


def is_free(address: str, port: int) -> bool:
    """Whether a server could listen there now."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
            probe.listen(1)
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                return False
            raise
    return True
