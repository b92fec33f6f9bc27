"""What `wwep-rig conform` tells: lines as they come, a JSON object, a JUnit file."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import click

from wwep_rig.conformance import CaseResult, Conformance, Outcome, escaped

_COLOURS = {
    Outcome.PASS: "green",
    Outcome.NOTE: "yellow",
    Outcome.FAIL: "red",
    Outcome.SKIPPED: "cyan",
}


@dataclass(frozen=True)
class Report:
    """What one run of the suite found."""

    server: str
    suite: Conformance
    results: Sequence[CaseResult]
    cases_wanted: int

    @property
    def is_whole(self) -> bool:
        """Whether every case that was asked for has run."""
        return len(self.results) == self.cases_wanted

    def count(self, outcome: Outcome) -> int:
        """How many cases ended so."""
        return Counter(result.outcome for result in self.results)[outcome]

    @property
    def verdict(self) -> str:
        """In the rig's words; of a run that was interrupted it is about what ran until then."""
        return "target-failed" if self.count(Outcome.FAIL) else "good"


def headline(server: str, suite: Conformance) -> str:
    """Who is tested, and what is known about it."""
    said = suite.server
    transactions = "many transactions" if suite.keeps_open else "one transaction"
    admission = "one connection" if suite.one_at_a_time else "many connections"
    how = "said so" if said.keep_open is not None else "found out"
    how_too = "said so" if said.one_at_a_time is not None else "found out"
    return (
        f"{server} {('over ' + suite.tls) if suite.tls else 'in the clear'}; "
        f"{transactions} a connection ({how}), {admission} at a time ({how_too}); "
        f"seed {said.seed}"
    )


def result_lines(result: CaseResult, *, verbose: bool) -> list[str]:
    """A case for people: its outcome, why, and the bytes unless all was well."""
    word = click.style(f"{result.outcome.value:<8}", fg=_COLOURS[result.outcome])
    is_skipped = result.outcome is Outcome.SKIPPED
    says = result.reason if is_skipped else result.case.sentence
    lines = [f"{word}{result.case.name:<34}{says}"]
    if result.outcome in (Outcome.NOTE, Outcome.FAIL):
        lines += [f"{'':8}{each}" for each in (f"rule: {result.case.rule}", *result.findings)]
    if verbose or result.outcome in (Outcome.NOTE, Outcome.FAIL):
        lines += [f"{'':8}| {each}" for each in result.evidence()]
    return lines


def summary(report: Report) -> str:
    """The last line."""
    took_s = sum(result.took_ns for result in report.results) / 1e9
    counts = ", ".join(f"{report.count(each)} {each.value}" for each in Outcome)
    cut_short = "" if report.is_whole else f"interrupted after {len(report.results)} of "
    return f"{cut_short}{report.cases_wanted} cases: {counts}, in {took_s:.1f} s"


def as_json_object(report: Report) -> dict[str, object]:
    r"""All of it; bytes as text, `\x0d` for what does not show."""
    return {
        "server": report.server,
        "verdict": report.verdict,
        "interrupted": not report.is_whole,
        "tls": report.suite.tls or None,
        "one_at_a_time": report.suite.one_at_a_time,
        "keep_open": report.suite.keeps_open,
        "seed": report.suite.server.seed,
        "counts": {each.value: report.count(each) for each in Outcome},
        "cases": [_case_object(result) for result in report.results],
    }


def _case_object(result: CaseResult) -> dict[str, object]:
    return {
        "name": result.case.name,
        "sentence": result.case.sentence,
        "rule": result.case.rule,
        "outcome": result.outcome.value,
        "reason": result.reason or None,
        "findings": list(result.findings),
        "exchanges": result.exchanges,
        "took_ms": result.took_ns / 1e6,
        "steps": [
            {
                "kind": step.kind,
                "connection": step.connection,
                "at_ms": step.at_ns / 1e6,
                "bytes": escaped(step.data) or None,
                "size": step.data_size,
                "text": step.text or None,
            }
            for step in result.steps
        ],
    }


def write_junit(path: Path, report: Report) -> None:
    """A JUnit file, the bytes of each case in it; `wwep-rig verdict` reads it. Raises OSError."""
    suite = ElementTree.Element(
        "testsuite",
        name=f"wwep-rig conform {report.server}",
        tests=str(len(report.results)),
        failures=str(report.count(Outcome.FAIL)),
        errors="0",
        skipped=str(report.count(Outcome.SKIPPED)),
        time=f"{sum(result.took_ns for result in report.results) / 1e9:.3f}",
    )
    properties = ElementTree.SubElement(suite, "properties")
    said = {"rig_verdict": report.verdict, "seed": str(report.suite.server.seed)}
    if not report.is_whole:
        said["rig_interrupted"] = "yes"
    for name, value in said.items():
        ElementTree.SubElement(properties, "property", name=name, value=value)
    for result in report.results:
        _add_testcase(suite, result)
    root = ElementTree.Element("testsuites")
    root.append(suite)
    ElementTree.indent(root)
    ElementTree.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)


def _add_testcase(suite: ElementTree.Element, result: CaseResult) -> None:
    chapter, _, name = result.case.name.partition(".")
    testcase = ElementTree.SubElement(
        suite,
        "testcase",
        classname=f"conform.{chapter}",
        name=name,
        time=f"{result.took_ns / 1e9:.3f}",
    )
    if result.outcome is Outcome.SKIPPED:
        ElementTree.SubElement(testcase, "skipped", message=result.reason)
    if result.outcome is Outcome.FAIL:
        failure = ElementTree.SubElement(testcase, "failure", message=result.reason)
        failure.text = "\n".join((*result.findings, *result.evidence()))
    if result.outcome in (Outcome.NOTE, Outcome.PASS):
        ElementTree.SubElement(testcase, "system-out").text = "\n".join(
            (*(f"note: {each}" for each in result.findings), *result.evidence())
        )
