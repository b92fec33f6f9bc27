"""Percentiles of ever more values, in memory that does not grow."""

import math
from collections import Counter

from .latencies import LABELS, Latencies

# Neighbouring values are told apart when one is this much larger.
_STEP = 1.01
_LEAST_MS = 1e-4
_BUCKETS_MAX = math.ceil(math.log(1e8 / _LEAST_MS) / math.log(_STEP))


class RunningPercentiles:
    """Percentiles of one latency so far, at most 1 % too high; misses are later than anything."""

    def __init__(self) -> None:
        self._buckets: Counter[int] = Counter()
        self.count = 0
        self.missed = 0
        self.max_ms = 0.0

    def add(self, value_ms: float | None) -> None:
        """Take a value into account; None: a miss."""
        if value_ms is None:
            self.missed += 1
            return
        self.count += 1
        self.max_ms = max(self.max_ms, value_ms)
        place = math.ceil(math.log(max(value_ms, _LEAST_MS) / _LEAST_MS) / math.log(_STEP))
        self._buckets[min(place, _BUCKETS_MAX)] += 1

    def percentile(self, percent: float) -> float:
        """By nearest rank, in milliseconds; inf: among the misses, nan: there is no value yet."""
        rank = max(1, math.ceil((self.count + self.missed) * percent / 100))
        if not self.count + self.missed:
            return math.nan
        seen = 0
        for place in sorted(self._buckets):
            seen += self._buckets[place]
            if seen >= rank:
                return min(_LEAST_MS * _STEP**place, self.max_ms)
        return math.inf


class RunningLatencies:
    """Running percentiles of each latency of presses."""

    def __init__(self) -> None:
        self.of = {key: RunningPercentiles() for key in LABELS}

    def add(self, latencies: Latencies) -> None:
        """Take a press into account; a part that did not happen does not count."""
        for key, running in self.of.items():
            value_ms = getattr(latencies, key)
            if value_ms is not None:
                running.add(value_ms)

    @property
    def text(self) -> str:
        """`press → LED 0.4/1.2 ms`: p50 and p99, for one line of a terminal."""
        parts = (
            f"{LABELS[key]} {running.percentile(50):.1f}/{running.percentile(99):.1f}"
            for key, running in self.of.items()
            if running.count and key != "frame_to_reply_ms"
        )
        return ", ".join(parts)
