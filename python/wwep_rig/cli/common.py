"""What the verbs share: exit codes, options, output."""

import contextlib
import json
import os
import signal
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import click

GOOD, TARGET_FAILED, USAGE, RIG_ERROR, NO_BENCH = range(5)
INTERRUPTED = 130

_Function = TypeVar("_Function", bound=Callable[..., Any])


def complete_bench(context: click.Context, parameter: click.Parameter, typed: str) -> list[str]:
    """The names of the benches there are, for a shell."""
    from wwep_rig.find_bench import BUILT_INS, search_path

    names = set(BUILT_INS)
    for folder in search_path(os.environ):
        names |= {path.stem for path in folder.glob("*.toml")}
    return sorted(name for name in names if name.startswith(typed))


class Stopped(BaseException):
    """Ctrl-C or SIGTERM asked a verb that runs until then to end."""


def json_option(function: _Function) -> _Function:
    """`--json`"""
    option: Callable[[_Function], _Function] = click.option(
        "--json", "as_json", is_flag=True, help="Print JSON instead of text."
    )
    return option(function)


def bench_option(function: _Function) -> _Function:
    """`--bench`"""
    option: Callable[[_Function], _Function] = click.option(
        "--bench",
        "bench_name",
        metavar="NAME|FILE",
        default="sim",
        show_default=True,
        envvar="WWEP_RIG_BENCH",
        shell_complete=complete_bench,
        help="A bench file, or its name in ./benches, your configuration directory or "
        "/etc/wwep-rig.",
    )
    return option(function)


def wait_option(function: _Function) -> _Function:
    """`--wait`"""
    option: Callable[[_Function], _Function] = click.option(
        "--wait",
        "wait_s",
        type=click.FloatRange(min=0),
        default=0.0,
        metavar="SECONDS",
        help="Wait so long for a bench that somebody else has.",
    )
    return option(function)


def print_json(value: object) -> None:
    """One JSON value on a line of its own."""
    click.echo(json.dumps(value, ensure_ascii=False))


@contextlib.contextmanager
def until_stopped() -> Iterator[None]:
    """Runs its block until it ends, or Ctrl-C or SIGTERM ends it without an error."""

    def stop(number: int, frame: object) -> None:
        # A second signal while things are being closed must not break that off.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise Stopped

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, stop)
    try:
        yield
    except Stopped:
        pass
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def progress(text: str) -> Iterator[Callable[[str], None]]:
    """A spinner while something takes its time; nothing where nobody looks.

    What it yields is called with how far that is.
    """
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda how_far: None
        return
    with console.status(text) as status:
        yield lambda how_far: status.update(f"{text}: {how_far}")


def hex_number(digits_max: int, what: str) -> Callable[[object, object, str], int]:
    """A click callback that reads 1 to `digits_max` hex digits."""

    def parse(context: object, parameter: object, text: str) -> int:
        if not 1 <= len(text) <= digits_max or any(c not in "0123456789abcdefABCDEF" for c in text):
            raise click.BadParameter(f"{text!r} is not {what}: 1 to {digits_max} hex digits")
        return int(text, 16)

    return parse
