"""The bench as scripts use it: what errors say, Ctrl-C, faults, windows of the timeline."""

import os
import re
import signal
import subprocess
import sys
import threading
import time

import pytest

from wwep_rig import NoBench, RigError, TargetFailed, Until, faults, open_bench
from wwep_rig.sim import PrivateFolder


@pytest.fixture(scope="module")
def own_bench(environment):
    """A simulated bench for this file, its target started."""
    with open_bench(environment=environment) as made:
        made.target.start()
        yield made


@pytest.fixture
def sim(own_bench):
    """The same, its target started anew."""
    own_bench.target.reset()
    own_bench.server.clear()
    yield own_bench


def test_press_that_times_out_says_what_was_tried_and_what_is_missing(sim):
    sim.target.kill()

    with pytest.raises(TargetFailed) as caught:
        sim.press("button0", timeout_s=0.2, hold_s=0.02)

    text = str(caught.value)
    assert "pressed button0 for 20 ms and waited 0.2 s until everything has settled" in text
    assert "LED edge, connection, frame, reply" in text
    assert "The target had ended: " in text and "signal 9" in text
    assert "button0" in text.partition("counted from the press:")[2]


def test_press_of_an_unknown_button_names_those_there_are(sim):
    with pytest.raises(NoBench, match="no button 'button7', only button0 and button1"):
        sim.press("button7")


def test_bench_shows_what_it_is_where_somebody_prints_it(sim):
    assert re.fullmatch(
        r"<Bench sim \(sim\): buttons button0 and button1, LEDs led0 and led1; "
        r"server on (127(?:\.\d+){3}):27708, \1:40508>",
        repr(sim),
    )


def test_unknown_led_names_those_there_are(sim):
    with pytest.raises(NoBench, match="no LED 'led7', only led0 and led1"):
        sim.led("led7")


def test_missing_part_of_a_round_trip_is_a_failure_of_the_target(sim):
    with sim.server.fault(faults.Gone()):
        trip = sim.press("button0", until=Until.led)

        assert trip.frames == () and trip.connections == ()
        with pytest.raises(TargetFailed, match="press of button0 brought no frame"):
            trip.frame
        with pytest.raises(TargetFailed, match="press of button0 brought no connection"):
            trip.connection


def test_ctrl_c_interrupts_a_wait_at_once(sim):
    window = sim.record()
    timer = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))
    began = time.monotonic()

    with pytest.raises(KeyboardInterrupt):
        timer.start()
        window.wait_for(lambda event: False, "the end of time", timeout_s=100.0)

    assert time.monotonic() - began < 60.0
    timer.join()


def test_ctrl_c_interrupts_a_press_and_the_bench_stays_usable(sim):
    timer = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))
    with sim.server.fault(faults.Late(by_s=20.0), optional=True):
        with pytest.raises(KeyboardInterrupt):
            timer.start()
            sim.press("button0", timeout_s=30.0)
    timer.join()

    sim.release_buttons()
    sim.target.reset()
    assert sim.press("button0").reply.accepted


def test_wait_that_ends_without_its_event_tells_what_did_happen(sim):
    window = sim.record()
    sim.press("button0")

    with pytest.raises(TargetFailed) as caught:
        window.wait_for_console("good morning", timeout_s=0.1)

    assert "waited 0.1 s for 'good morning' on the console" in str(caught.value)
    assert "frame" in str(caught.value)


def test_silence_tells_what_disturbed_it(sim):
    window = sim.record()
    sim.start_press("button0")

    silence = window.stays_quiet(for_s=2.0)

    assert not silence
    assert "press" in repr(silence) and "button0 asserted" in repr(silence)


def test_press_that_was_waited_for_disturbs_no_silence(sim):
    window = sim.record()
    sim.press("button0")

    assert window.stays_quiet(for_s=0.1)


def test_second_frame_disturbs_the_silence_however_early_it_came(sim):
    window = sim.record()
    pending = sim.start_press("button0", hold_s=0.2)
    sim.press("button1", hold_s=0.01)
    pending.wait()
    assert window.stays_quiet(for_s=0.1)

    window = sim.record()
    pending = sim.start_press("button0", hold_s=0.2)
    sim.press("button1", hold_s=0.01, until=Until.settled)
    stranger = sim.start_press("button1", hold_s=0.01)
    pending.wait()
    give_up_at = time.monotonic() + 20
    while not stranger.trip.frames:  # a wait for it would explain it
        assert time.monotonic() < give_up_at, "the frame did not come"

    silence = window.stays_quiet(for_s=0.1)

    assert not silence
    assert "write W0003050000" in repr(silence) or "write W0003050001" in repr(silence)
    assert f"press {stranger.trip.press.id}" in repr(silence)


def test_window_holds_what_happened_since_it_began(sim):
    sim.press("button0")
    window = sim.record()
    trip = sim.press("button1")

    assert [press.button for press in window.presses] == ["button1"]
    assert window.frames == trip.frames
    assert [each.id for each in window.connections] == [trip.connection.id]
    assert window.connections[0].secure
    assert [edge.line for edge in window.edges] == ["led1"]
    assert trip.reply.bytes.decode() in " ".join(line.text for line in window.console)


def test_latencies_count_from_just_before_the_press(sim):
    trip = sim.press("button0")

    press, latencies = trip.press, trip.latencies
    assert press.at_ns == press.before_ns <= press.after_ns
    assert latencies.press_to_frame_ms == (trip.frame.received_ns - press.at_ns) / 1e6
    assert latencies.press_uncertainty_ms == (press.after_ns - press.before_ns) / 1e6
    assert latencies.handshake_ms is None
    assert 0 < latencies.press_to_led_ms < 1000


def test_fault_counts_how_often_it_fired(sim):
    with sim.server.fault(faults.AnswerX()) as fired:
        for _ in range(3):
            sim.press("button0")

    assert fired.count == 3


def test_unused_fault_does_not_hide_the_failure_inside_its_block(sim):
    with pytest.raises(ZeroDivisionError):
        with sim.server.fault(faults.Late(by_s=1.0)):
            raise ZeroDivisionError


def test_probability_with_a_seed_is_the_same_each_time(sim):
    def replies() -> list[bool]:
        with sim.server.fault(faults.AnswerX(), probability=0.5, seed=3, optional=True):
            return [sim.server.ask("W0001050001") == "X" for _ in range(20)]

    first = replies()
    assert first == replies()
    assert len(set(first)) == 2


@pytest.mark.parametrize(("nth", "probability"), [(-1, 1.0), (0, 1.5), (0, -0.1)])
def test_nonsense_about_a_fault_is_refused(sim, nth, probability):
    with pytest.raises(ValueError):
        sim.server.fault(faults.AnswerX(), nth=nth, probability=probability)


def test_two_benches_run_side_by_side(sim, environment):
    with open_bench(environment=environment) as other:
        other.target.start()
        trips = other.press("button0"), sim.press("button0")

    assert trips[0].connection.local != trips[1].connection.local
    assert all(trip.reply.accepted for trip in trips)


def test_closing_twice_is_fine_and_ends_the_target(environment):
    bench = open_bench(environment=environment)
    bench.target.start()
    pid = bench.target.pid

    bench.close()
    bench.close()

    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_folder_for_keys_is_private_and_goes_with_the_bench(environment, tmp_path):
    with PrivateFolder(tmp_path / "run") as folder:
        assert folder.path.stat().st_mode & 0o077 == 0
    assert not folder.path.exists()


def test_folder_that_a_killed_run_left_goes_when_the_next_is_made(environment, tmp_path):
    code = (
        "import sys, os; from pathlib import Path; from wwep_rig.sim import PrivateFolder\n"
        "print(PrivateFolder(Path(sys.argv[1])).path, flush=True); os.kill(os.getpid(), 9)\n"
    )
    parent = tmp_path / "run"
    with PrivateFolder(parent) as living:
        done = subprocess.run(
            [sys.executable, "-c", code, str(parent)],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        left = done.stdout.strip()
        assert os.path.isdir(left)

        with PrivateFolder(parent):
            assert not os.path.exists(left)
            assert living.path.exists()


def test_server_that_does_not_answer_is_an_error_of_the_rig(sim):
    with sim.server.fault(faults.Gone()):
        with pytest.raises(RigError, match="asked the bench's own server"):
            sim.server.ask("R000105")
