"""The rig measures itself, the recordings carry it, and no budget below it is judged."""

import json
import re
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from wwep_rig import NoBench, RigError, TargetFailed, _core, calibration, loopback, open_bench
from wwep_rig.latencies import Latencies, distributions, table

BENCH = """
[bench]
name = "{name}"
kind = "sim"
{bench}
[target]
device = "02:00:00:00:00:01"
program = "dual_client"
ready = "ready"
[budgets]
{budgets}
"""


@pytest.fixture
def own_state(tmp_path: Path) -> dict[str, str]:
    """Variables that give a test a state directory of its own."""
    return {"XDG_STATE_HOME": str(tmp_path / "state")}


@pytest.fixture
def bench_file(tmp_path: Path):
    """Makes a bench file."""

    def make(name: str, *, bench: str = "", budgets: str = "") -> Path:
        path = tmp_path / f"{name}.toml"
        path.write_text(BENCH.format(name=name, bench=bench, budgets=budgets))
        return path

    return make


def kept(name: str, path: Path, environment: dict[str, str], floor_ms: float) -> None:
    """Keeps a calibration of that bench with that floor."""
    spread = calibration.Spread(floor_ms / 2, floor_ms, floor_ms * 2, floor_ms)
    found = calibration.Calibration(
        bench=name,
        loopback="button0:led0",
        over="a wire",
        host=calibration.host(),
        lines=calibration.digest_of(_core.BenchFile.load(str(path))),
        measured_at="2026-01-01T12:00:00+00:00",
        samples=1000,
        missed=0,
        set_call=replace(spread, p99_ms=floor_ms / 10),
        set_to_edge=spread,
        edge_to_read=spread,
        edge_to_python=spread,
    )
    calibration.save(found, environment)


def test_doctor_measures_the_rig_and_the_next_recording_shows_it(wwep_rig, own_state, tmp_path):
    measured = wwep_rig("doctor", "--loopback", "button0:led0", variables=own_state)

    assert measured.code == 0, measured.err
    told = re.search(
        r"^.*button0:led0 over firmware jumper: (\d+) edges, (\d+) missed", measured.out
    )
    assert told is not None, measured.out
    # One that came after more than 200 ms is missed: that is this machine's business.
    assert int(told[1]) + int(told[2]) == 1000 and int(told[1]) >= 900
    for name in ("setting the line", "set call → kernel edge", "edge → rig", "edge → Python"):
        row = next(line for line in measured.out.splitlines() if line.startswith(name))
        p50, p99, longest, jitter = (float(number) for number in row.split()[-4:])
        assert 0 <= p50 <= p99 <= longest and jitter <= longest
    pressed = wwep_rig("press", "button0", "--count", "2", variables=own_state)
    assert "rig floor" in pressed.out


def test_recordings_carry_what_was_measured_and_show_it_beside_each_latency(
    run_pytest, wwep_rig, own_state, tmp_path
):
    measured = wwep_rig("doctor", "--json", "--loopback", "button1:led1", variables=own_state)
    found = json.loads(measured.out)
    assert found["samples"] + found["missed"] == 1000 and found["loopback"] == "button1:led1"

    source = "def test_it(bench, recording):\n    bench.press('button1')\n"
    done = run_pytest(source, "--rig-record", str(tmp_path / "recordings"), variables=own_state)

    assert done.code == 0, done.out
    assert "rig floor: p99 of " in done.out
    (recording,) = (tmp_path / "recordings").glob("*.sqlite")
    shown = wwep_rig("show", str(recording))
    floor_ms = found["set_to_edge"]["p99_ms"]
    led = next(line for line in shown.out.splitlines() if line.startswith("press → LED"))
    reply = next(line for line in shown.out.splitlines() if line.startswith("frame → reply"))
    assert float(led.split()[-1]) == pytest.approx(floor_ms, abs=0.0006)
    assert reply.split()[-1] == "-"
    whole = json.loads(wwep_rig("show", str(recording), "--json").out)
    assert whole["run"]["facts"]["calibration"]["set_to_edge"] == found["set_to_edge"]
    assert {row["latency"]: row["rig_floor_ms"] for row in whole["latencies"]} == {
        "press_to_led_ms": floor_ms,
        "press_to_frame_ms": found["set_call"]["p99_ms"],
        "frame_to_reply_ms": None,
        "handshake_ms": None,
    }


def test_recording_without_a_calibration_shows_no_floor(wwep_rig, own_state):
    done = wwep_rig("press", "button0", "--count", "2", variables=own_state)

    assert "press → LED" in done.out and "rig floor" not in done.out


def test_bench_file_may_name_the_pair(wwep_rig, own_state, bench_file):
    path = bench_file("paired", bench='loopback = "button1:led1"')

    done = wwep_rig("doctor", "--bench", str(path), "--loopback", variables=own_state)

    assert done.code == 0, done.err
    assert "button1:led1 over firmware jumper" in done.out


def test_pair_that_nobody_names_is_asked_for(wwep_rig, own_state):
    done = wwep_rig("doctor", "--loopback", variables=own_state)

    assert done.code == 4
    assert "say --loopback BUTTON:LED" in done.err


@pytest.mark.parametrize(
    ("pair", "code", "complaint"),
    [
        ("button0", 2, "expected BUTTON:LED"),
        ("button7:led0", 4, "no button 'button7'"),
        ("button0:led7", 4, "no LED 'led7'"),
        ("button0:led1", 3, "led1 does not follow button0; wire them together"),
    ],
)
def test_pair_that_cannot_be_measured_is_refused(wwep_rig, own_state, pair, code, complaint):
    done = wwep_rig("doctor", "--loopback", pair, variables=own_state)

    assert done.code == code
    assert complaint in done.err


def test_calibration_of_other_lines_is_not_carried(environment, tmp_path, bench_file):
    variables = {**environment, "XDG_STATE_HOME": str(tmp_path / "state")}
    path = bench_file("moved")
    kept("moved", path, variables, 5.0)
    assert calibration.load(_core.BenchFile.load(str(path)), variables) is not None

    path.write_text(path.read_text() + "[lines.button0]\nline = 7\n[lines.led0]\nline = 8\n")

    assert calibration.load(_core.BenchFile.load(str(path)), variables) is None


@pytest.mark.parametrize("damage", ["", "[]", "{}", '{"bench": 1}', "nonsense"])
def test_damaged_calibration_is_none(environment, tmp_path, bench_file, damage):
    variables = {**environment, "XDG_STATE_HOME": str(tmp_path / "state")}
    path = bench_file("damaged")
    kept("damaged", path, variables, 5.0)
    calibration.place_of("damaged", variables).write_text(damage)

    assert calibration.load(_core.BenchFile.load(str(path)), variables) is None


@pytest.mark.parametrize(("budget_ms", "is_refused"), [(4, True), (6, False)])
def test_budget_of_the_bench_file_below_the_floor_is_refused(
    environment, tmp_path, bench_file, budget_ms, is_refused
):
    variables = {**environment, "XDG_STATE_HOME": str(tmp_path / "state")}
    path = bench_file("tight", budgets=f"press_to_led_ms = {budget_ms}")
    kept("tight", path, variables, 5.0)

    if not is_refused:
        open_bench(path, environment=variables).close()
        return
    with pytest.raises(NoBench) as refused:
        open_bench(path, environment=variables)
    assert str(refused.value) == (
        "bench tight: budgets.press_to_led_ms = 4 is below the rig's own floor of 5.000 ms (p99 of "
        "1000 over button0:led0, measured 2026-01-01T12:00:00+00:00): the rig cannot judge that; "
        "allow more, or measure again: wwep-rig doctor --loopback"
    )


def test_bench_with_a_budget_below_its_floor_can_be_measured_again(
    wwep_rig, environment, own_state, bench_file
):
    path = bench_file("again", budgets="press_to_led_ms = 900")
    kept("again", path, {**environment, **own_state}, 5000.0)
    assert wwep_rig("press", "button0", "--bench", str(path), variables=own_state).code == 4

    again = wwep_rig(
        "doctor", "--bench", str(path), "--loopback", "button0:led0", variables=own_state
    )

    assert again.code == 0, again.err
    assert wwep_rig("press", "button0", "--bench", str(path), variables=own_state).code == 0


def test_latency_of_a_script_below_the_floor_is_refused_and_one_above_is_judged(
    environment, tmp_path, bench_file
):
    variables = {**environment, "XDG_STATE_HOME": str(tmp_path / "state")}
    path = bench_file("judged")
    kept("judged", path, variables, 0.00001)
    with open_bench(path, environment=variables) as bench:
        bench.target.start()
        trip = bench.press("button0")

        bench.expect_latencies(trip)
        bench.expect_latencies(trip, press_to_led_ms=5000.0, press_to_frame_ms=5000.0)
        with pytest.raises(NoBench, match="^press_to_led_ms = 1e-06 is below the rig's own floor"):
            bench.expect_latencies(trip, press_to_led_ms=0.000001)
        with pytest.raises(
            TargetFailed, match=r"press → LED took .* ms, expected at most 0\.0001 ms"
        ):
            bench.expect_latencies(trip, press_to_led_ms=0.0001)


def test_budgets_of_the_bench_file_are_judged_press_by_press(run_pytest, bench_file):
    scenario = Path(__file__).parent.parent / "scenarios" / "test_latency.py"
    path = bench_file("kept", budgets="press_to_led_ms = 2000\npress_to_frame_ms = 5000")
    kept_done = run_pytest(scenario.read_text(), "--rig-bench", str(path))
    assert "2 passed" in kept_done.out

    # Longer than any bench takes from the press on: a debounce time that is no short one.
    slow = bench_file("slow", budgets="press_to_led_ms = 10")
    slow.write_text(slow.read_text().replace('"dual_client"', '"dual_client_debounced"'))
    slow.write_text(slow.read_text() + "[target.contract]\ndebounce_ms = 20\n")
    done = run_pytest(scenario.read_text(), "--rig-bench", str(slow))

    assert "2 failed" in done.out
    assert "press → LED took" in done.out and "expected at most 10 ms" in done.out
    assert "rig: target-failed" in done.out


def test_measuring_needs_a_wire(environment):
    with open_bench("sim", environment=environment) as bench:
        bench.target.start()

        with pytest.raises(RigError, match="led1 does not follow button0"):
            loopback.measure(bench, "button0", "led1", over="", lines="", samples=10)


def test_measurement_tells_how_far_it_is_and_ctrl_c_breaks_it_off(environment):
    with open_bench("sim", environment=environment, program="jumper") as bench:
        bench.target.start()
        told: list[str] = []
        loopback.measure(bench, "button0", "led0", over="", lines="", samples=3, tell=told.append)
        assert told[:3] == ["press 1 of 3", "press 2 of 3", "press 3 of 3"]
        assert told[-1] == "edge 3 of 3"

        def press_ctrl_c(done: int) -> None:
            signal.raise_signal(signal.SIGINT)

        window = bench.record()
        with pytest.raises(KeyboardInterrupt):
            bench.measure_loopback("button0", "led0", samples=100_000_000, tell=press_ctrl_c)
        # Somebody who presses it finds it open.
        bench.start_press("button0", hold_s=0.002)
        assert window.wait_for(lambda event: "led0" in event.text, "led0", timeout_s=10.0)


def test_table_without_a_floor_is_as_it_was():
    rows = distributions([Latencies(1.0, 2.0, 3.0, None, 0.0)])

    assert [len(line) for line in table(rows)] == [76] * 4
    assert [len(line) for line in table(rows, {"press_to_led_ms": 0.5})] == [87] * 4
    assert table(rows, {"press_to_led_ms": 0.5})[1].endswith("0.500")
    assert table(rows, {"press_to_led_ms": 0.5})[2].endswith(" -")
