"""The POSIX port: its library is taken where the project's own build put it, else built here."""

import hashlib
import os
import shlex
import sys
from pathlib import Path

from build_app.errors import BuildFailed
from build_app.port import (
    API_HEADERS,
    COMMON,
    FIRMWARE,
    REPOSITORY,
    Port,
    cache_folder,
    locked,
    run,
)

_PORT = FIRMWARE / "ports" / "posix"
INSTALLED = _PORT / "libwiced_posix.a"
_LIBRARY = Path("firmware-under-test", "ports", "posix", "libwiced_posix.a")


def prepare() -> Port:
    """The port, its library no older than its sources."""
    compiler = os.environ.get("CC") or "cc"
    return Port(
        compile=(compiler, "-std=gnu11", "-O1", "-g", "-fno-omit-frame-pointer", "-pthread"),
        api=(f"-I{API_HEADERS}", f"-I{_PORT / 'include'}", f"-I{COMMON / 'include'}"),
        own_sources=(_PORT / "main.c", COMMON / "application.c"),
        own_flags=("-D_GNU_SOURCE", f"-I{_PORT}", f"-I{COMMON}"),
        link=(str(_library()), *_link_flags()),
    )


def _library() -> Path:
    """libwiced_posix.a; an installed package brings its own."""
    if INSTALLED.is_file():
        return INSTALLED
    sources = [
        *_PORT.glob("*.[ch]"),
        *_PORT.glob("include/*.h"),
        *COMMON.glob("*.[ch]"),
        *COMMON.glob("include/*.h"),
        *API_HEADERS.glob("*.h"),
        _PORT / "CMakeLists.txt",
    ]
    newest_ns = max(path.stat().st_mtime_ns for path in sources)
    built = REPOSITORY / "build" / "dev" / _LIBRARY
    if built.is_file() and built.stat().st_mtime_ns >= newest_ns:
        return built
    cache = cache_folder() / f"posix-{hashlib.sha256(str(REPOSITORY).encode()).hexdigest()[:16]}"
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


def _link_flags() -> list[str]:
    """What the library itself needs."""
    is_done, said = run(["pkg-config", "--libs", "wolfssl", "libgpiod"], REPOSITORY)
    if not is_done:
        raise BuildFailed(f"{said}pkg-config misses a library: ci/setup installs it")
    return [*shlex.split(said), "-pthread"]
