"""`wwep-rig shortest-press`: how short a press the target still accepts."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from wwep_rig.shortest_press import CONFIDENCE, Length, Plan, Search, attempts_on

from .common import (
    GOOD,
    INTERRUPTED,
    bench_option,
    json_option,
    print_json,
    until_stopped,
    wait_option,
)
from .pressing import refuse_unknown_button, started_bench

_DEFAULT = Plan()
_SECONDS = click.FloatRange(min=0.000001, max=600)


_Function = TypeVar("_Function", bound=Callable[..., Any])


def _seconds(
    name: str, parameter: str, default: float, text: str
) -> Callable[[_Function], _Function]:
    option: Callable[[_Function], _Function] = click.option(
        name,
        parameter,
        type=_SECONDS,
        default=default,
        show_default=True,
        metavar="SECONDS",
        help=text,
    )
    return option


@click.command(name="shortest-press")
@click.argument("button")
@bench_option
@wait_option
@_seconds("--from", "shortest_s", _DEFAULT.shortest_s, "The shortest press to try.")
@_seconds("--to", "longest_s", _DEFAULT.longest_s, "The longest one, which must be accepted.")
@_seconds("--resolution", "resolution_s", _DEFAULT.resolution_s, "How exact the answer is.")
@click.option(
    "--tries",
    type=click.IntRange(1, 1000),
    default=_DEFAULT.tries,
    show_default=True,
    metavar="N",
    help="Presses of each length on the way.",
)
@click.option(
    "--confirm",
    "confirming_tries",
    type=click.IntRange(1, 10_000),
    default=_DEFAULT.confirming_tries,
    show_default=True,
    metavar="N",
    help="Presses of the length found; more make it surer.",
)
@_seconds("--listen", "listen_s", _DEFAULT.listen_s, "How late a press may still show an effect.")
@json_option
def shortest_press(
    button: str,
    bench_name: str,
    wait_s: float,
    shortest_s: float,
    longest_s: float,
    resolution_s: float,
    tries: int,
    confirming_tries: int,
    listen_s: float,
    as_json: bool,
) -> int:
    """Find the shortest press of BUTTON that the target accepts.

    Halves between a press that is accepted and one that is not, with several presses of each
    length; then presses many times for as long as it found. Accepted means that the button's LED
    changes, or where the rig watches none, that a frame arrives. Ctrl-C shows what is known so far.

    \b
    Example:
        $ wwep-rig shortest-press button0 --bench bench-1
        button0: the shortest press that is accepted: 20.5 ms, 20 of 20

    Exit code 1 when not even the longest press is accepted, 130 when it was interrupted.
    """
    try:
        plan = Plan(shortest_s, longest_s, resolution_s, tries, confirming_tries, listen_s)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    refuse_unknown_button(bench_name, button)
    with started_bench(bench_name, wait_s) as bench:
        contract_ms = bench.target.contract.debounce_ms
        search = Search(
            attempts_on(bench, button, listen_s), plan, lambda length: _tell(length, as_json)
        )
        with until_stopped():
            search.run()
    if as_json:
        print_json(_as_value(search, button, contract_ms))
    else:
        click.echo("\n".join(_as_text(search, button, contract_ms)))
    return GOOD if search.is_complete else INTERRUPTED


def _tell(length: Length, as_json: bool) -> None:
    text = f"{length.hold_s * 1000:>10.3f} ms   accepted {length.accepted} of {length.tries}"
    click.echo(text, err=as_json)


def _as_text(search: Search, button: str, contract_ms: int) -> list[str]:
    found, rejected = search.accepted, search.rejected
    if found is None:
        return [f"{button}: interrupted before any length was found to be accepted"]
    shortest = found.hold_s <= search.plan.shortest_s
    lines = []
    if search.is_complete:
        low_s, high_s = found.driven_s
        lines.append(
            f"{button}: the shortest press that is accepted: {found.hold_s * 1000:.3g} ms"
            f"{' or less' if shortest else ''}, {found.accepted} of {found.tries} (really held "
            f"{low_s * 1000:.3f} to {high_s * 1000:.3f} ms)"
        )
        lines.append(
            f"    with {CONFIDENCE:.0%} confidence the target accepts at least "
            f"{found.share_at_least:.0%} of such presses"
        )
    else:
        lines.append(
            f"{button}: interrupted: {found.hold_s * 1000:.3g} ms is accepted so far, "
            f"{found.accepted} of {found.tries}"
        )
    if rejected is not None:
        lines.append(
            f"    not always accepted: {rejected.hold_s * 1000:.3g} ms, {rejected.accepted} of "
            f"{rejected.tries}"
        )
    if contract_ms and search.is_complete and found.driven_s[1] * 1000 < contract_ms:
        lines.append(f"    that is below the contract's debounce time of {contract_ms} ms")
    return lines


def _as_value(search: Search, button: str, contract_ms: int) -> dict[str, Any]:
    found = search.accepted
    return {
        "button": button,
        "is_complete": search.is_complete,
        "shortest_accepted": _length_value(found),
        "longest_rejected": _length_value(search.rejected),
        "accepts_at_least": found.share_at_least if found and search.is_complete else None,
        "confidence": CONFIDENCE,
        "contract_debounce_ms": contract_ms,
        "lengths": [_length_value(length) for length in search.lengths],
    }


def _length_value(length: Length | None) -> dict[str, Any] | None:
    if length is None:
        return None
    low_s, high_s = length.driven_s
    return {
        "hold_ms": length.hold_s * 1000,
        "accepted": length.accepted,
        "tries": length.tries,
        "driven_ms_min": low_s * 1000,
        "driven_ms_max": high_s * 1000,
    }
