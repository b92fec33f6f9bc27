"""What the verbs that press buttons share."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import click

from wwep_rig import _core
from wwep_rig.bench import Bench
from wwep_rig.bench_file import read_bench_file
from wwep_rig.errors import NoBench
from wwep_rig.find_bench import load_bench_file
from wwep_rig.opening import open_bench
from wwep_rig.pressing import HOLD_DEBOUNCES, HOLD_S

from .common import progress

_Function = TypeVar("_Function", bound=Callable[..., Any])


def hold_option(function: _Function) -> _Function:
    """`--hold`"""
    option: Callable[[_Function], _Function] = click.option(
        "--hold",
        "hold_s",
        type=click.FloatRange(min=0.000001),
        metavar="SECONDS",
        help="How long a button is held. "
        f"Default: {HOLD_S:g} s and {HOLD_DEBOUNCES} times the contract's debounce time.",
    )
    return option(function)


def profile_option(function: _Function) -> _Function:
    """`--profile`"""
    option: Callable[[_Function], _Function] = click.option(
        "--profile",
        default="ideal",
        show_default=True,
        help="How its contact bounces: ideal, tactile, worn, tactile:seed=7, glitch:200us.",
    )
    return option(function)


def refuse_unknown_button(bench_name: str, button: str) -> None:
    """Tell a mistyped button before a bench is opened for it. Raises BadParameter, or NoBench."""
    buttons = read_bench_file(load_bench_file(bench_name, os.environ)).buttons
    if button not in buttons:
        known = ", ".join(buttons) or "none"
        raise click.BadParameter(
            f"bench {bench_name} has no button {button!r}; its buttons: {known}",
            param_hint="BUTTON",
        )


def refuse_unknown_profile(profile: str, hold_s: float | None) -> None:
    """The same for a bounce profile, and for one that does not fit into the hold."""
    try:
        _core.press_steps(profile, hold_s or HOLD_S)
    except NoBench as error:
        raise click.BadParameter(str(error), param_hint="--profile") from None


@contextmanager
def started_bench(bench_name: str, wait_s: float) -> Iterator[Bench]:
    """A bench, opened, its target started."""
    with progress("opening the bench"):
        bench = open_bench(bench_name, wait_s=wait_s)
    with bench:
        with progress("starting the target"):
            bench.target.start()
        yield bench
