"""A server that is down, slow or unwilling: the board must live with it."""

import pytest

from wwep_rig import Until, faults


def test_press_goes_unheard_while_the_server_is_gone(bench, recording):
    """The LED flips, nothing arrives, and the next press after the server's return does."""
    with bench.server.fault(faults.Gone()):
        unheard = bench.press("button0", until=Until.led)
        assert recording.stays_quiet(for_s=0.5)
        assert recording.connections == ()

    heard = bench.press("button0")

    assert heard.reply.accepted
    assert heard.frame.value == heard.led.is_on != unheard.led.is_on


def test_reply_within_the_budget_is_waited_for(bench, recording):
    """A slow server is slow, not broken."""
    late_s = bench.config.budgets.reply_ms / 1000 / 2

    with bench.server.fault(faults.Late(by_s=late_s)) as fired:
        trip = bench.press("button0")

    assert fired.count == 1
    assert trip.reply.accepted
    assert trip.latencies.frame_to_reply_ms >= late_s * 1000


def test_reply_after_the_budget_is_not_waited_for(bench, recording):
    """The board gives up, and its next press is none the worse for it."""
    if not bench.target.contract.reads_reply:
        pytest.skip("this firmware does not read the reply")
    late_s = bench.config.budgets.reply_ms / 1000 + 0.5

    with bench.server.fault(faults.Late(by_s=late_s), nth=1):
        bench.press("button0", until=Until.frame)
        given_up = recording.wait_for_connection_end(timeout_s=late_s + 2.0)

    assert bench.press("button0").reply.accepted
    assert given_up.closed_ns - given_up.opened_ns < (late_s + 1.0) * 1e9


def test_answer_x_is_taken_for_an_answer(bench, recording):
    """A refusal is no reason to hang, to repeat the message or to flip the LED back."""
    with bench.server.fault(faults.AnswerX()) as fired:
        trip = bench.press("button0")

    assert trip.reply.bytes == b"X"
    assert fired.count == 1
    assert recording.stays_quiet(for_s=0.2)
    assert trip.led.is_on == trip.frame.value


def test_press_after_a_short_outage_is_heard(bench, recording):
    """The server comes back by itself, and the board finds it again."""
    outage = faults.Gone(for_s=0.5)
    with bench.server.fault(outage):
        bench.press("button0", until=Until.led)
        assert recording.stays_quiet(for_s=1.0)

        assert bench.press("button0").reply.accepted


def test_only_the_message_that_meets_a_fault_suffers_from_it(bench, recording):
    """Before and after the second message everything is as usual."""
    with bench.server.fault(faults.AnswerX(), nth=2) as fired:
        replies = [bench.press("button0").reply.accepted for _ in range(3)]

    assert replies == [True, False, True]
    assert fired.count == 1


def test_fault_for_another_device_is_not_met(bench, recording):
    """Boards share a server; what befalls one leaves the others alone."""
    stranger = bench.target.device_id ^ 0x0001

    with bench.server.fault(faults.AnswerX(), device=stranger, optional=True) as fired:
        trip = bench.press("button0")

    assert trip.reply.accepted
    assert fired.count == 0
