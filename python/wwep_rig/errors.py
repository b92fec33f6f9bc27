"""The three ways in which a run can go wrong, and what each means to whoever reads the result."""

from collections.abc import Sequence
from enum import Enum


class WwepRigError(Exception):
    """Base of the three ways in which a run can go wrong. The C++ side raises these, too.

    Attributes:
        trouble: what is wrong.
        remedy: what to do about it; empty: the trouble's own text says it, or there is nothing.
    """

    def __init__(self, trouble: str, remedy: str = "") -> None:
        super().__init__(f"{trouble}; {remedy}" if remedy else trouble)
        self.trouble = trouble
        self.remedy = remedy


class TargetFailed(WwepRigError, AssertionError):
    """The device under test did not do what it must."""


class RigError(WwepRigError):
    """The rig cannot do its work; nothing is said about the target."""


class NoBench(WwepRigError):
    """The bench is missing, busy or wrongly described."""


class Outcome(Enum):
    """The verdict of a run, spelt as in the last line of pytest and in a JUnit property."""

    GOOD = "good"
    TARGET_FAILED = "target-failed"
    RIG_ERROR = "rig-error"
    NO_BENCH = "no-bench"


_RANK = (Outcome.GOOD, Outcome.NO_BENCH, Outcome.TARGET_FAILED, Outcome.RIG_ERROR)


def worst(*outcomes: Outcome) -> Outcome:
    """What a run comes to whose parts came to these: where the rig erred, nothing else counts."""
    return max(outcomes, key=_RANK.index)


def first_of(errors: Sequence[str]) -> str:
    """The first of several errors: the others mostly follow from it."""
    more = len(errors) - 1
    return f"{errors[0]} (and {more} more: see the timeline)" if more else errors[0]


def outcome_of(error: BaseException) -> Outcome | None:
    """What an exception says about the run; None when it is none of the rig's."""
    if isinstance(error, NoBench):
        return Outcome.NO_BENCH
    if isinstance(error, RigError):
        return Outcome.RIG_ERROR
    if isinstance(error, TargetFailed):
        return Outcome.TARGET_FAILED
    return None
