"""Puts the page together: what is said in words here, what is drawn by the page's own script."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from wwep_rig import _core
from wwep_rig.errors import Outcome, RigError, worst
from wwep_rig.latencies import LABELS, Distribution, distributions
from wwep_rig.recorded import RecordedRun, Worst
from wwep_rig.recorded_trips import RecordedTrip, Row, State, as_object, missing_parts
from wwep_rig.statistics import CONFIDENCE

from .columns import Columns

FAILURES_LISTED_MAX = 100
_BEFORE_TEST_NS = 10_000_000
_VERDICTS = {
    Outcome.GOOD: "Good",
    Outcome.TARGET_FAILED: "The target failed",
    Outcome.RIG_ERROR: "The rig erred",
    Outcome.NO_BENCH: "No bench",
}
# What the outcome of a test says about the run; the others say nothing.
_OF_TEST = {
    "failed": Outcome.TARGET_FAILED,
    "rig-error": Outcome.RIG_ERROR,
    "no-bench": Outcome.NO_BENCH,
}
_STATE_ORDER = (State.FAILED, State.INTERRUPTED, State.EXPECTED, State.GOOD)


def write_report(
    recorded: RecordedRun, path: Path, *, nodeid: str = "", verdict: Outcome | None = None
) -> Path:
    """Write the page of a recording, or of one test in it; its path.

    Args:
        recorded: the recording.
        path: the HTML file, which is replaced.
        nodeid: the test; its last attempt. Empty: all of the recording.
        verdict: what the run, or the test, came to; None: what the recording tells of that.

    Raises:
        RigError: the file cannot be written, or the recording has no such test.
    """
    text = render(recorded, nodeid=nodeid, verdict=verdict)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Beside it first: whoever has the page open never loads half of one.
        new = path.with_name(path.name + ".new")
        new.write_text(text)
        new.replace(path)
    except OSError as error:
        raise RigError(f"write the report {path}: {error.strerror}") from None
    return path


def render(recorded: RecordedRun, *, nodeid: str = "", verdict: Outcome | None = None) -> str:
    """The page as text; see `write_report`."""
    environment = Environment(
        loader=PackageLoader("wwep_rig.report", "."),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["ms"] = _ms
    content = _Content(recorded, nodeid, verdict)
    here = Path(__file__).parent
    return environment.get_template("page.html.j2").render(
        page=content,
        style=(here / "page.css").read_text(),
        scripts=[(here / name).read_text() for name in ("timeline.js", "page.js")],
        library=_library(),
    )


def _library() -> str:
    """d3, as Debian ships it; it was put beside the C++ side when that was built."""
    path = Path(_core.__file__).parent / "d3.min.js"
    try:
        return path.read_text()
    except OSError as error:
        raise RigError(f"read {path}: {error.strerror}; build the project again") from None


@dataclass(frozen=True)
class _Group:
    """Connections that are alike, for the table of TLS facts."""

    how: str
    cipher: str
    count: int
    ended: str


class _Content:
    """What the template asks for."""

    def __init__(self, recorded: RecordedRun, nodeid: str, verdict: Outcome | None) -> None:
        self._recorded = recorded
        self._verdict = verdict
        self.nodeid = nodeid
        began_ns = int(recorded.runs[0]["began_ns"]) if recorded.runs else 0
        self.from_ns, self.until_ns = began_ns, max(recorded.reader.newest_ns(), began_ns)
        if nodeid:
            row = next((one for one in recorded.tests[::-1] if one["nodeid"] == nodeid), None)
            if row is None:
                raise RigError(f"recording {recorded.path}: it has no test {nodeid}")
            self.from_ns = int(row["began_ns"]) - _BEFORE_TEST_NS
            self.until_ns = int(row["ended_ns"] or self.until_ns)

    @property
    def run(self) -> Row:
        return self._recorded.run

    @property
    def title(self) -> str:
        return self.nodeid or f"{self.run.get('bench', '')}: {self._recorded.path.name}"

    @property
    def recording(self) -> str:
        return str(self._recorded.path.absolute())

    @cached_property
    def trips(self) -> Sequence[RecordedTrip]:
        """Failing ones first, then in the order of time."""
        found = [
            trip for trip in self._recorded.trips if self.from_ns <= trip.before_ns <= self.until_ns
        ]
        failed_tests = {row["nodeid"] for row in self.tests if row["outcome"] != "passed"}
        return sorted(
            found, key=lambda one: (_STATE_ORDER.index(one.state), one.test not in failed_tests)
        )

    @cached_property
    def states(self) -> Mapping[str, int]:
        counts = Counter(trip.state.value for trip in self.trips)
        return {state.value: counts[state.value] for state in _STATE_ORDER if counts[state.value]}

    @property
    def failures(self) -> Sequence[RecordedTrip]:
        return [trip for trip in self.trips if trip.state is State.FAILED]

    @property
    def failures_listed_max(self) -> int:
        return FAILURES_LISTED_MAX

    @cached_property
    def tests(self) -> Sequence[Row]:
        """Failing ones first."""
        rows = [
            {**row, "seconds": self._seconds(row["began_ns"])}
            for row in self._recorded.tests
            if self.from_ns <= row["began_ns"] <= self.until_ns
        ]
        return sorted(rows, key=lambda row: row["outcome"] in ("passed", "skipped"))

    @property
    def decided(self) -> Sequence[Row]:
        """The last attempt of each."""
        return [row for row in self.tests if not row["is_retried"]]

    @property
    def late(self) -> int:
        """How many passed after a retry."""
        return sum(row["outcome"] == "passed" and row["attempt"] > 1 for row in self.decided)

    @cached_property
    def rig_errors(self) -> Sequence[str]:
        return [note["what"] for note in self.notes if note["is_error"]]

    @cached_property
    def notes(self) -> Sequence[Row]:
        return self._within("notes", "at_ns")

    @cached_property
    def faults(self) -> Sequence[Row]:
        return [
            {**row, "seconds": self._seconds(row["at_ns"])}
            for row in self._within("faults", "at_ns")
        ]

    @property
    def outcome(self) -> Outcome:
        if self._verdict is not None:
            return self._verdict
        found = [_OF_TEST.get(row["outcome"], Outcome.GOOD) for row in self.decided]
        has_failed = any(not trip.is_retried for trip in self.failures)
        found += [Outcome.RIG_ERROR] if self.rig_errors else []
        found += [Outcome.TARGET_FAILED] if has_failed else []
        return worst(Outcome.GOOD, *found)

    @property
    def verdict(self) -> str:
        return _VERDICTS[self.outcome]

    @cached_property
    def rows(self) -> Sequence[Distribution]:
        missed = Counter(key for trip in self.failures for key in missing_parts(trip))
        return distributions((trip.latencies for trip in self.trips), missed)

    @property
    def floors_ms(self) -> Mapping[str, float]:
        floor = self._recorded.floor
        return floor.floors_ms if floor else {}

    @property
    def floor_text(self) -> str:
        floor = self._recorded.floor
        return floor.text if floor else "not measured: wwep-rig doctor --loopback does"

    @property
    def labels(self) -> Mapping[str, str]:
        return LABELS

    @property
    def confidence(self) -> float:
        return CONFIDENCE

    @cached_property
    def worst(self) -> Sequence[Worst]:
        """Of each latency, among the presses of this page."""
        found = (self._recorded.worst(row.key, self.trips) for row in self.rows)
        return [each for each in found if each]

    @cached_property
    def connections(self) -> Sequence[_Group]:
        groups = Counter(
            (
                (row["tls_version"] or "TLS, no handshake") if row["secure"] else "in the clear",
                row["cipher"] or "",
                row["end_reason"] or "still open",
            )
            for row in self._within("connections", "opened_ns")
        )
        return [_Group(how, cipher, n, end) for (how, cipher, end), n in groups.most_common()]

    @cached_property
    def handshakes_failed(self) -> Mapping[str, int]:
        return Counter(
            row["failure"] for row in self._within("handshakes", "at_ns") if row["failure"]
        )

    @cached_property
    def offers(self) -> Mapping[str, int]:
        """What the boards' ClientHellos offered, which is mostly the same each time."""
        rows = self._within("connections", "opened_ns")
        return Counter(row["offered"] for row in rows if row["offered"])

    @property
    def facts(self) -> Sequence[tuple[str, str]]:
        """What was built, and on which bench."""
        bench = self._recorded.bench_facts
        server = as_object(bench.get("server"))
        contract = {k: v for k, v in as_object(bench.get("contract")).items() if k != "buttons"}
        told = {
            "bench": f"{self.run.get('bench', '')} ({bench.get('kind', 'kind not recorded')})",
            "firmware": self.run.get("firmware") or "not known",
            "board": bench.get("device", ""),
            "contract": ", ".join(f"{key} {_told(value)}" for key, value in contract.items()),
            "buttons": ", ".join(
                f"{name} with {led or 'no LED'}, {'over TLS' if is_secure else 'in the clear'}"
                for name, (led, is_secure) in self._recorded.pairings.items()
            ),
            "lines": ", ".join(
                f"{name}: {line.get('chip') or 'wire'} {line.get('line', '')}, active "
                f"{line.get('active', '')}"
                for name, line in as_object(bench.get("lines")).items()
            ),
            "server": ", ".join(
                f"{key} {_told(value)}" for key, value in server.items() if value is not None
            ),
            "host": self.run.get("host", ""),
            "rig": f"wwep-rig {self.run.get('rig_version', '')}",
            "rig floor": self.floor_text,
            "command": self.run.get("command", ""),
            "began": self.began,
            "gone on with": f"{len(self._recorded.runs) - 1} times"
            if len(self._recorded.runs) > 1
            else "",
            "recording": self.recording,
        }
        return [(name, str(text)) for name, text in told.items() if text]

    @property
    def began(self) -> str:
        if not self._recorded.runs:
            return ""
        first = self._recorded.runs[0]
        moment = datetime.fromtimestamp(first["began_wall_ns"] / 1e9).astimezone()
        moment += timedelta(microseconds=(self.from_ns - first["began_ns"]) / 1000)
        return f"{moment:%Y-%m-%d %H:%M:%S %Z}"

    @property
    def data(self) -> str:
        return Columns(self._recorded, self.trips, self.from_ns, self.until_ns).packed()

    def seconds(self, trip: RecordedTrip) -> str:
        """When a press was made, for people."""
        return self._seconds(trip.before_ns)

    def milliseconds_after(self, at_ns: int, trip: RecordedTrip) -> str:
        """When something happened, counted from a press."""
        return f"{(at_ns - trip.before_ns) / 1e6:+.3f}"

    def _seconds(self, at_ns: int) -> str:
        return f"{(at_ns - self.from_ns) / 1e9:.3f}"

    def _within(self, table: str, time: str) -> list[Row]:
        return [
            row
            for row in self._recorded.each_row(table)
            if self.from_ns <= row[time] <= self.until_ns
        ]


def _told(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return " ".join(map(str, value)) or "none"
    return (
        {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)
    )


def _ms(value: float | None) -> str:
    """A question mark: there are too few presses, or too many misses, to say."""
    if value is None:
        return "missed"
    return f"{value:.3f}" if abs(value) != float("inf") else "?"
