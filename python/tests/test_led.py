"""What scripts may say about an LED, on boards that blink, that obey and that die."""

import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from wwep_rig import RigError, TargetFailed, Until, open_bench
from wwep_rig.bench import Bench
from wwep_rig.led import LedView, LedWindow

# What apps/blink does.
ON_MS, OFF_MS = 50, 150
PERIOD_S = (ON_MS + OFF_MS) / 1000
# Of a board that is a process on a machine with other things to do.
TOLERANCE = 0.3
# For what comes at once unless this machine has other things to do.
WAIT_S = 20.0


@pytest.fixture
def blinking(environment: dict[str, str]) -> Iterator[Bench]:
    """A board whose LED 0 has begun to blink."""
    with open_bench("sim", program="blink", environment=environment) as bench:
        bench.target.start()
        bench.start_press("button0")
        bench.led("led0").wait_for_on(timeout_s=WAIT_S)
        yield bench


@pytest.fixture
def obeying(environment: dict[str, str]) -> Iterator[Bench]:
    """A board whose LED 0 is lit as long as nobody presses button 0."""
    with open_bench("sim", program="jumper", environment=environment) as bench:
        bench.target.start()
        bench.led("led0").wait_for_on(timeout_s=WAIT_S)
        yield bench


def blinks_undisturbed(led: LedView) -> LedWindow:
    """A second of a board's blinking. One in which this machine let the board wait says nothing."""
    for _ in range(9):
        try:
            return led.blinks(period_s=PERIOD_S, duty=0.25, tolerance=TOLERANCE, for_s=1.0)
        except TargetFailed:
            pass
    return led.blinks(period_s=PERIOD_S, duty=0.25, tolerance=TOLERANCE, for_s=1.0)


def test_blinking_led_blinks(blinking):
    window = blinks_undisturbed(blinking.led("led0"))

    assert 8 <= len(window.edges) <= 11
    assert 0.1 < window.on_share < 0.4
    assert window.edges_lost == 0


def test_blinking_too_slowly_is_said_with_the_edges_that_were_seen(blinking):
    with pytest.raises(TargetFailed) as failure:
        blinking.led("led0").blinks(period_s=2 * PERIOD_S, duty=0.25, tolerance=0.1, for_s=1.6)

    text = str(failure.value)
    assert text.startswith("led0: expected it to blink every 400.000 ms, 25 % of that on")
    assert len(re.findall(r"(?:on|off) at \d+\.\d{3} ms", text)) >= 6


def test_blinking_with_the_wrong_duty_is_a_failure(blinking):
    with pytest.raises(TargetFailed, match="expected it to blink"):
        blinking.led("led0").blinks(period_s=PERIOD_S, duty=0.75, tolerance=TOLERANCE, for_s=0.6)


def test_led_that_does_not_blink_fails_to(obeying):
    with pytest.raises(TargetFailed, match="it was on for .*; seen: on"):
        obeying.led("led0").blinks(period_s=0.1)


def test_window_too_short_to_tell_is_no_verdict_on_the_target(blinking):
    with pytest.raises(RigError, match="too short to hold two periods"):
        blinking.led("led0").blinks(period_s=PERIOD_S, for_s=0.3)


@pytest.mark.parametrize("nonsense", [{"period_s": 0.0}, {"duty": 1.0}, {"tolerance": 0.9}])
def test_blinking_that_makes_no_sense_is_refused(blinking, nonsense):
    with pytest.raises(ValueError, match="must be longer than 0|blinking LED"):
        blinking.led("led0").blinks(**{"period_s": 0.05, "for_s": 0.2, **nonsense})


def test_blinking_led_does_not_stay_on_and_is_not_watched_for_longer(blinking):
    led = blinking.led("led0")
    began_ns = led.wait_for_off(timeout_s=WAIT_S) or led.window(for_s=0.001).from_ns
    on_ns = led.wait_for_on(timeout_s=WAIT_S) or began_ns

    with pytest.raises(TargetFailed, match=r"to stay on for 3600000\.000 ms; it went off after"):
        led.stays_on(for_s=3600.0, from_ns=on_ns)


def test_led_that_stays_is_left_in_peace(obeying):
    obeying.led("led0").stays_on(for_s=0.2)
    obeying.start_press("button0", hold_s=10.0)
    obeying.led("led0").wait_for_off(timeout_s=WAIT_S)

    obeying.led("led0").stays_off(for_s=0.2)


def test_led_in_the_wrong_state_from_the_beginning_is_said_so(obeying):
    with pytest.raises(TargetFailed, match="it was on at the beginning; seen: on"):
        obeying.led("led0").stays_off(for_s=0.1)


def test_short_flicker_is_seen_although_nobody_looked_just_then(obeying):
    obeying.start_press("button0", hold_s=0.0005)

    with pytest.raises(TargetFailed, match=r"off at \d+\.\d{3} ms, on at \d+\.\d{3} ms"):
        obeying.led("led0").edges(for_s=2.0, from_ns=began(obeying), count=0)


def began(bench: Bench) -> int:
    """Just before the last press."""
    return bench.trip_of(1).press.before_ns


def test_wait_counts_by_the_edges_own_time_also_for_what_is_over(obeying):
    led = obeying.led("led0")
    waiting = threading.Timer(0.1, lambda: obeying.start_press("button0", hold_s=0.0005))
    waiting.start()
    try:
        off_ns = led.wait_for_off(timeout_s=WAIT_S)
    finally:
        waiting.join()

    assert off_ns > began(obeying)
    assert led.wait_for_on(timeout_s=WAIT_S, from_ns=off_ns + 1) > off_ns
    assert led.wait_for_on(timeout_s=WAIT_S) == 0


def test_wait_from_a_press_on_finds_what_has_happened_meanwhile(obeying):
    led = obeying.led("led0")
    obeying.press("button0", until=Until.led, hold_s=0.0005)
    off_ns = led.wait_for_off(timeout_s=WAIT_S, from_ns=began(obeying))
    on_ns = led.wait_for_on(timeout_s=WAIT_S, from_ns=off_ns + 1)

    edges = led.edges(for_s=(on_ns + 1 - began(obeying)) / 1e9, from_ns=began(obeying), count=2)

    assert [edge.at_ns for edge in edges] == [off_ns, on_ns]


def test_led_that_is_lit_already_is_not_waited_for(obeying):
    assert obeying.led("led0").wait_for_on(timeout_s=0.01) == 0


def test_wait_in_vain_shows_what_the_led_did(obeying):
    with pytest.raises(TargetFailed) as failure:
        obeying.led("led0").wait_for_off(timeout_s=0.1)

    assert str(failure.value) == "led0: waited 0.1 s for it to be off; seen: on."


def test_edges_of_a_press_are_counted(obeying):
    led = obeying.led("led0")
    obeying.start_press("button0", hold_s=0.3)
    off_ns = led.wait_for_off(timeout_s=WAIT_S, from_ns=began(obeying))
    on_ns = led.wait_for_on(timeout_s=WAIT_S, from_ns=off_ns + 1)
    both = {"for_s": (on_ns + 1 - began(obeying)) / 1e9, "from_ns": began(obeying)}

    edges = led.edges(**both, count=2)

    assert [edge.is_on for edge in edges] == [False, True]
    assert (edges[1].at_ns - edges[0].at_ns) / 1e9 > 0.1
    with pytest.raises(TargetFailed, match=r"expected 3 edges within \d+\.\d+ ms, not 2; seen: on"):
        led.edges(**both, count=3)


def test_window_in_the_past_needs_no_waiting(obeying):
    led = obeying.led("led0")
    trip = obeying.press("button0", until=Until.led, hold_s=0.3)
    led.wait_for_on(timeout_s=WAIT_S)

    window = led.window(for_s=0.001, from_ns=trip.led.at_ns - 500_000)

    assert window.was_on and [edge.at_ns for edge in window.edges] == [trip.led.at_ns]
    assert window.on_share == pytest.approx(0.5)


def test_dead_board_is_not_taken_for_one_whose_led_stays_on(obeying):
    window = obeying.record()
    obeying.target.kill()
    window.wait_for_target_end(timeout_s=WAIT_S)

    with pytest.raises(TargetFailed, match="but the target has ended"):
        obeying.led("led0").stays_on(for_s=0.05)


def test_lost_edges_are_the_rigs_error_and_no_verdict(environment):
    with open_bench("sim", program="edge_flood", environment=environment) as bench:
        bench.target.start()
        bench.start_press("button0")

        with pytest.raises(RigError, match="edges"):
            bench.led("led0").edges(for_s=2.0, count=2)


def test_time_of_nothing_is_refused(obeying):
    with pytest.raises(ValueError, match="longer than 0 s"):
        obeying.led("led0").stays_on(for_s=0.0)


def test_ctrl_c_ends_a_wait_for_an_led(run_pytest, tmp_path: Path):
    done = run_pytest(
        """
        import os, signal, threading, time
        import pytest
        from wwep_rig import open_bench

        def test_it():
            with open_bench("sim", program="jumper") as bench:
                bench.target.start()
                for wait in (
                    lambda led: led.wait_for_off(timeout_s=60.0),
                    lambda led: led.stays_on(for_s=60.0),
                    lambda led: led.edges(for_s=60.0),
                ):
                    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
                    began = time.monotonic()
                    with pytest.raises(KeyboardInterrupt):
                        wait(bench.led("led0"))
                    assert time.monotonic() - began < 20
        """.replace(
            "\n        ", "\n"
        )
    )

    assert done.code == 0, done.out
