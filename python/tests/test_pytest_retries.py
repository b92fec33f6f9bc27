"""Retries and annotations of the plugin: nothing that went wrong is ever hidden."""

import sqlite3
from pathlib import Path
from xml.etree import ElementTree

from tests.test_pytest_plugin import last_line, properties

FLAKY = """
import pathlib
COUNT = pathlib.Path("count")

def test_flaky(bench, recording):
    number = int(COUNT.read_text()) if COUNT.exists() else 0
    COUNT.write_text(str(number + 1))
    assert bench.press("button0").reply.accepted
    assert number >= {good_from}, "not yet"

def test_after_it(bench, recording):
    assert bench.press("button0").reply.accepted
"""


def test_test_that_passes_late_is_told_everywhere(run_pytest, wwep_rig, tmp_path):
    options = ("--rig-retries", "2", "--junitxml=r.xml", "--rig-record", "recordings")
    done = run_pytest(FLAKY.format(good_from=2), *options)

    assert done.code == 0, done.out
    assert last_line(done.out) == "rig: good (1 test passed after a retry)"
    assert "2 passed, 2 retried" in done.out
    assert "passed after 2 retries: test_it.py::test_flaky" in done.out
    assert "attempt 2: AssertionError: not yet" in done.out
    root = ElementTree.parse(tmp_path / "r.xml").getroot()
    cases = {case.get("name"): properties(case) for case in root.iter("testcase")}
    flaky = cases["test_flaky"]
    assert flaky["rig_retries"] == "2" and flaky["rig_verdict"] == "good"
    assert flaky["rig_attempt_1"] == "target-failed: AssertionError: not yet"
    assert "attempt_2_rig_press_to_led_ms_max" in flaky
    assert "rig_retries" not in cases["test_after_it"]
    (suite,) = root.iter("testsuite")
    assert properties(suite)["rig_passed_after_retry"] == "1"
    told = wwep_rig("verdict", "r.xml")
    assert (told.code, told.out) == (0, "good (1 test passed after a retry)\n")
    # The bench stayed open, and its one recording has each attempt.
    (path,) = (tmp_path / "recordings").glob("*.sqlite")
    database = sqlite3.connect(path)
    outcomes = database.execute("select outcome from tests order by began_ns").fetchall()
    database.close()
    assert outcomes == [("failed",), ("failed",), ("passed",), ("passed",)]


def test_test_that_never_passes_fails_as_without_retries(run_pytest):
    done = run_pytest(FLAKY.format(good_from=9), "--rig-retries", "1")

    assert done.code == 1
    assert last_line(done.out) == "rig: target-failed"
    assert "1 failed, 1 passed, 1 retried" in done.out
    assert "failed after 1 retry: test_it.py::test_flaky" in done.out


def test_nothing_is_tried_again_unless_asked(run_pytest, tmp_path):
    done = run_pytest(FLAKY.format(good_from=1))

    assert done.code == 1 and "retried" not in done.out
    assert (tmp_path / "count").read_text() == "1"
    assert run_pytest("", "--rig-retries", "few").code == 4


def test_rig_errors_and_scripts_own_mistakes_are_not_tried_again(run_pytest):
    done = run_pytest(
        "from wwep_rig import RigError\n"
        "def test_mistake(bench):\n    raise KeyError('mine')\n"
        "def test_rig(bench):\n    raise RigError('the wire broke')\n",
        "--rig-retries",
        "3",
    )

    assert "retried" not in done.out
    assert last_line(done.out) == "rig: rig-error"


def test_failures_are_annotated_where_github_runs_the_job(run_pytest, tmp_path):
    source = (
        FLAKY.format(good_from=1)
        + "\ndef test_bad(bench, recording):\n"
        + "    assert bench.press('button0').frame.register == 6, '100 %\\nno'\n"
        + "\ndef test_rig(bench):\n    raise bench._no_such_thing\n"
    )
    variables = {"GITHUB_ACTIONS": "true", "GITHUB_WORKSPACE": str(tmp_path.parent)}
    done = run_pytest(source, "--rig-retries", "1", variables=variables)

    lines = [line for line in done.out.splitlines() if line.startswith("::")]
    path = Path(tmp_path.name) / "test_it.py"
    bad, broken, late = (line_of(source, words) for words in ("== 6", "_no_such", '"not yet"'))
    assert lines == [
        f"::error file={path},line={bad},title=target failed::test_it.py::test_bad"
        "%0AAssertionError: 100 %25",
        f"::error file={path},line={broken},title=rig error::test_it.py::test_rig"
        "%0AAttributeError: 'Bench' object has no attribute '_no_such_thing'",
        f"::warning file={path},line={late},title=passed after a retry::"
        "passed after 1 retry: test_it.py::test_flaky%0AAssertionError: not yet",
    ]
    assert "::error" not in run_pytest(source).out


def line_of(source: str, words: str) -> int:
    (number,) = (at for at, line in enumerate(source.splitlines(), 1) if words in line)
    return number
