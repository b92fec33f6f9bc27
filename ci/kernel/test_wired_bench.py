"""The bench in the virtual machine, seen from the board's side of the wires.

Run by ci/kernel-test before the session's bench is opened: each test here starts a rig of its own.
"""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from kernel.chips import PATIENCE_S, about_line, folder_of, wait_until

BENCH = Path(__file__).with_name("bench.toml")
BUTTON0 = 0


def board_reads_button0() -> int:
    return int((folder_of("board") / f"sim_gpio{BUTTON0}" / "value").read_text())


@contextmanager
def running(*command: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def rig(*arguments: str) -> tuple[str, ...]:
    return (str(Path(sys.executable).with_name("wwep-rig")), *arguments, "--bench", str(BENCH))


def run_rig(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        rig(*arguments), capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )


def about_button0(chip: str) -> str:
    """What gpioinfo says of the button's line."""
    return about_line(chip, BUTTON0)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_rig_that_is_ended_during_a_press_lets_the_board_go(number: signal.Signals) -> None:
    assert board_reads_button0() == 1
    with running(*rig("press", "button0", "--hold", "60")) as rig_process:
        wait_until(lambda: board_reads_button0() == 0, "the board reads a pressed button")
        assert "consumer=wwep-rig kernel" in about_button0("rig").replace('"', "")

        rig_process.send_signal(number)
        wait_until(lambda: board_reads_button0() == 1, "the board reads a released button")
        rig_process.wait(PATIENCE_S)

    for chip in ("rig", "board"):  # the board outlives a killed rig by the moment it takes to end
        wait_until(lambda: "consumer" not in about_button0(chip), f"nobody holds a line of {chip}")


def test_release_has_every_button_of_a_bench_that_nobody_holds() -> None:
    done = run_rig("release")

    assert (done.returncode, done.stdout) == (0, "released button0, button1\n"), done.stderr
    assert board_reads_button0() == 1


def test_release_names_who_holds_a_button_and_releases_the_others() -> None:
    with running("gpioset", "--chip", folder_of("rig").name, "--consumer", "somebody", "0=0"):
        wait_until(lambda: board_reads_button0() == 0, "somebody presses the button")
        done = run_rig("release", "--json")
        assert board_reads_button0() == 0

    assert done.returncode == 4, done.stderr
    assert json.loads(done.stdout)["released"] == ["button1"]
    assert "line button0 (line 0 of gpiochip" in done.stderr
    assert 'is held by "somebody"; end that program' in done.stderr
    wait_until(lambda: board_reads_button0() == 1, "the line is free")


def test_bench_with_a_line_that_somebody_holds_is_no_bench() -> None:
    with running("gpioset", "--chip", folder_of("rig").name, "--consumer", "somebody", "0=1"):
        wait_until(lambda: "somebody" in about_button0("rig"), "somebody holds the button's line")
        done = run_rig("press", "button0")

    assert done.returncode == 4, done.stderr
    assert 'is held by "somebody"' in done.stderr


@pytest.mark.parametrize("presses", [1, 20])
def test_edges_closer_than_a_millisecond_come_through_the_wires(presses: int) -> None:
    """What the scenarios rely on: the wires lose no edge, however soon it follows the last."""
    levels = [0, 1] * presses
    watch = ("gpiomon", "--chip", folder_of("board").name, "--num-events", str(len(levels)))
    with running(*watch, "--format", "%e", str(BUTTON0)) as monitor:
        wait_until(lambda: "consumer" in about_button0("board"), "the board watches its button")
        toggles = ",".join(["300us"] * (len(levels) - 1) + ["0"])
        play = ("gpioset", "--chip", folder_of("rig").name, "--drive", "open-drain")
        subprocess.run((*play, "--toggle", toggles, f"{BUTTON0}=0"), check=True, timeout=PATIENCE_S)
        out, _ = monitor.communicate(timeout=PATIENCE_S)

    falling, rising = "2", "1"
    assert out.split() == [falling, rising] * presses


def test_doctor_finds_the_wired_bench_usable_and_each_line_to_be_had() -> None:
    done = run_rig("doctor", "--json")

    assert done.returncode == 0, done.stdout + done.stderr
    findings = {each["what"]: each for each in json.loads(done.stdout)}
    assert all(each["is_good"] for each in findings.values())
    chips = findings["GPIO"]["found"].split(", ")
    assert {f"/dev/{folder_of(chip).name}" for chip in ("rig", "board")} <= set(chips)
    lines = {what: each["found"] for what, each in findings.items() if what.startswith("line ")}
    assert lines == {
        f"line {name}": "free, and can be had" for name in ("button0", "button1", "led0", "led1")
    }


def test_doctor_measures_the_rig_over_a_loopback_and_misses_no_edge() -> None:
    done = run_rig("doctor", "--json", "--loopback", "button0:led0")

    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert (found["loopback"], found["over"]) == ("button0:led0", "firmware jumper")
    assert (found["samples"], found["missed"]) == (1000, 0)
    # Neither over no time at all, nor over anything but the kernel's own edges.
    for name in ("set_call", "set_to_edge", "edge_to_read", "edge_to_python"):
        spread = found[name]
        assert 0 < spread["p50_ms"] <= spread["p99_ms"] <= spread["max_ms"], name
    assert Path(found["path"]).is_file()
