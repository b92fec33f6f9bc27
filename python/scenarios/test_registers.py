"""What the server remembers, and what it answers to others who ask."""

import pytest


def test_register_5_holds_the_state_of_the_led(bench, recording):
    """The server stores what the press wrote."""
    device = bench.target.device_id
    for _ in range(2):
        trip = bench.press("button0")

        assert bench.server.register(device, 5) == trip.led.is_on


@pytest.mark.rig_needs("button1")
def test_register_5_holds_whichever_button_wrote_last(bench, recording):
    """Both buttons write the same register."""
    device = bench.target.device_id
    for button in ("button0", "button1", "button1", "button0"):
        trip = bench.press(button)

        assert bench.server.register(device, 5) == trip.frame.value


def test_another_client_reads_what_the_press_wrote(bench, recording):
    """Whoever asks for the board's register 5 learns the LED's state."""
    trip = bench.press("button0")

    answer = bench.server.ask(f"R{bench.target.device_id:04X}05")

    assert answer == f"A{bench.target.device_id:04X}05{int(trip.led.is_on):04X}"


def test_reply_repeats_what_was_written(bench, recording):
    """The reply is the request with an A."""
    trip = bench.press("button0")

    assert trip.reply.bytes == b"A" + trip.frame.raw[1:]


def test_register_that_nobody_wrote_reads_as_x(bench, recording):
    """Also when other registers of the same device have been written."""
    bench.press("button0")

    assert bench.server.ask(f"R{bench.target.device_id:04X}06") == "X"
    assert bench.server.ask("R0BAC05") == "X"


def test_press_writes_no_register_but_the_fifth(bench, recording):
    """The other registers of the device stay as they were."""
    device = bench.target.device_id
    bench.server.write(device, 4, 0x1234)

    bench.press("button0")

    assert bench.server.register(device, 4) == 0x1234
    assert bench.server.register(device, 6) is None
