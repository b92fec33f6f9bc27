"""A bad Ethernet link: an emulated board's frames are lost, doubled, re-ordered or late.

    with bench.network.bad_link(loss=0.1, seed=1) as link:
        trip = bench.press("button0")
    assert link.lost

It is below TCP, which has to make up for it; `bad_network` is what a stream notices of that.
"""

import math
from dataclasses import asdict, dataclass

from . import _core
from .errors import TargetFailed

SEEDS = 2**64


@dataclass(frozen=True)
class Chances:
    """What may become of each frame, or packet, each a probability of 0 to 1.

    Attributes:
        loss: to be lost.
        duplicate: to come twice.
        reorder: to come out of turn.
    """

    loss: float = 0.0
    duplicate: float = 0.0
    reorder: float = 0.0

    def __post_init__(self) -> None:
        for name, chance in self.chances.items():
            if not 0.0 <= chance <= 1.0:
                raise ValueError(f"{name}={chance}: a probability is 0 to 1")

    @property
    def chances(self) -> dict[str, float]:
        """All of them by name."""
        return {"loss": self.loss, "duplicate": self.duplicate, "reorder": self.reorder}

    @property
    def words(self) -> list[str]:
        """Those that are not 0, for people."""
        return [f"{name}={chance:g}" for name, chance in self.chances.items() if chance]


@dataclass(frozen=True)
class LinkFaults(Chances):
    """How bad the link is, in both directions.

    Attributes:
        loss: the probability of each frame to be lost, 0 to 1.
        duplicate: to come twice.
        reorder: to be overtaken by the next frame.
        delay_s: how much later each frame arrives.
        seed: of the dice, so that a run can be repeated: which frames are hit follows from it.
    """

    delay_s: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0.0 <= self.delay_s < math.inf:
            raise ValueError(f"delay_s={self.delay_s}: a delay is 0 or more seconds")
        if not 0 <= self.seed < SEEDS:
            raise ValueError(f"seed={self.seed}: a seed is 0 to 2**64 - 1")
        if not (self.loss or self.duplicate or self.reorder or self.delay_s):
            raise ValueError("a bad link takes loss, duplicate, reorder or delay_s above 0")

    def __str__(self) -> str:
        delay = [f"delay={self.delay_s:g}s"] if self.delay_s else []
        return " ".join([*self.words, *delay, f"seed={self.seed}"])


class BadLink:
    """A bad link for the length of a `with` block.

    One that did nothing to any frame fails the test at the end of its block, unless it is optional,
    as other faults do. Where the block begins there is a remark on the timeline, and where it ends
    a fault with what was done to how many frames.
    """

    def __init__(self, core: _core.Bench, faults: LinkFaults, *, optional: bool) -> None:
        """The link is bad when the `with` block begins. Raises NoBench then."""
        self._core = core
        self._faults = faults
        self._optional = optional
        self._counts: _core.LinkCounts | None = None

    @property
    def frames(self) -> int:
        """How many frames have been sent over it, both ways, so far or in the whole block."""
        return self._so_far().frames

    @property
    def lost(self) -> int:
        """How many of them were lost."""
        return self._so_far().lost

    @property
    def duplicated(self) -> int:
        """How many of them came twice."""
        return self._so_far().duplicated

    @property
    def reordered(self) -> int:
        """How many of them were overtaken."""
        return self._so_far().reordered

    def __enter__(self) -> "BadLink":
        options = _core.LinkFaults()
        for name, value in asdict(self._faults).items():
            setattr(options, name, value)
        self._core.set_link_faults(options)
        self._core.note(f"the link is bad from now on: {self._faults}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: object
    ) -> None:
        self._counts = counts = self._core.end_link_faults()
        done = f"of {counts.frames} frames {counts.lost} lost, {counts.duplicated} duplicated"
        done += f", {counts.reordered} re-ordered, {counts.delayed} delayed"
        if counts.lost or counts.duplicated or counts.reordered or counts.delayed:
            self._core.note_fault(f"bad_link {self._faults}: {done}")
            return
        self._core.note(f"the link was never bad ({self._faults}): {done}")
        if kind is None and not self._optional:
            raise TargetFailed(
                f"the fault bad_link {self._faults} never came into effect: {done}. "
                "Say optional=True if that is fine."
            )

    def _so_far(self) -> _core.LinkCounts:
        return self._core.link_counts() if self._counts is None else self._counts
