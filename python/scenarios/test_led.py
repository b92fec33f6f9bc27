"""What the LED does for whoever looks at it: at once, for long enough, and nothing besides."""

import pytest


def test_led_keeps_the_state_that_a_press_gave_it(bench, recording):
    """It flips and then stays as it is: no flicker, no falling back."""
    for _ in range(2):
        trip = bench.press("button0")
        led = bench.led("led0")

        stays = led.stays_on if trip.led.is_on else led.stays_off
        stays(for_s=0.5, from_ns=trip.led.at_ns)


def test_led_changes_once_within_a_second_of_the_press(bench, recording):
    """One press, one edge."""
    bench.start_press("button0")

    bench.led("led0").edges(for_s=1.0, from_ns=recording.presses[0].at_ns, count=1)


@pytest.mark.rig_needs("button1", "led1")
def test_led_of_the_other_button_can_be_waited_for(bench, recording):
    """Whatever it was, two presses bring it on and off."""
    led = bench.led("led1")
    for _ in range(2):
        was_on = led.is_on

        bench.start_press("button1")

        wait = led.wait_for_off if was_on else led.wait_for_on
        pressed_ns = recording.presses[-1].at_ns
        assert wait(timeout_s=2.0, from_ns=pressed_ns) > pressed_ns
        recording.wait_for_frames(len(recording.presses), timeout_s=5.0)


@pytest.mark.rig_kinds("sim", "kernel")
def test_blinking_firmware_blinks_as_it_says(bench_with):
    """On for 50 ms, off for 150, for as long as it is looked at; off after the next press."""
    bench = bench_with(program="blink")
    led = bench.led("led0")
    bench.start_press("button0")
    led.wait_for_on(timeout_s=5.0)

    led.blinks(period_s=0.2, duty=0.25, tolerance=0.3, for_s=1.0)

    bench.start_press("button0")
    led.wait_for_off(timeout_s=5.0)
    led.stays_off(for_s=0.5, from_ns=led.window(for_s=0.3).until_ns)
