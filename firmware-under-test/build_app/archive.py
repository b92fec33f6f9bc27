"""Static libraries for a board, each built once for each state of its sources and flags."""

import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from build_app.errors import BuildFailed
from build_app.port import cache_folder, locked, run

ARCHIVES_KEPT_MAX = 8


@dataclass(frozen=True)
class Archive:
    """A library to be made.

    Attributes:
        name: what it is called in the cache and in messages.
        sources: what is compiled.
        headers: further files that the result depends on.
        flags: without those of the compiler's command line that all of the port share.
    """

    name: str
    sources: tuple[Path, ...]
    headers: tuple[Path, ...]
    flags: tuple[str, ...]


def _key(archive: Archive, compiler: Sequence[str], version: str) -> str:
    digest = hashlib.sha256("\0".join((version, *compiler, *archive.flags)).encode())
    for path in (*archive.sources, *archive.headers):
        digest.update(f"\0{path}\0".encode())
        try:
            digest.update(path.read_bytes())
        except OSError as error:
            raise BuildFailed(f"{path}: {error.strerror}") from error
    return digest.hexdigest()[:16]


def build(archive: Archive, compiler: Sequence[str], archiver: str) -> Path:
    """The library, from the cache if its sources, headers and flags are as they were."""
    is_there, version = run([compiler[0], "--version"], Path("/"))
    if not is_there:
        raise BuildFailed(f"{version}ci/setup --emulator installs the compiler for this port")
    home = cache_folder() / "archives"
    library = home / f"{archive.name}-{_key(archive, compiler, version)}.a"
    with locked(home):
        if not library.is_file():
            print(f"build-app: building {archive.name}", file=sys.stderr, flush=True)
            _compile(archive, compiler, archiver, home, library)
            _forget_old_ones(archive.name, home)
        os.utime(library)
    return library


def _compile(
    archive: Archive, compiler: Sequence[str], archiver: str, home: Path, library: Path
) -> None:
    with tempfile.TemporaryDirectory(dir=home, prefix="build-") as made:
        folder = Path(made)
        objects = [
            folder / f"{number}-{path.stem}.o" for number, path in enumerate(archive.sources)
        ]

        def compile_one(number: int) -> tuple[bool, str]:
            source = archive.sources[number]
            command = [*compiler, *archive.flags, "-c", str(source), "-o", str(objects[number])]
            return run(command, folder)

        with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
            results = list(pool.map(compile_one, range(len(objects))))
        said = "".join(text for _, text in results)
        if not all(is_done for is_done, _ in results):
            raise BuildFailed(f"{said}{archive.name} did not build")
        print(said, end="", file=sys.stderr, flush=True)
        is_done, said = run([archiver, "rcs", "library.a", *map(str, objects)], folder)
        if not is_done:
            raise BuildFailed(f"{said}{archive.name} did not build")
        shutil.move(str(folder / "library.a"), library)


def _forget_old_ones(name: str, home: Path) -> None:
    """Keeps the cache from growing with each change of a source."""
    known = sorted(home.glob(f"{name}-*.a"), key=lambda path: path.stat().st_mtime_ns)
    for path in known[:-ARCHIVES_KEPT_MAX]:
        path.unlink()
