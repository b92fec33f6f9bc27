"""What changed from one recording to another, with a verdict for a release.

Three things can be worse in B: a test that passed in A and does not in B, a larger share of failed
presses, a later percentile of a latency. Shares and percentiles change by chance alone; each of
these comparisons says "worse" of equal targets with a probability of at most `1 - confidence`
divided by their number, so that all of them together keep the confidence:

- the share of failed presses is compared by Fisher's exact test, one-sided,
- a percentile is worse when the interval of B lies above that of A as a whole, each interval made
  with half of that probability, and when it is later by more than a tolerance, because with
  enough presses a difference that nobody cares for is certain as well.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from .latencies import LABELS, finite
from .recorded import RecordedRun
from .recorded_trips import RecordedTrip, State, missing_parts
from .statistics import CONFIDENCE, Interval, fisher_more, nearest_rank, percentile_interval

PERCENTILES = (50, 95, 99)


class Change(Enum):
    """What B is, compared with A."""

    SAME = "same"
    WORSE = "worse"
    BETTER = "better"
    UNKNOWN = "cannot tell"
    """Too few presses."""


@dataclass(frozen=True)
class Tolerance:
    """What nobody cares for: a percentile may be later by so much of itself, or so many ms.

    Attributes:
        share: 0.1 is a tenth.
        ms: whichever is more counts.
    """

    share: float = 0.1
    ms: float = 0.5

    def allows(self, from_ms: float, to_ms: float) -> bool:
        """Whether a change from one to the other is of no matter."""
        return to_ms <= from_ms + max(self.ms, from_ms * self.share)


@dataclass(frozen=True)
class Percentile:
    """One percentile of one latency in both recordings, in milliseconds; inf: among the misses.

    Attributes:
        key: the field of `Latencies`.
        percent: 99 for the p99.
        a_ms, b_ms: by nearest rank.
        a_between, b_between: where those of all presses lie.
        change: what B is.
    """

    key: str
    percent: int
    a_ms: float
    b_ms: float
    a_between: Interval
    b_between: Interval
    change: Change

    @property
    def text(self) -> str:
        """For people."""
        return f"{LABELS[self.key]} p{self.percent}"


@dataclass(frozen=True)
class Failures:
    """The presses of both recordings that failed; interrupted ones do not count.

    Attributes:
        a_failed, a_presses, b_failed, b_presses: how many.
        change: what B is.
        new: what is wrong with presses in B, and with none in A, and how often.
    """

    a_failed: int
    a_presses: int
    b_failed: int
    b_presses: int
    change: Change
    new: Mapping[str, int]


@dataclass(frozen=True)
class Test:
    """A test that came to something else in B; an empty outcome: it did not run."""

    nodeid: str
    a: str
    b: str
    change: Change


@dataclass(frozen=True)
class Comparison:
    """Everything that was compared.

    Attributes:
        facts: what the recordings are of, where they differ: name, in A, in B.
        tests: those that came to something else.
        failures: the presses that failed.
        percentiles: of each latency that both have.
        confidence: of the whole.
    """

    facts: Sequence[tuple[str, str, str]]
    tests: Sequence[Test]
    failures: Failures
    percentiles: Sequence[Percentile]
    confidence: float

    @property
    def worse(self) -> list[str]:
        """What is worse in B, for people."""
        found = [f"{test.nodeid}: {test.a}, now {test.b}" for test in self.tests if _is_worse(test)]
        if _is_worse(self.failures):
            found.append(
                f"failed presses: {_share(self.failures.a_failed, self.failures.a_presses)}, now "
                f"{_share(self.failures.b_failed, self.failures.b_presses)}"
            )
        found += [
            f"{one.text}: {_ms(one.a_ms)}, now {_ms(one.b_ms)}"
            for one in self.percentiles
            if _is_worse(one)
        ]
        return found

    @property
    def is_worse(self) -> bool:
        """Whether B should not be released on A's account."""
        return bool(self.worse)

    @property
    def as_value(self) -> dict[str, Any]:
        """For machines."""
        return {
            "verdict": "worse" if self.is_worse else "not worse",
            "worse": self.worse,
            "confidence": self.confidence,
            "facts": [{"name": name, "a": a, "b": b} for name, a, b in self.facts],
            "tests": [
                {"nodeid": one.nodeid, "a": one.a, "b": one.b, "change": one.change.value}
                for one in self.tests
            ],
            "failures": {
                "a": {"failed": self.failures.a_failed, "presses": self.failures.a_presses},
                "b": {"failed": self.failures.b_failed, "presses": self.failures.b_presses},
                "change": self.failures.change.value,
                "new": dict(self.failures.new),
            },
            "percentiles": [
                {
                    "latency": one.key,
                    "percent": one.percent,
                    "a_ms": finite(one.a_ms),
                    "b_ms": finite(one.b_ms),
                    "a_between_ms": [finite(one.a_between.low), finite(one.a_between.high)],
                    "b_between_ms": [finite(one.b_between.low), finite(one.b_between.high)],
                    "change": one.change.value,
                }
                for one in self.percentiles
            ],
        }


def compare(
    a: RecordedRun,
    b: RecordedRun,
    *,
    tolerance: Tolerance = Tolerance(),
    confidence: float = CONFIDENCE,
) -> Comparison:
    """Compare B with A."""
    samples_a, samples_b = _samples(a.trips), _samples(b.trips)
    keys = [key for key in LABELS if samples_a[key] and samples_b[key]]
    # Either end of an interval, of each percentile, and the failures.
    once = (1 - confidence) / (len(keys) * len(PERCENTILES) + 1)
    return Comparison(
        _facts(a, b),
        _tests(a, b),
        _failures(a.trips, b.trips, once),
        [
            _percentile(key, percent, samples_a[key], samples_b[key], tolerance, 1 - once)
            for key in keys
            for percent in PERCENTILES
        ],
        confidence,
    )


def _samples(trips: Iterable[RecordedTrip]) -> dict[str, list[float]]:
    samples: dict[str, list[float]] = {key: [] for key in LABELS}
    for trip in trips:
        missing = missing_parts(trip) if trip.state is State.FAILED else []
        for key, sample in samples.items():
            value = getattr(trip.latencies, key)
            if value is not None:
                sample.append(value)
            elif key in missing:
                sample.append(math.inf)
    return {key: sorted(sample) for key, sample in samples.items()}


def _percentile(
    key: str,
    percent: int,
    a: Sequence[float],
    b: Sequence[float],
    tolerance: Tolerance,
    confidence: float,
) -> Percentile:
    a_ms, b_ms = nearest_rank(a, percent), nearest_rank(b, percent)
    in_a = percentile_interval(a, percent, confidence)
    in_b = percentile_interval(b, percent, confidence)
    if in_b.low > in_a.high:
        change = Change.SAME if tolerance.allows(a_ms, b_ms) else Change.WORSE
    elif in_a.low > in_b.high:
        change = Change.SAME if tolerance.allows(b_ms, a_ms) else Change.BETTER
    elif len(a) < _presses_needed(percent, confidence) > len(b):
        change = Change.UNKNOWN
    else:
        change = Change.SAME
    return Percentile(key, percent, a_ms, b_ms, in_a, in_b, change)


def _presses_needed(percent: int, confidence: float) -> int:
    """So many presses bound a percentile from both sides."""
    share = max(percent, 100 - percent) / 100
    return math.ceil(math.log((1 - confidence) / 2) / math.log(share))


def _failures(a: Sequence[RecordedTrip], b: Sequence[RecordedTrip], chance: float) -> Failures:
    def counted(trips: Sequence[RecordedTrip]) -> tuple[int, int, Counter[str]]:
        failed = [trip for trip in trips if trip.state is State.FAILED]
        whole = sum(trip.state is not State.INTERRUPTED for trip in trips)
        return len(failed), whole, Counter(trip.problem for trip in failed)

    (a_failed, a_all, a_problems), (b_failed, b_all, b_problems) = counted(a), counted(b)
    if fisher_more(a_failed, a_all, b_failed, b_all) <= chance:
        change = Change.WORSE
    elif fisher_more(b_failed, b_all, a_failed, a_all) <= chance:
        change = Change.BETTER
    else:
        change = Change.SAME
    new = {problem: count for problem, count in b_problems.items() if problem not in a_problems}
    return Failures(a_failed, a_all, b_failed, b_all, change, new)


def _tests(a: RecordedRun, b: RecordedRun) -> list[Test]:
    # The last attempt counts: a run may try again.
    in_a = {str(row["nodeid"]): str(row["outcome"] or "unfinished") for row in a.tests}
    in_b = {str(row["nodeid"]): str(row["outcome"] or "unfinished") for row in b.tests}
    found = []
    for nodeid in (in_a | in_b).keys():
        was, now = in_a.get(nodeid, ""), in_b.get(nodeid, "")
        if was == now or not in_a:
            continue
        if was == "passed" and now or now in ("failed", "error"):
            change = Change.WORSE
        elif now == "passed" and was:
            change = Change.BETTER
        else:
            change = Change.UNKNOWN
        found.append(Test(nodeid, was, now, change))
    return found


def _facts(a: RecordedRun, b: RecordedRun) -> list[tuple[str, str, str]]:
    def told(recorded: RecordedRun) -> dict[str, str]:
        names = ("bench", "firmware", "host", "rig_version", "command")
        told = {name: str(recorded.run.get(name) or "") for name in names}
        told["rig floor"] = recorded.floor.text if recorded.floor else ""
        told["TLS"] = ", ".join(sorted({f"{v} {c}" for v, c in _tls(recorded) if v}))
        return told

    in_a, in_b = told(a), told(b)
    return [(name, in_a[name], in_b[name]) for name in in_a if in_a[name] != in_b[name]]


def _tls(recorded: RecordedRun) -> Iterable[tuple[str, str]]:
    for row in recorded.rows("connections"):
        yield str(row["tls_version"] or ""), str(row["cipher"] or "")


def _is_worse(one: Test | Failures | Percentile) -> bool:
    return one.change is Change.WORSE


def _share(failed: int, presses: int) -> str:
    return f"{failed} of {presses}"


def _ms(value_ms: float) -> str:
    return f"{value_ms:.3f} ms" if math.isfinite(value_ms) else "missed"
