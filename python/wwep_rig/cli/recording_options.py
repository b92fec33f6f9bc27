"""What `serve` and `run` can keep of a run: options that both have, and which files they make."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import click

from wwep_rig.capture import capture_path

_Function = TypeVar("_Function", bound=Callable[..., Any])
_FILE = click.Path(dir_okay=False, path_type=Path)

_OPTIONS: tuple[Callable[..., Any], ...] = (
    click.option("--record", type=_FILE, metavar="FILE", help="Record the run to this file."),
    click.option(
        "--capture",
        "captures",
        is_flag=True,
        help="Keep the packets too, beside the recording, for wwep-rig export --format pcapng.",
    ),
    click.option(
        "--keylog",
        "key_log",
        type=_FILE,
        metavar="FILE",
        help="Write the TLS keys of this run to this file, readable by you alone: whoever has it "
        "can decrypt a capture. wwep-rig export finds it by itself if it is called RECORDING.keys.",
    ),
)


def recording_options(function: _Function) -> _Function:
    """`--record`, `--capture` and `--keylog`"""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def files_to_make(record: Path | None, captures: bool, key_log: Path | None) -> list[Path]:
    """The files that these options ask for. Raises UsageError: a capture without a recording."""
    if captures and record is None:
        raise click.UsageError("--capture needs --record: the packets lie beside the recording")
    packets = [capture_path(record)] if record is not None and captures else []
    return [each for each in (record, key_log) if each is not None] + packets


def refuse_existing(files: Iterable[Path], remedy: str) -> None:
    """Raise UsageError for a file that a run would replace."""
    for path in files:
        if path.exists():
            raise click.UsageError(f"{path} exists: {remedy}")
