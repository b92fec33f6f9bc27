"""Bounce profiles as they are driven, and both variants of the firmware under their contracts."""

import re
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from wwep_rig import _core, open_bench

SCENARIOS = Path(__file__).parent.parent / "scenarios" / "test_bounce.py"
DEBOUNCED = """
[bench]
name = "debounced"
kind = "sim"
[target]
device = "02:00:00:00:00:01"
program = "{program}"
ready = "ready"
[target.contract]
debounce_ms = {debounce_ms}
"""


@pytest.fixture
def bench_file(tmp_path: Path) -> Callable[..., Path]:
    """Makes the file of a bench whose contract promises a debounce time."""

    def make(program: str = "dual_client_debounced", debounce_ms: int = 20) -> Path:
        path = tmp_path / f"{program}-{debounce_ms}.toml"
        path.write_text(DEBOUNCED.format(program=program, debounce_ms=debounce_ms))
        return path

    return make


def outcomes(report: str) -> dict[str, set[str]]:
    """The names of the tests that passed, failed and were skipped, without their parameters."""
    found: dict[str, set[str]] = {"PASSED": set(), "FAILED": set(), "SKIPPED": set()}
    for name, outcome in re.findall(r"::(\w+)\S* (PASSED|FAILED|SKIPPED)", report):
        found[outcome].add(name)
    return found


TWO_ANYWAY = {
    "test_clean_press_gives_exactly_one_frame",
    "test_press_longer_than_the_debounce_time_is_a_press",
}
DEBOUNCING = {
    "test_contact_that_bounces_is_one_press_to_firmware_that_debounces",
    "test_glitch_shorter_than_the_debounce_time_is_no_press",
}
AS_TAUGHT = {"test_firmware_as_taught_may_take_each_closing_for_a_press"}


def test_firmware_that_debounces_keeps_its_contract(run_pytest, bench_file):
    done = run_pytest(SCENARIOS.read_text(), "-v", "--rig-bench", str(bench_file()))

    assert outcomes(done.out) == {
        "PASSED": TWO_ANYWAY | DEBOUNCING,
        "FAILED": set(),
        "SKIPPED": AS_TAUGHT,
    }


def test_firmware_as_taught_keeps_its_contract_which_promises_less(run_pytest):
    done = run_pytest(SCENARIOS.read_text(), "-v")

    assert outcomes(done.out) == {
        "PASSED": TWO_ANYWAY | AS_TAUGHT,
        "FAILED": set(),
        "SKIPPED": DEBOUNCING,
    }


def test_firmware_as_taught_breaks_a_contract_that_promises_to_debounce(run_pytest, bench_file):
    path = bench_file("dual_client", 20)

    done = run_pytest(SCENARIOS.read_text(), "-v", "--rig-bench", str(path))

    assert outcomes(done.out)["FAILED"] >= DEBOUNCING
    assert "rig: target-failed" in done.out


@pytest.mark.parametrize("profile", ["ideal", "tactile:seed=7", "worn:seed=3", "glitch:700us"])
def test_timeline_and_recording_hold_the_edges_that_were_driven(environment, tmp_path, profile):
    hold_s = 0.05
    path = tmp_path / "run.sqlite"
    with open_bench("sim", program="jumper", recording=path, environment=environment) as bench:
        bench.target.start()
        window = bench.record()
        bench.start_press("button0", profile=profile, hold_s=hold_s)
        window.wait_for(
            lambda event: isinstance(event.value, _core.PressReleased)
            and event.value.line == "button0",
            "the release",
            timeout_s=20.0,
        )
        edges = [edge for edge in window.button_edges if edge.line == "button0"]
        press = window.presses[0]

    steps = _core.press_steps(profile, hold_s)
    assert [edge.is_on for edge in edges] == [step.closed for step in steps]
    assert [edge.seqno for edge in edges] == list(range(1, len(steps) + 1))
    assert press.before_ns <= edges[0].at_ns <= press.after_ns
    assert edges[-1].at_ns <= press.released_ns
    # Never before its time, which counts from the moment right after the first one; how late it
    # may be is this machine's business.
    for edge, step in zip(edges[1:], steps[1:]):
        assert edge.at_ns - press.after_ns >= step.after_ns
    with sqlite3.connect(path) as database:
        rows = database.execute(
            "select at_ns, level from edges where line = 'button0' order by seqno"
        ).fetchall()
    assert rows == [(edge.at_ns, 0 if edge.is_on else 1) for edge in edges]


def test_firmware_as_taught_makes_a_press_of_each_closing(environment):
    with open_bench("sim", environment=environment) as bench:
        bench.target.start()
        window = bench.record()

        bench.start_press("button0", profile="tactile:seed=7")

        closings = sum(step.closed for step in _core.press_steps("tactile:seed=7", 0.03))
        frames = window.wait_for_frames(closings, timeout_s=20.0)
        assert len(frames) == closings > 2
        assert [frame.value for frame in frames] == [(n + 1) % 2 for n in range(closings)]
        bench.led("led0").edges(for_s=0.3, count=0)


def test_press_by_hand_can_bounce(wwep_rig, bench_file):
    done = wwep_rig("press", "button0", "--bench", str(bench_file()), "--profile", "worn:seed=3")

    assert done.code == 0, done.err
    assert "W0003050001 → A0003050001" in done.out
    assert wwep_rig("press", "button0", "--profile", "limp").code == 2


def test_buttons_rest_for_the_debounce_time_between_presses(environment, bench_file):
    with open_bench(bench_file(debounce_ms=100), environment=environment) as bench:
        bench.target.start()
        window = bench.record()

        for _ in range(3):
            assert len(bench.press("button0").frames) == 1

        presses = window.presses
        rested_ns = [
            after.before_ns - before.released_ns for before, after in zip(presses, presses[1:])
        ]
        assert len(rested_ns) == 2 and min(rested_ns) >= 100_000_000
