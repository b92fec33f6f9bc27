"""`serve` and the clients that ask it: each as a process of its own."""

import json
import os
import re
import select
import signal
import socket
import subprocess
from pathlib import Path

import pytest

READY = re.compile(r"ready plain=127\.0\.0\.1:(\d+) tls=127\.0\.0\.1:(\d+) root=(\S+)\n")
PORTS = ("--port", "0", "--tls-port", "0")


@pytest.fixture
def served(start):
    """A server on free ports; yields the process and its two ports."""
    process = start("serve", *PORTS)
    ready = READY.fullmatch(process.stdout.readline())
    assert ready is not None
    yield process, ready[1], ready[2]
    process.send_signal(signal.SIGKILL)


def test_first_line_says_where_it_listens_and_where_its_root_lies(start):
    process = start("serve", *PORTS)

    ready = READY.fullmatch(process.stdout.readline())

    assert ready is not None
    assert "BEGIN CERTIFICATE" in Path(ready[3]).read_text()
    with socket.create_connection(("127.0.0.1", int(ready[1])), timeout=20):
        pass


def test_listener_that_is_off_is_left_out_of_the_first_line(start):
    only_plain = start("serve", *PORTS, "--no-tls").stdout.readline()
    only_tls = start("serve", *PORTS, "--no-plain").stdout.readline()

    assert re.fullmatch(r"ready plain=127\.0\.0\.1:\d+\n", only_plain)
    assert re.fullmatch(r"ready tls=127\.0\.0\.1:\d+ root=\S+\n", only_tls)


def test_first_line_is_json_when_asked_for(start):
    event = json.loads(start("serve", *PORTS, "--json").stdout.readline())

    assert event["event"] == "ready"
    assert event["plain"][0].startswith("127.0.0.1:")


def test_addresses_may_repeat_and_be_ipv6(start):
    line = start("serve", *PORTS, "--no-tls", "--bind", "127.0.0.2", "--bind", "[::1]").stdout

    assert re.fullmatch(r"ready plain=127\.0\.0\.2:\d+ plain=\[::1\]:\d+\n", line.readline())


def test_name_is_no_address_to_bind(wwep_rig):
    done = wwep_rig("serve", *PORTS, "--bind", "localhost")

    assert done.code == 2
    assert "'localhost' is no IPv4 or IPv6 address" in done.err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_it_with_exit_code_0(served, number):
    process, _, _ = served

    process.send_signal(number)

    assert process.wait(timeout=20) == 0
    assert process.stderr.read() == ""


def test_examples_of_the_protocol_are_reproduced(served, wwep_rig):
    _, port, _ = served

    def send(text: str) -> tuple[int, str]:
        done = wwep_rig("send", text, "--port", port)
        return done.code, done.out

    assert send("W0FAC0B1234") == (0, "A0FAC0B1234\n")
    assert send("W01234") == (1, "X\n")
    assert send("R0FAC0B") == (0, "A0FAC0B1234\n")
    assert send("R0BAC0B") == (1, "X\n")


def test_each_transaction_is_one_line(served, wwep_rig):
    process, port, tls_port = served

    wwep_rig("write", "0FAC", "0B", "1234", "--port", port)
    clear = process.stdout.readline()
    wwep_rig("read", "0fac", "0b", "--tls", "--port", tls_port)
    secure = process.stdout.readline()

    assert re.fullmatch(
        r"\d\d:\d\d:\d\d\.\d{3}  127\.0\.0\.1:\d+  clear  W0FAC0B1234 → A0FAC0B1234\n", clear
    )
    assert re.search(r"  TLSv1\.3 TLS_\w+  R0FAC0B → A0FAC0B1234\n", secure)


def test_failed_handshake_is_a_line_that_a_person_can_read(served, wwep_rig):
    process, _, tls_port = served

    with socket.create_connection(("127.0.0.1", int(tls_port)), timeout=20) as stranger:
        stranger.sendall(b"W0FAC0B1234")
        line = process.stdout.readline()

    assert "handshake failed" in line and "127.0.0.1" in line


def test_client_verifies_the_server_unless_told_not_to(served, wwep_rig, environment, tmp_path):
    _, _, tls_port = served
    other = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        + ["-nodes", "-subj", "/CN=other", "-keyout", "other.key", "-out", "other.pem"],
        cwd=tmp_path,
        capture_output=True,
        check=True,
    )
    assert other.returncode == 0
    asked = ("read", "0FAC", "0B", "--tls", "--port", tls_port)

    refused = wwep_rig(*asked, "--ca", "other.pem")
    trusting = wwep_rig(*asked, "--insecure")
    misnamed = wwep_rig(*asked, "--name", "elsewhere.lab")

    assert (refused.code, refused.out) == (3, "")
    assert (misnamed.code, misnamed.out) == (3, "")
    assert trusting.out == "X\n"


def test_no_server_is_a_rig_error(wwep_rig):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = str(closed.getsockname()[1])

    done = wwep_rig("read", "0FAC", "0B", "--port", port)

    assert done.code == 3
    assert done.out == "" and "refused" in done.err and "wwep-rig serve" in done.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("read", "0FACE", "0B"),
        ("read", "0FAC", "0x5"),
        ("write", "0FAC", "0B", "12345"),
        ("read", "0FAC", "0B", "--ca", "/dev/null"),
        ("read", "0FAC", "0B", "--tls", "--pin", "00"),
        ("read", "0FAC", "0B", "--tls", "--cert", "no-such-file", "--key", "no-such-file"),
        ("serve", "--no-tls", "--no-plain"),
        ("serve", "--cert", "/dev/null"),
        ("serve", "--tls-min", "SSLv3"),
        ("serve", "--tls-min", "TLSv1.3", "--tls-max", "TLSv1.2"),
        ("serve", "--tls-min", "TLSv1.1"),
        ("serve", "--no-tls", "--tls-min", "TLSv1.2"),
        ("serve", "--client-ca", "/etc/hostname"),
    ],
)
def test_nonsense_is_a_usage_error(wwep_rig, arguments):
    done = wwep_rig(*arguments)

    assert done.code == 2
    assert done.out == "" and "Error" in done.err


def test_port_that_is_taken_is_a_rig_error_that_names_its_holder(wwep_rig):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])

        done = wwep_rig("serve", "--no-tls", "--port", port)

    assert done.code == 3
    assert f"process {os.getpid()}" in done.err and "--port 0" in done.err


def test_existing_recording_is_refused_unless_told_to_replace_it(start, wwep_rig, tmp_path):
    (tmp_path / "run.sqlite").write_text("precious")

    refused = wwep_rig("serve", *PORTS, "--no-tls", "--record", "run.sqlite")
    assert refused.code == 2 and "--overwrite" in refused.err
    assert (tmp_path / "run.sqlite").read_text() == "precious"

    process = start("serve", *PORTS, "--no-tls", "--record", "run.sqlite", "--overwrite")
    assert process.stdout.readline().startswith("ready")
    assert (tmp_path / "run.sqlite").read_bytes() != b"precious"


def test_recording_of_a_server_can_be_shown(start, wwep_rig):
    process = start("serve", *PORTS, "--no-tls", "--record", "run.sqlite")
    port = process.stdout.readline().strip().rpartition(":")[2]
    wwep_rig("write", "0FAC", "0B", "1234", "--port", port)
    process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=20) == 0

    shown = wwep_rig("show", "run.sqlite")
    as_json = json.loads(wwep_rig("show", "run.sqlite", "--json").out)

    assert shown.code == 0 and "W0FAC0B1234" in shown.out
    assert as_json["counts"]["frames"] == 1


def test_registers_survive_a_restart_in_their_file(start, wwep_rig):
    arguments = ("serve", *PORTS, "--no-tls", "--registers", "registers")
    first = start(*arguments)
    port = first.stdout.readline().strip().rpartition(":")[2]
    wwep_rig("write", "0FAC", "0B", "1234", "--port", port)
    first.send_signal(signal.SIGTERM)
    assert first.wait(timeout=20) == 0

    port = start(*arguments).stdout.readline().strip().rpartition(":")[2]

    assert wwep_rig("read", "0FAC", "0B", "--port", port).out == "A0FAC0B1234\n"


def ask(port: str, request: bytes = b"W0FAC0B1234") -> bytes:
    with socket.create_connection(("127.0.0.1", int(port)), timeout=20) as client:
        client.sendall(request)
        return client.recv(64)


def test_address_that_this_machine_does_not_have_is_a_rig_error(wwep_rig):
    done = wwep_rig("serve", *PORTS, "--no-tls", "--bind", "192.0.2.1")

    assert done.code == 3
    assert "192.0.2.1" in done.err and "does not have that address: give it to" in done.err


def test_reader_that_does_not_read_never_delays_the_server(served):
    process, port, _ = served

    # More than a pipe and the queue of lines hold together.
    for _ in range(2500):
        assert ask(port) == b"A0FAC0B1234"

    said_at_once, _, _ = select.select([process.stderr], [], [], 20.0)
    assert said_at_once
    notice = process.stderr.readline()
    assert re.fullmatch(r"wwep-rig: \d+ lines of output dropped so far: .*\n", notice)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=20) == 0


def test_reader_that_is_gone_never_ends_the_server(served):
    process, port, _ = served
    process.stdout.close()

    for _ in range(3):
        assert ask(port) == b"A0FAC0B1234"
    assert process.poll() is None

    process.stdout = None
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=20) == 0
