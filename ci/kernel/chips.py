"""The two GPIO chips in the virtual machine, for the tests that run there."""

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

PATIENCE_S = 60.0


def folder_of(chip: str) -> Path:
    """Where the simulator keeps the lines of a chip that ci/kernel/gpio.sh made."""
    config = Path("/sys/kernel/config/gpio-sim") / chip
    device = (config / "dev_name").read_text().strip()
    return Path("/sys/devices/platform") / device / (config / "bank0/chip_name").read_text().strip()


def about_line(chip: str, line: int) -> str:
    """What gpioinfo says of a line; the tools know chips by name only, not by label."""
    command = ("gpioinfo", "--chip", folder_of(chip).name, str(line))
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def wait_until(is_so: Callable[[], bool], what: str) -> None:
    # A pin of the simulator tells nobody of its changes.
    give_up_at = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < give_up_at, f"not in {PATIENCE_S:g} s: {what}"
        time.sleep(0.01)
