"""A link that loses, doubles and re-orders frames: TCP makes up for it, and the board goes on."""

import pytest

from wwep_rig import Bench, TargetFailed, Until

pytestmark = pytest.mark.rig_needs("network")

# What is lost is sent again after seconds, each time after twice as many.
PATIENCE_S = 60.0
# Of each press the dice of this seed take that one and then none for long. If nothing comes of a
# press without it, which frame that is has to do with what else was under way, and is tried anew;
# all tries together end before pytest ends the test.
LOSES_THE_BOARDS_FOURTH_FRAME = 1253
TRIES_MAX = 2
# Longer than a name, a connection and one repeated segment take.
GIVEN_UP_WITHIN_S = 8.0
# As long as the server keeps a connection of which it hears nothing, and somewhat longer.
IDLE_WITHIN_S = 35.0


@pytest.mark.parametrize(
    "faults",
    [
        pytest.param({"duplicate": 1.0}, id="doubled"),
        pytest.param({"reorder": 0.5, "seed": 1}, id="re-ordered"),
        pytest.param(
            {"delay_s": 0.02, "duplicate": 0.3, "reorder": 0.3, "seed": 1}, id="both-late"
        ),
    ],
)
def test_press_is_heard_once_however_its_frames_arrive(bench, recording, faults):
    """Of each press the server takes one frame, which agrees with the LED; so of the next one."""
    with bench.network.bad_link(**faults) as link:
        trips = [bench.press("button0", timeout_s=PATIENCE_S) for _ in range(3)]

    trips.append(bench.press("button0"))

    assert link.duplicated + link.reordered > 0 and link.lost == 0
    assert all(trip.reply.accepted and trip.frame.value == trip.led.is_on for trip in trips)
    assert recording.frames == tuple(trip.frame for trip in trips)


@pytest.mark.rig_needs("power")
def test_board_starts_on_a_bad_link(bench, recording):
    """It gets its address, and its first press is heard once."""
    with bench.network.bad_link(duplicate=1.0, reorder=0.3, seed=2) as link:
        bench.target.power_cycle()
        started_with = link.duplicated
        trip = bench.press("button0", timeout_s=PATIENCE_S)

    assert started_with > 0
    assert trip.reply.accepted and recording.frames == (trip.frame,)


def test_press_is_heard_although_a_frame_of_it_is_lost(bench, recording):
    """Where the board got through it is heard once; where it gave up, the next press is heard."""
    was_made_up_for = any(_is_heard_despite_loss(bench) for _ in range(TRIES_MAX))

    heard = bench.press("button0")

    assert was_made_up_for
    assert heard.reply.accepted and heard.frame.value == heard.led.is_on
    assert len(recording.frames) <= len(recording.presses)


def _is_heard_despite_loss(bench: Bench) -> bool:
    window = bench.record()
    with bench.network.bad_link(loss=0.15, seed=LOSES_THE_BOARDS_FOURTH_FRAME):
        pressed = bench.press("button0", until=Until.led)
        try:
            (frame,) = window.wait_for_frames(1, timeout_s=GIVEN_UP_WITHIN_S)
            is_heard = True
            assert frame.value == pressed.led.is_on
        except TargetFailed:
            is_heard = False  # fair: no firmware tries to connect for ever
        assert bench.wait_until_idle(timeout_s=IDLE_WITHIN_S)
    return is_heard
