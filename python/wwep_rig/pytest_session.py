"""The rig's part of one pytest session: the bench, its recording, and the verdict on the run."""

import os
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any, Protocol, cast

import pytest

from .app_build import tell_on_stderr
from .bench import Bench
from .bench_config import BenchConfig, Kind, Role, Speed
from .bench_file import read_bench_file
from .closing import Closing
from .calibration import Calibration
from .errors import NoBench, Outcome, RigError, outcome_of
from .find_bench import BUILT_IN, load_bench_file
from .latencies import LABELS, Latencies, distributions, missing_of, table
from .pytest_reports import Reports
from .opening import new_recording_place, open_bench
from .pytest_github import Annotations
from .pytest_retries import Retries
from .pytest_settings import FIXTURES, read_settings
from .recording import Recording
from .recordings import KEEP_DEFAULT, RecordingPlace
from .round_trip import Press, RoundTrip

_IDLE_BEFORE_TEST_S = 2.0
_RANK = (Outcome.GOOD, Outcome.NO_BENCH, Outcome.TARGET_FAILED, Outcome.RIG_ERROR)

call_report_key = pytest.StashKey[pytest.TestReport | None]()
recording_key = pytest.StashKey[Recording]()
recording_path_key = pytest.StashKey[Path | None]()
verdict_key = pytest.StashKey[Outcome]()


def has_many_benches(config: pytest.Config) -> bool:
    """Whether the bench of this session can be opened more than once at a time."""
    name = read_settings(config, os.environ).bench or BUILT_IN
    try:
        return _is_private(read_bench_file(load_bench_file(name, os.environ)))
    except NoBench:
        return True  # whoever asks for it will be told


def _is_private(config: BenchConfig) -> bool:
    return config.kind in (Kind.SIM, Kind.EMULATOR) and not config.server.address


class Terminated(KeyboardInterrupt):
    """SIGTERM asked the run to end."""


class Interruptions(Closing):
    """Until closed SIGTERM ends the run as Ctrl-C does: fixtures are torn down, a verdict is told.

    Without it the process would be gone at once. A handler that somebody else has set stays.
    """

    def __init__(self) -> None:
        self._in_main_thread = threading.current_thread() is threading.main_thread()
        self._before: dict[signal.Signals, object] = {}
        if self._in_main_thread and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            self._set(signal.SIGTERM, self._interrupt)

    def _set(self, number: signal.Signals, handler: object) -> None:
        before = signal.getsignal(number)
        if before is not None:  # else it could not be put back
            self._before.setdefault(number, before)
            signal.signal(number, cast(Any, handler))

    @staticmethod
    def _interrupt(number: int, frame: object) -> None:
        # A second one while things are being closed must not break that off.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise Terminated("SIGTERM")

    def pytest_keyboard_interrupt(self) -> None:
        """pytest's hook, before it reports that the run is ended: what comes from here on must
        break off neither the report nor the closing of the bench."""
        if self._in_main_thread:
            self._set(signal.SIGINT, signal.SIG_IGN)
            self._set(signal.SIGTERM, signal.SIG_IGN)

    def close(self) -> None:
        """Let both signals do what they did before."""
        for number, handler in self._before.items():
            signal.signal(number, cast(Any, handler))
        self._before.clear()


class Terminal(Protocol):
    """The part of pytest's terminal reporter that is used: its class has no public name."""

    config: pytest.Config

    def section(self, title: str) -> None:
        """Write a title between bars."""

    def write_line(self, line: str) -> None:
        """Write one line."""


class RigSession:
    """Holds the bench of a pytest session, and judges its tests.

    It opens the bench when a test first asks for it, and closes it at the session's end or at the
    first rig error, whichever comes first.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._environment = os.environ
        self._pluginmanager = config.pluginmanager
        settings = read_settings(config, self._environment)
        self._bench_name = settings.bench or BUILT_IN
        self._is_required = settings.is_required
        self._captures, self._keeps_keys = settings.captures, settings.keeps_keys
        self._record_directory = settings.record_directory
        keep_unless_said = 0 if settings.record_directory else KEEP_DEFAULT
        self._keep = keep_unless_said if settings.keep is None else settings.keep
        self._command = "pytest " + " ".join(config.invocation_params.args)
        self._resources = ExitStack()
        self._bench: Bench | None = None
        self._bench_text = self._bench_name
        self._firmware_text = ""
        self._floor: Calibration | None = None
        self._recording_path: Path | None = None
        self._write_property: Callable[[str, object], None] = lambda name, value: None
        self._needs_reset = False
        self._rig_errors_known = 0
        self._latencies: list[Latencies] = []
        self._missed: Counter[str] = Counter()
        self._forgotten = 0
        self._reports = Reports(settings.report)
        self._first_rig_error = ""
        self._annotations = Annotations(config.rootpath, self._environment)
        self.retries = Retries()
        self.outcome = Outcome.GOOD
        self._is_interrupted = False
        self.interruptions = Interruptions()
        # The one hook that is not told of the session, so that no function of the plugin can be it.
        config.pluginmanager.register(self.interruptions)

    def report_properties_to(self, write: Callable[[str, object], None]) -> None:
        """Where properties of the whole run go."""
        self._write_property = write

    def open(self) -> Bench:
        """Open the bench and start its target."""
        place = self._resources.enter_context(self._new_place())
        bench = open_bench(
            self._bench_name,
            recording=place.path,
            captures=self._captures,
            keeps_keys=self._keeps_keys,
            command=self._command,
            tell=self._tell,
        )
        self._resources.callback(bench.close)
        self._bench, self._recording_path = bench, place.path
        self._reports.add_recording(place.path)
        self._bench_text = f"{bench.name} ({bench.kind.value})"
        self._firmware_text = bench.firmware
        self._floor = bench.calibration
        bench.target.start_afresh()
        return bench

    def _tell(self, line: str) -> None:
        """To standard error past pytest's capture: a build's warnings are for those who look on."""
        capture = self._pluginmanager.get_plugin("capturemanager")
        with capture.global_and_fixture_disabled() if capture else nullcontext():
            tell_on_stderr(line)

    def close(self) -> None:
        """Close the bench; twice is fine."""
        self._bench = None
        self._resources.close()

    def begin_test(self, item: pytest.Item) -> Recording:
        """Put the bench into a known state, and begin the test's window of the timeline."""
        bench = self._opened()
        self._skip_unless_it_fits(item, bench)
        self._raise_new_rig_errors(bench)
        bench.release_buttons()
        if self._needs_reset or not bench.target.is_running:
            bench.target.start_afresh()
        self._needs_reset = False
        bench.wait_until_idle(timeout_s=_IDLE_BEFORE_TEST_S)
        bench.server.clear()
        bench.test_began(item.nodeid)
        window = bench.record()
        item.stash[recording_key] = window
        item.stash[recording_path_key] = self._recording_path
        return window

    def _skip_unless_it_fits(self, item: pytest.Item, bench: Bench) -> None:
        _skip_unless_in_role(item, bench.config)
        _skip_unless_able(item, bench.config)
        for marker in item.iter_markers("rig_kinds"):
            if bench.kind.value not in marker.args:
                pytest.skip(f"bench {bench.name} is a {bench.kind.value}")

    def end_test(self, item: pytest.Item) -> None:
        """End the window. Raises RigError when the rig erred meanwhile, whatever the test says."""
        bench = self._bench
        if bench is None:
            return  # closed by a rig error
        bench.release_buttons()
        self._end(item, bench)

    def begin_bare_test(self, item: pytest.Item) -> None:
        """A test that takes the bench as it is, without `recording`: its presses count all the
        same, and its failure has a page."""
        names = set(getattr(item, "fixturenames", ()))
        bench = self._bench
        if bench is None or names & FIXTURES != {"bench"}:
            return
        bench.test_began(item.nodeid)
        item.stash[recording_key] = bench.record()
        item.stash[recording_path_key] = self._recording_path
        item.addfinalizer(partial(self._end, item, bench))

    def _end(self, item: pytest.Item, bench: Bench) -> None:
        if self._bench is None:
            return  # closed by a rig error
        report = item.stash.get(call_report_key, None)
        failed = report is None or report.failed
        self._needs_reset |= failed
        bench.test_ended(item.nodeid, "error" if report is None else report.outcome)
        self._note_latencies(item, bench, failed)
        self._raise_new_rig_errors(bench)

    def _raise_new_rig_errors(self, bench: Bench) -> None:
        errors = bench.rig_errors[self._rig_errors_known :]
        self._rig_errors_known += len(errors)
        if errors and not self._first_rig_error:
            raise RigError(_told(errors))

    def _note_latencies(self, item: pytest.Item, bench: Bench, failed: bool) -> None:
        presses = item.stash[recording_key].presses
        trips = list(_trips_kept(bench, presses))
        self._forgotten += len(presses) - len(trips)
        measured = [trip.latencies for trip in trips]
        self._latencies += measured
        if failed:  # what a test that passed does without, it does so on purpose
            for trip in trips:
                self._missed.update(missing_of(trip.latencies, has_led=bool(trip.led.name)))
        for name in LABELS:
            known = [value for one in measured if (value := getattr(one, name)) is not None]
            if known:
                item.user_properties.append((f"rig_{name}_max", f"{max(known):.3f}"))

    @contextmanager
    def own_benches(self, item: pytest.Item) -> Iterator[Callable[..., Bench]]:
        """Benches of a test's own, closed with the test; what can be had once is, if it is free."""
        opened: list[Bench] = []

        def open_another(
            *,
            identity: str | None = None,
            root_certificate: str | None = None,
            program: str | None = None,
            speed: Speed | None = None,
        ) -> Bench:
            is_private = self._skip_unless_free(item, opened)
            place = resources.enter_context(self._new_place())
            bench = open_bench(
                self._bench_name,
                recording=place.path,
                captures=self._captures,
                keeps_keys=self._keeps_keys,
                identity=identity,
                root_certificate=root_certificate,
                program=program,
                speed=speed,
                command=self._command,
                tell=self._tell,
                takes_lock=not is_private,
            )
            resources.callback(bench.close)
            opened.append(bench)
            item.stash[recording_key] = bench.record()
            item.stash[recording_path_key] = place.path
            bench.test_began(item.nodeid)
            bench.target.start()
            return bench

        with ExitStack() as resources:
            yield open_another
            report = item.stash.get(call_report_key, None)
            for bench in opened:
                bench.test_ended(item.nodeid, "error" if report is None else report.outcome)
            errors = [error for bench in opened for error in bench.rig_errors]
        if errors and not self._first_rig_error:
            raise RigError(_told(errors))

    def _skip_unless_free(self, item: pytest.Item, opened: Sequence[Bench]) -> bool:
        """Skip where another bench is not to be had now; else whether it is this process's own."""
        config = read_bench_file(load_bench_file(self._bench_name, self._environment))
        _skip_unless_in_role(item, config)
        _skip_unless_able(item, config)
        if _is_private(config):
            return True
        if config.kind is Kind.BOARD:
            pytest.skip(f"bench {config.name} is a board: nothing sets it up another way")
        if self._bench is not None or opened:
            pytest.skip(f"bench {config.name} is open already, and there cannot be a second one")
        return False

    def skip_after_rig_error(self, item: pytest.Item) -> None:
        """Skip a test that needs a bench when the rig has erred before."""
        if self._first_rig_error and _uses_bench(item):
            pytest.skip(f"the bench was stopped by a rig error in {self._first_rig_error}")

    def judge(
        self, item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport
    ) -> None:
        """Turn the rig's exceptions into the outcomes that they stand for, and keep the verdict."""
        error = call.excinfo.value if call.excinfo else None
        kind = outcome_of(error) if error is not None else None
        if kind is None and report.failed and _uses_bench(item):
            # What a script asserts is about the target; its own mistakes are not.
            is_claim = isinstance(error, (AssertionError, pytest.fail.Exception))
            kind = Outcome.TARGET_FAILED if is_claim else Outcome.RIG_ERROR
            self._note_outcome(item, kind)
        elif kind is Outcome.NO_BENCH and not self._is_required:
            report.outcome = "skipped"
            path, line, _ = item.location
            report.longrepr = (str(path), (line or 0) + 1, f"Skipped: no bench: {error}")
            self._note_outcome(item, kind)
        elif kind is Outcome.RIG_ERROR:
            report.outcome = "failed"
            if hasattr(report, "wasxfail"):
                del report.wasxfail
            # Anything but "call" is an error to pytest, in its own summary and in JUnit files.
            report.when = "setup" if report.when == "call" else report.when
            self._note_outcome(item, kind)
            if not self._first_rig_error:
                self._first_rig_error = f"{item.nodeid}: {error}"
                self._add_timeline(item, report)
                self.close()
        elif kind is not None and report.failed:
            # What the target fails at the start of a test is its failure too.
            report.when = "call" if report.when == "setup" else report.when
            self._note_outcome(item, kind)
        if call.when == "call":
            item.stash[call_report_key] = report
        if kind is not None:
            self._annotations.add(report, kind)
        if report.failed and (recording := item.stash.get(recording_path_key, None)):
            self._reports.add_failed_test(item.nodeid, recording)
        if report.failed and kind is not Outcome.RIG_ERROR:
            self._add_timeline(item, report)
        if call.when == "teardown" and _uses_bench(item):
            self._add_properties(item, report)

    def may_retry(self, item: pytest.Item) -> bool:
        """Whether another attempt can tell more: the target failed, and the rig did not."""
        is_targets = item.stash.get(verdict_key, None) is Outcome.TARGET_FAILED
        return is_targets and not self._first_rig_error

    def forget_attempt(self, item: pytest.Item, before: Outcome) -> None:
        """The failure of a test that is tried again is no verdict on the run."""
        del item.stash[verdict_key]
        item.stash[call_report_key] = None
        self.outcome = before
        self._annotations.drop(item.nodeid)
        self._reports.drop_failed_test(item.nodeid)

    def _add_properties(self, item: pytest.Item, report: pytest.TestReport) -> None:
        verdict = item.stash.get(verdict_key, Outcome.GOOD)
        report.user_properties.append(("rig_verdict", verdict.value))
        report.user_properties.append(("rig_bench", self._bench_text))
        if self._recording_path is not None:
            report.user_properties.append(("rig_recording", str(self._recording_path)))

    def _note_outcome(self, item: pytest.Item, kind: Outcome) -> None:
        before = item.stash.get(verdict_key, Outcome.GOOD)
        item.stash[verdict_key] = max(before, kind, key=_RANK.index)
        self.outcome = max(self.outcome, kind, key=_RANK.index)

    def end_run(self, exit_status: int) -> None:
        """Take note of how pytest ended: the verdict is on what ran until then."""
        self._is_interrupted = exit_status == pytest.ExitCode.INTERRUPTED
        if exit_status == pytest.ExitCode.INTERNAL_ERROR:
            self.outcome = Outcome.RIG_ERROR

    @property
    def verdict_line(self) -> str:
        """The last line of a run."""
        words = [f"rig: {self.outcome.value}"]
        if passed := self.retries.passed_text:
            words.append(f"({passed})")
        if self._is_interrupted:
            words.append("(interrupted)")
        return " ".join(words)

    def _add_timeline(self, item: pytest.Item, report: pytest.TestReport) -> None:
        window = item.stash.get(recording_key, None)
        if window is not None:
            report.sections.append(("rig timeline, counted from the last press", window.last()))

    def summarize(self, reporter: Terminal) -> None:
        """Write the table of latencies and the recording's path, and what was tried again."""
        for line in (*self._annotations.lines(), *self.retries.annotations(self._annotations)):
            reporter.write_line(line)
        rows = distributions(self._latencies, self._missed)
        if not rows and self._recording_path is None:
            return
        reporter.section(f"rig: {self._bench_text}")
        if rows:
            for line in table(rows, self._floor.floors_ms if self._floor else None):
                reporter.write_line(line)
            if self._forgotten:
                presses = "press" if self._forgotten == 1 else "presses"
                told = f"without {self._forgotten:,} earlier {presses}: see the report"
                reporter.write_line(told)
            if self._floor:
                reporter.write_line(f"rig floor: {self._floor.text}")
        for line in self.retries.lines():
            reporter.write_line(line)
        if self._recording_path is not None:
            reporter.write_line(f"recording: {self._recording_path}")
        # Only now are the recordings finished.
        for line in self._reports.write():
            reporter.write_line(line)

    def write_suite_properties(self) -> None:
        """The verdict and what it was reached on, for programs that read the JUnit file."""
        self._write_property("rig_verdict", self.outcome.value)
        if self._is_interrupted:
            self._write_property("rig_interrupted", "yes")
        if self.retries.passed_count:
            self._write_property("rig_passed_after_retry", str(self.retries.passed_count))
        self._write_property("rig_bench", self._bench_text)
        if self._recording_path is not None:
            self._write_property("rig_firmware", self._firmware_text)
            self._write_property("rig_recording", str(self._recording_path))
        for row in distributions(self._latencies, self._missed):
            numbers = (row.min_ms, row.p50_ms, row.p95_ms, row.p99_ms, row.max_ms)
            names = ("min", "p50", "p95", "p99", "max")
            text = " ".join(f"{name}={number:.3f}" for name, number in zip(names, numbers))
            self._write_property(f"rig_{row.key}", f"n={row.count} missed={row.missed} {text}")

    def _new_place(self) -> RecordingPlace:
        name = Path(self._bench_name).stem
        return new_recording_place(name, self._record_directory, self._keep, self._environment)

    def _opened(self) -> Bench:
        if self._bench is None:
            raise NoBench("the bench is closed")
        return self._bench


def _trips_kept(bench: Bench, presses: Sequence[Press]) -> Iterator[RoundTrip]:
    """What presses have caused, the newest first, as far back as the bench remembers."""
    for press in reversed(presses):
        try:
            yield bench.trip_of(press.id)
        except RigError:
            return


def _skip_unless_in_role(item: pytest.Item, config: BenchConfig) -> None:
    marker = item.get_closest_marker("rig_role")
    wanted = str(marker.args[0]) if marker else Role.CLIENT.value
    is_role = config.target.role.value
    if is_role != wanted:
        pytest.skip(f"the target of bench {config.name} is a {is_role}, and this is for a {wanted}")


# What only some kinds of bench can do, and where it can be had.
_REMEDIES = {
    "network": "; the board's own network is there with --rig-bench emulator",
    "console-input": "; a console to type on is there with --rig-bench emulator",
    "speed": "; a processor at an MCU's speed is there with --rig-bench emulator",
}


def _skip_unless_able(item: pytest.Item, config: BenchConfig) -> None:
    for marker in item.iter_markers("rig_needs"):
        leds = [line.name for line in config.lines.values() if not line.is_driven]
        lacks = sorted(set(marker.args) - {*config.buttons, *leds, *config.abilities})
        if lacks:
            remedy = _REMEDIES.get(lacks[0], "")
            pytest.skip(f"bench {config.name} has no {', '.join(lacks)}{remedy}")


def _told(errors: Sequence[str]) -> str:
    """The first of several errors: the others mostly follow from it."""
    more = len(errors) - 1
    return f"{errors[0]} (and {more} more: see the timeline)" if more else errors[0]


def _uses_bench(item: pytest.Item) -> bool:
    return not FIXTURES.isdisjoint(getattr(item, "fixturenames", ()))
