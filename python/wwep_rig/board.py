"""A real board's power, reset and flash: lines that the rig holds, or commands of its owner's."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from . import _core
from .bench_config import BenchConfig
from .errors import NoBench, RigError, TargetFailed

OUTPUT_LINES_SHOWN_MAX = 20
_OUTPUT_BYTES_KEPT_MAX = 16384
_CONSOLE_EVENTS_MAX = 10_000


class Board:
    """What the rig can do to a board besides pressing its buttons.

    Each step has a deadline of its own, from the bench file. An error names the step, and shows
    what its command printed and what the board's console said meanwhile.
    """

    def __init__(self, core: _core.Bench, config: BenchConfig) -> None:
        self._core = core
        self._config = config
        self._target = config.target

    def start(self, *, ready_s: float) -> None:
        """Take it as it is. Power that the rig must hold by a line is switched on."""
        if self._core.target_is_running:
            return
        if self._target.power is not None and self._target.power.line:
            self.switch_on(ready_s=ready_s)
        else:
            self._core.board_begins()

    def start_afresh(self, *, ready_s: float) -> None:
        """Start it in the state it has after a reset; a board without reset or power is taken as it
        is."""
        if self._target.reset is not None:
            if self._target.power is not None and not self._core.target_is_running:
                self.switch_on(ready_s=None)  # it may have been off
            self.reset(ready_s=ready_s)
        elif self._target.power is not None:
            self.cycle(ready_s=ready_s)
        else:
            self.start(ready_s=ready_s)

    def reset(self, *, ready_s: float) -> None:
        """Reset it by its line or command, and wait until it is ready."""
        reset = self._target.reset
        if reset is None:
            raise self._cannot("reset", 'reset = { line = "reset" } or { command = [...] }')
        self._hold_power()
        with self._step("reset", ready_s):
            self._core.board_begins()
            if reset.line:
                with self._held(reset.line):
                    time.sleep(reset.hold_ms / 1000)
            else:
                self._run("reset", reset.command, reset.timeout_ms, "target.reset.timeout_ms")
            self._core.wait_target_ready(ready_s)

    def switch_on(self, *, ready_s: float | None) -> None:
        """Give it power, and wait until it is ready unless `ready_s` is None."""
        self._switch_on("power on", ready_s)

    def switch_off(self) -> None:
        """Take its power away."""
        self._switch_off("power off")

    def cycle(self, *, ready_s: float) -> None:
        """Take its power away for a moment, and wait until it is ready again."""
        self._switch_off("power cycle")
        power = self._target.power
        if power is not None:
            time.sleep(power.off_ms / 1000)
        self._switch_on("power cycle", ready_s)

    def flash(self, image: Path, *, ready_s: float) -> None:
        """Write an image into it by its command, and wait until it is ready again."""
        if not self._target.flash:
            raise self._cannot("flash", 'flash = ["openocd", ..., "program {image} verify reset"]')
        if not image.is_file():
            raise NoBench(f"flash {image}: there is no such file")
        self._hold_power()
        command = [word.replace("{image}", str(image.resolve())) for word in self._target.flash]
        with self._step("flash", ready_s):
            self._core.board_begins()
            self._run("flash", command, self._target.flash_timeout_ms, "target.flash_timeout_ms")
            self._core.wait_target_ready(ready_s)

    def _hold_power(self) -> None:
        """A board whose power is a line has none until the rig holds it."""
        power = self._target.power
        if power is not None and power.line and not self._core.target_is_running:
            self.switch_on(ready_s=None)

    def _switch_on(self, step: str, ready_s: float | None) -> None:
        power = self._target.power
        if power is None:
            raise self._cannot_switch(step)
        with self._step(step, ready_s):
            self._core.board_begins()
            if power.line:
                self._core.set_line(power.line, True)
            else:
                self._run(step, power.on_command, power.timeout_ms, "target.power.timeout_ms")
            if ready_s is not None:
                self._core.wait_target_ready(ready_s)

    def _switch_off(self, step: str) -> None:
        power = self._target.power
        if power is None:
            raise self._cannot_switch(step)
        with self._step(step):
            # Before it goes: a console that goes with the power is no trouble then.
            self._core.board_ends()
            if power.line:
                self._core.set_line(power.line, False)
            else:
                self._run(step, power.off_command, power.timeout_ms, "target.power.timeout_ms")

    def _cannot_switch(self, step: str) -> NoBench:
        return self._cannot(
            step, 'power = { line = "power" } or { command = { on = [...], off = [...] } }'
        )

    def _cannot(self, step: str, example: str) -> NoBench:
        return NoBench(
            f"bench {self._config.name}: its board has no way to {step}",
            f"wire one and say so in [target] of the bench file: {example}; or do it by hand",
        )

    @contextmanager
    def _held(self, line: str) -> Iterator[None]:
        self._core.set_line(line, True)
        try:
            yield
        finally:
            self._core.set_line(line, False)

    @contextmanager
    def _step(self, step: str, ready_s: float | None = None) -> Iterator[None]:
        """Puts the step on the timeline, and its name before what goes wrong in it.

        Args:
            step: `power on`
            ready_s: how long the board has to get ready; None: nobody waits for that.
        """
        self._core.note(f"{step} begins")
        try:
            yield
        except TargetFailed as error:
            within = "" if ready_s is None else f" and {ready_s:g} s (target.ready_timeout_ms)"
            raise TargetFailed(
                f"bench {self._config.name}: after {step}{within}: {error}"
            ) from None
        except RigError as error:
            raise RigError(
                f"bench {self._config.name}: {step}: {error.trouble}", error.remedy
            ) from None

    def _run(self, step: str, command: Sequence[str], timeout_ms: float, limit: str) -> None:
        """Run a command in the bench file's folder, within what the file calls `limit`.

        Raises NoBench or RigError.
        """
        began = self._core.cursor()
        folder = self._config.folder or None
        program = find_program(command[0], folder)
        if program is None:
            raise NoBench(
                f"bench {self._config.name}: {step}: there is no program {command[0]!r}",
                "install it, or give its path in the bench file",
            )
        result = run_command([program, *command[1:]], folder, timeout_ms / 1000, limit)
        for line in result.lines:
            self._core.note(f"{step}: {line}")
        if result.failure:
            told = _shown("it printed", result.lines) + _shown("the console", self._said(began))
            raise RigError(f"{' '.join(command)}: {result.failure}{told}")

    def _said(self, cursor: int) -> list[str]:
        """The last lines of the board's console since then."""
        events = self._core.events(cursor, _CONSOLE_EVENTS_MAX).events
        lines = [each.value.text for each in events if isinstance(each.value, _core.ConsoleLine)]
        return lines[-OUTPUT_LINES_SHOWN_MAX:]


class CommandResult:
    """What came of a command.

    Attributes:
        failure: what went wrong, for people; empty when it exited with 0.
        lines: the last of what it printed.
    """

    def __init__(self, failure: str, lines: list[str]) -> None:
        self.failure = failure
        self.lines = lines


def run_command(
    command: Sequence[str], folder: str | None, timeout_s: float, limit: str
) -> CommandResult:
    """Run a program to its end; at the deadline it is killed with everything it has started.

    Args:
        command: the program and its arguments.
        folder: where it runs; None: here.
        timeout_s: how long it may take.
        limit: what people know that as.
    """
    with tempfile.TemporaryFile() as output:
        try:
            # In a session of its own, and gone when the rig is.
            process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", "--", *command],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            return CommandResult(error.strerror or str(error), [])
        limit_text = f"{timeout_s:g} s ({limit})"
        failure = _failure_of(lambda: process.wait(timeout_s), limit_text, process.pid)
        process.wait()
        size = output.seek(0, os.SEEK_END)
        output.seek(max(0, size - _OUTPUT_BYTES_KEPT_MAX))
        text = output.read().decode("utf-8", "replace")
    return CommandResult(failure, text.splitlines()[-OUTPUT_LINES_SHOWN_MAX:])


def _failure_of(wait: Callable[[], int], limit: str, group: int) -> str:
    try:
        status = wait()
    except subprocess.TimeoutExpired:
        return f"was not done after {limit}, and was ended"
    finally:
        try:
            os.killpg(group, signal.SIGKILL)  # what it left behind, or Ctrl-C broke off
        except ProcessLookupError:
            pass
    if status < 0:
        return f"was killed by signal {-status}"
    return f"exited with status {status}" if status else ""


def find_program(name: str, folder: str | None) -> str | None:
    """Where a command's program is: with a slash from the bench file's folder, else on the path."""
    if "/" not in name:
        return shutil.which(name)
    path = Path(folder or ".", name)
    return str(path.resolve()) if os.access(path, os.X_OK) else None


def _shown(title: str, lines: Sequence[str]) -> str:
    if not lines:
        return ""
    return f"\n  {title}:\n" + "\n".join(f"    {line}" for line in lines)
