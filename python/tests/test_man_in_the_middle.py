"""A man in the middle, and what he gets of firmware that lets him in."""

import pytest

from wwep_rig import RigError, TargetFailed, Until, open_bench

FRAME, REWRITTEN = b"W0003050001", b"W0003050000"


@pytest.fixture(scope="module")
def bench(environment):
    """A bench whose board trusts anybody."""
    with open_bench(root_certificate="none", environment=environment) as opened:
        yield opened


@pytest.fixture
def started(bench):
    bench.target.start_afresh()
    bench.server.clear()
    return bench


def test_frame_is_stolen_rewritten_and_the_board_none_the_wiser(started):
    window = started.record()
    with started.man_in_the_middle() as thief:
        started.press("button1", until=Until.led)
        (intrusion,) = thief.wait_until_left_alone(timeout_s=20)
        window.wait_for_console("button 1: reply", timeout_s=20)

    assert (intrusion.stolen, intrusion.forwarded) == (FRAME, REWRITTEN)
    assert (intrusion.reply, intrusion.told) == (b"A0003050000", b"A0003050001")
    assert started.server.register(started.target.device_id, 5) == 0
    assert window.console[-1].text == "button 1: reply A0003050001"
    assert [frame.raw for frame in window.frames] == [REWRITTEN]
    fault, note = (e.text for e in window.events if e.text.startswith(("man", "fault man")))
    assert "man_in_the_middle" in fault
    assert "read W0003050001 and sent W0003050000 on" in note
    assert thief.stolen == FRAME and "the target heard A0003050001" in thief.text


def test_server_is_back_when_he_has_gone(started):
    with started.man_in_the_middle():
        pass

    assert started.press("button1").reply.accepted
    assert started.server.tls_endpoints[0].endswith(":40508")


def test_frame_is_rewritten_as_told(started):
    with started.man_in_the_middle(rewrite=lambda frame: b"R" + frame[1:7]) as thief:
        started.press("button1", until=Until.led)
        (intrusion,) = thief.wait_until_left_alone(timeout_s=20)

    assert (intrusion.forwarded, intrusion.reply) == (b"R000305", b"X")


def test_board_that_stays_away_from_him_is_told(started):
    with started.man_in_the_middle() as thief:
        with pytest.raises(TargetFailed, match="waited 0.05 s for the target to connect"):
            thief.wait_until_left_alone(timeout_s=0.05)


def test_two_of_them_cannot_have_the_same_port(started):
    with started.man_in_the_middle():
        with pytest.raises(RigError, match="somebody stands before port 40508"):
            with started.man_in_the_middle():
                pass

    assert started.press("button1").reply.accepted
