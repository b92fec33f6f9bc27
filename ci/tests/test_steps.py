"""The steps of ci/lib.sh: a limit that holds, a log, a tail when it fails."""

import os
import signal
import subprocess
import time
from pathlib import Path

CI = Path(__file__).resolve().parent.parent


def run_steps(script: str, logs: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    outer = {key: value for key, value in os.environ.items() if key != "WWEP_INSIDE_STEP"}
    return subprocess.run(
        ["bash", "-c", f'. "{CI}/lib.sh"; logs="{logs}"; {script}'],
        capture_output=True,
        text=True,
        timeout=60,
        env={**outer, **environment},
    )


def test_step_that_hangs_is_ended_with_its_children(tmp_path: Path) -> None:
    began = time.monotonic()
    done = run_steps("step hang 1 bash -c 'sleep 1234 & echo $!; wait'", tmp_path)

    assert done.returncode == 124
    assert time.monotonic() - began < 20
    assert "no end after 1 s" in done.stdout
    child = int((tmp_path / "hang.log").read_text())
    assert not Path(f"/proc/{child}/cmdline").exists() or is_zombie(child)


def is_zombie(pid: int) -> bool:
    """Ended, and only waiting for whoever inherited it to notice."""
    return Path(f"/proc/{pid}/cmdline").read_bytes() == b""


def test_step_that_fails_shows_the_tail_of_its_log_and_its_status(tmp_path: Path) -> None:
    done = run_steps("step 'a b' 10 bash -c 'seq 100; exit 7'; echo status $?", tmp_path)

    shown = [line for line in done.stdout.splitlines() if line.startswith("  | ")]
    assert shown[0] == "  | 61" and shown[-1] == "  | 100"
    assert str(tmp_path / "a-b.log") in done.stdout
    assert done.stdout.endswith("status 7\n")


def test_step_that_succeeds_keeps_its_output_to_the_log(tmp_path: Path) -> None:
    done = run_steps("step quiet 10 echo words; echo status $?", tmp_path)

    assert "words" not in done.stdout
    assert (tmp_path / "quiet.log").read_text() == "words\n"
    assert done.stdout.endswith("status 0\n")


def test_step_inside_a_step_writes_into_the_outer_log(tmp_path: Path) -> None:
    done = run_steps("step inner 10 echo words", tmp_path, WWEP_INSIDE_STEP="yes")

    assert done.stdout == "== inner\nwords\n"
    assert not (tmp_path / "inner.log").exists()


def test_script_that_is_ended_takes_its_step_along(tmp_path: Path) -> None:
    log = tmp_path / "long.log"
    script = f'. "{CI}/lib.sh"; logs="{tmp_path}"; step long 60 bash -c "echo \\$\\$; sleep 1234"'
    outer = {key: value for key, value in os.environ.items() if key != "WWEP_INSIDE_STEP"}
    with subprocess.Popen(["bash", "-c", script], env=outer, stdout=subprocess.DEVNULL) as shell:
        deadline = time.monotonic() + 30
        while not (log.is_file() and log.read_text().endswith("\n")):
            assert time.monotonic() < deadline, "the step never began"
            time.sleep(0.01)
        shell.send_signal(signal.SIGINT)
        assert shell.wait(timeout=30) == 130

    command = int(log.read_text())
    assert not Path(f"/proc/{command}/cmdline").exists() or is_zombie(command)


def test_command_of_a_step_can_be_interrupted(tmp_path: Path) -> None:
    done = run_steps("step signals 10 grep SigIgn /proc/self/status", tmp_path)

    assert done.returncode == 0
    ignored = int((tmp_path / "signals.log").read_text().split()[1], 16)
    assert not ignored & 1 << (signal.SIGINT - 1)
