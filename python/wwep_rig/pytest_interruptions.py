"""How a pytest run that has a bench ends when Ctrl-C or SIGTERM asks it to."""

import signal
import threading
from typing import Any, cast

from .closing import Closing


class Terminated(KeyboardInterrupt):
    """SIGTERM asked the run to end."""


class Interruptions(Closing):
    """Until closed SIGTERM ends the run as Ctrl-C does: fixtures are torn down, a verdict is told.

    Without it the process would be gone at once. A handler that somebody else has set stays.
    """

    def __init__(self) -> None:
        self._in_main_thread = threading.current_thread() is threading.main_thread()
        self._before: dict[signal.Signals, object] = {}
        if self._in_main_thread and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            self._set(signal.SIGTERM, self._interrupt)

    def _set(self, number: signal.Signals, handler: object) -> None:
        before = signal.getsignal(number)
        if before is not None:  # else it could not be put back
            self._before.setdefault(number, before)
            signal.signal(number, cast(Any, handler))

    @staticmethod
    def _interrupt(number: int, frame: object) -> None:
        # A second one while things are being closed must not break that off.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise Terminated("SIGTERM")

    def pytest_keyboard_interrupt(self) -> None:
        """pytest's hook, before it reports that the run is ended: what comes from here on must
        break off neither the report nor the closing of the bench."""
        if self._in_main_thread:
            self._set(signal.SIGINT, signal.SIG_IGN)
            self._set(signal.SIGTERM, signal.SIG_IGN)

    def close(self) -> None:
        """Let both signals do what they did before."""
        for number, handler in self._before.items():
            signal.signal(number, cast(Any, handler))
        self._before.clear()
