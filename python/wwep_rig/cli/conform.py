"""`wwep-rig conform`: the conformance suite against any WWEP server."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from wwep_rig.conformance import Case, CaseResult, Conformance, ServerUnderTest, cases, matching

from .client import client_options, tls_options
from .common import GOOD, INTERRUPTED, TARGET_FAILED, json_option, print_json, until_stopped
from .conform_report import (
    Report,
    as_json_object,
    headline,
    result_lines,
    summary,
    write_junit,
)


@click.command()
@click.argument("host", required=False)
@tls_options
@click.option(
    "--one-at-a-time",
    is_flag=True,
    default=None,
    help="The server takes one connection at a time. Default: found out by probing.",
)
@click.option(
    "--keep-open",
    is_flag=True,
    default=None,
    help="The server keeps a connection open for more frames. Default: found out by probing.",
)
@click.option(
    "--idle-timeout",
    "idle_timeout_s",
    type=click.FloatRange(min=0.1),
    metavar="SECONDS",
    help="After how long the server closes a silent connection. Default: not tested.",
)
@click.option(
    "--patience",
    "patience_s",
    type=click.FloatRange(min=0.1),
    default=5.0,
    show_default=True,
    metavar="SECONDS",
    help="How long an answer, a handshake or a close may take before it counts as never.",
)
@click.option(
    "--only", multiple=True, metavar="PATTERN", help="Only these cases, `tls.*` say. May repeat."
)
@click.option("--list", "is_list", is_flag=True, help="Show the cases, and run none.")
@click.option(
    "--seed",
    type=click.IntRange(0, 2**32 - 1),
    metavar="N",
    help="The devices that are written to follow from it. Default: others each time.",
)
@click.option(
    "--junit",
    metavar="F",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write a JUnit file too.",
)
@click.option(
    "-v",
    "--verbose",
    is_flag=True,
    help="Show the bytes sent and received of cases that passed, too; --json and --junit always "
    "have them.",
)
@json_option
def conform(
    host: str | None,
    one_at_a_time: bool | None,
    keep_open: bool | None,
    idle_timeout_s: float | None,
    patience_s: float,
    only: tuple[str, ...],
    is_list: bool,
    seed: int | None,
    junit: Path | None,
    verbose: bool,
    as_json: bool,
    **connection: Any,
) -> int:
    """Try the WWEP server at HOST against the protocol, case by case.

    A case fails where the server deviates from the protocol's description. Where the description
    is silent and the rig has a ruling of its own, a deviation is a note. What cannot apply to this
    server is skipped, with the reason. Under a failure and a note stand the bytes sent and received
    that led to it. The suite writes some 300 registers.

    \b
    Example, a server over TLS on a board:
        $ wwep-rig conform 198.51.100.20 --tls --ca root.pem --name wwep.ww101.cypress.com

    Exit codes: 0 no case failed, 1 a case failed, 3 there is no server. Ctrl-C ends the run and
    shows what has been seen (130, or 1 if a case had failed).
    """
    wanted = matching(only)
    if not wanted:
        raise click.UsageError(f"no case matches {' '.join(only)}: see `wwep-rig conform --list`")
    if is_list:
        _print_cases(wanted, as_json)
        return GOOD
    if host is None:
        raise click.UsageError("Missing argument 'HOST'.")
    options = client_options(host=host, **connection)
    said = ServerUnderTest(options, one_at_a_time, keep_open, patience_s, idle_timeout_s)
    if seed is not None:
        said = ServerUnderTest(options, one_at_a_time, keep_open, patience_s, idle_timeout_s, seed)
    suite = Conformance(said)
    server = f"[{options.host}]" if ":" in options.host else options.host
    server += f":{options.port}"
    results: list[CaseResult] = []

    def tell(result: CaseResult) -> None:
        results.append(result)
        if not as_json:
            click.echo("\n".join(result_lines(result, verbose=verbose)))

    with until_stopped():
        suite.probe()
        if not as_json:
            click.echo(headline(server, suite))
        _run(suite, wanted, tell)
    report = Report(server, suite, results, len(wanted))
    if as_json:
        print_json(as_json_object(report))
    else:
        click.echo(summary(report))
    if junit is not None:
        _write_junit(junit, report)
    if report.verdict == "target-failed":
        return TARGET_FAILED
    return GOOD if report.is_whole else INTERRUPTED


def _run(suite: Conformance, wanted: Sequence[Case], tell: Callable[[CaseResult], None]) -> None:
    with _progress() as show:
        for number, case in enumerate(wanted, 1):
            show(f"case {number} of {len(wanted)}: {case.name}")
            tell(suite.run(case.name))


@contextlib.contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    """A line that says which case runs; nothing where nobody looks."""
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda text: None
        return
    with console.status("probing") as status:
        yield status.update


def _print_cases(wanted: Sequence[Case], as_json: bool) -> None:
    if as_json:
        print_json([{"name": c.name, "sentence": c.sentence, "rule": c.rule} for c in wanted])
        return
    for case in wanted:
        click.echo(f"{case.name:<34}{case.sentence} ({case.rule})")
    click.echo(f"{len(wanted)} of {len(cases())} cases")


def _write_junit(path: Path, report: Report) -> None:
    try:
        write_junit(path, report)
    except OSError as error:
        raise click.ClickException(f"write {path}: {error.strerror}") from None
