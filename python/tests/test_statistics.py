"""Intervals of percentiles and the sequential test: exact examples, error rates by simulation."""

import math
import random

import pytest

from wwep_rig.statistics import (
    Decision,
    Interval,
    SequentialTest,
    fisher_more,
    nearest_rank,
    percentile_interval,
)

SEED = 20260101


@pytest.mark.parametrize(
    ("percent", "expected"), [(0, 1.0), (50, 50.0), (95, 95.0), (99, 99.0), (100, 100.0)]
)
def test_percentile_is_the_nearest_rank(percent, expected):
    assert nearest_rank([float(number) for number in range(1, 101)], percent) == expected


@pytest.mark.parametrize(
    ("count", "percent", "low", "high"),
    [
        (100, 50, 40, 61),  # the table of every textbook: ranks 40 and 61 of 100 for a median
        (5, 50, -math.inf, math.inf),  # five values say nothing about a median with 0.95
        (6, 50, 1, 6),  # 1 - 2 / 64 = 0.969
        (299, 99, 292, math.inf),
        (1000, 99, 983, 997),
        (100_000, 99, 98_938, 99_062),
    ],
)
def test_interval_of_a_percentile_lies_between_the_exact_ranks(count, percent, low, high):
    sample = [float(number) for number in range(1, count + 1)]

    found = percentile_interval(sample, percent)

    assert found == Interval(low, high)
    below = sum(_binomial(count, k, percent / 100) for k in range(0, max(0, int(max(low, 0)))))
    assert below <= 0.025


def _binomial(count: int, k: int, share: float) -> float:
    logarithm = math.lgamma(count + 1) - math.lgamma(k + 1) - math.lgamma(count - k + 1)
    return math.exp(logarithm + k * math.log(share) + (count - k) * math.log1p(-share))


def test_interval_holds_the_true_percentile_as_often_as_it_says():
    draw = random.Random(SEED)
    true_p95 = -math.log(0.05)
    held = 0
    for _ in range(1000):
        sample = sorted(draw.expovariate(1) for _ in range(200))
        interval = percentile_interval(sample, 95)
        held += interval.low <= true_p95 <= interval.high

    assert 950 - 14 <= held  # two standard deviations of 1000 tries with 0.95


def test_misses_are_later_than_anything():
    sample = [1.0] * 90 + [math.inf] * 10

    assert nearest_rank(sample, 95) == math.inf
    assert percentile_interval(sample, 50) == Interval(1.0, 1.0)
    assert percentile_interval(sample, 95).high == math.inf


def test_no_sample_says_nothing():
    assert percentile_interval([], 99) == Interval(-math.inf, math.inf)


def decide(
    late_share: float,
    draw: random.Random,
    *,
    share: float = 0.99,
    confidence: float = 0.95,
    presses_max: int = 3000,
) -> SequentialTest:
    test = SequentialTest(share=share, confidence=confidence)
    while test.decision is Decision.OPEN and test.presses < presses_max:
        test.add(draw.random() >= late_share)
    return test


def test_claim_is_accepted_early_when_no_press_is_late():
    test = decide(0.0, random.Random(SEED))

    assert test.decision is Decision.ACCEPTED
    assert 299 <= test.presses <= 400  # 299 is the least that any test of that confidence needs
    assert test.add(False) is Decision.ACCEPTED and test.late == 0


def test_claim_is_rejected_early_when_presses_are_late():
    test = decide(1.0, random.Random(SEED))

    assert test.decision is Decision.REJECTED and test.presses <= 3
    assert decide(0.1, random.Random(SEED)).presses < 100


@pytest.mark.parametrize(
    ("late_share", "wrong"),
    [
        (0.1001, Decision.ACCEPTED),  # just false: accepting it is the error
        (0.0999, Decision.REJECTED),  # just true
        (0.2, Decision.ACCEPTED),
        (0.05, Decision.REJECTED),
    ],
)
def test_wrong_decisions_are_as_rare_as_the_confidence_says(late_share, wrong):
    """At the worst place, the edge of the claim, with a look after every press."""
    draw = random.Random(SEED)
    runs = 300
    decisions = [
        decide(late_share, draw, share=0.9, confidence=0.9, presses_max=400).decision
        for _ in range(runs)
    ]

    assert decisions.count(wrong) <= runs * 0.1 + 2 * math.sqrt(runs * 0.1 * 0.9)


@pytest.mark.parametrize(
    ("late_share", "right"), [(0.05, Decision.ACCEPTED), (0.2, Decision.REJECTED)]
)
def test_most_claims_are_decided_the_right_way(late_share, right):
    draw = random.Random(SEED)
    decisions = [
        decide(late_share, draw, share=0.9, confidence=0.9, presses_max=1000).decision
        for _ in range(100)
    ]

    assert decisions.count(right) >= 90


def test_nonsense_is_refused():
    with pytest.raises(ValueError, match="between 0 and 1"):
        SequentialTest(share=1.0)


def test_fisher_tells_chance_from_change():
    assert fisher_more(0, 100, 0, 100) == 1.0
    assert fisher_more(0, 10, 10, 10) == pytest.approx(1 / math.comb(20, 10))
    assert fisher_more(1, 20, 3, 20) == pytest.approx(0.3024, abs=0.0005)
    assert fisher_more(0, 100_000, 9, 100_000) < 0.002
