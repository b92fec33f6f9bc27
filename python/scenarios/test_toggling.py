"""Many presses: values alternate, and always agree with the LED."""

import pytest

from wwep_rig import Until, faults


@pytest.mark.rig_needs("reset")
def test_values_alternate_from_the_first_value_on(bench, recording):
    """After a reset the first press sends the contract's first value, the next the other."""
    bench.target.reset()

    values = [bench.press("button0").frame.value for _ in range(10)]

    first = bench.target.contract.first_value
    assert values == [(first + number) % 2 for number in range(10)]


@pytest.mark.rig_needs("button1", "reset")
def test_buttons_toggle_independently(bench, recording):
    """A press of one button does not count as a press of the other."""
    bench.target.reset()
    first = bench.target.contract.first_value

    assert bench.press("button0").frame.value == first
    assert bench.press("button1").frame.value == first
    assert bench.press("button0").frame.value == 1 - first
    assert bench.press("button1").frame.value == 1 - first


@pytest.mark.rig_needs("button1")
def test_both_buttons_at_once_bring_both_frames(bench, recording):
    """Two presses at the same time: one frame in the clear, one over TLS, both replied to."""
    in_the_clear, over_tls = bench.start_press("button0"), bench.start_press("button1")
    trips = in_the_clear.wait(), over_tls.wait()

    assert [trip.connection.secure for trip in trips] == [False, True]
    assert all(trip.reply.accepted for trip in trips)
    assert all(trip.frame.value == trip.led.is_on for trip in trips)
    assert recording.stays_quiet(for_s=0.2)
    assert len(recording.frames) == 2


def test_long_hold_counts_as_one_press(bench, recording):
    """Holding the button neither repeats the message nor flips the LED back on release."""
    trip = bench.press("button0", hold_s=1.0)

    assert len(trip.frames) == 1
    assert len(trip.led.edges) == 1
    assert recording.stays_quiet(for_s=0.2)


def test_stuck_button_counts_as_one_press(bench, recording):
    """A line that does not come back: one message, one LED that stays, and then life goes on."""
    with bench.stuck("button0") as stuck:
        trip = stuck.wait(until=Until.closed)
        assert recording.stays_quiet(for_s=1.0)

    assert len(trip.led.edges) == 1
    after = bench.press("button0")
    assert after.reply.accepted
    assert after.frame.value == after.led.is_on != trip.led.is_on


def test_press_while_a_round_trip_is_open_is_served_after_it(bench, recording):
    """The server takes its time, and the button is pressed again meanwhile: both are heard."""
    late_s = bench.config.budgets.reply_ms / 1000 / 2
    with bench.server.fault(faults.Late(by_s=late_s), nth=1):
        first = bench.start_press("button0")
        first.wait(until=Until.frame)
        second = bench.start_press("button0")
        trips = first.wait(), second.wait()

    assert all(trip.reply.accepted for trip in trips)
    assert trips[0].frame.value != trips[1].frame.value
    assert bench.led("led0").is_on == trips[1].frame.value


def test_quick_presses_are_all_served(bench, recording):
    """Presses that come before the last message is through are served one after the other."""
    presses = 6
    for _ in range(presses):
        bench.press("button0", hold_s=0.005, until=Until.led)
    recording.wait_for_frames(presses, timeout_s=5.0)

    values = [frame.value for frame in recording.frames]
    assert values == [(values[0] + number) % 2 for number in range(presses)]
    assert recording.stays_quiet(for_s=0.2)
    assert values[-1] == bench.led("led0").is_on


@pytest.mark.rig_needs("reset")
def test_restarted_firmware_begins_anew(bench, recording):
    """A reset puts the LED out, and the next press sends the first value again."""
    bench.press("button0")

    bench.target.reset()

    first = bench.target.contract.first_value
    assert bench.led("led0").is_on != first
    assert bench.press("button0").frame.value == first
