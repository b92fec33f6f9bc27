"""A network that is late, slow, lossy or stands still: the board waits as it must, and goes on."""

import pytest

from wwep_rig import Until

BUTTONS = [
    pytest.param("button0", False, id="clear"),
    pytest.param("button1", True, id="secure", marks=pytest.mark.rig_needs("button1")),
]


@pytest.mark.parametrize(("button", "secure"), BUTTONS)
def test_late_network_within_the_budget_is_waited_for(bench, recording, button, secure):
    """A fifth of the reply's budget each way: nothing is sent twice, and nothing is given up."""
    delay_s = bench.config.budgets.reply_ms / 1000 / 5

    with bench.bad_network(delay_s=delay_s, secure=secure):
        trip = bench.press(button)

    assert trip.reply.accepted
    assert len(trip.connections) == 1
    assert trip.latencies.press_to_frame_ms >= delay_s * 1000
    assert trip.frame.value == trip.led.is_on


def test_slow_network_is_waited_for(bench, recording):
    """A modem's speed: the frame comes byte by byte."""
    with bench.bad_network(bytes_per_s=300):
        trip = bench.press("button0")

    assert trip.reply.accepted
    assert trip.frame.value == trip.led.is_on


@pytest.mark.rig_needs("netem")
@pytest.mark.parametrize(("button", "secure"), BUTTONS)
def test_network_that_loses_packets_does_not_hang_the_board(bench, recording, button, secure):
    """Three of ten are lost: TCP sends them again, and where the board gave up, it goes on."""
    limit_s = 10 * bench.config.press_timeout_s

    with bench.bad_network(loss=0.3, secure=secure):
        for _ in range(3):
            bench.press(button, until=Until.closed, timeout_s=limit_s)
            assert bench.wait_until_idle(timeout_s=limit_s)

    heard = bench.press(button)
    assert heard.reply.accepted
    assert heard.frame.value == heard.led.is_on


@pytest.mark.rig_needs("netem")
def test_press_is_heard_once_however_its_packets_arrive(bench, recording):
    """Each comes twice, and many out of turn: the server takes one frame of each press."""
    with bench.bad_network(duplicate=1.0, reorder=0.5, delay_s=0.01):
        trips = [bench.press("button0") for _ in range(3)]

    assert all(trip.reply.accepted and trip.frame.value == trip.led.is_on for trip in trips)
    assert recording.frames == tuple(trip.frame for trip in trips)


@pytest.mark.parametrize(("button", "secure"), BUTTONS)
def test_network_that_stands_still_does_not_hang_the_board(bench, recording, button, secure):
    """In the middle of the exchange nothing goes on for longer than a reply may take."""
    stall_s = bench.config.budgets.reply_ms / 1000 + 0.5

    with bench.bad_network(stall_after=5, stall_s=stall_s, secure=secure):
        lost = bench.press(button, until=Until.led)
        recording.wait_for_connections(1, timeout_s=stall_s + bench.config.press_timeout_s)
        bench.wait_until_idle(timeout_s=bench.config.press_timeout_s)

    heard = bench.press(button)
    assert heard.reply.accepted
    assert heard.frame.value == heard.led.is_on != lost.led.is_on
