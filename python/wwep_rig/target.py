"""The board under test, as scripts use it."""

import os
import signal

from . import _core
from .bench_config import BenchConfig, Contract, Kind, Role
from .errors import NoBench
from .explained import Explained
from .target_server import TargetServer


class Target:
    """The board under test."""

    def __init__(self, core: _core.Bench, config: BenchConfig, explained: Explained) -> None:
        self._core = core
        self._config = config
        self._explained = explained
        self._server = TargetServer(config)

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
        """Whether it runs, as far as the rig can tell; a real board always does."""
        return self._config.kind is Kind.BOARD or self._core.target_is_running

    @property
    def pid(self) -> int:
        """The process that stands for it; 0: none runs, or it is a real board."""
        return self._core.target_pid

    def start(self, *, timeout_s: float | None = None) -> None:
        """Start it and wait until it is ready; nothing happens if it runs."""
        if self._config.kind is not Kind.BOARD:
            self._core.start_target(self._ready_s(timeout_s))

    def stop(self) -> None:
        """Stop it."""
        self._core.stop_target()

    def reset(self, *, timeout_s: float | None = None) -> None:
        """Start it anew, as abruptly as a reset pin does, and wait until it is ready."""
        self._core.reset_target(self._ready_s(timeout_s))
        self._explained.add_everything_before(self._core.cursor())

    def kill(self) -> None:
        """End it at once, as a crash would. Raises NoBench for a board that is no process."""
        if self._config.kind not in (Kind.SIM, Kind.KERNEL):
            raise NoBench(
                f"bench {self._config.name}: only a target that is a process can be killed"
            )
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)

    def _ready_s(self, timeout_s: float | None) -> float:
        return self._config.target.ready_timeout_ms / 1000 if timeout_s is None else timeout_s
