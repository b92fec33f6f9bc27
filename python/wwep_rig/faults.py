"""What the server does wrong on purpose.

    with bench.server.fault(faults.Late(by_s=0.3), nth=1) as fired:
        trip = bench.press("button0")
    assert fired.count == 1
"""

from dataclasses import dataclass

from . import _core
from .errors import TargetFailed


@dataclass(frozen=True)
class Gone:
    """The server is down: connections are refused."""


@dataclass(frozen=True)
class Late:
    """The reply goes out later.

    Attributes:
        by_s: how much, in seconds.
    """

    by_s: float


@dataclass(frozen=True)
class AnswerX:
    """The server answers `X` whatever the frame says."""


Fault = Gone | Late | AnswerX


class Fired:
    """How often a fault came into effect. `count` is known when the `with` block has ended."""

    def __init__(self) -> None:
        self.count = 0


class ArmedFault:
    """A fault in force for the length of a `with` block.

    A fault that never came into effect fails the test at the end of the block, unless it is
    optional: what the test says about it would otherwise be said about nothing.
    """

    def __init__(self, core: _core.Bench, fault: Fault, spec: _core.FaultSpec, optional: bool):
        self._core = core
        self._fault = fault
        self._spec = spec
        self._optional = optional
        self._fired = Fired()
        self._id = 0

    def __enter__(self) -> Fired:
        self._id = self._core.add_fault(self._spec)
        return self._fired

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: object
    ) -> None:
        self._fired.count = self._core.remove_fault(self._id)
        if kind is None and self._fired.count == 0 and not self._optional:
            which = f", for frame {self._spec.nth}" if self._spec.nth else ""
            raise TargetFailed(
                f"the fault {self._fault} never came into effect{which}: nothing that the target "
                "did met it. Say optional=True if that is fine."
            )


def spec_of(
    fault: Fault, *, nth: int, device: int | None, probability: float, seed: int
) -> _core.FaultSpec:
    """The fault as the C++ side takes it.

    Args:
        fault: what goes wrong.
        nth: on the nth chance only, from 1; 0: on each.
        device: for frames of this device ID only.
        probability: of each chance, 0 to 1.
        seed: of the dice, so that a run can be repeated.
    """
    if nth < 0 or not 0.0 <= probability <= 1.0:
        raise ValueError(f"nth={nth}, probability={probability}: nth from 0, probability 0 to 1")
    spec = _core.FaultSpec()
    match fault:
        case Gone():
            spec.kind = "gone"
        case Late(by_s=by_s):
            spec.kind = "late"
            spec.delay_s = by_s
        case AnswerX():
            spec.kind = "answer_x"
    spec.nth = nth
    spec.device = device
    spec.probability = probability
    spec.seed = seed
    return spec
