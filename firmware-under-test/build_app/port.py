"""The port's library: taken where the project's own build put it, else built for itself."""

import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fcntl import LOCK_EX, flock
from pathlib import Path

from build_app.errors import BuildFailed

REPOSITORY = Path(__file__).resolve().parents[2]
FIRMWARE = REPOSITORY / "firmware-under-test"
PORTS = ("posix",)
INSTALLED = FIRMWARE / "ports" / "posix" / "libwiced_posix.a"
_LIBRARY = Path("firmware-under-test", "ports", "posix", "libwiced_posix.a")


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


def posix_library(cache: Path) -> Path:
    """libwiced_posix.a, no older than its sources; an installed package brings its own."""
    if INSTALLED.is_file():
        return INSTALLED
    sources = [
        *(FIRMWARE / "ports" / "posix").glob("*.[ch]"),
        *(FIRMWARE / "ports" / "posix" / "include").glob("*.h"),
        *(FIRMWARE / "wiced" / "include").glob("*.h"),
        FIRMWARE / "ports" / "posix" / "CMakeLists.txt",
    ]
    newest_ns = max(path.stat().st_mtime_ns for path in sources)
    built = REPOSITORY / "build" / "dev" / _LIBRARY
    if built.is_file() and built.stat().st_mtime_ns >= newest_ns:
        return built
    with locked(cache):
        return _build(cache)


def _build(folder: Path) -> Path:
    print("build-app: building the port's library", file=sys.stderr, flush=True)
    configure = ["cmake", "-S", str(REPOSITORY), "-B", str(folder), "-G", "Ninja"]
    options = ["-DCMAKE_BUILD_TYPE=RelWithDebInfo", "-DPython_EXECUTABLE=/usr/bin/python3"]
    options += ["-DWWEP_BUILD_TESTS=OFF", "-DWWEP_BUILD_BINDINGS=OFF"]
    make = ["cmake", "--build", str(folder), "--target", "wiced_posix"]
    for command in ([*configure, *options], make):
        is_done, said = run(command, folder)
        if not is_done:
            raise BuildFailed(f"{said}\nthe port's library did not build: {shlex.join(command)}")
    return folder / _LIBRARY


def posix_link_flags() -> list[str]:
    """What the library itself needs."""
    is_done, said = run(["pkg-config", "--libs", "wolfssl", "libgpiod"], REPOSITORY)
    if not is_done:
        raise BuildFailed(f"{said}pkg-config misses a library: ci/setup installs it")
    return [*shlex.split(said), "-pthread"]
