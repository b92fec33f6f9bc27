"""Compiles an application and links it with its port.

Everything of the application is compiled each time: it is a few files, and nothing can be stale,
neither a certificate nor a header that the makefile does not name.
"""

import hashlib
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from build_app import lm3s6965, posix
from build_app.application import Application
from build_app.errors import BuildFailed
from build_app.generate import write_sources
from build_app.port import REPOSITORY, Port, cache_folder, locked, run

PORTS: dict[str, Callable[[], Port]] = {"posix": posix.prepare, "lm3s6965": lm3s6965.prepare}

# The lab's text spells these; the SDK has no such functions and macros.
LAB_NAMES = re.compile(
    r"\b(wiced_socket_delete|INITIALIZER_IPV4_ADDRESS|wiced_listen|wiced_tcp_packet_create|"
    r"wiced_tcp_packet_create_tcp|wiced_tcp_set_data_end)\b"
)

# The SDK's compiler took these for warnings; newer ones refuse them unless told otherwise.
_LENIENT = [
    "-Wno-error",
    "-Wno-error=implicit-function-declaration",
    "-Wno-error=implicit-int",
    "-Wno-error=incompatible-pointer-types",
    "-Wno-error=int-conversion",
]


@dataclass(frozen=True)
class Unit:
    """One C file and how it is compiled."""

    source: Path
    flags: tuple[str, ...]


def build(
    application: Application, port: Port, key: str, lab_names: bool, output: Path | None
) -> tuple[Path, str]:
    """Builds, and gives the program's path and what the compiler had to say.

    Args:
        application: what to build.
        port: what to build it for.
        key: tells builds of the same application with other settings apart.
        lab_names: whether to know the names that only the lab's text has.
        output: where to put the program; None: below the user's cache.
    """
    digest = hashlib.sha256(f"{REPOSITORY}\0{application.folder}\0{key}".encode()).hexdigest()
    home = cache_folder() / "apps" / f"{application.folder.name}-{digest[:16]}"
    artefact = output or home / application.folder.name
    with locked(home), tempfile.TemporaryDirectory(dir=home, prefix="build-") as made:
        folder = Path(made)
        said = _compile_and_link(application, port, lab_names, folder)
        _put(folder / "program", artefact)
    return artefact, said


def _put(program: Path, artefact: Path) -> None:
    """Replaces the artefact in one step: one that runs goes on running."""
    beside = artefact.parent / f".{artefact.name}.{os.getpid()}"
    try:
        shutil.copy2(program, beside)
        os.replace(beside, artefact)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise BuildFailed(f"write {artefact}: {error.strerror}") from error


def _units(application: Application, port: Port, lab_names: bool, folder: Path) -> list[Unit]:
    api = list(port.api)
    defines = [f"-D{each}" for each in application.global_defines]
    if application.wifi_config is not None:
        defines.append("-DWIFI_CONFIG_APPLICATION_DEFINED")
        api.append(f"-I{application.wifi_config.parent}")
    includes = [f"-I{each}" for each in application.global_includes]
    own = ["-Wall", *(f"-D{each}" for each in application.defines), *application.flags]
    own += [*_LENIENT, f"-I{folder}", f"-I{application.folder}"]
    own += [f"-I{each}" for each in application.includes]
    if lab_names:
        own += ["-include", "wiced_lab_names.h"]
    units = [Unit(source, (*defines, *own, *includes, *api)) for source in application.sources]
    generated = write_sources(application, folder)
    for source in (*generated, *port.own_sources):
        flags = (*defines, f"-I{folder}", *port.own_flags, *includes, *api)
        units.append(Unit(source, flags))
    return units


def _compile_and_link(application: Application, port: Port, lab_names: bool, folder: Path) -> str:
    units = _units(application, port, lab_names, folder)
    objects = [folder / f"{number}.o" for number in range(len(units))]

    def compile_one(number: int) -> tuple[bool, str]:
        unit = units[number]
        command = [*port.compile, *unit.flags, "-c", str(unit.source), "-o", str(objects[number])]
        return run(command, folder)

    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        results = list(pool.map(compile_one, range(len(units))))
    said = "".join(text for _, text in results)
    if not all(is_done for is_done, _ in results):
        raise BuildFailed(said + _hint(said, lab_names) + "the compiler found errors")
    program = str(folder / "program")
    command = [*port.compile, *map(str, objects), *port.link, "-o", program]
    is_linked, text = run(command, folder)
    if not is_linked:
        raise BuildFailed(said + text + _hint(text, lab_names) + "the program did not link")
    return said + text


def _hint(said: str, lab_names: bool) -> str:
    found = LAB_NAMES.search(said)
    if found is None or lab_names:
        return ""
    return f"{found[1]} stands in the lab's text only, not in the SDK: try --lab-names\n"


def show(text: str) -> None:
    """To the user, and never to stdout, whose last line is the artefact's."""
    if text:
        print(text.rstrip("\n"), file=sys.stderr, flush=True)
