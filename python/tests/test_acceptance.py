"""Acceptance of a latency on the simulated bench."""

import pytest

import wwep_rig
from wwep_rig import NoBench, accept_latency
from wwep_rig.statistics import Decision


@pytest.fixture
def bench(environment, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", environment["XDG_STATE_HOME"])
    with wwep_rig.open_bench() as opened:
        opened.target.start()
        yield opened


def test_latency_is_accepted_or_rejected_as_early_as_it_can_be(bench):
    """With a share of 0.5 few presses are enough either way."""
    accepted = accept_latency(
        bench, "button0", "press_to_frame_ms", below_ms=60_000, percentile=50, confidence=0.9
    )
    rejected = accept_latency(
        bench, "button0", "press_to_led_ms", below_ms=1e-6, percentile=50, confidence=0.9
    )
    open_still = accept_latency(bench, "button0", "press_to_led_ms", below_ms=60_000, presses_max=2)

    assert accepted and accepted.decision is Decision.ACCEPTED and accepted.presses < 20
    assert (accepted.late, accepted.missed) == (0, 0) and accepted.longest_ms > 0
    assert not rejected and rejected.decision is Decision.REJECTED
    assert rejected.late == rejected.presses < 20
    assert not open_still and "not decided after 2 presses" in repr(open_still)
    with pytest.raises(ValueError, match="no latency 'led'"):
        accept_latency(bench, "button0", "led", below_ms=1)


def test_presses_without_the_latency_are_missed(bench):
    """Nothing in the clear has a handshake."""
    found = accept_latency(
        bench, "button0", "handshake_ms", below_ms=60_000, percentile=50, confidence=0.9
    )

    assert found.decision is Decision.REJECTED and found.missed == found.presses
    assert "missed, the longest took 0.000 ms" in repr(found)


def test_limit_below_the_rigs_own_floor_is_refused(bench):
    from tests.made_presses import FLOOR
    from wwep_rig.calibration import from_value

    bench.calibration = from_value(FLOOR)

    with pytest.raises(NoBench, match="below the rig's own floor"):
        accept_latency(bench, "button0", "press_to_led_ms", below_ms=0.1)
