"""`wwep-rig compare`: what chance does not explain, and what nobody cares for."""

import json
import random

import pytest

from tests.made_presses import MadeRecording
from wwep_rig.compare import Change, Comparison, Percentile, compare
from wwep_rig.recorded import RecordedRun

SEED = 20260102


@pytest.fixture
def record(tmp_path):
    """Makes a recording of presses whose frames come after about so long."""

    def make(name, *, frame_ms=2.0, presses=600, missed=0, seed=SEED, tests=(), **run):
        draw = random.Random(seed)
        made = MadeRecording(tmp_path / f"{name}.sqlite", **run)
        for nodeid, outcome in tests:
            made.test(nodeid, outcome, made.now_ns)
        for number in range(presses):
            late = number < missed
            took_ms = None if late else frame_ms * draw.lognormvariate(0, 0.2)
            made.press(frame_ms=took_ms, lines=0)
        return made.close()

    return make


def of(found: Comparison, key: str, percent: int) -> Percentile:
    return next(one for one in found.percentiles if (one.key, one.percent) == (key, percent))


def test_recordings_of_the_same_target_are_not_worse(record):
    found = compare(RecordedRun(record("a")), RecordedRun(record("b", seed=SEED + 1, missed=1)))

    assert not found.is_worse
    assert {one.change for one in found.percentiles} == {Change.SAME}
    assert found.failures.change is Change.SAME and found.failures.b_failed == 1
    assert found.failures.new == {"no frame came": 1}


def test_a_later_percentile_is_worse_one_way_and_better_the_other(record, wwep_rig):
    a, b = record("a"), record("b", frame_ms=4.0, seed=SEED + 1, firmware="the new one")

    done = wwep_rig("compare", str(a), str(b))
    value = json.loads(wwep_rig("compare", str(a), str(b), "--json").out)
    back = wwep_rig("compare", str(b), str(a))

    assert done.code == 1, done.err
    assert "firmware: dual_client → the new one" in done.out
    assert "verdict: worse\n    press → frame p50: 2.0" in done.out
    assert value["verdict"] == "worse" and len(value["worse"]) == 3
    assert back.code == 0 and "better" in back.out and "verdict: not worse" in back.out


def test_a_certain_difference_within_the_tolerance_is_the_same(record, wwep_rig):
    a, b = record("a"), record("b", frame_ms=2.2, seed=SEED + 1)

    assert wwep_rig("compare", str(a), str(b)).code == 0
    assert (
        wwep_rig("compare", str(a), str(b), "--tolerance-ms", "0.05", "--tolerance", "1").code == 1
    )


def test_more_failed_presses_are_worse_though_those_that_came_were_quick(record):
    found = compare(RecordedRun(record("a")), RecordedRun(record("b", missed=30)))

    assert found.failures.change is Change.WORSE
    assert "failed presses: 0 of 600, now 30 of 600" in found.worse
    assert of(found, "press_to_frame_ms", 99).change is Change.WORSE  # among the misses
    assert of(found, "press_to_frame_ms", 50).change is Change.SAME


def test_too_few_presses_say_nothing_of_a_percentile(record):
    found = compare(RecordedRun(record("a", presses=5)), RecordedRun(record("b", presses=5)))

    assert of(found, "press_to_frame_ms", 99).change is Change.UNKNOWN and not found.is_worse


def test_a_test_that_passed_and_does_not_any_more_is_worse(record):
    a = record("a", presses=1, tests=[("one", "passed"), ("two", "failed"), ("three", "passed")])
    b = record("b", presses=1, tests=[("one", "failed"), ("two", "passed"), ("four", "passed")])

    found = compare(RecordedRun(a), RecordedRun(b))

    assert {test.nodeid: test.change for test in found.tests} == {
        "one": Change.WORSE,
        "two": Change.BETTER,
        "three": Change.UNKNOWN,
        "four": Change.UNKNOWN,
    }
    assert found.worse == ["one: passed, now failed"]
