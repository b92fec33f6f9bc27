"""Lines to standard output from a program that must not wait for whoever reads them."""

import os
import queue
import threading
import time

LINES_WAITING_MAX = 1000
NOTICES_EVERY_S = 1.0


class PatientOutput:
    """Writes lines in a thread of its own. A full queue drops lines and counts them.

    A reader that is gone is fine: from then on everything is dropped. `close()` gives what is
    waiting a moment, then leaves the thread to end with the process.
    """

    def __init__(
        self,
        descriptor: int,
        lines_waiting_max: int = LINES_WAITING_MAX,
        *,
        notices: "PatientOutput | None" = None,
    ) -> None:
        """Write to a descriptor, which stays the caller's and open.

        Args:
            descriptor: where the lines go.
            lines_waiting_max: how many may wait to be written.
            notices: where it says, at once and at most every second, that it drops lines. It says
                so among its own lines too, but there nobody hears it until the reader goes on.
        """
        self._descriptor = descriptor
        self._lines: queue.Queue[str | None] = queue.Queue(lines_waiting_max)
        self._notices = notices
        self._next_notice_at = 0.0
        self.lines_dropped = 0
        self._dropped_told = 0
        self._dropped_noticed = 0
        self._thread = threading.Thread(target=self._write_all, daemon=True)
        self._thread.start()

    def write_line(self, line: str) -> None:
        """Have a line written when its turn comes, or count it as dropped. Never waits."""
        try:
            self._lines.put_nowait(line)
        except queue.Full:
            self.lines_dropped += 1
            if time.monotonic() >= self._next_notice_at:
                self._notice()

    def _notice(self) -> None:
        if self._notices is not None and self._dropped_noticed < self.lines_dropped:
            self._notices.write_line(
                f"wwep-rig: {self.lines_dropped} lines of output dropped so far: "
                "whoever reads it is too slow"
            )
            self._dropped_noticed = self.lines_dropped
            self._next_notice_at = time.monotonic() + NOTICES_EVERY_S

    def close(self, *, timeout_s: float = 0.5) -> None:
        """Give the lines that wait a moment to be written."""
        self._notice()
        give_up_at = time.monotonic() + timeout_s
        try:
            self._lines.put(None, timeout=timeout_s)
        except queue.Full:
            return
        self._thread.join(max(0.0, give_up_at - time.monotonic()))

    def _write_all(self) -> None:
        try:
            while (line := self._lines.get()) is not None:
                self._write(line)
                if self._dropped_told < self.lines_dropped:
                    dropped = self.lines_dropped - self._dropped_told
                    self._dropped_told += dropped
                    self._write(f"({dropped} lines dropped: the reader was too slow)")
        except OSError:
            while self._lines.get() is not None:
                self.lines_dropped += 1

    def _write(self, line: str) -> None:
        # Past Python's own buffer, whose lock would make the interpreter's exit wait.
        left = memoryview((line + "\n").encode(errors="backslashreplace"))
        while left:
            left = left[os.write(self._descriptor, left) :]
