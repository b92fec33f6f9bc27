"""Packets and TLS keys that are kept of a run, judged by Wireshark's tshark; and who may."""

import os
import signal
import socket
import ssl
import stat
import time
from pathlib import Path

import pytest

from wwep_rig import sim
from wwep_rig.capture import Capture
from wwep_rig.errors import RigError

APPS = Path(__file__).resolve().parents[2] / "firmware-under-test/apps"
DUAL_CLIENT, SERVER_TABLE = APPS / "dual_client", APPS / "server_table"
PLAIN_PORT, TLS_PORT = 27708, 40508
# The ports decide, nothing that looks like WWEP or TLS.
NO_GUESSES = tuple(
    word for name in ("wwep_tcp", "wwep_tls", "tls_tcp") for word in ("--disable-heuristic", name)
)
FILES_OF_THEIR_OWNER = ("real.pcapng", "run.sqlite.keys", "run.sqlite.pcapng")


def talk(address: str, port: int, frame: bytes, version: ssl.TLSVersion | None) -> bytes:
    """One transaction of a client that speaks TLS of one version, or in the clear."""
    link = socket.create_connection((address, port), timeout=20)
    if version is not None:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.minimum_version = context.maximum_version = version
        link = context.wrap_socket(link)
    with link:
        link.sendall(frame)
        reply = b""
        while part := link.recv(100):
            reply += part
        return reply


def test_captured_packets_open_decrypted_and_so_does_the_same_run_rebuilt(
    wwep_rig, start, tshark, tmp_path, may_capture
):
    """A write in the clear, one over TLS 1.2, one over TLS 1.3: the same filter finds all."""
    address = next(iter(sim.free_addresses(PLAIN_PORT, TLS_PORT)))
    recorded = ("--record", "run.sqlite", "--capture", "--keylog", "run.sqlite.keys")
    server = start("serve", "--bind", address, *recorded)
    assert "ready" in server.stdout.readline()
    versions = {1: None, 2: ssl.TLSVersion.TLSv1_2, 3: ssl.TLSVersion.TLSv1_3}
    for value, version in versions.items():
        port = TLS_PORT if version else PLAIN_PORT
        frame = b"W0FAC05%04d" % value
        assert talk(address, port, frame, version) == b"A" + frame[1:]
    server.send_signal(signal.SIGTERM)
    assert server.wait(30) == 0, server.stderr.read()

    kinds: dict[str, list[str]] = {"real": [], "rebuilt": ["--rebuilt"], "locked": ["--no-keys"]}
    for name, options in kinds.items():
        arguments = ["--format", "pcapng", "-o", f"{name}.pcapng", *options]
        done = wwep_rig("export", "run.sqlite", *arguments)
        assert done.code == 0, done.err

    seen = [
        [str(PLAIN_PORT), "W", "0x0001"],
        [str(TLS_PORT), "W", "0x0002"],
        [str(TLS_PORT), "W", "0x0003"],
    ]
    for name in ("real", "rebuilt"):
        found = tshark(
            f"{name}.pcapng",
            "wwep.register == 5 && wwep.request == 1",
            "tcp.dstport",
            "wwep.command",
            "wwep.value",
            settings=NO_GUESSES,
        )
        assert found == seen, name
        answered = tshark(f"{name}.pcapng", "wwep.register == 5 && wwep.reply_to", "wwep.value")
        assert answered == [["0x0001"], ["0x0002"], ["0x0003"]], name
    # Where the ports are others than the dissector knows it finds frames by their looks.
    elsewhere = tshark(
        "real.pcapng",
        "wwep.register == 5 && wwep.reply_to",
        "wwep.value",
        settings=("-o", "wwep.plain_ports:1", "-o", "wwep.secure_ports:2"),
    )
    assert elsewhere == answered
    hidden = tshark("locked.pcapng", "wwep.register == 5", "tcp.port")
    assert [str(PLAIN_PORT) in ports[0] for ports in hidden] == [True, True]
    told = tshark("real.pcapng", "tls.handshake.type == 2", "tls.handshake.version")
    assert len(told) == 2
    assert not tshark("real.pcapng", "udp", "frame.number")
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in FILES_OF_THEIR_OWNER]
    assert modes == [0o600] * len(FILES_OF_THEIR_OWNER)


def test_bench_of_a_pytest_run_keeps_packets_and_keys_when_asked(
    run_pytest, wwep_rig, tshark, tmp_path, may_capture
):
    run = run_pytest(
        "def test_both(bench, recording):\n"
        "    for button in 'button0', 'button1':\n"
        "        assert bench.press(button).reply.accepted\n",
        *("--rig-capture", "--rig-keys", "--rig-record", "kept"),
    )
    assert run.code == 0, run.out
    (recording,) = (tmp_path / "kept").glob("*.sqlite")

    done = wwep_rig("export", str(recording), "--format", "pcapng", "-o", "run.pcapng", "--json")

    assert '"rebuilt": false, "keys": true' in done.out, done.err
    found = tshark("run.pcapng", "wwep.register == 5 && wwep.request == 1", "tcp.dstport")
    assert found == [[str(PLAIN_PORT)], [str(TLS_PORT)]]


def test_run_of_an_application_keeps_packets_and_keys_when_asked(
    start, wwep_rig, tshark, tmp_path, may_capture
):
    asked = ("--record", "run.sqlite", "--capture", "--keylog", "run.sqlite.keys")
    process = start("run", "--app", str(DUAL_CLIENT), "--press", "0", "--press", "1", *asked)
    answered = 0
    for line in process.stdout:
        answered += "→ A0003050001" in line
        if answered == 2:
            break
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0, process.stderr.read()

    arguments = ("run.sqlite", "--format", "pcapng", "-o", "run.pcapng", "--json")
    assert '"rebuilt": false, "keys": true' in wwep_rig("export", *arguments).out
    found = tshark("run.pcapng", "wwep.register == 5 && wwep.request == 1", "tcp.dstport")
    assert found == [[str(PLAIN_PORT)], [str(TLS_PORT)]]
    again = wwep_rig("run", "--app", str(DUAL_CLIENT), "--keylog", "run.sqlite.keys")
    assert again.code == 2 and "run.sqlite.keys exists: name another file" in again.err
    alone = wwep_rig("run", "--app", str(DUAL_CLIENT), "--capture")
    assert alone.code == 2 and "--capture needs --record" in alone.err


def test_packets_of_a_target_that_serves_are_kept_too(
    start, wwep_rig, tshark, tmp_path, may_capture
):
    (tmp_path / "serves.toml").write_text(
        '[bench]\nname = "serves"\nkind = "sim"\n[target]\nrole = "server"\n'
        f'app = "{SERVER_TABLE}"\nready = "listening: 0"\n'
        f"serves = {{ plain_port = {PLAIN_PORT}, tls_port = 0 }}\n"
    )
    app = ("--app", str(SERVER_TABLE), "--ready", "listening: 0", "--bench", "serves.toml")
    process = start("run", *app, "--record", "run.sqlite", "--capture")
    ready = next(line for line in process.stdout if line.startswith("running"))
    address = ready.partition("plain=")[2].rpartition(":")[0]
    assert wwep_rig("write", "0FAC", "05", "1234", "--host", address).out == "A0FAC051234\n"
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0, process.stderr.read()

    kept = tshark("run.sqlite.pcapng", "wwep.register == 5 && wwep.request == 1", "wwep.value")
    assert kept == [["0x1234"]]
    keys = wwep_rig("run", *app, "--keylog", "keys")
    assert keys.code == 2 and "its target is the server" in keys.err


def test_keys_are_written_on_request_only(wwep_rig, start, tmp_path):
    server = start("serve", "--port", "0", "--tls-port", "0", "--record", "run.sqlite")
    port = int(server.stdout.readline().split("tls=127.0.0.1:")[1].split()[0])
    assert talk("127.0.0.1", port, b"W0FAC050001", ssl.TLSVersion.TLSv1_3)
    server.send_signal(signal.SIGTERM)
    assert server.wait(30) == 0

    assert sorted(path.name for path in tmp_path.iterdir()) == ["run.sqlite"]


def test_key_log_that_others_can_read_is_refused(wwep_rig, tmp_path):
    (tmp_path / "keys").touch(0o644)
    there = wwep_rig("serve", "--port", "0", "--tls-port", "0", "--keylog", "keys")
    assert there.code == 2 and "keys exists" in there.err
    assert wwep_rig("serve", "--no-tls", "--port", "0", "--keylog", "k").code == 2
    assert wwep_rig("serve", "--port", "0", "--capture").code == 2


def test_capture_that_is_not_allowed_names_the_remedy(tmp_path, monkeypatch):
    (tmp_path / "dumpcap").write_text("#!/bin/sh\necho no permission >&2; exit 2\n")
    (tmp_path / "dumpcap").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    capture = Capture()

    with pytest.raises(RigError, match="no permission.*usermod -aG wireshark"):
        capture.start(["127.0.0.1:27708"], tmp_path / "x.pcapng")

    assert not (tmp_path / "x.pcapng").exists()
    capture.close()
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    with pytest.raises(RigError, match="no dumpcap.*apt install wireshark-common"):
        Capture().start([], tmp_path / "x.pcapng")


def test_dumpcap_ends_when_the_rig_is_killed(start, may_capture):
    options = ("--port", "0", "--no-tls", "--record", "run.sqlite", "--capture")
    server = start("serve", *options)
    assert "ready" in server.stdout.readline()
    dumpcaps = [pid for shell in children_of(server.pid) for pid in children_of(shell)]
    assert [name_of(pid) for pid in dumpcaps] == ["dumpcap"]

    server.kill()

    give_up_at = time.monotonic() + 20
    while name_of(dumpcaps[0]) == "dumpcap":
        assert time.monotonic() < give_up_at, "dumpcap lives on"


def children_of(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return [int(word) for task in tasks for word in (task / "children").read_text().split()]


def name_of(pid: int) -> str:
    """What runs there now; empty: nothing, or it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return ""
    return "" if "State:\tZ" in status else status.splitlines()[0].partition("\t")[2]
