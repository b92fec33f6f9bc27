"""Where recordings go, what they are called, and which old ones may go away."""

import os
import re
from datetime import datetime
from pathlib import Path

from .closing import Closing, HeldFile, is_held
from .errors import RigError

KEEP_DEFAULT = 200

_NAME = re.compile(r"\d{8}-\d{6}-[A-Za-z0-9_.-]+-\d+\.sqlite\Z")
# What SQLite and the rig put beside a recording.
_COMPANIONS = ("-wal", "-shm", ".in-use", ".board.log", ".pcapng", ".keys")


class InUse(Closing):
    """A recording that this process writes, so that nobody tidies it away or goes on with it.

    A lock on a file beside it says so, and dies with the process. (A lock on the recording itself
    would be SQLite's business.) `close()` twice is fine.
    """

    def __init__(self, recording: Path) -> None:
        """Say so. Raises OSError, or RigError when another process writes it."""
        self._path = _beside(recording, ".in-use")
        if _is_in_use(recording):
            raise RigError(f"recording {recording}: another process is writing it")
        self._marker: HeldFile | None = HeldFile(self._path)

    def close(self) -> None:
        """The recording is finished."""
        if self._marker is not None:
            self._path.unlink(missing_ok=True)
            self._marker.close()
            self._marker = None


class RecordingPlace(Closing):
    """The path of a recording that is about to be made, in use until `close()`; twice is fine."""

    def __init__(self, directory: Path, bench: str, now: datetime) -> None:
        """Reserve a path.

        Args:
            directory: made if it is not there.
            bench: the bench's name, part of the file's name.
            now: the run's beginning, likewise.

        Raises:
            RigError: the folder cannot be made or written.
        """
        name = "".join(c if c.isalnum() or c in "-_." else "_" for c in bench)
        self.path = directory / f"{now:%Y%m%d-%H%M%S}-{name}-{os.getpid()}.sqlite"
        copies = 1
        while self.path.exists() or _beside(self.path, ".in-use").exists():
            copies += 1
            self.path = directory / f"{now:%Y%m%d-%H%M%S}-{name}.{copies}-{os.getpid()}.sqlite"
        try:
            directory.mkdir(parents=True, exist_ok=True)
            self._in_use = InUse(self.path)
        except OSError as error:
            raise RigError(f"make a recording in {directory}: {error.strerror}") from None

    def close(self) -> None:
        """The recording is finished."""
        self._in_use.close()


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def board_log_path(recording: Path) -> Path:
    """Where a simulated board notes its pins, beside the recording of its run."""
    return _beside(recording, ".board.log")


def _is_in_use(path: Path) -> bool:
    try:
        return is_held(_beside(path, ".in-use"))
    except FileNotFoundError:
        return False
    except OSError:
        return True


def newest(directory: Path) -> Path:
    """The newest recording there. Raises RigError when there is none."""
    ours = sorted(each for each in directory.glob("*.sqlite") if _NAME.match(each.name))
    if not ours:
        raise RigError(
            f"no recordings in {directory} yet. Make one: every pytest run that uses the fixture "
            "bench leaves one there, and wwep-rig serve --record FILE writes one where you say. "
            "Or name one: wwep-rig show FILE."
        )
    return ours[-1]


def prune(directory: Path, keep: int) -> list[Path]:
    """Remove the oldest recordings, but none in use and none that was named by hand.

    Args:
        directory: where recordings lie.
        keep: how many stay; 0: all.

    Returns:
        What was removed.
    """
    if keep <= 0 or not directory.is_dir():
        return []
    ours = sorted(each for each in directory.iterdir() if _NAME.match(each.name))
    removed = []
    for path in ours[:-keep]:
        if _is_in_use(path):
            continue
        pages = path.parent.glob(f"{path.name}*.html")
        for each in (*(_beside(path, suffix) for suffix in ("", *_COMPANIONS)), *pages):
            each.unlink(missing_ok=True)
        removed.append(path)
    return removed
