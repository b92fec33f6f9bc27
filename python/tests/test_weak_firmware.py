"""Firmware that is weak on purpose: a scenario catches each, and passes a sound one."""

import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

SCENARIOS = Path(__file__).resolve().parents[1] / "scenarios"
VERDICT = SCENARIOS / "test_faults_verdict.py"
IN_THE_MIDDLE = SCENARIOS / "test_faults_man_in_the_middle.py"
BENCH = """
[bench]
name = "{program}"
kind = "sim"
[target]
device = "02:00:00:00:00:01"
program = "{program}"
ready = "ready"
[target.contract]
retries = 1
verifies = ["chain", "time"]
"""
EXCHANGE = "test_spoilt_exchange_is_ended_in_time_and_the_next_is_heard"
LEFT_BEHIND = "test_spoilt_exchanges_leave_nothing_behind"

# By program: what is run, which test of it must fail first, and what it must say.
WEAK: dict[str, tuple[list[Path | str], str, str]] = {
    "weak_no_verification": (
        [IN_THE_MIDDLE],
        "test_man_in_the_middle_gets_not_one_byte",
        "was let in, read W0003050001 and sent W0003050000 on",
    ),
    "weak_no_timeout": ([VERDICT], f"{EXCHANGE}[NoReply", "the end of 2 connections"),
    "weak_socket_leaked": ([VERDICT, "-k", LEFT_BEHIND], LEFT_BEHIND, "has become Footprint"),
    "weak_led_flipped_twice": ([VERDICT], f"{EXCHANGE}[NoReply", "the LED tells of the press"),
    "weak_reply_not_checked": (
        [VERDICT],
        f"{EXCHANGE}[CloseInReply(bytes=5)",
        "the end of 2 connections",
    ),
    "weak_buffer_overrun": ([VERDICT], f"{EXCHANGE}[LongReply", "The target had ended"),
    "weak_led_never_changes": ([VERDICT], f"{EXCHANGE}[AnswerX", "LED edge missing"),
    "weak_led_flickers": ([VERDICT], f"{EXCHANGE}[AnswerX", "the LED tells of the press"),
}
SOUND = "weak_client"


@pytest.fixture(scope="module")
def reports(environment, command_of_pytest, tmp_path_factory):
    """What pytest says of each program, up to the first failure: all run side by side."""
    folder = tmp_path_factory.mktemp("weak")
    runs = {program: what for program, (what, _, _) in WEAK.items()}
    runs[SOUND] = [VERDICT, IN_THE_MIDDLE]

    def run(program: str) -> str:
        bench = folder / f"{program}.toml"
        bench.write_text(BENCH.format(program=program))
        return subprocess.run(
            [*command_of_pytest, "-xv", "--rig-bench", bench, "--rig-record", folder]
            + runs[program],
            env=environment,
            cwd=folder,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=120,
            check=False,
        ).stdout

    with ThreadPoolExecutor(len(runs)) as together:
        return dict(zip(runs, together.map(run, runs), strict=True))


@pytest.mark.parametrize("program", WEAK)
def test_weak_firmware_is_caught(reports, program):
    _, test, said = WEAK[program]
    report = reports[program]

    failed = re.findall(r"::(.+) FAILED", report)
    assert len(failed) == 1 and failed[0].startswith(test), report
    assert said in report, report
    assert report.splitlines()[-1] == "rig: target-failed"


def test_sound_firmware_that_tries_again_passes(reports):
    report = reports[SOUND]

    assert " FAILED" not in report, report
    assert report.splitlines()[-1] == "rig: good", report
    assert report.count(" PASSED") >= 20
