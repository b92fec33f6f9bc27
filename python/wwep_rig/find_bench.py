"""Finds the bench file that a name or a path means."""

from collections.abc import Mapping
from pathlib import Path

from . import _core
from .errors import NoBench
from .user_dirs import config_directory

BUILT_IN = "sim"
BUILT_INS = {BUILT_IN: _core.BenchFile.sim, "emulator": _core.BenchFile.emulator}
SYSTEM_DIRECTORY = Path("/etc/wwep-rig")


def search_path(environment: Mapping[str, str]) -> tuple[Path, ...]:
    """The folders in which a bench's name is looked for, in this order."""
    return (Path("benches"), config_directory(environment), SYSTEM_DIRECTORY)


def find_bench_file(bench: str | Path, environment: Mapping[str, str]) -> Path | None:
    """The file of a bench; None: it is a built-in one.

    Args:
        bench: a path (with a slash, or ending in .toml) or a name.
        environment: says where the user's configuration directory is.

    Raises:
        NoBench: there is no such file; the text says where it was looked for.
    """
    text = str(bench)
    if isinstance(bench, Path) or "/" in text or text.endswith(".toml"):
        path = Path(bench)
        if not path.is_file():
            raise NoBench(
                f"there is no bench file {path}", "make one: wwep-rig bench new NAME --kind board"
            )
        return path
    folders = search_path(environment)
    for folder in folders:
        path = folder / f"{text}.toml"
        if path.is_file():
            return path
    if text in BUILT_INS:
        return None
    looked = ", ".join(str(folder / f"{text}.toml") for folder in folders)
    raise NoBench(
        f"there is no bench {text!r}: looked for {looked}",
        f"make one: wwep-rig bench new {text} --kind board, or use a built-in one: "
        f"{', '.join(BUILT_INS)}",
    )


def load_bench_file(bench: str | Path, environment: Mapping[str, str]) -> _core.BenchFile:
    """The checked bench file that a name or path means. Raises NoBench."""
    path = find_bench_file(bench, environment)
    return BUILT_INS[str(bench)]() if path is None else _core.BenchFile.load(str(path))
