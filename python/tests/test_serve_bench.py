"""`serve --bench`: the server as a bench file describes it, one user of the bench at a time."""

import json
import os
import random
import re
import signal
from pathlib import Path

import pytest

from wwep_rig import ports

NAME = "lamp.lab.example"


@pytest.fixture
def own_address() -> str:
    """A loopback address on which the ports of the bench file below are free."""
    while True:
        address = f"127.{random.randint(128, 254)}.{random.randint(0, 255)}.7"
        if all(ports.is_free(address, port) for port in (17708, 14508)):
            return address


@pytest.fixture
def bench_file(tmp_path: Path, own_address: str) -> Path:
    """A board's bench with everything under [server] unlike the defaults."""
    path = tmp_path / "benches" / "bench-1.toml"
    path.parent.mkdir()
    path.write_text(
        f"""
[bench]
name = "bench-1"
kind = "board"

[lines.button0]
chip = "no-such-chip"
line = 17

[target]
device = "02:00:00:00:00:01"

[server]
address = "{own_address}"
names = ["{NAME}"]
plain_port = 17708
tls_port = 14508
identity = "server-rsa"
tls_profile = "legacy"
"""
    )
    return path


def test_address_ports_identity_and_tls_profile_are_those_of_the_bench_file(
    start, wwep_rig, bench_file, own_address
):
    process = start("serve", "--bench", "bench-1")
    ready = process.stdout.readline()
    assert ready.startswith(f"ready plain={own_address}:17708 tls={own_address}:14508 root="), (
        ready or process.stderr.read()
    )

    clear = wwep_rig("write", "0003", "05", "0001", "--host", own_address, "--port", "17708")
    chain = wwep_rig("certs", "show", f"{own_address}:14508", "--name", NAME, "--json")
    secure = ("read", "0003", "05", "--tls", "--port", "14508", "--host", own_address)
    by_name = wwep_rig(*secure, "--name", NAME)
    by_address = wwep_rig(*secure)
    by_other_name = wwep_rig(*secure, "--name", "elsewhere.lab.example")

    assert clear.out == by_name.out == by_address.out == "A0003050001\n", by_name.err
    assert (by_other_name.code, by_other_name.out) == (3, "")
    assert "rsa-2048" in chain.out.lower()
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=20) == 0


def test_bench_is_locked_while_it_is_served_and_free_again_afterwards(start, wwep_rig, bench_file):
    process = start("serve", "--bench", str(bench_file), "--json")
    assert json.loads(process.stdout.readline())["bench"] == "bench-1"

    second = wwep_rig("serve", "--bench", "bench-1")
    pressed = wwep_rig("press", "button0", "--bench", "bench-1")
    released = wwep_rig("release", "--bench", "bench-1")
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=20) == 0
    afterwards = wwep_rig("release", "--bench", "bench-1")

    for refused in (second, pressed, released):
        assert refused.code == 4
        assert f"bench bench-1 is in use: process {process.pid} of " in refused.err
        assert f"serve --bench {bench_file}" in refused.err
    assert "in use" not in afterwards.err and "no-such-chip" in afterwards.err


def test_waiting_server_gets_the_bench_when_the_first_one_ends(start, bench_file, own_address):
    first = start("serve", "--bench", "bench-1")
    assert first.stdout.readline().startswith("ready")
    second = start("serve", "--bench", "bench-1", "--wait", "60")

    first.send_signal(signal.SIGTERM)

    assert second.stdout.readline().startswith(f"ready plain={own_address}:17708 ")


def test_options_come_before_what_the_bench_file_says(start, wwep_rig, bench_file):
    process = start(
        *("serve", "--bench", "bench-1", "--bind", "127.0.0.1", "--bind", "::1", "--port", "0"),
        *("--tls-port", "0", "--tls-profile", "modern", "--record", "run.sqlite"),
    )
    ready = re.fullmatch(
        r"ready plain=127\.0\.0\.1:\d+ plain=\[::1\]:\d+ tls=127\.0\.0\.1:(\d+) tls=\S+ root=\S+\n",
        process.stdout.readline(),
    )
    assert ready is not None

    secure = wwep_rig("read", "0003", "05", "--tls", "--port", ready[1], "--name", NAME)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=20) == 0
    recorded = json.loads(wwep_rig("show", "run.sqlite", "--json").out)

    assert secure.out == "X\n", secure.err
    assert recorded["run"]["bench"] == "bench-1"


def test_keys_made_for_a_bench_go_with_the_server(start, bench_file, environment):
    runs = Path(environment["XDG_STATE_HOME"]) / "wwep-rig" / "run"
    process = start("serve", "--bench", "bench-1")
    assert process.stdout.readline().startswith("ready")
    made = {path for path in runs.glob("run-*") if (path / "bench-server.key").exists()}
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=20) == 0

    assert made and not any(path.exists() for path in made)


def test_bench_that_names_no_address_is_served_on_loopback(start):
    line = start("serve", "--bench", "sim", "--port", "0", "--tls-port", "0").stdout.readline()

    assert re.fullmatch(r"ready plain=127\.0\.0\.1:\d+ tls=127\.0\.0\.1:\d+ root=\S+\n", line)


def test_bench_that_is_not_there_or_wrong_is_no_bench(wwep_rig, bench_file):
    missing = wwep_rig("serve", "--bench", "bench-2")
    bench_file.write_text(bench_file.read_text().replace("server-rsa", "server-dsa"))
    unknown = wwep_rig("serve", "--bench", "bench-1")
    bench_file.write_text(bench_file.read_text().replace("plain_port = 17708", 'plain_port = "x"'))
    wrong = wwep_rig("serve", "--bench", "bench-1")

    assert (missing.code, unknown.code, wrong.code) == (4, 4, 4)
    assert "no bench 'bench-2'" in missing.err
    assert "server-dsa" in unknown.err
    assert "plain_port" in wrong.err and "bench-1.toml:16" in wrong.err


def test_bench_whose_target_is_the_server_is_a_usage_error(wwep_rig, tmp_path):
    path = tmp_path / "served.toml"
    path.write_text('[bench]\nname = "served"\nkind = "sim"\n[target]\nrole = "server"\n')

    done = wwep_rig("serve", "--bench", str(path))

    assert done.code == 2
    assert "bench served: its target is the server" in done.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--wait", "1"), "--bench"),
        (("--bench", "bench-1", "--port", "14508"), "14508 is the port in the clear and"),
        (("--bench", "bench-1", "--tls-profile", "modern", "--tls-min", "TLSv1.1"), "legacy"),
        (("--bench", "bench-1", "--no-tls", "--tls-max", "TLSv1.2"), "--no-tls"),
        (("--port", "4000", "--tls-port", "4000"), "4000 is the port in the clear and"),
    ],
)
def test_options_that_do_not_go_with_the_bench_are_usage_errors(
    wwep_rig, bench_file, arguments, said
):
    done = wwep_rig("serve", *arguments)

    assert done.code == 2
    assert done.out == "" and said in done.err


def test_bench_of_the_environment_does_not_change_what_serve_does(
    start, bench_file, monkeypatch, environment
):
    monkeypatch.setitem(environment, "WWEP_RIG_BENCH", "bench-1")

    line = start("serve", "--port", "0", "--no-tls").stdout.readline()

    assert line.startswith("ready plain=127.0.0.1:")
    assert os.environ.get("WWEP_RIG_BENCH") is None
