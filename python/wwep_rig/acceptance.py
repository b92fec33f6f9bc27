"""Whether a percentile of a latency is below a limit, decided with as few presses as it takes."""

from dataclasses import dataclass

from .bench import Bench
from .calibration import refuse_budgets_below
from .errors import TargetFailed
from .latencies import LABELS
from .statistics import CONFIDENCE, Decision, SequentialTest

PRESSES_MAX = 5_000
_IDLE_S = 2.0


@dataclass(frozen=True)
class Acceptance:
    """What was found out; true when the claim was accepted.

    Attributes:
        claim: for people.
        decision: OPEN when the greatest number of presses came before a decision.
        presses: how many it took.
        late: those of them that took longer than the limit.
        missed: those that had no such latency at all.
        longest_ms: the longest that was measured; 0: none was.
    """

    claim: str
    decision: Decision
    presses: int
    late: int
    missed: int
    longest_ms: float

    def __bool__(self) -> bool:
        return self.decision is Decision.ACCEPTED

    def __repr__(self) -> str:
        told = {
            Decision.ACCEPTED: "accepted",
            Decision.REJECTED: "rejected",
            Decision.OPEN: "not decided",
        }
        return (
            f"<{self.claim}: {told[self.decision]} after {self.presses} presses, {self.late} late, "
            f"{self.missed} missed, the longest took {self.longest_ms:.3f} ms>"
        )


def accept_latency(
    bench: Bench,
    button: str,
    latency: str,
    *,
    below_ms: float,
    percentile: float = 99.0,
    confidence: float = CONFIDENCE,
    presses_max: int = PRESSES_MAX,
) -> Acceptance:
    """Press until it is decided whether a percentile of a latency is below a limit.

    A press that does not have the latency at all is later than any limit. How the decision is made,
    and how often it is wrong, stands in `wwep_rig.statistics`: with no late press it takes some 380
    for a 99th percentile and a confidence of 0.95.

        assert accept_latency(bench, "button0", "press_to_frame_ms", below_ms=250)

    Args:
        bench: an open one, its target running.
        button: the button's name.
        latency: a field of `Latencies`.
        below_ms: the limit.
        percentile: between 0 and 100.
        confidence: of the decision, either way.
        presses_max: after so many it is not decided, which is no acceptance.

    Raises:
        NoBench: the limit is below the rig's own floor, so that the rig cannot judge it.
        RigError: the rig erred meanwhile.
        ValueError: there is no such latency.
    """
    if latency not in LABELS:
        raise ValueError(f"no latency {latency!r}, only {', '.join(LABELS)}")
    refuse_budgets_below(bench.calibration, {latency: below_ms}, "")
    test = SequentialTest(share=percentile / 100, confidence=confidence)
    missed, longest_ms = 0, 0.0
    while test.decision is Decision.OPEN and test.presses < presses_max:
        took_ms = _press(bench, button, latency)
        missed += took_ms is None
        longest_ms = max(longest_ms, took_ms or 0.0)
        test.add(took_ms is not None and took_ms < below_ms)
    return Acceptance(
        f"p{percentile:g} of {LABELS[latency]} < {below_ms:g} ms with confidence {confidence:g}",
        test.decision,
        test.presses,
        test.late - missed,
        missed,
        longest_ms,
    )


def _press(bench: Bench, button: str, latency: str) -> float | None:
    bench.raise_new_rig_errors()
    pending = bench.start_press(button)
    try:
        trip = pending.wait()
    except TargetFailed:
        trip = pending.trip
        bench.wait_until_idle(timeout_s=_IDLE_S)
    bench.account_for_everything()
    took_ms = getattr(trip.latencies, latency)
    return None if took_ms is None else float(took_ms)
