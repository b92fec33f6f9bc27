"""From the button to the server: what every press must do."""

import pytest

from wwep_rig import Verdict
from wwep_rig.bench_config import LedBeforeFrame


def test_press_reaches_the_server_in_the_clear(bench, recording):
    """One press: the LED flips, and exactly one frame with the LED's state arrives."""
    trip = bench.press("button0")

    assert trip.frame.device == bench.target.device_id
    assert trip.frame.register == 5
    assert trip.frame.value == trip.led.is_on
    assert trip.reply.accepted and not trip.connection.secure
    assert recording.stays_quiet(for_s=0.1)


@pytest.mark.rig_needs("button1")
def test_press_reaches_the_server_over_tls(bench, recording):
    """The same over TLS, with a version and a cipher that the server's profile allows."""
    trip = bench.press("button1")

    assert trip.frame.device == bench.target.device_id
    assert trip.frame.register == 5
    assert trip.frame.value == trip.led.is_on
    assert trip.reply.accepted and trip.connection.secure
    assert trip.connection.tls_version in bench.server.tls_versions
    assert trip.connection.cipher and not trip.connection.failure
    assert recording.stays_quiet(for_s=0.1)


def test_press_makes_one_connection_and_one_write(bench, recording):
    """Nothing is sent twice, and nothing but a write is sent."""
    bench.press("button0")

    assert recording.stays_quiet(for_s=0.3)
    assert len(recording.connections) == 1
    assert [frame.verdict for frame in recording.frames] == [Verdict.write]


def test_press_flips_its_led_once(bench, recording):
    """The LED changes once, to the other state, and stays there."""
    was_on = bench.led("led0").is_on

    trip = bench.press("button0")

    assert len(trip.led.edges) == 1
    assert trip.led.is_on != was_on
    assert recording.stays_quiet(for_s=0.1)
    assert bench.led("led0").is_on == trip.led.is_on


@pytest.mark.rig_needs("button1", "led1")
def test_press_leaves_the_other_led_alone(bench, recording):
    """Each button has an LED of its own."""
    was_on = bench.led("led1").is_on

    bench.press("button0")

    assert bench.led("led1").is_on == was_on
    assert {edge.line for edge in recording.edges} == {"led0"}


def test_led_and_frame_come_in_the_order_of_the_contract(bench, recording):
    """Firmware may flip the LED before it sends, after it, or promise neither."""
    promised = bench.target.contract.led_before_frame

    trip = bench.press("button0")

    led_came_first = trip.led.at_ns < trip.frame.received_ns
    promises = {LedBeforeFrame.YES: {True}, LedBeforeFrame.NO: {False}}
    assert led_came_first in promises.get(promised, {True, False})


def test_device_id_is_the_sum_of_the_mac_address(bench, recording):
    """The frame's device ID follows from the board's MAC address."""
    octets = bench.target.mac.split(":")

    trip = bench.press("button0")

    assert trip.frame.device == sum(int(octet, 16) for octet in octets)


def test_connection_is_closed_after_the_message(bench, recording):
    """Each message has a connection of its own, which ends with it."""
    first = bench.press("button0")
    second = bench.press("button0")

    assert first.connection.is_closed and second.connection.is_closed
    assert first.connection.id != second.connection.id
    assert bench.connections_open == 0


def test_reply_reaches_the_console(bench, recording):
    """Firmware that reads the reply reports it."""
    if not bench.target.contract.reads_reply:
        pytest.skip("this firmware does not read the reply")

    trip = bench.press("button0")

    recording.wait_for_console(trip.reply.bytes.decode(), timeout_s=1.0)


def test_nothing_happens_when_nobody_presses(bench, recording):
    """A board at rest keeps its LEDs as they are and the network quiet."""
    assert recording.stays_quiet(for_s=0.5)
    assert recording.frames == ()
