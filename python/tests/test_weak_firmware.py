"""Firmware that is weak on purpose: a scenario catches each, and passes a sound one."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from wwep_rig import NoBench
from wwep_rig.app_build import image_sources
from wwep_rig.emulator import EMULATOR

APP = Path(__file__).resolve().parents[2] / "firmware-under-test/apps/weak_client"
SCENARIOS = Path(__file__).resolve().parents[1] / "scenarios"
VERDICT = SCENARIOS / "test_faults_verdict.py"
IN_THE_MIDDLE = SCENARIOS / "test_faults_man_in_the_middle.py"
BENCH = """
[bench]
name = "{program}"
kind = "{kind}"
[target]
device = "02:00:00:00:00:01"
{runs}
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
# On an emulated board: what needs a process is left out, and what overruns the stack halts it.
EMULATED = {program: what for program, what in WEAK.items() if program != "weak_socket_leaked"}
EMULATED["weak_buffer_overrun"] = ([VERDICT], f"{EXCHANGE}[LongReply", "console     halted: ")


def has_emulator() -> bool:
    """Whether images can be built and run here."""
    try:
        image_sources(os.environ)
    except NoBench:
        return False
    return all(shutil.which(tool) for tool in (EMULATOR, "arm-none-eabi-gcc"))


needs_emulator = pytest.mark.skipif(
    not has_emulator(), reason="NOT TESTED: an emulated board is to be had with ci/setup --emulator"
)


@pytest.fixture(scope="module")
def report_of(environment, command_of_pytest, tmp_path_factory):
    """What pytest says of a program, up to the first failure."""
    folder = tmp_path_factory.mktemp("weak")

    def report(program: str, kind: str, runs: str, what: list[Path | str], limit_s: float) -> str:
        bench = folder / f"{program}-{kind}.toml"
        bench.write_text(BENCH.format(program=program, kind=kind, runs=runs))
        return subprocess.run(
            [*command_of_pytest, "-xv", "--rig-bench", bench, "--rig-record", folder, *what],
            env=environment,
            cwd=folder,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=limit_s,
            check=False,
        ).stdout

    return report


@pytest.fixture(scope="module")
def reports(report_of: Callable[..., str]) -> dict[str, str]:
    """What pytest says of each program: all run side by side."""
    runs = {program: what for program, (what, _, _) in WEAK.items()}
    runs[SOUND] = [VERDICT, IN_THE_MIDDLE]

    def run(program: str) -> str:
        return report_of(program, "sim", f'program = "{program}"', runs[program], 120)

    with ThreadPoolExecutor(len(runs)) as together:
        return dict(zip(runs, together.map(run, runs), strict=True))


@pytest.fixture
def emulated_report_of(report_of: Callable[..., str]) -> Callable[..., str]:
    """What pytest says of a program on an emulated board; an image is built first."""

    def report(program: str, what: list[Path | str]) -> str:
        runs = f'app = "{APP}"'
        if program != SOUND:
            runs += f'\napp_settings = {{ App_weak_client_DEFINES = "{program.upper()}" }}'
        return report_of(program, "emulator", runs, what, 280)

    return report


def assert_caught(report: str, test: str, said: str) -> None:
    failed = re.findall(r"::(.+) FAILED", report)
    assert len(failed) == 1 and failed[0].startswith(test), report
    assert said in report, report
    assert report.splitlines()[-1] == "rig: target-failed"


def assert_passed(report: str) -> None:
    assert " FAILED" not in report, report
    assert report.splitlines()[-1] == "rig: good", report
    assert report.count(" PASSED") >= 20


@pytest.mark.parametrize("program", WEAK)
def test_weak_firmware_is_caught(reports, program):
    _, test, said = WEAK[program]

    assert_caught(reports[program], test, said)


def test_sound_firmware_that_tries_again_passes(reports):
    assert_passed(reports[SOUND])


@needs_emulator
@pytest.mark.timeout(300)
@pytest.mark.parametrize("program", EMULATED)
def test_weak_firmware_is_caught_on_an_emulated_board(emulated_report_of, program):
    what, test, said = EMULATED[program]

    assert_caught(emulated_report_of(program, what), test, said)


@needs_emulator
@pytest.mark.timeout(300)
def test_sound_firmware_passes_on_an_emulated_board(emulated_report_of):
    assert_passed(emulated_report_of(SOUND, [VERDICT, IN_THE_MIDDLE]))
