"""The kernel's own bad network, in the one place where it is sure to be had: nothing skips here."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from wwep_rig import Bench, Recording, Until, netem

NOBODY = 65534
PATIENCE_S = 120.0
# Each is a connection of its own, and all of them are made before the network becomes bad.
PRESSES = netem.AHEAD


def test_machine_has_netem_so_that_no_scenario_skips_for_want_of_it() -> None:
    assert netem.lack() is None


def test_user_who_is_not_root_has_it_too() -> None:
    says = "from wwep_rig import netem; print(netem.lack())"
    done = subprocess.run(
        ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
        + [sys.executable, "-c", says],
        env={**os.environ, "HOME": "/nonexistent"},
        cwd=Path(sys.executable).parent,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )

    assert (done.stdout, done.stderr) == ("None\n", "")


def _ended(recording: Recording) -> tuple[str, int, int, int]:
    """What is said of a network at its end: how bad it was, packets sent, lost and re-ordered."""
    said = r"network (.*) ended \(netem in a namespace\): (\d+) packets sent, (\d+) lost, (\d+) re-"
    (found,) = (match for event in recording.events if (match := re.search(said, event.text)))
    return found[1], int(found[2]), int(found[3]), int(found[4])


def _faults(recording: Recording) -> list[str]:
    return [event.text for event in recording.events if "network" in event.text]


def test_tcp_makes_up_for_lost_packets_until_each_press_is_answered(
    bench: Bench, recording: Recording
) -> None:
    with bench.bad_network(loss=0.3):
        for _ in range(PRESSES):
            trip = bench.press("button0", until=Until.reply, timeout_s=PATIENCE_S)
            assert trip.reply is not None and trip.reply.accepted
            assert bench.wait_until_idle(timeout_s=PATIENCE_S)

    assert "network loss=0.3 (netem in a namespace)" in _faults(recording)[0]
    how, _, lost, reordered = _ended(recording)
    assert how == "loss=0.3"
    assert lost > 0
    assert reordered == 0


def test_delay_is_there_and_back(bench: Bench, recording: Recording) -> None:
    with bench.bad_network(delay_s=0.3):
        trip = bench.press("button0", timeout_s=PATIENCE_S)
        assert bench.server.ask("W0FAC0B1234", timeout_s=PATIENCE_S) == "A0FAC0B1234"

    assert trip.latencies.press_to_frame_ms is not None
    assert trip.latencies.press_to_frame_ms >= 300
    assert _ended(recording)[2:] == (0, 0)


@pytest.mark.parametrize("secure", [False, True], ids=["clear", "secure"])
def test_doubled_and_overtaking_packets_are_put_in_order(
    bench: Bench, recording: Recording, secure: bool
) -> None:
    with bench.bad_network(duplicate=1.0, reorder=0.5, delay_s=0.02, secure=secure):
        trips = [bench.press(f"button{int(secure)}", timeout_s=PATIENCE_S) for _ in range(3)]

    assert all(trip.reply is not None and trip.reply.accepted for trip in trips)
    assert len(recording.frames) == 3
    _, packets, lost, reordered = _ended(recording)
    assert lost == 0 and 0 < reordered < packets
