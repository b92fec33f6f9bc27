"""Retries: a test whose target failed is tried again, and every attempt shows.

For boards that fail now and then while someone looks for the reason. A test that passed at a later
attempt is told in the summary, in the verdict's line and in the JUnit file, and the recording has
each attempt as a row of `tests`. Rig errors are never tried again.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from _pytest.runner import call_and_report  # what pytest's own plugins for retries use

from .pytest_github import Annotations, message_of

OUTCOME = "retried"


@dataclass
class RetriedTest:
    """A test that was tried more than once.

    Attributes:
        nodeid: the test.
        failures: the report of each failed attempt that another one followed.
        passed: whether the last attempt did.
    """

    nodeid: str
    failures: list[pytest.TestReport] = field(default_factory=list)
    passed: bool = False

    @property
    def text(self) -> str:
        """How it ended, for people."""
        count = len(self.failures)
        words = "1 retry" if count == 1 else f"{count} retries"
        return f"{'passed' if self.passed else 'failed'} after {words}: {self.nodeid}"


class Retries:
    """The tests of a run that were tried more than once."""

    def __init__(self) -> None:
        self._tests: list[RetriedTest] = []

    def add(self, test: RetriedTest) -> None:
        """Keep one."""
        self._tests.append(test)

    @property
    def passed_count(self) -> int:
        """How many passed in the end."""
        return sum(test.passed for test in self._tests)

    @property
    def passed_text(self) -> str:
        """The same for the verdict's line; empty: none."""
        count = self.passed_count
        return f"{count} test{'s' * (count > 1)} passed after a retry" if count else ""

    def lines(self) -> Iterator[str]:
        """For the terminal: each test, and what went wrong each time."""
        for test in self._tests:
            yield test.text
            for number, failure in enumerate(test.failures, 1):
                yield f"    attempt {number}: {message_of(failure)}"

    def annotations(self, annotations: Annotations) -> Iterator[str]:
        """Each test that passed in the end: one that did not is a failure anyhow."""
        for test in self._tests:
            if test.passed:
                message = f"{test.text}\n{message_of(test.failures[-1])}"
                yield from annotations.line(
                    test.failures[-1], "warning", "passed after a retry", message
                )


def run(
    item: pytest.Item,
    nextitem: pytest.Item | None,
    retries_max: int,
    may_retry: Callable[[pytest.Item], bool],
    forget: Callable[[pytest.Item], None],
) -> RetriedTest | None:
    """Run a test in place of pytest's own loop.

    Args:
        item: the test.
        nextitem: the one after it.
        retries_max: how often it may be tried again.
        may_retry: whether a failed test is one of those that another attempt can tell more of.
        forget: take back what the attempt was judged to mean for the run.

    Returns:
        What to tell of it; None when the first attempt decided.
    """
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    retried = RetriedTest(item.nodeid)
    while True:
        properties_before = len(item.user_properties)
        reports = _set_up_and_call(item)
        failure = next((each for each in reports if each.failed), None)
        again = (
            failure is not None
            and len(retried.failures) < retries_max
            and not (item.session.shouldstop or item.session.shouldfail)
            and may_retry(item)
        )
        # What the test shares with others stays: the bench above all.
        reports.append(_tear_down(item, item.parent if again else nextitem))
        if again and reports[-1].failed:
            item.session._setupstate.teardown_exact(nextitem)
            again = False
        if not again:
            break
        assert failure is not None
        forget(item)
        retried.failures.append(failure)
        _keep_attempt(item, retried, properties_before)
        shown = copy.copy(failure)
        shown.outcome = OUTCOME  # type: ignore[assignment]
        item.ihook.pytest_runtest_logreport(report=shown)
    for report in reports:
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    retried.passed = not any(report.failed for report in reports)
    return retried if retried.failures else None


def _set_up_and_call(item: pytest.Item) -> list[pytest.TestReport]:
    if not getattr(item, "_request", True):  # an attempt before this one has used it up
        item._initrequest()  # type: ignore[attr-defined]
    reports = [call_and_report(item, "setup", log=False)]
    if reports[0].passed and not item.config.getoption("setuponly", False):
        reports.append(call_and_report(item, "call", log=False))
    return reports


def _tear_down(item: pytest.Item, nextitem: object) -> pytest.TestReport:
    report = call_and_report(item, "teardown", log=False, nextitem=nextitem)
    if hasattr(item, "_request"):
        item._request = False
        item.funcargs = None  # type: ignore[attr-defined]
    return report


def _keep_attempt(item: pytest.Item, retried: RetriedTest, properties_before: int) -> None:
    """The attempt's properties stay in the JUnit file, under a name that says whose they are."""
    number = len(retried.failures)
    kept = item.user_properties[:properties_before]
    kept = [each for each in kept if each[0] != "rig_retries"]
    for name, value in item.user_properties[properties_before:]:
        kept.append((f"attempt_{number}_{name}", value))
    kept.append((f"rig_attempt_{number}", f"target-failed: {message_of(retried.failures[-1])}"))
    kept.append(("rig_retries", str(number)))
    item.user_properties[:] = kept
