"""What a build needs to know of a port, and the means that ports share."""

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fcntl import LOCK_EX, flock
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
FIRMWARE = REPOSITORY / "firmware-under-test"
API_HEADERS = FIRMWARE / "wiced" / "include"
COMMON = FIRMWARE / "ports" / "common"


@dataclass(frozen=True)
class Port:
    """A port whose library is built, ready for applications.

    Attributes:
        compile: the compiler and the flags for every source.
        api: flags that find the headers which an application sees.
        own_sources: sources of the port that are compiled for each application.
        own_flags: their flags; they see the application's global defines too.
        link: what stands behind the objects on the linker's command line.
    """

    compile: tuple[str, ...]
    api: tuple[str, ...]
    own_sources: tuple[Path, ...]
    own_flags: tuple[str, ...]
    link: tuple[str, ...]


def cache_folder() -> Path:
    """Where builds are kept, below the user's cache."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "wwep-rig"


def run(command: Sequence[str], cwd: Path) -> tuple[bool, str]:
    """Runs a program to its end: whether it succeeded, and what it said."""
    try:
        done = subprocess.run(
            command,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )
    except OSError as error:
        return False, f"{command[0]}: {error.strerror}\n"
    return done.returncode == 0, done.stdout


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """One build at a time in one folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        flock(lock, LOCK_EX)
        yield
