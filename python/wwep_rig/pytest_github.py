"""What a run says about lines of code, in the words of GitHub's workflow commands.

GitHub shows an annotation beside the line of the test that failed. The words:
https://docs.github.com/actions/reference/workflow-commands-for-github-actions
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from .errors import Outcome

_TITLES = {
    Outcome.TARGET_FAILED: ("error", "target failed"),
    Outcome.RIG_ERROR: ("error", "rig error"),
    Outcome.NO_BENCH: ("warning", "no bench"),
}


def message_of(report: pytest.TestReport) -> str:
    """What went wrong, in one line."""
    crash = getattr(report.longrepr, "reprcrash", None)
    if crash is not None:
        text = crash.message
    elif isinstance(report.longrepr, tuple):
        text = report.longrepr[2]
    else:
        text = report.longreprtext
    return str(text).strip().partition("\n")[0]


class Annotations:
    """Annotations of what went wrong in a run; none where the run is no job of GitHub's."""

    def __init__(self, root: Path, environment: Mapping[str, str]) -> None:
        """Reports' paths are relative to `root`."""
        self._root = root
        self._is_wanted = environment.get("GITHUB_ACTIONS") == "true"
        self._workspace = Path(environment.get("GITHUB_WORKSPACE", "") or root)
        self._troubles: list[tuple[pytest.TestReport, Outcome]] = []

    def add(self, report: pytest.TestReport, kind: Outcome) -> None:
        """Keep a report that is no good one. A bench that is not there is told once."""
        kinds = [known for _, known in self._troubles]
        if kind is not Outcome.NO_BENCH or kind not in kinds:
            self._troubles.append((report, kind))

    def drop(self, nodeid: str) -> None:
        """A test is tried again: take back what was said of it."""
        self._troubles = [each for each in self._troubles if each[0].nodeid != nodeid]

    def lines(self) -> Iterator[str]:
        """One workflow command for each."""
        for report, kind in self._troubles:
            level, title = _TITLES[kind]
            message = f"{report.nodeid}\n{message_of(report)}"
            yield from self.line(report, level, title, message)

    def line(
        self, report: pytest.TestReport, level: str, title: str, message: str
    ) -> Iterator[str]:
        """One of another kind, about the line that a report is about."""
        if not self._is_wanted:
            return
        path, number, _ = report.location
        crash = getattr(report.longrepr, "reprcrash", None)
        if crash is not None and (self._root / crash.path).resolve() == self._absolute(path):
            number = crash.lineno - 1
        shown = os.path.relpath(self._absolute(path), self._workspace.resolve())
        properties = {"file": shown, "line": str((number or 0) + 1), "title": title}
        words = ",".join(f"{name}={_escaped(value, ':,')}" for name, value in properties.items())
        yield f"::{level} {words}::{_escaped(message)}"

    def _absolute(self, path: str) -> Path:
        return (self._root / path).resolve()


def _escaped(text: str, more: str = "") -> str:
    for character in "%\r\n" + more:
        text = text.replace(character, f"%{ord(character):02X}")
    return text
