"""Whether it is the bench file's board that answers to its button."""

import pytest

from wwep_rig.neighbours import Neighbours, mac_in
from wwep_rig.round_trip import Connection, Frame, StampSource, Verdict

_ARP = """\
IP address       HW type     Flags       HW address            Mask     Device
192.168.4.7      0x1         0x2         02:00:00:00:00:01     *        wlan0
192.168.4.8      0x1         0x2         02:00:00:00:00:99     *        wlan0
192.168.4.9      0x1         0x0         00:00:00:00:00:00     *        wlan0
"""


def connection(address: str, device: int | None) -> Connection:
    frame = Frame(
        device=device,
        register=5,
        value=1,
        verdict=Verdict.write,
        raw=b"W0003050001",
        received_ns=1,
        stamp=StampSource.kernel,
        reason="",
        connection_id=1,
    )
    return Connection(1, f"{address}:50311", "192.168.4.1:27708", False, 1, frames=(frame,))


@pytest.fixture
def neighbours(tmp_path):
    (tmp_path / "arp").write_text(_ARP)
    return Neighbours("02:00:00:00:00:01", 0x0003, tmp_path / "arp")


def test_address_is_known_only_when_its_entry_is_complete():
    assert mac_in(_ARP, "192.168.4.7") == "02:00:00:00:00:01"
    assert mac_in(_ARP, "192.168.4.9") == ""
    assert mac_in(_ARP, "192.168.4.70") == ""
    assert mac_in("", "192.168.4.7") == ""


def test_board_of_the_bench_file_is_nothing_to_speak_of(neighbours):
    assert neighbours.look_at([connection("192.168.4.7", 0x0003)]) == []


def test_foreign_mac_address_is_reported_once(neighbours):
    (said,) = neighbours.look_at([connection("192.168.4.8", 0x0003)])

    assert "192.168.4.8 has the MAC address 02:00:00:00:00:99" in said
    assert "board is 02:00:00:00:00:01" in said and "target.device is wrong" in said
    assert neighbours.look_at([connection("192.168.4.8", 0x0003)]) == []


def test_device_id_that_does_not_follow_from_the_mac_address_is_reported(neighbours):
    (said,) = neighbours.look_at([connection("192.168.4.7", 0x0FAC)])

    assert "says device ID 0FAC, and the bench file's board 02:00:00:00:00:01 has 0003" in said


def test_frame_without_a_device_and_a_peer_without_an_entry_say_nothing(neighbours):
    assert neighbours.look_at([connection("192.168.4.9", None), connection("::1", 3)]) == []
