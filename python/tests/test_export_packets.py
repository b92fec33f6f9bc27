"""`wwep-rig export --format pcapng` and the dissector, judged by Wireshark's tshark."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.made_recording import make_conversation, make_recording
from wwep_rig.export.pcapng import Writer

PLAIN_PORT, TLS_PORT = 27708, 40508


def test_rebuilt_packets_show_the_frames_of_both_ports(wwep_rig, tshark, tmp_path):
    make_recording(tmp_path / "run.sqlite")

    done = wwep_rig("export", "run.sqlite", "--format", "pcapng", "-o", "run.pcapng", "--json")

    assert done.code == 0, done.err
    assert '"rebuilt": true, "keys": false, "packets": 37' in done.out
    fields = ("tcp.dstport", "wwep.command", "wwep.device", "wwep.value", "wwep.time")
    assert tshark("run.pcapng", "wwep.register == 5", *fields) == [
        [str(PLAIN_PORT), "W", "0x0fac", "0x0001", ""],
        ["50001", "A", "0x0fac", "0x0001", "0.001000000"],
        [str(TLS_PORT), "R", "0x0fac", "", ""],
        ["50002", "A", "0x0fac", "0x0001", "0.001000000"],
    ]
    at = tshark("run.pcapng", "wwep.command == W", "frame.time_epoch")
    assert at == [["1767225601.004000000"]]


def test_rebuilt_packets_are_sound_tcp_and_say_that_they_are_rebuilt(wwep_rig, tshark, tmp_path):
    make_recording(tmp_path / "run.sqlite")
    assert wwep_rig("export", "run.sqlite", "--format", "pcapng", "-o", "run.pcapng").code == 0

    packets = tshark("run.pcapng", "tcp", "tcp.checksum.status", "ip.checksum.status")
    assert len(packets) == 37
    assert {tcp for tcp, _ in packets} == {"1"} and {ip for _, ip in packets} == {"1", ""}
    assert not tshark("run.pcapng", "tcp.analysis.flags", "frame.number")
    # The connection in the clear has all of SYN, SYN-ACK, ACK, data and FIN.
    whole = tshark("run.pcapng", "tcp.port == 50001", "tcp.completeness")
    assert {number for (number,) in whole} == {"31"}
    info = subprocess.run(
        ["capinfos", "-k", "run.pcapng"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert "Rebuilt from a recording, not captured" in info.stdout
    comments = {
        text
        for (text,) in tshark("run.pcapng", f"tcp.dstport == {TLS_PORT} && wwep", "frame.comment")
    }
    assert comments == {"rebuilt in the clear: this went over TLS (TLSv1.3 TLS_AES_128_GCM_SHA256)"}
    (ending,) = tshark("run.pcapng", "tcp.flags.fin == 1 && ipv6 && frame.comment", "frame.comment")
    assert "4 bytes more came, were ignored" in ending[0]


def test_dissector_notes_what_is_illegal_or_unfinished(wwep_rig, tshark, tmp_path):
    make_recording(tmp_path / "run.sqlite")
    assert wwep_rig("export", "run.sqlite", "--format", "pcapng", "-o", "run.pcapng").code == 0

    (illegal,) = tshark("run.pcapng", "wwep.expert.illegal_frame", "wwep.illegal", "_ws.col.Info")
    assert illegal == ["51 30", "Illegal frame: illegal byte 0x51 where a frame starts"]
    (unfinished,) = tshark(
        "run.pcapng", "wwep.expert.unfinished", "wwep.time", "_ws.expert.message"
    )
    assert unfinished[0] == "0.200000000"
    assert "answers an unfinished frame: W01234" in unfinished[1]
    assert len(tshark("run.pcapng", "wwep.expert.failed", "frame.number")) == 2


def test_capture_of_the_wrong_network_is_told_with_the_remedy(wwep_rig, tmp_path):
    make_recording(tmp_path / "run.sqlite")
    with (tmp_path / "run.sqlite.pcapng").open("wb") as out:
        Writer(out, comment="nothing", application="test")

    done = wwep_rig("export", "run.sqlite", "--format", "pcapng", "-o", "run.pcapng", "--json")

    assert done.code == 0 and json.loads(done.out)["packets"] == 0
    assert "holds no packets, although there were connections" in done.err
    assert "--rebuilt" in done.err


def test_capture_that_is_damaged_is_named(wwep_rig, tmp_path):
    make_recording(tmp_path / "run.sqlite")
    for content in (b"no capture at all", b"\n\r\r\n\x08\0\0\0\x4d\x3c\x2b\x1a"):
        (tmp_path / "run.sqlite.pcapng").write_bytes(content)
        done = wwep_rig("export", "run.sqlite", "--format", "pcapng", "-o", "run.pcapng")
        assert done.code == 3 and "run.sqlite.pcapng is " in done.err
    assert not (tmp_path / "run.pcapng").exists()


@pytest.mark.parametrize("port", [PLAIN_PORT, 5555], ids=["own port", "any port"])
def test_dissector_matches_replies_with_requests_however_they_are_cut(
    wwep_rig, tshark, tmp_path, port
):
    segments = [
        (b"W0FAC050001", b"A0FAC050001"),
        (b"W0fac0500", b""),
        (b"02", b"A0fac"),
        (b"\r", b"050002"),
        (b"\nR0FAC05R0BAC05", b"A0FAC050002X"),
        (b"", b" Not Found"),
        (b"R0FAC05", b"A0FAC060001"),
        (b"W0FACG", b"X"),
        (b"more", b"A0FAC050001"),
    ]
    make_conversation(tmp_path / "run.sqlite", segments, port)
    assert wwep_rig("export", "run.sqlite", "--format", "pcapng", "-o", "run.pcapng").code == 0

    fields = ("_ws.col.Info", "wwep.reply_to")
    shown = tshark("run.pcapng", "wwep", "frame.number", *fields)
    words = [info for _, info, _ in shown]
    assert words == [
        "Write device 0FAC register 05 value 0001",
        "Accepted device 0FAC register 05 value 0001",
        "Write device 0fac register 05 value 0002",
        "line end",
        "Accepted device 0fac register 05 value 0002",
        "line end, Read device 0FAC register 05, Read device 0BAC register 05",
        "Accepted device 0FAC register 05 value 0002, Failed",
        "ignored:  Not Found",
        "Read device 0FAC register 05",
        "Accepted device 0FAC register 06 value 0001",
        "Illegal frame: illegal byte 0x47 among the digits of the register",
        "Failed",
        "ignored: more",
        "Accepted device 0FAC register 05 value 0001",
    ]
    number_of = {info: number for number, info, _ in shown}
    asked = {info: to for _, info, to in shown if to}
    assert asked[words[4]] == number_of[words[2]]
    both = number_of[words[5]]
    assert asked[words[6]] == f"{both},{both}"
    (mismatch,) = tshark("run.pcapng", "wwep.expert.mismatch", "wwep.register")
    assert mismatch == ["0x06"]
    (unasked,) = tshark("run.pcapng", "wwep.expert.unasked", "frame.number")
    assert unasked == [shown[-1][0]]


def test_dissector_is_in_the_package_with_a_hint(wwep_rig):
    done = wwep_rig("export", "--dissector")

    assert Path(done.out.strip()).is_file()
    assert "wireshark -X lua_script:" in done.err
