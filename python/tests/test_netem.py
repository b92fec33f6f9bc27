"""A network namespace of the rig's own, and what is said where the kernel has no netem.

What netem does to packets is tested where it is sure to be had: ci/kernel/test_netem.py.
"""

import os
import re
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from wwep_rig import NoBench, RigError, netem, open_bench

PATIENCE_S = 20.0
RIG = """
import signal
from wwep_rig import netem

with netem.Namespace() as namespace:
    try:
        print(namespace._helper.pid, flush=True)
        signal.pause()
    except KeyboardInterrupt:
        with namespace.socket() as lent:
            print(lent.family.name, flush=True)
"""
MARKED = """
import pytest

@pytest.mark.rig_needs("netem")
def test_network(bench):
    raise AssertionError
"""


def write_tc(folder: Path, text: str) -> str:
    """A `tc` that comes before the real one; the PATH for it."""
    tc = folder / "tc"
    tc.write_text(f"#!/bin/sh\n{text}\n")
    tc.chmod(0o755)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


@pytest.fixture
def without_netem(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """A machine whose kernel has none; the PATH that makes it one."""
    path = write_tc(tmp_path, "echo 'Error: Specified qdisc kind is unknown.' >&2; exit 2")
    monkeypatch.setenv("PATH", path)
    netem.lack.cache_clear()
    yield path
    netem.lack.cache_clear()


def test_sockets_of_a_namespace_meet_each_other_and_nobody_else() -> None:
    with netem.Namespace() as namespace, namespace.socket() as far, namespace.socket() as near:
        far.bind(("127.0.0.1", 0))
        far.listen()
        near.connect(far.getsockname())
        met, _ = far.accept()
        with met:
            near.sendall(b"W0FAC0B1234")
            assert met.recv(100) == b"W0FAC0B1234"
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(far.getsockname())


@pytest.mark.parametrize("ended_by", [signal.SIGKILL, signal.SIGINT])
def test_end_of_the_rig_is_the_end_of_its_namespace(
    environment: dict[str, str], ended_by: signal.Signals
) -> None:
    rig = subprocess.Popen(
        [sys.executable, "-c", RIG],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert rig.stdout is not None
    helper = os.pidfd_open(int(rig.stdout.readline()))
    try:
        os.killpg(rig.pid, ended_by)
        said, _ = rig.communicate(timeout=PATIENCE_S)
        # Ctrl-C reaches all of the terminal's processes, and the rig still has its namespace then.
        assert said == ("AF_INET\n" if ended_by is signal.SIGINT else "")
        assert select.select([helper], [], [], PATIENCE_S)[0], "the helper still runs"
    finally:
        os.close(helper)


def test_helper_that_dies_is_a_rig_error() -> None:
    with netem.Namespace() as namespace:
        namespace._helper.kill()
        namespace._helper.wait()
        with pytest.raises(RigError, match="wwep-enclosure has ended: it said nothing"):
            namespace.socket()


def test_what_tc_is_told() -> None:
    chances = {"loss": 0.3, "duplicate": 0.0, "reorder": 1e-6}

    said = netem.words(chances, delay_s=0.0015, bytes_per_s=300.0)

    assert " ".join(said) == ("delay 1500us loss 30.0000000% reorder 0.0001000% rate 2400bit -54")
    assert netem.words({"loss": 0.0}, delay_s=0.0, bytes_per_s=0.0) == []


def test_what_netem_did_is_read_from_tc(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    says = '[{"kind": "netem", "packets": 70, "drops": 30, "requeues": 5}]'
    monkeypatch.setenv("PATH", write_tc(tmp_path, f"echo '{says}'"))
    with netem.Namespace() as namespace:
        counts = namespace.counts()

    assert str(counts) == "70 packets sent, 30 lost, 5 re-ordered"


def test_kernel_without_netem_is_named_with_the_remedy_and_asked_once(without_netem: str) -> None:
    lack = netem.lack()

    assert lack is not None and netem.lack() is lack
    assert re.search("netem cannot be had: Error: Specified qdisc kind is unknown", lack.trouble)
    assert "sudo modprobe sch_netem" in lack.remedy


def test_machine_without_tc_is_told_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(netem, "_ADMIN_PATH", str(tmp_path))
    with netem.Namespace() as namespace, pytest.raises(NoBench, match="apt install iproute2"):
        namespace.make_bad([])


def test_without_netem_a_network_is_late_in_user_space_and_loses_nothing(
    without_netem: str, environment: dict[str, str]
) -> None:
    with open_bench(environment=environment) as bench:
        window = bench.record()
        with bench.bad_network(delay_s=0.01):
            assert bench.server.ask("W0FAC0B1234", timeout_s=PATIENCE_S) == "A0FAC0B1234"
        for bad in (
            bench.bad_network(loss=0.1),
            bench.bad_network(duplicate=0.1),
            bench.bad_network(reorder=0.1, delay_s=0.01),
        ):
            with pytest.raises(NoBench, match="=0.1 takes the kernel's: .*modprobe"), bad:
                pass
        texts = [event.text for event in window.events if "network" in event.text]

        assert len(texts) == 1 and "network delay=0.01s (relay in user space)" in texts[0]
        assert bench.server.ask("W0FAC0B1234", timeout_s=PATIENCE_S) == "A0FAC0B1234"


def test_doctor_says_what_there_is_without_netem(without_netem: str, wwep_rig) -> None:
    done = wwep_rig("doctor", variables={"PATH": without_netem})

    assert "netem          bad_network is a relay without loss, duplicate and reorder" in done.out
    assert "modprobe sch_netem" in done.out


def test_test_that_needs_netem_is_skipped_with_the_reason(without_netem: str, run_pytest) -> None:
    done = run_pytest(MARKED, "-rs", "--rig-require", variables={"PATH": without_netem})

    assert "1 skipped" in done.out
    assert "Specified qdisc kind is unknown" in done.out and "modprobe sch_netem" in done.out
