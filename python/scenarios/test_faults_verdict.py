"""Firmware by fault: what is required of the board when one exchange goes wrong.

Judged by the contract: it gives up in time, or tries again as often as it says; its LED and its
frames agree; nothing is left behind; and its next press is heard.
"""

import pytest

from wwep_rig import Until, faults

# The message is answered all the same, however oddly: it is not sent again.
ANSWERED = [
    faults.AnswerX(),
    faults.Bytewise(gap_s=0.005),
    faults.LongReply(bytes=4000),
    faults.TwoReplies(),
    faults.TextAfterX(),
    faults.CloseInReply(bytes=11),
]
# Whatever comes is no answer to it: it is sent again as often as the contract says.
UNANSWERED = [
    faults.NoReply(),
    faults.CloseInReply(bytes=0),
    faults.CloseInReply(bytes=5),
    faults.NeverRead(for_s=0.8),
    faults.Reset(),
    faults.Reset(bytes=5),
    faults.Reset(bytes=11),
    faults.Reset(bytes=4, of="sent"),
    faults.ClosedAtAccept(),
    faults.WrongDevice(),
    faults.WrongRegister(),
    faults.WrongValue(),
    faults.Garbage(),
]
# Whether this is an answer is for the firmware to say.
DISPUTED = [faults.EarlyReply(), faults.LowerCase()]
# Caches fill, and a C library keeps some of what was freed.
MEMORY_SPREAD_KB = 1024
EXCHANGES = 3


@pytest.mark.parametrize("fault", [*ANSWERED, *UNANSWERED, *DISPUTED], ids=str)
def test_spoilt_exchange_is_ended_in_time_and_the_next_is_heard(bench, recording, fault):
    """One LED edge, the frames that the contract allows, and a board that goes on."""
    if not bench.target.contract.reads_reply:
        pytest.skip("this firmware does not read the reply")
    retries = bench.target.contract.retries
    if retries and fault in DISPUTED:
        pytest.skip("this firmware may or may not try again")
    attempts = 2 if retries and fault in UNANSWERED else 1
    limit_s = bench.config.press_timeout_s

    with bench.server.fault(fault, nth=1):
        pending = bench.start_press("button0")
        connections = recording.wait_for_connections(attempts, timeout_s=limit_s)
        spoilt = pending.wait(until=Until.closed)
    heard = bench.press("button0")

    assert len(connections) == attempts
    assert len(recording.connections) == attempts + 1, "the message was sent again and again"
    assert len(spoilt.led.edges) == 1, "the LED tells of the press, whatever comes back"
    assert all(frame.value == spoilt.led.is_on for frame in spoilt.frames)
    assert heard.reply.accepted
    assert heard.frame.value == heard.led.is_on != spoilt.led.is_on
    assert bench.target.is_running


def test_spoilt_exchanges_leave_nothing_behind(bench, recording):
    """As many sockets, as many threads and as much memory as before."""
    if bench.target.footprint is None:
        pytest.skip("this target is no process")
    with bench.server.fault(faults.CloseInReply(bytes=0)):
        bench.press("button0", until=Until.closed)  # makes what is made once
        recording.wait_for_connections(1 + bench.target.contract.retries, timeout_s=10.0)
        assert bench.wait_until_idle(timeout_s=10.0)
        before = bench.target.footprint

        for _ in range(EXCHANGES):
            bench.press("button0", until=Until.closed)
    assert bench.press("button0").reply.accepted

    after = bench.target.wait_for_footprint(before, memory_kb=MEMORY_SPREAD_KB, timeout_s=5.0)
    assert not after.exceeds(before, memory_kb=MEMORY_SPREAD_KB), f"{before} has become {after}"
