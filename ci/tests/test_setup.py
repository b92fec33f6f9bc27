"""What ci/setup would install, asked on a machine where nothing is installed."""

import os
import subprocess
from pathlib import Path

import pytest

SETUP = Path(__file__).resolve().parent.parent / "setup"
NOT_FOR_A_RIG = ("qemu", "clang", "arm-none-eabi", "gtest", "gmock", "benchmark", "busybox", "mypy")


@pytest.fixture
def bare(tmp_path: Path) -> dict[str, str]:
    """An environment in which dpkg knows no package."""
    query = tmp_path / "dpkg-query"
    query.write_text("#!/bin/sh\n")
    query.chmod(0o755)
    return {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}


def missing(environment: dict[str, str], *options: str) -> list[str]:
    done = subprocess.run(
        [SETUP, "--check", *options], env=environment, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("setup: missing: ")
    return done.stdout.removeprefix("setup: missing: ").split()


def test_rig_is_given_no_emulator_test_library_linter_or_other_compiler(
    bare: dict[str, str],
) -> None:
    everything, rig = missing(bare), missing(bare, "--rig")

    assert set(rig) < set(everything)
    assert {"g++", "cmake", "libgpiod-dev", "libwolfssl-dev", "python3-pytest"} <= set(rig)
    assert [each for each in rig if any(word in each for word in NOT_FOR_A_RIG)] == []
    assert [word for word in NOT_FOR_A_RIG[:2] if word not in " ".join(everything)] == []


def test_unknown_option_installs_nothing(bare: dict[str, str]) -> None:
    done = subprocess.run([SETUP, "--rigg"], env=bare, capture_output=True, text=True, timeout=60)

    assert done.returncode == 2
    assert "usage: ci/setup" in done.stderr and done.stdout == ""
