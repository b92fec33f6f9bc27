"""The rig's part of one pytest session: the bench, and each test's window of its timeline."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

import pytest

from .app_build import tell_on_stderr
from .bench import Bench
from .bench_config import Kind, Speed
from .bench_file import read_bench_file
from .calibration import Calibration
from .capture import key_log_path
from .errors import NoBench, Outcome, RigError, first_of
from .find_bench import BUILT_IN, load_bench_file
from .opening import new_recording_place, open_bench
from .pytest_fitting import is_private, skip_unless_it_fits, uses_bench
from .pytest_github import Annotations
from .pytest_interruptions import Interruptions
from .pytest_latencies import RunLatencies
from .pytest_reports import Reports
from .pytest_retries import Retries
from .pytest_settings import FIXTURES, read_settings
from .pytest_verdict import Verdicts, call_report_key, recorded_outcome, rig_error_in, verdict_of
from .recording import Recording
from .recordings import KEEP_DEFAULT, RecordingPlace

_IDLE_BEFORE_TEST_S = 2.0
# A bench keeps a hundred rig errors; scripts' own mistakes must leave room for the rig's.
_CAUSES_NOTED_MAX = 50


@dataclass
class _Window:
    """A test's part of a bench's timeline; `is_open` until the test's row there has ended."""

    bench: Bench
    recording: Recording
    is_open: bool = True


_window_key = pytest.StashKey[_Window]()


class Terminal(Protocol):
    """The part of pytest's terminal reporter that is used: its class has no public name."""

    config: pytest.Config

    def section(self, title: str) -> None:
        """Write a title between bars."""

    def write_line(self, line: str) -> None:
        """Write one line."""


class RigSession:
    """Holds the bench of a pytest session, and what the run tells of it.

    It opens the bench when a test first asks for it, and closes it at the session's end or at the
    first rig error, whichever comes first.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._environment = os.environ
        self._pluginmanager = config.pluginmanager
        settings = read_settings(config, self._environment)
        self._bench_name = settings.bench or BUILT_IN
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
        self._causes_noted = 0
        self._latencies = RunLatencies()
        self._reports = Reports(settings.report)
        self._annotations = Annotations(config.rootpath, self._environment)
        self.retries = Retries()
        self.verdicts = Verdicts(self._annotations, is_required=settings.is_required)
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
        bench = self._opener(place)()
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
        skip_unless_it_fits(item, bench.config)
        self._raise(bench.new_rig_errors())
        bench.release_buttons()
        if self._needs_reset or not bench.target.is_running:
            bench.target.start_afresh()
        self._needs_reset = False
        bench.wait_until_idle(timeout_s=_IDLE_BEFORE_TEST_S)
        bench.server.clear()
        return _begin_window(item, bench).recording

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
        skip_unless_it_fits(item, bench.config)
        _begin_window(item, bench)
        item.addfinalizer(partial(self._end, item, bench))

    def _end(self, item: pytest.Item, bench: Bench) -> None:
        if self._bench is None:
            return  # closed by a rig error
        window = item.stash[_window_key]
        report = item.stash.get(call_report_key, None)
        failed = report is None or report.failed
        self._needs_reset |= failed
        errors = bench.new_rig_errors()
        self._end_window(item, window, errors)
        self._latencies.add(item, bench, window.recording.presses, failed=failed)
        self._raise(errors)

    def _end_window(self, item: pytest.Item, window: _Window, errors: Sequence[str]) -> None:
        """The recording gets to know what the test came to, and why if no rig error says it."""
        window.is_open = False
        cause = "" if errors else rig_error_in(item)
        if cause and self._causes_noted < _CAUSES_NOTED_MAX:
            window.bench.note_error(cause)
            self._causes_noted += 1
        outcome = Outcome.RIG_ERROR.value if errors else recorded_outcome(item)
        window.bench.test_ended(item.nodeid, outcome)

    def _raise(self, errors: Sequence[str]) -> None:
        if errors and not self.verdicts.first_rig_error:
            raise RigError(first_of(errors))

    @contextmanager
    def own_benches(self, item: pytest.Item) -> Iterator[Callable[..., Bench]]:
        """Benches of a test's own, closed with the test; what can be had once is, if it is free."""
        opened: list[_Window] = []

        def open_another(
            *,
            identity: str | None = None,
            root_certificate: str | None = None,
            program: str | None = None,
            speed: Speed | None = None,
        ) -> Bench:
            is_own = self._skip_unless_free(item, opened)
            place = resources.enter_context(self._new_place())
            bench = self._opener(place)(
                identity=identity,
                root_certificate=root_certificate,
                program=program,
                speed=speed,
                takes_lock=not is_own,
            )
            resources.callback(bench.close)
            opened.append(_begin_window(item, bench))
            bench.target.start()
            return bench

        with ExitStack() as resources:
            yield open_another
            errors = [error for window in opened for error in window.bench.rig_errors]
            for window in opened:
                self._end_window(item, window, errors)
        self._raise(errors)

    def _skip_unless_free(self, item: pytest.Item, opened: Sequence[_Window]) -> bool:
        """Skip where another bench is not to be had now; else whether it is this process's own."""
        config = read_bench_file(load_bench_file(self._bench_name, self._environment))
        skip_unless_it_fits(item, config)
        if is_private(config):
            return True
        if config.kind is Kind.BOARD:
            pytest.skip(f"bench {config.name} is a board: nothing sets it up another way")
        if self._bench is not None or opened:
            pytest.skip(f"bench {config.name} is open already, and there cannot be a second one")
        return False

    def judge(
        self, item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport
    ) -> None:
        """Judge a part of a test; the first rig error closes the bench."""
        has_erred = bool(self.verdicts.first_rig_error)
        kind = self.verdicts.judge(item, call, report)
        is_first_error = bool(self.verdicts.first_rig_error) and not has_erred
        if is_first_error or (report.failed and kind is not Outcome.RIG_ERROR):
            self._add_timeline(item, report)
        window = item.stash.get(_window_key, None)
        if is_first_error:
            if window is not None and window.is_open and window.bench is self._bench:
                self._end_window(item, window, window.bench.rig_errors)
            self.close()
        if report.failed and window is not None and window.bench.recording_path is not None:
            path = window.bench.recording_path
            self._reports.add_failed_test(item.nodeid, path, verdict_of(item))
        if call.when == "teardown" and uses_bench(item):
            self._add_properties(item, report)

    def forget_attempt(self, item: pytest.Item, before: Outcome) -> None:
        """Take back what an attempt was judged to be: the test is tried again."""
        self.verdicts.forget_attempt(item, before)
        self._reports.drop_failed_test(item.nodeid)

    def _add_properties(self, item: pytest.Item, report: pytest.TestReport) -> None:
        report.user_properties.append(("rig_verdict", verdict_of(item).value))
        report.user_properties.append(("rig_bench", self._bench_text))
        window = item.stash.get(_window_key, None)
        path = self._recording_path if window is None else window.bench.recording_path
        if path is not None:
            report.user_properties.append(("rig_recording", str(path)))

    def end_run(self, exit_status: int) -> None:
        """Take note of how pytest ended: the verdict is on what ran until then."""
        self._is_interrupted = exit_status == pytest.ExitCode.INTERRUPTED
        if exit_status == pytest.ExitCode.INTERNAL_ERROR:
            self.verdicts.outcome = Outcome.RIG_ERROR

    @property
    def verdict_line(self) -> str:
        """The last line of a run."""
        words = [f"rig: {self.verdicts.outcome.value}"]
        if passed := self.retries.passed_text:
            words.append(f"({passed})")
        if self._is_interrupted:
            words.append("(interrupted)")
        return " ".join(words)

    def _add_timeline(self, item: pytest.Item, report: pytest.TestReport) -> None:
        window = item.stash.get(_window_key, None)
        if window is not None:
            text = window.recording.last()
            report.sections.append(("rig timeline, counted from the last press", text))

    def summarize(self, reporter: Terminal) -> None:
        """Write the table of latencies and the recording's path, and what was tried again."""
        for line in (*self._annotations.lines(), *self.retries.annotations(self._annotations)):
            reporter.write_line(line)
        if not self._latencies and self._recording_path is None:
            return
        reporter.section(f"rig: {self._bench_text}")
        for line in self._latencies.lines(self._floor):
            reporter.write_line(line)
        for line in self.retries.lines():
            reporter.write_line(line)
        if self._recording_path is not None:
            reporter.write_line(f"recording: {self._recording_path}")
        # Only now are the recordings finished.
        for line in self._reports.write(self.verdicts.outcome):
            reporter.write_line(line)

    def write_suite_properties(self) -> None:
        """The verdict and what it was reached on, for programs that read the JUnit file."""
        self._write_property("rig_verdict", self.verdicts.outcome.value)
        if self._is_interrupted:
            self._write_property("rig_interrupted", "yes")
        if self.retries.passed_count:
            self._write_property("rig_passed_after_retry", str(self.retries.passed_count))
        self._write_property("rig_bench", self._bench_text)
        if self._recording_path is not None:
            self._write_property("rig_firmware", self._firmware_text)
            self._write_property("rig_recording", str(self._recording_path))
        self._latencies.write_properties(self._write_property)

    def _new_place(self) -> RecordingPlace:
        name = Path(self._bench_name).stem
        return new_recording_place(name, self._record_directory, self._keep, self._environment)

    def _opener(self, place: RecordingPlace) -> Callable[..., Bench]:
        return partial(
            open_bench,
            self._bench_name,
            recording=place.path,
            captures=self._captures,
            key_log=key_log_path(place.path) if self._keeps_keys else None,
            command=self._command,
            tell=self._tell,
        )

    def _opened(self) -> Bench:
        if self._bench is None:
            raise NoBench("the bench is closed")
        return self._bench


def _begin_window(item: pytest.Item, bench: Bench) -> _Window:
    bench.test_began(item.nodeid)
    window = item.stash[_window_key] = _Window(bench, bench.record())
    return window
