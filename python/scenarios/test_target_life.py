"""The board's own life: restarted, killed, brought back."""

import pytest

from wwep_rig import TargetFailed, Until


@pytest.mark.rig_kinds("sim", "kernel", "emulator")
def test_killed_firmware_is_noticed_and_said_so(bench, recording):
    """A press of a dead board fails, and the error says that it is dead."""
    bench.target.reset()  # its LEDs are off now: dying does not change them
    bench.target.kill()
    recording.wait_for_target_end(timeout_s=2.0)

    with pytest.raises(TargetFailed, match="(?s)button0.*LED edge.*killed by signal 9"):
        bench.press("button0", timeout_s=0.3)

    assert not bench.target.is_running


@pytest.mark.rig_kinds("sim", "kernel", "emulator")
def test_dead_board_comes_back_with_a_reset(bench, recording):
    """A reset is all that it takes."""
    bench.target.kill()
    recording.wait_for_target_end(timeout_s=2.0)

    bench.target.reset()

    assert bench.press("button0").reply.accepted


@pytest.mark.rig_needs("reset")
def test_reset_ends_what_the_board_was_doing(bench, recording):
    """A board that is reset in the middle of a hold starts without a press."""
    bench.press("button0", until=Until.led)

    bench.target.reset()

    assert recording.stays_quiet(for_s=0.3)
    assert bench.press("button0").frame.value == bench.target.contract.first_value
