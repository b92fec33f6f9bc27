"""`wwep-rig verdict`: the exit code that a JUnit file stands for."""

from xml.etree import ElementTree

import click

from wwep_rig.errors import Outcome, worst

from .common import GOOD, NO_BENCH, RIG_ERROR, TARGET_FAILED, json_option, print_json

_CODES = {
    Outcome.GOOD: GOOD,
    Outcome.TARGET_FAILED: TARGET_FAILED,
    Outcome.RIG_ERROR: RIG_ERROR,
    Outcome.NO_BENCH: NO_BENCH,
}


@click.command()
@click.argument("junit", type=click.Path(exists=True, dir_okay=False))
@json_option
def verdict(junit: str, as_json: bool) -> int:
    """Say what a JUnit file of pytest says about bench and target, also as the exit code.

    \b
    Example, as a step of a CI job:
        $ pytest --junitxml=report.xml; wwep-rig verdict report.xml
        target-failed

    What passed only after a retry (pytest --rig-retries) is said with it.

    Exit codes: 0 good, 1 target-failed, 3 rig-error, 4 no-bench; 3 as well when the run did not get
    to its end: the file holds no verdict, or a good one on a run that was interrupted.
    """
    try:
        root = ElementTree.parse(junit).getroot()
    except ElementTree.ParseError as error:
        raise click.UsageError(f"{junit} is no JUnit file: {error}") from None
    properties = [
        (each.get("name"), str(each.get("value")))
        for suite in root.iter("testsuite")
        for each in suite.findall("./properties/property")
    ]
    found = [value for name, value in properties if name == "rig_verdict"]
    passed_late = sum(
        int(v) for n, v in properties if n == "rig_passed_after_retry" and v.isdigit()
    )
    is_interrupted = ("rig_interrupted", "yes") in properties
    unknown = [each for each in found if each not in {outcome.value for outcome in Outcome}]
    if not found or unknown:
        outcome = Outcome.RIG_ERROR
        why = f"unknown verdict {unknown[0]!r}" if unknown else "no verdict"
    else:
        outcome, why = worst(*map(Outcome, found)), ""
    if as_json:
        print_json(
            {
                "verdict": outcome.value,
                "is_interrupted": is_interrupted,
                "passed_after_retry": passed_late,
                "problem": why or None,
            }
        )
    else:
        tests = f"{passed_late} test{'s' * (passed_late > 1)}"
        late = f" ({tests} passed after a retry)" if passed_late else ""
        click.echo(outcome.value + late + (" (interrupted)" if is_interrupted else ""))
        if why:
            click.echo(f"wwep-rig: {why} in {junit}", err=True)
    return RIG_ERROR if outcome is Outcome.GOOD and is_interrupted else _CODES[outcome]
