"""Recordings read as a whole: what came of each press, and what `show` says of the worst."""

import json

import pytest

from tests.made_presses import MS, MadeRecording
from wwep_rig.recorded import RecordedRun
from wwep_rig.recorded_trips import State


def test_each_press_is_judged_by_what_the_contract_promises(tmp_path):
    made = MadeRecording(tmp_path / "run.sqlite")
    made.press()
    made.press(led_ms=None)
    made.press(frame_ms=None)
    made.press(reply=None)
    made.press(reply=b"X")
    made.press(button=1)
    in_a_test = made.now_ns
    made.press(frame_ms=None)
    made.test("test_it.py::test_ignored", "passed", in_a_test)
    in_a_test = made.now_ns
    made.press(frame_ms=None)
    made.test("test_it.py::test_failed", "failed", in_a_test)

    trips = RecordedRun(made.close()).trips

    assert [(trip.state, trip.problem) for trip in trips] == [
        (State.GOOD, ""),
        (State.FAILED, "led0 did not change"),
        (State.FAILED, "no frame came"),
        (State.FAILED, "the frame was not answered"),
        (State.FAILED, "the frame was answered X"),
        (State.GOOD, ""),
        (State.EXPECTED, "no frame came"),
        (State.FAILED, "no frame came"),
    ]
    assert (
        trips[5].connection and trips[5].connection.tls_version == "TLSv1.3" and trips[5].led_is_on
    )
    assert trips[6].test == "test_it.py::test_ignored"


def test_a_value_that_does_not_agree_with_the_led_is_a_failure(tmp_path):
    made = MadeRecording(tmp_path / "run.sqlite")
    made.press()
    made.insert(
        "edges", at_ns=made.now_ns - MS, line="led0", level=0, source="board", seqno=1
    )  # off again, after the frame said on
    (trip,) = RecordedRun(made.close()).trips

    assert trip.problem == "led0 is off, and 1 was sent"


def test_a_press_that_was_cut_off_by_the_end_is_interrupted_and_no_failure(tmp_path):
    made = MadeRecording(tmp_path / "run.sqlite")
    made.press()
    made.press(frame_ms=None)
    # However long it takes until it is gone on with.
    made.now_ns += 60_000 * MS
    made.insert(
        "runs",
        began_ns=made.now_ns,
        began_wall_ns=0,
        **dict.fromkeys(("command", "host", "bench", "rig_version", "firmware"), ""),
        facts="{}",
    )
    made.press()
    in_a_test = made.now_ns
    made.press(frame_ms=None)
    made.test("test_it.py::test_gave_up", "failed", in_a_test)
    recorded = RecordedRun(made.close(is_killed=True))

    states = [trip.state for trip in recorded.trips]
    assert states == [State.GOOD, State.INTERRUPTED, State.GOOD, State.FAILED]
    assert recorded.missed == {"press_to_frame_ms": 1}


def test_distributions_count_the_misses(tmp_path):
    made = MadeRecording(tmp_path / "run.sqlite")
    for _ in range(8):
        made.press()
    made.press(led_ms=None)
    made.press(led_ms=None, frame_ms=None)
    led, frame, reply = RecordedRun(made.close()).distributions

    assert (led.count, led.missed, frame.count, frame.missed) == (8, 2, 9, 1)
    assert (reply.key, reply.count, reply.missed) == ("frame_to_reply_ms", 9, 0)


@pytest.fixture
def with_an_outlier(tmp_path):
    made = MadeRecording(tmp_path / "run.sqlite", floor=True)
    for frame_ms in (2.0, 3.0, 40.0, 2.5):
        made.press(frame_ms=frame_ms, every_ms=200)
    return made.close()


def test_show_tells_what_happened_around_the_worst_press(with_an_outlier, wwep_rig):
    done = wwep_rig("show", str(with_an_outlier), "--worst", "press-to-frame")
    value = json.loads(
        wwep_rig("show", str(with_an_outlier), "--worst", "press-to-frame", "--json").out
    )

    assert done.code == 0, done.err
    assert done.out.startswith("press → frame: 40.000 ms, the median is 2.500 ms\npress 3 of butto")
    assert "  +40.000 ms  frame       connection 3: write W0006050001" in done.out
    assert (value["press"], value["value_ms"]) == (3, 40.0)
    words = [event["what"] for event in value["events"]]
    assert any("press 3" in each for each in words)
    assert not any("press 2:" in each for each in words)


def test_show_has_the_table_with_intervals_and_floor(with_an_outlier, wwep_rig):
    done = wwep_rig("show", str(with_an_outlier), "--last", "3")
    value = json.loads(wwep_rig("show", str(with_an_outlier), "--json").out)

    assert "p99 between" in done.out and "rig floor: p99 of 1000 over button0:led0" in done.out
    assert value["latencies"][0]["rig_floor_ms"] == 0.2
    assert value["latencies"][1]["p99_between_ms"] == [3.0, None]
    assert value["counts"]["presses"] == 4
