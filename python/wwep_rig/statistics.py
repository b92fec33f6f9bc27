"""What a sample says about all presses: intervals of percentiles, and a test that stops early.

Nothing here supposes a shape of the distribution: latencies have none that is known. It supposes
that presses are alike and independent of each other. A miss, a press whose part did not happen, is
`math.inf`: later than anything that did.

**The interval of a percentile** lies between two values of the sample (order statistics). How many
values of a sample of n fall below the true percentile p is binomial (n, p), exactly and whatever
the distribution, so ranks are chosen such that the percentile lies outside with a probability of
at most half of `1 - confidence` on either side.

**The sequential test** decides the claim "at least the share s of all presses keeps the limit", for
instance s = 0.99 for "the 99th percentile is below 250 ms". Each press keeps it or does not. For
either side of the claim it weighs the presses seen so far: how many times likelier they are under
some shares of late presses on that side than under the edge of the claim, 1 - s, in the mean. If
the claim is false (or true) that number is a supermartingale that begins at 1, so by Ville's
inequality it ever reaches `1 / (1 - confidence)` with a probability of at most `1 - confidence`.
Hence, looking after every press and however long it takes:

- a claim that is false is accepted with a probability of at most `1 - confidence`,
- a claim that is true is rejected with a probability of at most `1 - confidence`.

The nearer the truth is to the edge of the claim, the more presses it takes; exactly on the edge it
need never end, and whoever uses it sets a greatest number of presses.
"""

import math
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

CONFIDENCE = 0.95

# Shares of late presses that are weighed against the edge of the claim, in odds relative to it.
# Zero is what most good targets have; the others keep the test short for those that have some.
_FEWER = (0.0, 1 / 8, 1 / 4, 1 / 2, 3 / 4)
_MORE = (4 / 3, 2.0, 4.0, 8.0, 16.0)


@dataclass(frozen=True)
class Interval:
    """Where a percentile of all presses lies.

    Attributes:
        low: at least this; -inf: the sample is too small to say.
        high: at most this; inf: the sample is too small to say, or has too many misses.
    """

    low: float
    high: float


def nearest_rank(ordered: Sequence[float], percent: float) -> float:
    """The nearest-rank percentile of values that are in order and not empty."""
    rank = -(-len(ordered) * percent // 100)
    return ordered[max(0, int(rank) - 1)]


def percentile_interval(
    ordered: Sequence[float], percent: float, confidence: float = CONFIDENCE
) -> Interval:
    """Where the percentile of all presses lies, from a sample.

    Args:
        ordered: the sample in order, misses as `math.inf`.
        percent: between 0 and 100, neither of them.
        confidence: how often such an interval holds it, at least.
    """
    count = len(ordered)
    low, high = _ranks(count, percent / 100, confidence)
    return Interval(
        ordered[low - 1] if low >= 1 else -math.inf,
        ordered[high - 1] if high <= count else math.inf,
    )


def _ranks(count: int, share: float, confidence: float) -> tuple[int, int]:
    """The ranks between which a percentile lies; 0 and count + 1: there is no such value."""
    tail = (1 - confidence) / 2
    ks, cumulated = [], []
    total = 0.0
    for k, probability in _binomial(count, share):
        total += probability
        ks.append(k)
        cumulated.append(total)
    if not ks:
        return 0, count + 1
    # P(K <= low - 1) <= tail: the percentile is below value number low that seldom.
    below = bisect_left(cumulated, math.nextafter(tail, 1))
    low = ks[0] + below
    # P(K >= high) = 1 - P(K <= high - 1) <= tail.
    high = ks[0] + bisect_left(cumulated, 1 - tail) + 1
    return low, min(high, count + 1)


def _binomial(count: int, share: float) -> Iterator[tuple[int, float]]:
    """The probabilities of the binomial distribution where they matter, in order."""
    spread = 10 + 10 * math.sqrt(count * share * (1 - share))
    first = max(0, math.floor(count * share - spread))
    last = min(count, math.ceil(count * share + spread))
    for k in range(first, last + 1):
        logarithm = math.lgamma(count + 1) - math.lgamma(k + 1) - math.lgamma(count - k + 1)
        yield k, math.exp(logarithm + k * math.log(share) + (count - k) * math.log1p(-share))


class Decision(Enum):
    """What is known of a claim."""

    OPEN = "open"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


class SequentialTest:
    """Decides whether enough presses keep a limit, as early as they tell; see this module's text.

    Once it has decided it stays with that.
    """

    def __init__(self, *, share: float, confidence: float = CONFIDENCE) -> None:
        """Begin without a press.

        Args:
            share: of all presses, that keep the limit if the claim is true: 0.99 for a p99.
            confidence: of the decision, either way.

        Raises:
            ValueError: one of them is not between 0 and 1.
        """
        if not (0 < share < 1 and 0 < confidence < 1):
            raise ValueError("share and confidence lie between 0 and 1, neither of them")
        self._edge = 1 - share
        self._needed = 1 / (1 - confidence)
        self._fewer = [_of_odds(self._edge, times) for times in _FEWER]
        self._more = [_of_odds(self._edge, times) for times in _MORE]
        self.kept = 0
        self.late = 0
        self.decision = Decision.OPEN

    @property
    def presses(self) -> int:
        """How many it has seen."""
        return self.kept + self.late

    def add(self, keeps_limit: bool) -> Decision:
        """Take one more press into account, and say what is known now."""
        if self.decision is not Decision.OPEN:
            return self.decision
        self.kept += keeps_limit
        self.late += not keeps_limit
        if self._evidence_for(self._fewer) >= self._needed:
            self.decision = Decision.ACCEPTED
        elif self._evidence_for(self._more) >= self._needed:
            self.decision = Decision.REJECTED
        return self.decision

    def _evidence_for(self, shares: Sequence[float]) -> float:
        """How many times likelier the presses are under these shares of late ones, in the mean."""
        return sum(self._times_likelier(share) for share in shares) / len(shares)

    def _times_likelier(self, share: float) -> float:
        if share == 0 and self.late:
            return 0.0
        logarithm = self.kept * math.log((1 - share) / (1 - self._edge))
        logarithm += self.late * math.log(share / self._edge) if self.late else 0.0
        return math.exp(min(logarithm, 700.0))


def _of_odds(edge: float, times: float) -> float:
    """The share whose odds are that many times those of another."""
    odds = times * edge / (1 - edge)
    return odds / (1 + odds)


def fisher_more(bad_a: int, all_a: int, bad_b: int, all_b: int) -> float:
    """Fisher's exact test, one-sided: how likely chance alone gives B that many bad ones or more.

    Args:
        bad_a: bad ones in A.
        all_a: how many A has.
        bad_b: bad ones in B.
        all_b: how many B has.
    """
    bad, count = bad_a + bad_b, all_a + all_b
    whole = _log_choose(count, bad)
    return min(
        1.0,
        sum(
            math.exp(_log_choose(all_b, k) + _log_choose(all_a, bad - k) - whole)
            for k in range(max(bad_b, bad - all_a), min(bad, all_b) + 1)
        ),
    )


def _log_choose(count: int, k: int) -> float:
    return math.lgamma(count + 1) - math.lgamma(k + 1) - math.lgamma(count - k + 1)
