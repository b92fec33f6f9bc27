"""One user of a bench at a time: a lock that names its holder and dies with it."""

import fcntl
import json
import os
import stat
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path

from .closing import Closing, is_locked
from .errors import NoBench
from .user_dirs import user_name

_POLL_S = 0.1


def default_lock_directory(environment: Mapping[str, str]) -> Path:
    """Where every user of this machine can lock a bench: /run/lock, else the temporary folder.

    WWEP_RIG_LOCKS names another folder, for users in separate containers that share one.
    """
    if chosen := environment.get("WWEP_RIG_LOCKS", ""):
        return Path(chosen)
    shared = Path("/run/lock")
    return shared if os.access(shared, os.W_OK | os.X_OK) else Path(tempfile.gettempdir())


@dataclass(frozen=True)
class Holder:
    """Who has a bench.

    Attributes:
        pid: the process.
        user: its login name.
        since: ISO 8601, UTC.
        command: what it runs.
    """

    pid: int
    user: str
    since: str
    command: str

    def __str__(self) -> str:
        return f"process {self.pid} of {self.user} since {self.since} ({self.command})"


class BenchLock(Closing):
    """Holds a bench until closed, or until the process ends, however it ends.

    Children do not inherit it. `close()` twice is fine.
    """

    def __init__(self, bench: str, command: str, *, directory: Path, wait_s: float = 0.0) -> None:
        """Take the lock.

        Args:
            bench: the bench's name.
            command: what the error of another user says about this one.
            directory: where locks lie, usually `default_lock_directory()`.
            wait_s: how long to wait for the present holder; 0: not at all.

        Raises:
            NoBench: somebody else has the bench. The text names the holder.
        """
        self.bench = bench
        self._descriptor = _open(lock_path(bench, directory))
        try:
            self._take(wait_s)
            self._sign(command)
        except BaseException:
            self.close()
            raise

    def _take(self, wait_s: float) -> None:
        give_up_at = time.monotonic() + wait_s
        while True:
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                left_s = give_up_at - time.monotonic()
            if left_s <= 0:
                holder = _read(self._descriptor)
                who = str(holder) if holder else "a process that has not said its name yet"
                waited = f" after {wait_s:g} s of waiting" if wait_s else ""
                raise NoBench(
                    f"bench {self.bench} is in use{waited}: {who}. "
                    "Wait for it (--wait SECONDS), or ask that user."
                )
            # flock() has no deadline of its own.
            time.sleep(min(_POLL_S, left_s))

    def _sign(self, command: str) -> None:
        since = datetime.now(timezone.utc).isoformat(timespec="seconds")
        text = json.dumps(asdict(Holder(os.getpid(), user_name(), since, command)))
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, text.encode(), 0)

    def close(self) -> None:
        """Let go of the bench."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def lock_path(bench: str, directory: Path) -> Path:
    """The file that stands for a bench's lock. It stays when nobody holds it."""
    name = "".join(c if c.isalnum() or c in "-_." else "_" for c in bench)
    return directory / f"wwep-rig-{name}.lock"


def holder_of(bench: str, directory: Path) -> Holder | None:
    """Who has the bench now; None: nobody. Raises NoBench when the lock cannot be read."""
    path = lock_path(bench, directory)
    if not path.exists():
        return None
    descriptor = _open(path)
    try:
        if not is_locked(descriptor):
            return None
        return _read(descriptor) or Holder(0, "unknown", "unknown", "unknown")
    finally:
        os.close(descriptor)


def _open(path: Path) -> int:
    # Without O_CREAT first: in a sticky folder the kernel refuses O_CREAT on another user's file.
    flags = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        for more in (0, os.O_CREAT | os.O_EXCL, 0):
            try:
                descriptor = os.open(path, flags | more, 0o666)
            except FileNotFoundError:
                path.parent.mkdir(parents=True, exist_ok=True)
                continue
            except FileExistsError:
                continue
            if more:
                os.fchmod(descriptor, 0o666)
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                os.close(descriptor)
                break
            return descriptor
    except OSError as error:
        raise NoBench(
            f"open the lock {path}: {error.strerror}. Remove it if it is stale."
        ) from None
    raise NoBench(f"{path} is no lock file: remove it")


def _read(descriptor: int) -> Holder | None:
    try:
        fields = json.loads(os.pread(descriptor, 65536, 0))
        return Holder(
            int(fields["pid"]), str(fields["user"]), str(fields["since"]), str(fields["command"])
        )
    except (ValueError, KeyError, TypeError):
        return None
