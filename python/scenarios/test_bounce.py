"""Contacts that bounce, and presses that are hardly any: judged by the contract's debounce time."""

import pytest

from wwep_rig import RigError, Until

# A contact at rest after a press: no bounce of any profile is as long.
REST_S = 0.3
# A busy machine opens the contact late now and then: that was no glitch, and another is made.
GLITCHES_MAX = 10


def test_clean_press_gives_exactly_one_frame(bench, recording):
    """One closing of the contact, one opening: one frame, and nothing after it."""
    trip = bench.press("button0", profile="ideal")

    assert [edge.is_on for edge in recording.button_edges] == [True, False]
    assert len(trip.frames) == 1
    assert recording.stays_quiet(for_s=REST_S)


@pytest.mark.parametrize("profile", ["tactile", "tactile:seed=7", "worn", "worn:seed=3"])
def test_contact_that_bounces_is_one_press_to_firmware_that_debounces(bench, recording, profile):
    """However often it opens and closes, on the way down and on the way up."""
    bounces_ms_max = 1
    if bench.target.contract.debounce_ms <= bounces_ms_max:
        pytest.skip("this firmware does not promise to debounce")

    trip = bench.press("button0", profile=profile, hold_s=bench.hold_s_default + 0.05)

    assert len([edge for edge in recording.button_edges if edge.is_on]) > 1
    assert len(trip.frames) == len(trip.led.edges) == 1
    assert recording.stays_quiet(for_s=REST_S)


def test_glitch_shorter_than_the_debounce_time_is_no_press(bench):
    """The LED stays as it is, and nothing is sent."""
    debounce_ms = bench.target.contract.debounce_ms
    if debounce_ms == 0:
        pytest.skip("this firmware does not promise to debounce")

    for _ in range(GLITCHES_MAX):
        window = bench.record()
        bench.start_press("button0", profile=f"glitch:{debounce_ms * 1000 // 2}us")
        flips = bench.led("led0").edges(for_s=REST_S, from_ns=window.presses[0].at_ns)
        closed, opened = window.button_edges
        if opened.at_ns - closed.at_ns < debounce_ms * 1_000_000:
            break
    else:
        raise RigError(f"this machine made none of {GLITCHES_MAX} glitches as short as asked for")

    assert flips == ()
    assert window.connections == ()


def test_press_longer_than_the_debounce_time_is_a_press(bench, recording):
    """Debouncing must not make the board deaf."""
    debounce_s = bench.target.contract.debounce_ms / 1000

    trip = bench.press("button0", hold_s=2 * debounce_s + 0.05)

    assert len(trip.frames) == len(trip.led.edges) == 1
    assert trip.latencies.press_to_led_ms >= debounce_s * 1000
    assert recording.stays_quiet(for_s=REST_S)


@pytest.mark.parametrize("profile", ["tactile:seed=7", "glitch:500us"])
def test_firmware_as_taught_may_take_each_closing_for_a_press(bench, recording, profile):
    """Without a debounce time it may, but each press that it makes of them is a whole one."""
    if bench.target.contract.debounce_ms > 0:
        pytest.skip("this firmware debounces")
    led = bench.led("led0")
    was_on = led.is_on

    bench.press("button0", profile=profile, until=Until.led)

    flips = led.edges(for_s=1.0, from_ns=recording.presses[0].at_ns)
    closings = [edge for edge in recording.button_edges if edge.is_on]
    assert 1 <= len(flips) <= len(closings)
    values = [frame.value for frame in recording.wait_for_frames(len(flips), timeout_s=5.0)]
    assert values == [flip.is_on for flip in flips]
    assert values == [(number % 2 == 0) != was_on for number in range(len(flips))]
    assert recording.stays_quiet(for_s=REST_S)
