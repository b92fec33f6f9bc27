"""The steps of ci/lib.sh: a limit that holds, a log, a tail when it fails."""

import os
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
