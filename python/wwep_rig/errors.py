"""The three ways in which a run can go wrong, and what each means to whoever reads the result."""

from enum import Enum

from ._core import NoBench, RigError, TargetFailed, WwepRigError

__all__ = ["NoBench", "Outcome", "RigError", "TargetFailed", "WwepRigError", "outcome_of"]


class Outcome(Enum):
    """The verdict of a run, spelt as in the last line of pytest and in a JUnit property."""

    GOOD = "good"
    TARGET_FAILED = "target-failed"
    RIG_ERROR = "rig-error"
    NO_BENCH = "no-bench"


def outcome_of(error: BaseException) -> Outcome | None:
    """What an exception says about the run; None when it is none of the rig's."""
    if isinstance(error, NoBench):
        return Outcome.NO_BENCH
    if isinstance(error, RigError):
        return Outcome.RIG_ERROR
    if isinstance(error, TargetFailed):
        return Outcome.TARGET_FAILED
    return None
