"""Who is on the other end of a board's connection, and whether it is the bench file's board."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from .round_trip import Connection

_ARP_TABLE = Path("/proc/net/arp")
_COMPLETE = 0x2  # the flag of an entry whose address is known (ATF_COM in <net/if_arp.h>)


def mac_in(arp_table: str, address: str) -> str:
    """The MAC address that the kernel knows for an IPv4 address; empty when it knows none.

    Args:
        arp_table: the text of /proc/net/arp, see arp(7).
        address: `192.168.4.7`.
    """
    for row in arp_table.splitlines()[1:]:
        columns = row.split()
        if len(columns) >= 4 and columns[0] == address and int(columns[2], 16) & _COMPLETE:
            return columns[3].lower()
    return ""


class Neighbours:
    """Compares who talks with the board that the bench file describes. Says each thing once."""

    def __init__(self, mac: str, device_id: int, arp_table: Path = _ARP_TABLE) -> None:
        self._mac = mac.lower()
        self._device_id = device_id
        self._arp_table = arp_table
        self._said: set[str] = set()

    def look_at(self, connections: Sequence[Connection]) -> list[str]:
        """What is wrong with who talks in these connections, and was not said before."""
        new = [said for said in self._findings(connections) if said not in self._said]
        self._said.update(new)
        return new

    def _findings(self, connections: Sequence[Connection]) -> Iterator[str]:
        for connection in connections:
            address = connection.peer.rpartition(":")[0].strip("[]")
            mac = mac_in(self._read_arp_table(), address)
            if mac and mac != self._mac:
                yield (
                    f"{address} has the MAC address {mac}, and the bench file's board is "
                    f"{self._mac}: another board answers to the button, or target.device is wrong"
                )
            for frame in connection.frames:
                if frame.device is not None and frame.device != self._device_id:
                    yield (
                        f"{address} says device ID {frame.device:04X}, and the bench file's board "
                        f"{self._mac} has {self._device_id:04X}: another board answers to the "
                        "button, or target.device is wrong"
                    )

    def _read_arp_table(self) -> str:
        try:
            return self._arp_table.read_text()
        except OSError:
            return ""  # IPv6 only, or a kernel without it: then nothing can be said
