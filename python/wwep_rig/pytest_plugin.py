"""The pytest plugin: a bench for the session, a recording for each test, a verdict for the run.

Inert until a fixture of it is used: until then it does not even load the C++ side.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from .pytest_settings import FIXTURES, read_settings

if TYPE_CHECKING:
    from .bench import Bench
    from .pytest_session import RigSession, Terminal
    from .recording import Recording

_SETTINGS = {
    "rig_bench": "bench file, or name of a bench (default: sim, the built-in simulated one)",
    "rig_require": "a bench that is not there is a failure, not a skip",
    "rig_record": "folder for recordings (default: the user's state directory)",
    "rig_keep": "how many recordings stay in that folder; 0: all "
    "(default: 200, or all with --rig-record)",
    "rig_report": "HTML pages beside the recording, of the run and of each failed test: all; "
    "failed, only when a test failed; none (default: all)",
    "rig_retries": "how often a test whose target failed is tried again; each attempt shows in "
    "the summary, the verdict's line, the JUnit file and the recording (default: 0)",
    "rig_capture": "keep the packets beside each recording, for wwep-rig export",
    "rig_keys": "keep the TLS keys beside each recording: whoever has them can decrypt the packets",
}
_METAVARS = {"rig_bench": "NAME|FILE", "rig_record": "DIR", "rig_report": "WHICH"}
_SWITCHES = ("rig_require", "rig_capture", "rig_keys")

_Hook = TypeVar("_Hook", bound=Callable[..., Any])
# Some versions of pytest ship it without types.
_hookimpl: Callable[..., Callable[[_Hook], _Hook]] = pytest.hookimpl

session_key = pytest.StashKey["RigSession"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Each option has an ini twin and an environment variable: WWEP_RIG_BENCH and so on."""
    group = parser.getgroup("wwep-rig", "hardware-in-the-loop rig")
    for name, text in _SETTINGS.items():
        option = "--" + name.replace("_", "-")
        if name in _SWITCHES:
            group.addoption(option, action="store_true", default=None, help=text)
        else:
            metavar = _METAVARS.get(name, "N")
            group.addoption(option, metavar=metavar, default=None, help=text)
        parser.addini(name, text, default=None)


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers, and refuse nonsense before any test runs."""
    read_settings(config, os.environ)
    config.addinivalue_line(
        "markers",
        "rig_needs(name, ...): skip where the bench lacks one of these lines or abilities: reset, "
        "power, network, console-input, speed; or where this machine lacks netem",
    )
    config.addinivalue_line(
        "markers",
        "rig_role(role): skip unless the target is that, client or server; client unless said",
    )
    config.addinivalue_line(
        "markers", "rig_kinds(kind, ...): skip on benches of another kind (sim, kernel, ...)"
    )


@_hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where there is one bench only, tests that set it up anew run before it is opened."""

    def comes_later(item: pytest.Item) -> bool:
        names = set(getattr(item, "fixturenames", ()))
        return names & {"bench", "bench_with"} != {"bench_with"}

    if all(map(comes_later, items)):
        return
    from .pytest_fitting import has_many_benches

    if not has_many_benches(config):
        items.sort(key=comes_later)


def _session(request: pytest.FixtureRequest) -> RigSession:
    """The rig's part of this pytest session, made when it is first needed."""
    config = request.config
    if session_key not in config.stash:
        from .pytest_session import RigSession

        session = config.stash[session_key] = RigSession(config)
        session.report_properties_to(request.getfixturevalue("record_testsuite_property"))
    return config.stash[session_key]


@pytest.fixture(scope="session")
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    """The bench that --rig-bench names, opened once, its target started."""
    session = _session(request)
    try:
        yield session.open()
    finally:
        session.close()


@pytest.fixture
def recording(request: pytest.FixtureRequest, bench: Bench) -> Iterator[Recording]:
    """What happens on the bench during this test; the bench is put into a known state first."""
    session = _session(request)
    window = session.begin_test(request.node)
    try:
        yield window
    finally:
        session.end_test(request.node)


@pytest.fixture
def bench_with(request: pytest.FixtureRequest) -> Iterator[Callable[..., Bench]]:
    """Opens a bench of the test's own: `bench_with(identity=..., root_certificate=..., speed=...)`.

    A simulated bench can be had any number of times at once, one on a chip once only.
    """
    session = _session(request)
    with session.own_benches(request.node) as opener:
        yield opener


@_hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """After a rig error nothing that needs a bench is run."""
    session = item.config.stash.get(session_key, None)
    if session is not None:
        session.verdicts.skip_after_rig_error(item)


@_hookimpl(tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> None:
    """A test that uses the bench without `recording` is in the recording too."""
    session = item.config.stash.get(session_key, None)
    if session is not None:
        session.begin_bare_test(item)


@_hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """With --rig-retries, run a test that needs a bench until it passes or has had them all."""
    retries_max = read_settings(item.config, os.environ).retries_max
    if not retries_max or FIXTURES.isdisjoint(getattr(item, "fixturenames", ())):
        return None
    from . import pytest_retries
    from .errors import Outcome

    stash = item.config.stash  # has a session once a test has asked for a bench
    before = stash[session_key].verdicts.outcome if session_key in stash else Outcome.GOOD
    retried = pytest_retries.run(
        item,
        nextitem,
        retries_max,
        may_retry=lambda tried: session_key in stash
        and stash[session_key].verdicts.may_retry(tried),
        forget=lambda tried: stash[session_key].forget_attempt(tried, before),
    )
    if retried is not None:
        stash[session_key].retries.add(retried)
    return True


def pytest_report_teststatus(report: Any) -> tuple[str, str, tuple[str, dict[str, bool]]] | None:
    """An attempt that another one followed."""
    return ("retried", "R", ("RETRIED", {"yellow": True})) if report.outcome == "retried" else None


@_hookimpl(hookwrapper=True, tryfirst=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, Any, None]:
    """Turn the rig's exceptions into the outcomes that they stand for."""
    outcome = yield
    session = item.config.stash.get(session_key, None)
    if session is not None:
        session.judge(item, call, outcome.get_result())


def pytest_terminal_summary(terminalreporter: Terminal) -> None:
    """Latencies of the run, and where its recording lies."""
    session = terminalreporter.config.stash.get(session_key, None)
    if session is not None:
        session.summarize(terminalreporter)


@_hookimpl(hookwrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> Iterator[None]:
    """The verdict: a property of the JUnit file, and the last line on the terminal."""
    rig = session.config.stash.get(session_key, None)
    if rig is not None:
        rig.end_run(exitstatus)
        rig.write_suite_properties()
    yield  # an interrupted run's fixtures are torn down here
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if rig is not None and reporter is not None:
        reporter.write_line(rig.verdict_line)
    if rig is not None:
        rig.interruptions.close()
