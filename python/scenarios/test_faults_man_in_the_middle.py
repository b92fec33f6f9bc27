"""Somebody stands between board and server, with a certificate of a CA of his own."""

import pytest

from wwep_rig import Until
from wwep_rig.bench_config import Verifies

pytestmark = pytest.mark.rig_needs("button1")


def test_man_in_the_middle_gets_not_one_byte(bench, recording):
    """A board that verifies the server says nothing to a stranger, and goes on without him."""
    if Verifies.CHAIN not in bench.target.contract.verifies:
        pytest.skip("this firmware does not check the chain")
    limit_s = bench.config.press_timeout_s

    with bench.man_in_the_middle() as thief:
        lost = bench.press("button1", until=Until.led)
        thief.wait_until_left_alone(timeout_s=limit_s)

    assert not thief.stolen, thief.text
    assert bench.server.register(bench.target.device_id, 5) is None
    heard = bench.press("button1")
    assert heard.reply.accepted and heard.connection.secure
    assert heard.frame.value == heard.led.is_on != lost.led.is_on
