"""Names answered wrongly, late or never: the LED tells of the press, and the next is heard."""

import pytest

from wwep_rig import Until

pytestmark = pytest.mark.rig_kinds("sim", "kernel", "emulator")

NOBODYS = "127.255.255.254"
# No firmware gives a name server up sooner.
WAITS_AT_LEAST_MS = 500


def test_late_answer_is_waited_for(bench, recording):
    """The frame goes out as soon as the address is known, and once."""
    with bench.network.late_names(by_s=0.3):
        trip = bench.press("button0")

    assert trip.latencies.press_to_frame_ms >= 300
    assert trip.reply.accepted and len(trip.connections) == 1
    assert trip.frame.value == trip.led.is_on


def test_wrong_address_gets_the_board_nowhere_and_does_not_keep_it_there(bench, recording):
    """Nobody hears of the press; the next lookup is right, and the next press is heard."""
    with bench.network.wrong_address(NOBODYS):
        lost = bench.press("button0", until=Until.led)
        assert recording.stays_quiet(for_s=0.3)
        assert recording.connections == ()

    heard = bench.press("button0")

    assert heard.reply.accepted
    assert heard.frame.value == heard.led.is_on != lost.led.is_on


def test_name_that_nobody_knows_leads_to_the_fixed_address(bench, recording):
    """Where names fail the address of last resort is tried."""
    with bench.network.unknown_names(by_s=0.3):
        trip = bench.press("button0")

    assert trip.latencies.press_to_frame_ms >= 300
    assert trip.reply.accepted
    assert trip.frame.value == trip.led.is_on


def test_answer_that_never_comes_is_given_up_in_time(bench, recording):
    """After the budget for names the address of last resort is tried."""
    budget_s = bench.config.budgets.dns_ms / 1000

    with bench.network.no_names():
        trip = bench.press("button0", timeout_s=budget_s + bench.config.press_timeout_s)

    assert trip.reply.accepted
    assert WAITS_AT_LEAST_MS <= trip.latencies.press_to_frame_ms <= (budget_s + 5.0) * 1000
    assert bench.press("button0").reply.accepted
