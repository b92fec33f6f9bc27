"""The plugin under a pytest of its own: verdicts, options, reports, and what a crash leaves."""

import os
import re
import signal
import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path
from xml.etree import ElementTree

import pytest

from wwep_rig import sim

PASSING = """
def test_press(bench, recording):
    assert bench.press("button0").reply.accepted
"""

FAILING = """
def test_press(bench, recording):
    assert bench.press("button0").frame.register == 6
"""


def last_line(text: str) -> str:
    return text.rstrip("\n").rpartition("\n")[2]


def properties(element: ElementTree.Element) -> dict[str, str]:
    return {
        str(each.get("name")): str(each.get("value"))
        for each in element.findall("./properties/property")
    }


def test_plugin_is_inert_until_a_fixture_of_it_is_used(run_pytest):
    done = run_pytest(
        "import sys\ndef test_other():\n    assert 'wwep_rig._core' not in sys.modules\n"
    )

    assert done.code == 0
    assert "rig:" not in done.out


def test_good_run_says_so_and_shows_its_latencies(run_pytest):
    done = run_pytest(PASSING)

    assert done.code == 0, done.out
    assert last_line(done.out) == "rig: good"
    assert re.search(r"press → LED +1 +\d", done.out)
    recording = re.search(r"^recording: (.*)$", done.out, re.MULTILINE)
    assert recording is not None and Path(recording[1]).is_file()


def test_failed_assertion_is_a_failure_of_the_target_with_its_timeline(run_pytest):
    done = run_pytest(FAILING)

    assert done.code == 1
    assert last_line(done.out) == "rig: target-failed"
    assert "1 failed" in done.out and "error" not in last_line(done.out)
    assert "rig timeline" in done.out and "button0" in done.out


def test_incomplete_press_is_a_failure_that_says_what_is_missing(run_pytest):
    done = run_pytest(
        "def test_press(bench, recording):\n"
        "    bench.target.stop()\n"
        "    bench.press('button0', timeout_s=0.3)\n"
    )

    assert done.code == 1
    assert "1 failed" in done.out
    assert "waited 0.3 s" in done.out and "LED edge, connection, frame" in done.out
    assert last_line(done.out) == "rig: target-failed"


def test_rig_error_is_an_error_that_skips_the_rest_and_names_the_cause(run_pytest):
    done = run_pytest(
        "from wwep_rig import RigError\n"
        "def test_first(bench, recording):\n    raise RigError('the cable is loose')\n"
        "def test_second(bench, recording):\n    pass\n"
        "def test_without_bench():\n    pass\n",
        "-rs",
        "--junitxml=report.xml",
    )

    assert done.code == 1
    assert "1 passed, 1 skipped, 1 error" in done.out
    assert re.search(r"SKIPPED.*test_first: the cable is loose", done.out)
    assert last_line(done.out) == "rig: rig-error"


def test_rig_error_is_an_error_in_a_junit_file(run_pytest, tmp_path):
    run_pytest(
        "from wwep_rig import RigError\n"
        "def test_first(bench, recording):\n    raise RigError('the cable is loose')\n",
        "--junitxml=report.xml",
    )

    suite = ElementTree.parse(tmp_path / "report.xml").getroot().find("testsuite")
    assert suite is not None
    assert (suite.get("errors"), suite.get("failures")) == ("1", "0")
    assert properties(suite)["rig_verdict"] == "rig-error"


def test_mistake_of_the_script_is_not_blamed_on_the_target(run_pytest):
    done = run_pytest("def test_press(bench, recording):\n    bench.no_such_thing()\n")

    assert done.code == 1
    assert last_line(done.out) == "rig: rig-error"


def test_absent_bench_is_a_skip_with_the_remedy(run_pytest):
    done = run_pytest(PASSING, "--rig-bench", "nowhere", "-rs")

    assert done.code == 0
    assert "1 skipped" in done.out
    assert re.search(r"SKIPPED.*no bench 'nowhere'.*wwep-rig bench new", done.out)
    assert last_line(done.out) == "rig: no-bench"


def test_absent_bench_is_a_failure_when_it_is_required(run_pytest):
    done = run_pytest(PASSING, "--rig-bench", "nowhere", "--rig-require")

    assert done.code == 1
    assert "1 failed" in done.out
    assert last_line(done.out) == "rig: no-bench"


@pytest.mark.parametrize(
    ("arguments", "variable", "ini", "expected"),
    [
        ([], None, "from-ini", "from-ini"),
        ([], "from-environment", "from-ini", "from-environment"),
        (["--rig-bench", "from-command-line"], "from-environment", "from-ini", "from-command-line"),
    ],
)
def test_options_come_from_command_line_then_environment_then_ini(
    run_pytest, arguments, variable, ini, expected
):
    done = run_pytest(
        PASSING,
        "-rs",
        *arguments,
        ini=f"rig_bench = {ini}",
        variables={"WWEP_RIG_BENCH": variable} if variable else {},
    )

    assert f"no bench '{expected}'" in done.out


def test_junit_file_tells_bench_firmware_recording_latencies_and_verdict(run_pytest, tmp_path):
    done = run_pytest(PASSING, "--junitxml=report.xml", "--rig-record", "records")

    assert done.code == 0, done.out
    suite = ElementTree.parse(tmp_path / "report.xml").getroot().find("testsuite")
    assert suite is not None
    of_suite = properties(suite)
    assert of_suite["rig_verdict"] == "good"
    assert of_suite["rig_bench"] == "sim (sim)"
    assert of_suite["rig_firmware"].startswith("dual_client")
    assert (tmp_path / of_suite["rig_recording"]).is_file()
    assert of_suite["rig_press_to_led_ms"].startswith("n=1 missed=0 min=")
    case = suite.find("testcase")
    assert case is not None
    of_test = properties(case)
    assert of_test["rig_verdict"] == "good"
    assert float(of_test["rig_press_to_led_ms_max"]) > 0


def test_each_test_finds_cleared_registers_and_a_running_target(run_pytest):
    done = run_pytest(
        "def test_first(bench, recording):\n"
        "    bench.press('button0')\n"
        "    bench.target.kill()\n"
        "    recording.wait_for_target_end(timeout_s=20.0)\n"
        "def test_second(bench, recording):\n"
        "    assert bench.target.is_running\n"
        "    assert bench.server.register(bench.target.device_id, 5) is None\n"
        "    assert recording.frames == ()\n"
    )

    assert "2 passed" in done.out, done.out


def test_failed_test_resets_the_target_for_the_next(run_pytest):
    done = run_pytest(
        "def test_first(bench, recording):\n"
        "    test_first.pid = bench.target.pid\n"
        "    assert False\n"
        "def test_second(bench, recording):\n"
        "    assert bench.target.pid != test_first.pid\n"
    )

    assert "1 passed" in done.out and "1 failed" in done.out


def test_fault_that_never_came_into_effect_fails_the_test(run_pytest):
    done = run_pytest(
        "from wwep_rig import faults\n"
        "def test_it(bench, recording):\n"
        "    with bench.server.fault(faults.Late(by_s=0.3), nth=2):\n"
        "        bench.press('button0')\n"
    )

    assert "1 failed" in done.out
    assert re.search(r"Late\(by_s=0.3\) never came into effect, for frame 2", done.out)


def test_killed_pytest_takes_the_pressed_board_with_it(environment, tmp_path, command_of_pytest):
    (tmp_path / "test_it.py").write_text(
        "from wwep_rig import Until\n"
        "def test_press(bench, recording):\n"
        "    bench.press('button0', hold_s=60.0, until=Until.led)\n"
        "    print('pressed', bench.target.pid, bench.recording_path, flush=True)\n"
        "    recording.stays_quiet(for_s=60.0)\n"
        "    recording.wait_for(lambda event: False, 'the end', timeout_s=60.0)\n"
    )
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    process = subprocess.Popen(
        [*command_of_pytest, "-s", "test_it.py"],
        env=environment,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    line = next(line for line in process.stdout if "pressed" in line)
    words = line[line.index("pressed") :].split()
    pid, recording = int(words[1]), Path(words[2])

    process.send_signal(signal.SIGKILL)
    process.wait(timeout=20)
    process.stdout.close()

    board_log = recording.with_name(recording.name + ".board.log")
    give_up_at = time.monotonic() + 20.0
    while is_alive(pid) and time.monotonic() < give_up_at:
        time.sleep(0.01)  # nobody tells when another process's child is gone
    assert not is_alive(pid)
    seen = board_log.read_text()
    assert "pin 0 low" in seen
    assert seen.index("wire cut") < seen.rindex("pin 0 high"), "the board was left pressed"


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    ("before", "word", "code"),
    [("pass", "good", 3), ("raise wwep_rig.TargetFailed('the LED is dead')", "target-failed", 1)],
)
def test_interrupted_run_lets_go_of_the_button_and_judges_what_ran(
    environment, tmp_path, command_of_pytest, wwep_rig, number, before, word, code
):
    (tmp_path / "test_it.py").write_text(
        "import wwep_rig\n"
        "def test_before(bench, recording):\n"
        f"    {before}\n"
        "def test_press(bench, recording):\n"
        "    bench.start_press('button0', hold_s=60.0)\n"
        "    print('waiting', flush=True)\n"
        "    recording.wait_for(lambda event: False, 'the end', timeout_s=60.0)\n"
    )
    # While pytest reports it, the one who presses Ctrl-C loses patience.
    (tmp_path / "conftest.py").write_text(
        "import os, pathlib, time\n"
        "def pytest_keyboard_interrupt():\n"
        "    print('reporting', flush=True)\n"
        "    give_up_at = time.monotonic() + 20\n"
        "    while not pathlib.Path('signalled').exists() and time.monotonic() < give_up_at:\n"
        "        time.sleep(0.01)\n"
    )
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    process = subprocess.Popen(
        [*command_of_pytest, "-s", "test_it.py", "--junitxml=report.xml", "--rig-record=runs"],
        env=environment,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    for line in process.stdout:
        if "waiting" in line:
            break

    process.send_signal(number)
    for line in process.stdout:
        if "reporting" in line:
            break
    process.send_signal(number)
    (tmp_path / "signalled").touch()
    out, _ = process.communicate(timeout=20)

    assert process.returncode == pytest.ExitCode.INTERRUPTED
    (recording,) = (tmp_path / "runs").glob("*.sqlite")
    with closing(sqlite3.connect(recording)) as database:
        ended = "select outcome from tests where ended_ns is not null order by began_ns"
        outcomes = [row[0] for row in database.execute(ended)]
    assert outcomes == ["passed" if before == "pass" else "failed", "error"]
    assert last_line(out) == f"rig: {word} (interrupted)"
    told = wwep_rig("verdict", "report.xml")
    assert (told.code, told.out) == (code, f"{word} (interrupted)\n")
    (board_log,) = (tmp_path / "runs").glob("*.board.log")
    events = [line.partition(" ")[2] for line in board_log.read_text().splitlines()]
    assert [event for event in events if event.startswith("pin 0 ")][-1] == "pin 0 high"


def test_lost_edges_are_an_error_of_the_rig_and_no_verdict_on_the_target(
    run_pytest, wwep_rig, tmp_path
):
    wwep_rig("bench", "new", "flood", "--kind", "sim")
    path = tmp_path / "benches" / "flood.toml"
    path.write_text(path.read_text().replace('"dual_client"', '"edge_flood"'))

    done = run_pytest(
        "from wwep_rig import Until\n"
        "def test_first(bench, recording):\n"
        "    bench.press('button0', until=Until.led)\n"
        "    recording.wait_for_console('flood: made', timeout_s=20.0)\n"
        "def test_second(bench, recording):\n"
        "    pass\n",
        "--rig-bench",
        "flood",
    )

    assert done.code == 1
    assert re.search(r"RigError: \d+ edges were lost between the board and the rig", done.out)
    assert "1 skipped, 1 error" in done.out
    assert last_line(done.out) == "rig: rig-error"


def test_bench_that_another_user_has_is_a_skip_that_names_them(run_pytest, wwep_rig, start):
    wwep_rig("bench", "new", "shared", "--kind", "sim")
    other = start("watch", "--bench", "shared")
    other.stdout.readline()

    done = run_pytest(PASSING, "--rig-bench", "shared", "-rs")

    assert "1 skipped" in done.out
    assert f"bench shared is in use: process {other.pid} " in done.out
    assert last_line(done.out) == "rig: no-bench"


def test_two_runs_side_by_side_do_not_meet(environment, tmp_path, command_of_pytest):
    (tmp_path / "test_it.py").write_text(
        "def test_presses(bench, recording):\n"
        "    for _ in range(10):\n"
        "        bench.press('button0')\n"
        "    assert len(recording.frames) == 10\n"
    )
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    runs = [
        subprocess.Popen(
            [*command_of_pytest, "test_it.py"],
            env=environment,
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]

    outs = [run.communicate(timeout=60)[0] for run in runs]

    assert [last_line(out) for out in outs] == ["rig: good", "rig: good"]


def test_one_bench_is_had_by_tests_of_their_own_before_the_session_opens_it(
    run_pytest, wwep_rig, tmp_path
):
    wwep_rig("bench", "new", "bench-1", "--kind", "sim")
    path = tmp_path / "benches" / "bench-1.toml"
    address = next(sim.free_addresses(27708, 40508))
    path.write_text(path.read_text().replace("[server]\n", f'[server]\naddress = "{address}"\n'))
    assert address in path.read_text()

    done = run_pytest(
        "def test_shared(bench, recording):\n    assert bench.press('button0').reply.accepted\n"
        "def test_own(bench_with):\n"
        "    bench = bench_with(identity='server-rsa')\n"
        "    assert bench.press('button1').reply.accepted\n"
        "def test_both(bench, bench_with):\n    bench_with()\n",
        "-rs",
        "-v",
        "--rig-bench",
        "bench-1",
    )

    assert done.code == 0, done.out
    assert done.out.index("::test_own PASSED") < done.out.index("::test_shared PASSED")
    assert "bench bench-1 is open already, and there cannot be a second one" in done.out
    assert "2 passed, 1 skipped" in done.out


@pytest.mark.parametrize(
    ("arguments", "variables", "complaint"),
    [
        (["--rig-keep=many"], {}, "rig_keep: 'many' is no number"),
        ([], {"WWEP_RIG_KEEP": "-1"}, "rig_keep: '-1' is no number"),
        ([], {"WWEP_RIG_REQUIRE": "perhaps"}, "rig_require: 'perhaps' is neither yes nor no"),
    ],
)
def test_setting_that_makes_no_sense_is_a_usage_error_before_any_test(
    run_pytest, arguments, variables, complaint
):
    done = run_pytest("def test_any():\n    print('ran')\n", *arguments, variables=variables)

    assert done.code == pytest.ExitCode.USAGE_ERROR
    assert complaint in done.err and "test_any" not in done.out


def test_only_as_many_recordings_stay_as_are_to_be_kept(run_pytest, tmp_path):
    source = "def test_press(bench, recording):\n    bench.press('button0')\n"

    for _ in range(3):
        assert run_pytest(source, "--rig-record=runs", "--rig-keep=2", "--rig-report=all").code == 0

    kept = sorted(path.name for path in (tmp_path / "runs").iterdir())
    endings = [name.partition(".sqlite")[2] for name in kept]
    assert endings == ["", ".board.log", ".html"] * 2


def test_press_that_the_bench_has_forgotten_is_no_rig_error(run_pytest):
    """A bench remembers the last thousand round trips; a test may make more."""
    source = (
        "from wwep_rig import RigError\n"
        "def test_many(bench, recording):\n"
        "    trip_of = bench.trip_of\n"
        "    def forgetful(press_id):\n"
        "        if press_id == 1:\n"
        "            raise RigError('press 1 is not known any more')\n"
        "        return trip_of(press_id)\n"
        "    for _ in range(3):\n"
        "        bench.press('button0')\n"
        "    bench.trip_of = forgetful\n"
    )
    done = run_pytest(source)

    assert done.code == 0 and last_line(done.out) == "rig: good"
    assert re.search(r"press → LED +2 ", done.out)
    assert "without 1 earlier press: see the report" in done.out
