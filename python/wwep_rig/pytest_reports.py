"""The pages that a pytest run leaves: one of the run, one of each test that failed."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .errors import Outcome, WwepRigError
from .recorded import RecordedRun

# Each page is some hundred kilobytes, and whoever has so many failures looks at the run's.
TEST_PAGES_MAX = 20

_NAME_LENGTH_MAX = 100


@dataclass(frozen=True)
class _Failed:
    nodeid: str
    recording: Path


class Reports:
    """Remembers what to write pages of, and writes them once the recordings are finished."""

    def __init__(self, wanted: str) -> None:
        """Begin with nothing to write.

        Args:
            wanted: `all`; `failed`: nothing unless a test failed; `none`.
        """
        self._wanted = wanted
        self._recordings: list[Path] = []
        self._failed: dict[_Failed, Outcome] = {}

    def add_recording(self, recording: Path) -> None:
        """A recording of the run as a whole."""
        self._recordings.append(recording)

    def add_failed_test(self, nodeid: str, recording: Path, verdict: Outcome) -> None:
        """A test that failed, the recording that it is in, and the verdict on it so far."""
        self._failed[_Failed(nodeid, recording)] = verdict

    def drop_failed_test(self, nodeid: str) -> None:
        """It is tried again."""
        for failed in [each for each in self._failed if each.nodeid == nodeid]:
            del self._failed[failed]

    def write(self, verdict: Outcome) -> Iterator[str]:
        """Write the pages of a run that came to this; lines for people that say where they are."""
        if self._wanted == "none" or (self._wanted == "failed" and not self._failed):
            return
        for recording in self._recordings:
            page = recording.with_name(f"{recording.name}.html")
            yield from _written(recording, page, "", verdict)
        for failed, its_verdict in [*self._failed.items()][:TEST_PAGES_MAX]:
            name = re.sub(r"[^A-Za-z0-9_.-]+", "_", failed.nodeid)[-_NAME_LENGTH_MAX:].strip("_")
            page = failed.recording.with_name(f"{failed.recording.name}.{name}.html")
            yield from _written(failed.recording, page, failed.nodeid, its_verdict)
        if len(self._failed) > TEST_PAGES_MAX:
            yield f"and {len(self._failed) - TEST_PAGES_MAX} failed tests without a page"


def _written(recording: Path, page: Path, nodeid: str, verdict: Outcome) -> Iterator[str]:
    from .report import write_report

    what = f"report of {nodeid}" if nodeid else "report"
    try:
        written = write_report(RecordedRun(recording), page, nodeid=nodeid, verdict=verdict)
        yield f"{what}: {written}"
    except (WwepRigError, OSError) as error:
        # What the run found out is not lost for want of a picture of it.
        yield f"{what}: not written: {error}"
