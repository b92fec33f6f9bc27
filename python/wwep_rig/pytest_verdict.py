"""The verdict of a pytest run: what each exception says about it, and what its tests came to."""

import pytest

from .errors import Outcome, outcome_of, worst
from .pytest_fitting import uses_bench
from .pytest_github import Annotations

call_report_key = pytest.StashKey[pytest.TestReport | None]()
_verdict_key = pytest.StashKey[Outcome]()
_cause_key = pytest.StashKey[str]()


def verdict_of(item: pytest.Item) -> Outcome:
    """What a test was judged to say about the run, so far."""
    return item.stash.get(_verdict_key, Outcome.GOOD)


def recorded_outcome(item: pytest.Item) -> str:
    """What a recording says that a test came to, as far as it has come.

    passed, skipped, failed (the target did), rig-error, no-bench, or error: no verdict was reached.
    """
    verdict = verdict_of(item)
    if verdict is Outcome.TARGET_FAILED:
        return "failed"
    if verdict is not Outcome.GOOD:
        return str(verdict.value)
    report = item.stash.get(call_report_key, None)
    return "error" if report is None else str(report.outcome)


def rig_error_in(item: pytest.Item) -> str:
    """What went wrong with the rig, or in the script, in a test; empty: nothing."""
    return item.stash.get(_cause_key, "")


class Verdicts:
    """Judges the tests of a run.

    `outcome` is the verdict on the run so far, `first_rig_error` the test that the first rig error
    came in, with that error's text; empty: there was none.
    """

    def __init__(self, annotations: Annotations, *, is_required: bool) -> None:
        """Begin with a good run.

        Args:
            annotations: are given each report that is no good one.
            is_required: whether a bench that is not there is a failure, not a skip.
        """
        self._annotations = annotations
        self._is_required = is_required
        self.outcome = Outcome.GOOD
        self.first_rig_error = ""

    def judge(
        self, item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport
    ) -> Outcome | None:
        """Turn the rig's exceptions into the outcomes that they stand for, and keep the verdict.

        Returns:
            What this part of the test says about the run; None: it is not the rig's business.
        """
        error = call.excinfo.value if call.excinfo else None
        kind = outcome_of(error) if error is not None else None
        if kind is None and report.failed and uses_bench(item):
            # What a script asserts is about the target, and so is what it expects to fail; its own
            # mistakes are not.
            is_claim = error is None or isinstance(error, (AssertionError, pytest.fail.Exception))
            kind = Outcome.TARGET_FAILED if is_claim else Outcome.RIG_ERROR
            self._note(item, kind, f"{type(error).__name__}: {error}")
        elif kind is Outcome.NO_BENCH and not self._is_required:
            report.outcome = "skipped"
            path, line, _ = item.location
            report.longrepr = (str(path), (line or 0) + 1, f"Skipped: no bench: {error}")
            self._note(item, kind)
        elif kind is Outcome.RIG_ERROR:
            report.outcome = "failed"
            if hasattr(report, "wasxfail"):
                del report.wasxfail
            # Anything but "call" is an error to pytest, in its own summary and in JUnit files.
            report.when = "setup" if report.when == "call" else report.when
            self._note(item, kind, str(error))
            self.first_rig_error = self.first_rig_error or f"{item.nodeid}: {error}"
        elif kind is not None and report.failed:
            # What the target fails at the start of a test is its failure too.
            report.when = "call" if report.when == "setup" else report.when
            self._note(item, kind)
        else:
            kind = None  # it was expected, or there was nothing
        if call.when == "call":
            item.stash[call_report_key] = report
        if kind is not None:
            self._annotations.add(report, kind)
        return kind

    def _note(self, item: pytest.Item, kind: Outcome, cause: str = "") -> None:
        item.stash[_verdict_key] = worst(verdict_of(item), kind)
        if kind is Outcome.RIG_ERROR:
            item.stash[_cause_key] = rig_error_in(item) or f"{item.nodeid}: {cause}"
        self.outcome = worst(self.outcome, kind)

    def skip_after_rig_error(self, item: pytest.Item) -> None:
        """Skip a test that needs a bench when the rig has erred before."""
        if self.first_rig_error and uses_bench(item):
            pytest.skip(f"the bench was stopped by a rig error in {self.first_rig_error}")

    def may_retry(self, item: pytest.Item) -> bool:
        """Whether another attempt can tell more: the target failed, and the rig did not."""
        return verdict_of(item) is Outcome.TARGET_FAILED and not self.first_rig_error

    def forget_attempt(self, item: pytest.Item, before: Outcome) -> None:
        """A test is tried again: what it came to is no verdict on the run, which was `before`."""
        del item.stash[_verdict_key]
        item.stash[call_report_key] = None
        self.outcome = before
        self._annotations.drop(item.nodeid)
