"""The shortest press that a target accepts, found by halving, and how sure that is."""

from collections.abc import Callable
from dataclasses import dataclass, field

from .bench import Bench
from .errors import NoBench, TargetFailed
from .round_trip import Until

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Plan:
    """How to search.

    Attributes:
        shortest_s: no press is shorter.
        longest_s: no press is longer; this one must be accepted.
        resolution_s: how near the answer comes to the longest press that is not accepted.
        tries: presses of each length on the way.
        confirming_tries: presses of the length that is the answer.
        listen_s: how long after its release a press may still show an effect.
    """

    shortest_s: float = 0.0001
    longest_s: float = 0.2
    resolution_s: float = 0.0005
    tries: int = 3
    confirming_tries: int = 20
    listen_s: float = 0.5

    def __post_init__(self) -> None:
        """Refuse, with ValueError, what cannot be searched."""
        if not 0 < self.shortest_s < self.longest_s:
            raise ValueError("the shortest press must be shorter than the longest")
        if self.resolution_s <= 0 or min(self.tries, self.confirming_tries) < 1:
            raise ValueError("resolution and tries must be positive")


@dataclass(frozen=True)
class Attempt:
    """One press.

    Attributes:
        is_accepted: whether the target took it for one.
        driven_s: how long the rig really held the line.
    """

    is_accepted: bool
    driven_s: float


@dataclass(frozen=True)
class Length:
    """All presses of one length; none follows one that is not accepted.

    Attributes:
        hold_s: what was asked for.
        attempts: what came of each.
    """

    hold_s: float
    attempts: tuple[Attempt, ...]

    @property
    def accepted(self) -> int:
        """How many were taken for a press."""
        return sum(each.is_accepted for each in self.attempts)

    @property
    def tries(self) -> int:
        """How many there were."""
        return len(self.attempts)

    @property
    def is_accepted(self) -> bool:
        """Whether all were."""
        return self.accepted == self.tries

    @property
    def driven_s(self) -> tuple[float, float]:
        """The shortest and the longest of them, as the line was really held."""
        held = [each.driven_s for each in self.attempts]
        return min(held), max(held)

    @property
    def share_at_least(self) -> float:
        """With CONFIDENCE, the target accepts at least this share; for a length with all accepted.

        It is the share with which so many presses would all be accepted one time in twenty.
        """
        return float((1 - CONFIDENCE) ** (1 / self.tries))


@dataclass
class Search:
    """A search under way; what it has found so far stays readable when it is broken off.

    Attributes:
        attempt: makes one press of a length in seconds.
        plan: how to search.
        tell: is given each length when it is through.
        accepted: the shortest length of which all presses were accepted.
        rejected: the longest one of which not all were; None: there is none.
        is_complete: whether `accepted` is the answer, confirmed.
    """

    attempt: Callable[[float], Attempt]
    plan: Plan
    tell: Callable[[Length], None]
    accepted: Length | None = None
    rejected: Length | None = None
    is_complete: bool = False
    lengths: list[Length] = field(default_factory=list)

    def run(self) -> Length:
        """Search to the end; the answer.

        Raises:
            TargetFailed: not even the longest press is always accepted.
        """
        longest = self._try(self.plan.longest_s, self.plan.tries)
        self._refuse_deaf_target(longest)
        self._try(self.plan.shortest_s, self.plan.tries)
        while (middle_s := self._middle_s()) is not None:
            self._try(middle_s, self.plan.tries)
        return self._confirm()

    def _try(self, hold_s: float, tries: int) -> Length:
        attempts: list[Attempt] = []
        while len(attempts) < tries and all(each.is_accepted for each in attempts):
            attempts.append(self.attempt(hold_s))
        length = Length(hold_s, tuple(attempts))
        self.lengths.append(length)
        if length.is_accepted:
            self.accepted = length
        else:
            self.rejected = length
        self.tell(length)
        return length

    def _middle_s(self) -> float | None:
        """Halfway between the two that are known; None: they are near enough."""
        if self.accepted is None or self.rejected is None:
            return None
        low_s, high_s = self.rejected.hold_s, self.accepted.hold_s
        return (low_s + high_s) / 2 if high_s - low_s > self.plan.resolution_s else None

    def _confirm(self) -> Length:
        """Many presses of the length found; a longer one where not all of them are accepted."""
        hold_s = self.accepted.hold_s if self.accepted else self.plan.longest_s
        while True:
            length = self._try(hold_s, self.plan.confirming_tries)
            if length.is_accepted:
                self.is_complete = True
                return length
            self.accepted = None
            if hold_s >= self.plan.longest_s:
                self._refuse_deaf_target(length)
            hold_s = min(hold_s + self.plan.resolution_s, self.plan.longest_s)

    def _refuse_deaf_target(self, longest: Length) -> None:
        if not longest.is_accepted:
            raise TargetFailed(
                f"of the longest presses, {longest.hold_s * 1000:g} ms, {longest.accepted} of "
                f"{longest.tries} were accepted: press longer, or see whether the target is up"
            )


def attempts_on(bench: Bench, button: str, listen_s: float) -> Callable[[float], Attempt]:
    """Presses of a bench's button: accepted if its LED changes, or else if a frame arrives.

    Args:
        bench: an open one, its target running.
        button: the button's name.
        listen_s: how long after its release a press may still show an effect.

    Raises:
        NoBench: the bench has no such button.
    """
    contract = bench.target.contract.buttons.get(button)
    if contract is None:
        raise NoBench(f"bench {bench.name} has no button {button!r} in its contract")
    sign = Until.led if contract.led else Until.frame

    def attempt(hold_s: float) -> Attempt:
        bench.raise_new_rig_errors()
        window = bench.record()
        pending = bench.start_press(button, hold_s=hold_s)
        try:
            pending.wait(until=sign, timeout_s=hold_s + listen_s)
            is_accepted = True
        except TargetFailed:
            is_accepted = False
        if is_accepted:
            pending.wait()  # so that the next press is not taken for part of this one
        edges = [edge for edge in window.button_edges if edge.line == button]
        return Attempt(is_accepted, (edges[-1].at_ns - edges[0].at_ns) / 1e9)

    return attempt
