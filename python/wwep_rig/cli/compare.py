"""`wwep-rig compare A B`: what changed, with a verdict for a release."""

import math
from pathlib import Path

import click

from wwep_rig.compare import Change, Comparison, Percentile, Tolerance
from wwep_rig.compare import compare as compared
from wwep_rig.recorded import RecordedRun
from wwep_rig.statistics import CONFIDENCE

from .common import GOOD, TARGET_FAILED, json_option, print_json, progress

_recording = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("a", type=_recording)
@click.argument("b", type=_recording)
@click.option(
    "--tolerance",
    "share",
    type=click.FloatRange(min=0),
    default=10.0,
    show_default=True,
    metavar="PERCENT",
    help="A percentile may be later by so much of itself.",
)
@click.option(
    "--tolerance-ms",
    "ms",
    type=click.FloatRange(min=0),
    default=0.5,
    show_default=True,
    metavar="MS",
    help="Or by so many milliseconds, whichever is more.",
)
@click.option(
    "--confidence",
    type=click.FloatRange(0.5, 0.999999),
    default=CONFIDENCE,
    show_default=True,
    metavar="SHARE",
    help="Two recordings of the same are called different at most as rarely as this leaves.",
)
@json_option
def compare(a: Path, b: Path, share: float, ms: float, confidence: float, as_json: bool) -> int:
    """Compare recording B, of a new firmware say, with recording A.

    Worse are: a test that passed in A and did not in B, a larger share of failed presses, a
    percentile that is later by more than the tolerance, the last two only as far as chance does not
    explain them. Presses that should have had a latency and had not count as later than any.

    \b
    Example: the same soak on the firmware released and on the one to be:
        $ wwep-rig soak --presses 1000 --record released.sqlite
        $ wwep-rig soak --presses 1000 --record candidate.sqlite
        $ wwep-rig compare released.sqlite candidate.sqlite

    Exit code 1 when B is worse.
    """
    with progress("reading"):
        found = compared(
            RecordedRun(a),
            RecordedRun(b),
            tolerance=Tolerance(share / 100, ms),
            confidence=confidence,
        )
    if as_json:
        print_json({"a": str(a), "b": str(b), **found.as_value})
    else:
        click.echo("\n".join(_as_text(found)))
    return TARGET_FAILED if found.is_worse else GOOD


def _as_text(found: Comparison) -> list[str]:
    lines = [f"{name}: {was or '-'} → {now or '-'}" for name, was, now in found.facts]
    failures = found.failures
    lines.append(
        f"failed presses: {failures.a_failed} of {failures.a_presses} → {failures.b_failed} of "
        f"{failures.b_presses}: {failures.change.value}"
    )
    lines += [f"    only in B: {problem} ({count})" for problem, count in failures.new.items()]
    if found.tests:
        lines += ["", "tests"]
        lines += [
            f"    {one.nodeid}: {one.a or 'not run'} → {one.b or 'not run'}: {one.change.value}"
            for one in found.tests
        ]
    if found.percentiles:
        lines += ["", f"{'latency (ms)':<20}{'A':>10}{'between':>20}{'B':>10}{'between':>20}"]
        lines += [_row(one) for one in found.percentiles]
    lines += ["", "verdict: " + ("worse" if found.is_worse else "not worse")]
    lines += [f"    {each}" for each in found.worse]
    if any(one.change is Change.UNKNOWN for one in found.percentiles):
        lines.append("    some percentiles cannot be compared: too few presses")
    return lines


def _row(one: Percentile) -> str:
    def number(value: float) -> str:
        return f"{value:.3f}" if math.isfinite(value) else "?"

    def between(low: float, high: float) -> str:
        return f"{number(low)}..{number(high)}"

    return (
        f"{one.text:<20}{number(one.a_ms):>10}"
        f"{between(one.a_between.low, one.a_between.high):>20}{number(one.b_ms):>10}"
        f"{between(one.b_between.low, one.b_between.high):>20}  {one.change.value}"
    )
