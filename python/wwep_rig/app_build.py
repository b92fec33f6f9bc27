"""Builds a WICED application for a process or an emulated board: runs the firmware's build-app."""

import os
import shlex
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .errors import NoBench, RigError, TargetFailed

POSIX = "posix"
CROSS_COMPILER = "arm-none-eabi-gcc"

_CROSS_TOOLS = (
    "install Debian's gcc-arm-none-eabi and libnewlib-arm-none-eabi (ci/setup --emulator)"
)
_EXIT_BUILD_FAILED, _EXIT_USAGE = 1, 2
_LIBRARIES = ("wolfssl", "libgpiod")


@dataclass(frozen=True)
class App:
    """An application written for the WICED SDK, and how it is to be built.

    Attributes:
        folder: where its makefile lies.
        settings: variables of the makefile, as on make's command line; one that it does not know
            becomes a macro of the C sources.
        lab_names: whether to know the names that only the lab's text has.
        ready: text of the console that says it is up; empty: its wire says so.
    """

    folder: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    lab_names: bool = False
    ready: str = ""


def tell_on_stderr(line: str) -> None:
    """Where what a build says goes unless somebody wants it elsewhere."""
    print(line, file=sys.stderr, flush=True)


def build_app(
    app: App,
    environment: Mapping[str, str],
    tell: Callable[[str], None] = tell_on_stderr,
    port: str = POSIX,
) -> Path:
    """Build it, and give its program's path.

    Args:
        app: what to build.
        environment: says which compiler (`CC`), and where builds and the libraries' sources are
            kept (`XDG_CACHE_HOME`).
        tell: is given each line that the build says: progress, the compiler's warnings.
        port: of the firmware, for which it is built.

    Raises:
        TargetFailed: the makefile or the sources are at fault.
        NoBench: there is no such folder, or something that a build needs is not installed.
    """
    if port == POSIX:
        _refuse_missing_tools(environment)
    else:
        cross_compiler(environment)
        image_sources(environment)
    tell(f"building {app.folder}")
    # Its own line says how it wants to be run; a checkout may lie where nothing is executable.
    command = [sys.executable, "-IB", str(build_command()), str(app.folder)]
    command += ["--port", port] if port != POSIX else []
    for name, value in app.settings.items():
        command += ["--set", f"{name}={value}"]
    command += ["--lab-names"] if app.lab_names else []
    code, out, said = _run(command, environment, tell)
    if code == 0 and out:
        return Path(out.splitlines()[-1])
    reason = said[-1] if said else f"exit status {code}"
    if code == _EXIT_USAGE:
        raise NoBench(f"build {app.folder}: {reason.removeprefix('build-app: ')}")
    if code != _EXIT_BUILD_FAILED:
        raise RigError(f"build {app.folder}: {shlex.join(command)} ended with {code}: {reason}")
    raise TargetFailed(f"{app.folder} does not build: {reason}")


def build_command() -> Path:
    """build-app: beside the installed package's modules, or in the checkout around them."""
    package = Path(__file__).resolve().parent
    places = [
        above / "firmware-under-test" / "build-app" for above in (package, package.parents[1])
    ]
    for place in places:
        if place.is_file():
            return place
    raise NoBench(
        f"no build-app at {' or '.join(map(str, places))}: applications are built from a checkout "
        "of wwep-rig or from its installed wheel"
    )


def cross_compiler(environment: Mapping[str, str]) -> Path:
    """The compiler of images. Raises NoBench when it or its C library is not installed."""
    path = shutil.which(CROSS_COMPILER, path=environment.get("PATH", os.defpath))
    if path is None:
        raise NoBench(f"building an image takes {CROSS_COMPILER}, which is not there", _CROSS_TOOLS)
    # Where it is, the answer is its path; else the name that was asked for.
    ask = [path, "-print-file-name=nano.specs"]
    said = subprocess.run(ask, capture_output=True, text=True, check=False).stdout
    if not said.startswith("/"):
        raise NoBench("building an image takes newlib, which is not there", _CROSS_TOOLS)
    return Path(path)


def image_sources(environment: Mapping[str, str]) -> Path:
    """Where the libraries' sources for images lie. Raises NoBench when one of them does not."""
    home = environment.get("HOME") or str(Path.home())
    cache = environment.get("XDG_CACHE_HOME") or f"{home}/.cache"
    folder = Path(cache) / "wwep-rig" / "sources"
    for library in ("lwip", "wolfssl"):
        if not (folder / library).is_dir():
            what = f"building an image takes the sources of {library}, which are not in {folder}"
            raise NoBench(what, "fetch them out of Debian: ci/fetch-sources, which needs no root")
    return folder


def _refuse_missing_tools(environment: Mapping[str, str]) -> None:
    path = environment.get("PATH", os.defpath)
    compiler = shlex.split(environment.get("CC") or "cc")
    for tool, package in ((compiler[0] if compiler else "cc", "gcc"), ("pkg-config", "pkg-config")):
        if shutil.which(tool, path=path) is None:
            raise NoBench(
                f"building an application takes {tool}, which is not there: "
                f"install Debian's {package}"
            )
    check = ["pkg-config", "--exists", *_LIBRARIES]
    if subprocess.run(check, env=dict(environment), check=False).returncode != 0:
        raise NoBench(
            "building an application takes the headers of wolfSSL and libgpiod, of which "
            "pkg-config knows not both: install Debian's libwolfssl-dev and libgpiod-dev"
        )


def _run(
    command: list[str], environment: Mapping[str, str], tell: Callable[[str], None]
) -> tuple[int, str, list[str]]:
    """Runs a command to its end: exit status, standard output, and what it said meanwhile."""
    said: list[str] = []
    # A group of its own: whoever interrupts the build takes compilers and cmake along.
    with subprocess.Popen(
        command,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
    ) as process:
        stdout, stderr = process.stdout, process.stderr
        assert stdout is not None and stderr is not None
        out: list[str] = []
        reader = threading.Thread(target=lambda stream: out.append(stream.read()), args=(stdout,))
        reader.start()
        try:
            for line in stderr:
                said.append(line.rstrip("\n"))
                tell(said[-1])
            code = process.wait()
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        finally:
            reader.join()
    return code, "".join(out), [line for line in said if line.strip()]
