"""What things that are held until they are closed have in common."""

import fcntl
import os
from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import Self


class Closing(ABC):
    """Something that a `with` block closes at its end, whatever ends it."""

    @abstractmethod
    def close(self) -> None:
        """Let go of it; twice is fine."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class HeldFile(Closing):
    """A file that says "in use" for as long as this process lives: the lock on it dies with it.

    The file itself stays. Children do not inherit the lock.
    """

    def __init__(self, path: Path, mode: int = 0o644) -> None:
        """Make the file and take its lock, waiting for whoever has it. Raises OSError."""
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, mode)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)

    def close(self) -> None:
        """Let go of the lock."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def is_held(path: Path) -> bool:
    """Whether some process holds the file. Raises OSError when it cannot be opened."""
    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        return is_locked(descriptor)
    finally:
        os.close(descriptor)


def is_locked(descriptor: int) -> bool:
    """Whether another process has a lock on an open file."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    return False
