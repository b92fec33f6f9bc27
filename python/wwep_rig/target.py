"""The board under test, as scripts use it."""

import os
import re
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from . import _core
from .board import Board
from .bench_config import BenchConfig, Contract, Kind, Role
from .errors import NoBench, TargetFailed
from .explained import Explained
from .footprint import Footprint, footprint_of
from .target_server import TargetServer


@dataclass(frozen=True)
class Marks:
    """How much memory the firmware has used at most, and uses now, in bytes.

    Attributes:
        stack: of any thread's stack.
        heap: how far the heap has ever reached.
        now: what of it is allocated; None: the firmware does not say.
    """

    stack: int
    heap: int
    now: int | None


class Target:
    """The board under test."""

    def __init__(self, core: _core.Bench, config: BenchConfig, explained: Explained) -> None:
        self._core = core
        self._config = config
        self._explained = explained
        self._server = TargetServer(config)
        self._board = Board(core, config) if config.kind is Kind.BOARD else None

    @property
    def device_id(self) -> int:
        """16 bits: the sum of the six bytes of its MAC address."""
        return self._config.device_id

    @property
    def mac(self) -> str:
        """`02:00:00:00:00:01`."""
        return self._config.target.mac

    @property
    def contract(self) -> Contract:
        """What its firmware promises."""
        return self._config.target.contract

    @property
    def role(self) -> Role:
        """Which end of the connection it is."""
        return self._config.target.role

    @property
    def server(self) -> TargetServer:
        """The server that it is, if its role is that."""
        return self._server

    @property
    def is_running(self) -> bool:
        """Whether it runs, as far as the rig can tell: a real board does unless the rig took its
        power away."""
        return self._core.target_is_running

    @property
    def tells_when_ready(self) -> bool:
        """Whether anything says that it is ready: a board needs target.ready in its bench file."""
        return self._board is None or bool(self._config.target.ready)

    @property
    def can_reset(self) -> bool:
        """Whether reset() is possible: a board needs [target.reset] in its bench file."""
        return self._board is None or self._config.target.reset is not None

    @property
    def pid(self) -> int:
        """The process that stands for it; 0: none runs, or it is a real board."""
        return self._core.target_pid

    def start(self, *, timeout_s: float | None = None) -> None:
        """Start it and wait until it is ready; nothing happens if it runs.

        A real board is taken as it is; one whose power the rig holds by a line is switched on.
        """
        ready_s = self._ready_s(timeout_s)
        if self._board is not None:
            self._board.start(ready_s=ready_s)
        else:
            self._core.start_target(ready_s)

    def start_afresh(self, *, timeout_s: float | None = None) -> None:
        """Start it in the state that it has after a reset, whether it runs or not.

        A real board that can be neither reset nor switched is taken as it is. Raises as reset().
        """
        ready_s = self._ready_s(timeout_s)
        if self._board is not None:
            self._board.start_afresh(ready_s=ready_s)
        elif self.is_running:
            self._core.reset_target(ready_s)
        else:
            self._core.start_target(ready_s)
        self._explained.add_everything_before(self._core.cursor())

    def stop(self) -> None:
        """Stop it: a board has its power taken away. Raises NoBench where that cannot be."""
        if self._board is not None:
            self._board.switch_off()
        else:
            self._core.stop_target()

    def reset(self, *, timeout_s: float | None = None) -> None:
        """Start it anew, as abruptly as a reset pin does, and wait until it is ready.

        Raises:
            TargetFailed: it is not ready in time; the text shows its console.
            NoBench: the bench has no way to reset its board.
            RigError: the way there is does not work.
        """
        ready_s = self._ready_s(timeout_s)
        if self._board is not None:
            self._board.reset(ready_s=ready_s)
        else:
            self._core.reset_target(ready_s)
        self._explained.add_everything_before(self._core.cursor())

    def power_on(self, *, timeout_s: float | None = None) -> None:
        """Give it power and wait until it is ready. Raises as reset()."""
        ready_s = self._ready_s(timeout_s)
        if self._board is not None:
            self._board.switch_on(ready_s=ready_s)
        else:
            self._core.start_target(ready_s)

    def power_off(self) -> None:
        """Take its power away. Raises as reset()."""
        self.stop()

    def power_cycle(self, *, timeout_s: float | None = None) -> None:
        """Take its power away for a moment and wait until it is ready again. Raises as reset()."""
        ready_s = self._ready_s(timeout_s)
        if self._board is not None:
            self._board.cycle(ready_s=ready_s)
        else:
            self._core.stop_target()
            self._core.start_target(ready_s)
        self._explained.add_everything_before(self._core.cursor())

    def flash(self, image: Path, *, timeout_s: float | None = None) -> None:
        """Write an image into it and wait until it is ready again. Raises as reset()."""
        if self._board is None:
            raise NoBench(
                f"bench {self._config.name} is of kind {self._config.kind.value}: its target is a "
                "program, which is not flashed; name another in target.program or target.app"
            )
        self._board.flash(image, ready_s=self._ready_s(timeout_s))
        self._explained.add_everything_before(self._core.cursor())

    def kill(self) -> None:
        """End it at once, as a crash or a brown-out would. NoBench for a real board."""
        if self._config.kind is Kind.EMULATOR:
            self._core.cut_target_power()
            return
        if self._config.kind not in (Kind.SIM, Kind.KERNEL):
            raise NoBench(
                f"bench {self._config.name}: only a target that is a process can be killed"
            )
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)

    @property
    def footprint(self) -> Footprint | None:
        """What it takes of this machine; None: it is no process, or none runs."""
        if self._config.kind not in (Kind.SIM, Kind.KERNEL) or not self.pid:
            return None
        try:
            return footprint_of(self.pid)
        except (OSError, KeyError):
            return None  # it has ended meanwhile

    def wait_for_footprint(
        self, limit: Footprint, *, memory_kb: int, timeout_s: float
    ) -> Footprint | None:
        """Wait until it takes no more than `limit`; returns what it takes in the end.

        Args:
            limit: an earlier footprint of it.
            memory_kb: by how much more memory it may take.
            timeout_s: how long.
        """
        give_up_at = time.monotonic() + timeout_s
        while True:
            now = self.footprint
            is_over = time.monotonic() >= give_up_at
            if is_over or now is None or not now.exceeds(limit, memory_kb=memory_kb):
                return now
            time.sleep(0.02)  # a process that closes a file tells nobody

    def pause(self) -> None:
        """Let an emulated board's processor stand still. Raises NoBench, RigError."""
        self._core.pause_target()

    def resume(self) -> None:
        """Let it go on."""
        self._core.resume_target()

    def type(self, line: str) -> None:
        """Type a line on an emulated board's console. Raises NoBench, RigError."""
        self._core.type_on_console(line)

    def marks(self, *, timeout_s: float = 10.0) -> Marks:
        """Ask an emulated board's firmware for its memory marks.

        Raises:
            TargetFailed: it does not answer.
            NoBench: nothing can be typed on this bench's console.
        """
        cursor = self._core.cursor()
        self._core.type_on_console("marks")
        give_up_at = time.monotonic() + timeout_s
        while (left_s := give_up_at - time.monotonic()) > 0:
            part = self._core.wait_events(cursor, left_s)
            cursor = part.next
            for event in part.events:
                text = event.value.text if isinstance(event.value, _core.ConsoleLine) else ""
                if text.startswith("marks: "):
                    found = {name: int(value) for name, value in re.findall(r"(\w+)=(\d+)", text)}
                    return Marks(found["stack"], found["heap"], found.get("now"))
        raise TargetFailed(f"the firmware did not tell its memory marks within {timeout_s:g} s")

    def _ready_s(self, timeout_s: float | None) -> float:
        return self._config.target.ready_timeout_ms / 1000 if timeout_s is None else timeout_s
