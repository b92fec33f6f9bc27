"""The search for the shortest press that a target accepts."""

import json
import random
import signal
from collections.abc import Callable

import pytest

from wwep_rig import TargetFailed
from wwep_rig.shortest_press import Attempt, Length, Plan, Search

DEBOUNCED = """
[bench]
name = "debounced"
kind = "sim"
[target]
device = "02:00:00:00:00:01"
program = "dual_client_debounced"
ready = "ready"
[target.contract]
debounce_ms = 20
"""


def search(accepts: Callable[[float], bool], plan: Plan | None = None) -> Search:
    return Search(
        lambda hold_s: Attempt(accepts(hold_s), hold_s + 0.00001),
        plan or Plan(),
        lambda length: None,
    )


@pytest.mark.parametrize("threshold_s", [0.0002, 0.0123, 0.02, 0.1999])
def test_threshold_is_found_to_within_the_resolution(threshold_s: float) -> None:
    found = search(lambda hold_s: hold_s >= threshold_s)

    answer = found.run()

    assert threshold_s <= answer.hold_s <= threshold_s + 0.0005
    assert found.rejected is not None and found.rejected.hold_s < threshold_s
    assert answer.tries == answer.accepted == 20
    assert found.is_complete
    assert len(found.lengths) < 15


def test_target_that_accepts_everything_has_the_shortest_press_as_its_answer():
    found = search(lambda hold_s: True)

    assert found.run().hold_s == Plan().shortest_s
    assert found.rejected is None


def test_length_that_is_accepted_now_and_then_is_not_the_answer():
    chance = random.Random(7)

    found = search(lambda hold_s: hold_s >= 0.03 or (hold_s >= 0.01 and chance.random() < 0.8))

    answer = found.run()
    assert 0.028 < answer.hold_s < 0.0315
    assert answer.accepted == 20


def test_deaf_target_fails():
    with pytest.raises(TargetFailed, match="of the longest presses, 200 ms, 0 of 1 were accepted"):
        search(lambda hold_s: False).run()


def test_target_that_grows_deaf_while_it_is_confirmed_fails_too():
    presses: list[float] = []

    def tired(hold_s: float) -> bool:
        presses.append(hold_s)
        return len(presses) < 12

    with pytest.raises(TargetFailed, match="of the longest presses"):
        search(tired, Plan(longest_s=0.01, resolution_s=0.005)).run()


def test_press_that_is_not_accepted_is_the_last_of_its_length():
    found = search(lambda hold_s: hold_s >= 0.05)
    found.run()

    rejected = [length for length in found.lengths if not length.is_accepted]
    assert {(length.tries, length.accepted) for length in rejected} == {(1, 0)}


def test_more_presses_make_it_surer():
    def share(tries: int) -> float:
        return Length(0.01, (Attempt(True, 0.01),) * tries).share_at_least

    assert share(1) == pytest.approx(0.05)
    assert share(20) == pytest.approx(0.861, abs=0.001)
    assert share(300) > 0.99


def test_what_is_known_stays_readable_when_the_search_is_broken_off():
    def interrupted(hold_s: float) -> bool:
        if hold_s < 0.05:
            raise KeyboardInterrupt
        return True

    broken_off = search(interrupted)
    with pytest.raises(KeyboardInterrupt):
        broken_off.run()

    assert broken_off.accepted is not None and broken_off.accepted.hold_s == Plan().longest_s
    assert not broken_off.is_complete


def test_firmware_that_debounces_accepts_presses_from_its_debounce_time_on(wwep_rig, tmp_path):
    (tmp_path / "debounced.toml").write_text(DEBOUNCED)
    command = ("shortest-press", "button0", "--bench", "debounced.toml", "--json")

    done = wwep_rig(*command, "--listen", "0.3", "--resolution", "0.001", timeout_s=110.0)

    assert done.code == 0, done.err
    found = json.loads(done.out)
    assert found["is_complete"] and found["contract_debounce_ms"] == 20
    answer, rejected = found["shortest_accepted"], found["longest_rejected"]
    assert answer["accepted"] == answer["tries"] == 20
    # Its clock ticks in milliseconds, and a busy machine wakes it late: never early.
    assert 19 <= answer["driven_ms_max"]
    assert rejected["hold_ms"] < answer["hold_ms"]
    assert found["accepts_at_least"] == pytest.approx(0.861, abs=0.001)
    assert "ms   accepted 3 of 3" in done.err


def test_firmware_as_taught_accepts_the_shortest_press_that_is_tried(wwep_rig):
    done = wwep_rig("shortest-press", "button0", "--from", "0.0002", "--confirm", "5")

    assert done.code == 0, done.err
    assert "button0: the shortest press that is accepted: 0.2 ms or less, 5 of 5" in done.out
    assert "with 95% confidence the target accepts at least 55% of such presses" in done.out
    assert "not always accepted" not in done.out


def test_range_that_is_none_is_a_usage_error(wwep_rig):
    done = wwep_rig("shortest-press", "button0", "--from", "0.3")

    assert done.code == 2
    assert "the shortest press must be shorter than the longest" in done.err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_search_shows_what_is_known_and_leaves_nothing_behind(start, number):
    process = start("shortest-press", "button0", "--confirm", "10000")
    lines = [process.stdout.readline(), process.stdout.readline()]

    process.send_signal(number)

    out, err = process.communicate(timeout=20)
    assert process.returncode == 130, err
    assert all("accepted 3 of 3" in line for line in lines)
    assert "button0: interrupted: 0.1 ms is accepted so far, 3 of 3" in out
    assert "Traceback" not in err
