"""What a pytest run was told about the rig: read, and checked, without the C++ side."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

FIXTURES = frozenset(("bench", "recording", "bench_with"))  # a test with one of them needs a bench

REPORTS = ("all", "failed", "none")


@dataclass(frozen=True)
class Settings:
    """The rig's options.

    Attributes:
        bench: name or file of the bench; empty: the built-in one.
        is_required: whether a bench that is not there is a failure.
        record_directory: where recordings go; None: the user's state directory.
        keep: how many recordings stay there; 0: all; None: what fits that place.
        captures: whether packets are kept beside the recordings.
        keeps_keys: whether TLS keys are.
        retries_max: how often a test whose target failed is tried again.
        report: whether pages are written: all, failed (only when a test failed) or none.
    """

    bench: str
    is_required: bool
    record_directory: Path | None
    keep: int | None
    captures: bool
    keeps_keys: bool
    retries_max: int
    report: str


def read_settings(config: pytest.Config, environment: Mapping[str, str]) -> Settings:
    """Each from the command line, else the environment, else the ini file.

    Raises:
        pytest.UsageError: one of them makes no sense.
    """
    record = _setting(config, "rig_record", environment)
    keep = _setting(config, "rig_keep", environment)
    if keep and not _is_number(keep):
        raise pytest.UsageError(f"rig_keep: {keep!r} is no number of recordings; 0 keeps all")
    retries = _setting(config, "rig_retries", environment)
    if retries and not _is_number(retries):
        raise pytest.UsageError(f"rig_retries: {retries!r} is no number of retries; 0: none")
    report = _setting(config, "rig_report", environment) or "all"
    if report not in REPORTS:
        raise pytest.UsageError(f"rig_report: {report!r} is none of {', '.join(REPORTS)}")
    return Settings(
        bench=_setting(config, "rig_bench", environment),
        is_required=_switch(config, "rig_require", environment),
        record_directory=Path(record) if record else None,
        keep=int(keep) if keep else None,
        captures=_switch(config, "rig_capture", environment),
        retries_max=int(retries or 0),
        report=report,
        keeps_keys=_switch(config, "rig_keys", environment),
    )


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _setting(config: pytest.Config, name: str, environment: Mapping[str, str]) -> str:
    given = config.getoption(name)
    if given is not None:
        return "1" if given is True else str(given)
    return environment.get(f"WWEP_{name.upper()}", "") or str(config.getini(name) or "")


def _switch(config: pytest.Config, name: str, environment: Mapping[str, str]) -> bool:
    text = _setting(config, name, environment)
    if text.lower() in ("1", "true", "yes", "on"):
        return True
    if text.lower() in ("", "0", "false", "no", "off"):
        return False
    raise pytest.UsageError(f"{name}: {text!r} is neither yes nor no")
