"""Many presses of a bench's buttons, one after another, each of them accounted for."""

from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from .bench import Bench
from .errors import RigError, TargetFailed
from .opening import boot_id
from .latencies import Distribution, Latencies, distributions
from .recorded import RecordedRun
from .recorded_trips import RecordedTrip, State, missing_parts
from .running import RunningLatencies

FAILURES_SHOWN_MAX = 20
_IDLE_S = 2.0


@dataclass(frozen=True)
class Plan:
    """What a soak is to do; kept in its recording, so that it can be gone on with.

    Attributes:
        presses: how many, interrupted ones not counted.
        buttons: pressed in turn.
        bench: the bench as it was named.
        hold_s: how long each is held; None: the bench's own default.
        profile: the bounce profile.
        failures_in_a_row_max: so many failures in a row end it: the target is gone.
    """

    presses: int
    buttons: tuple[str, ...]
    bench: str
    hold_s: float | None
    profile: str
    failures_in_a_row_max: int

    @property
    def as_facts(self) -> dict[str, Any]:
        """For `runs.facts`."""
        return {"soak": asdict(self)}


def plan_of(recorded: RecordedRun) -> Plan:
    """The plan of a soak that was recorded. Raises RigError when the recording is of none."""
    value: Any = recorded.run.get("facts", {}).get("soak")
    try:
        return replace(Plan(**value), buttons=tuple(value["buttons"]))
    except (TypeError, KeyError):
        raise RigError(
            f"recording {recorded.path}: it is not of a soak, so there is nothing to go on with: "
            "begin one with wwep-rig soak --presses N"
        ) from None


def refuse_other_start(recorded: RecordedRun) -> None:
    """Raise RigError when the machine was started again since: its clock began anew."""
    if recorded.run.get("facts", {}).get("boot_id") != boot_id():
        raise RigError(
            f"recording {recorded.path}: it was made on another machine, or before this one was "
            "started again, so its times do not go on. Begin another soak"
        )


@dataclass(frozen=True)
class Account:
    """What became of every press in a soak's recording.

    Attributes:
        states: how many presses came to what.
        failures: the first that failed, in their order.
        rows: the distribution of each latency.
    """

    states: Mapping[State, int]
    failures: Sequence[RecordedTrip]
    rows: Sequence[Distribution]

    @property
    def presses(self) -> int:
        """All of them."""
        return sum(self.states.values())

    @property
    def done(self) -> int:
        """Those that count: a press that was interrupted says nothing."""
        return self.presses - self.interrupted

    @property
    def failed(self) -> int:
        """Those of which the target did not do all that its contract says."""
        return self.states.get(State.FAILED, 0)

    @property
    def interrupted(self) -> int:
        """Those that were under way when a run ended."""
        return self.states.get(State.INTERRUPTED, 0)


def account_of(recorded: RecordedRun) -> Account:
    """Go through a recording press by press."""
    states: Counter[State] = Counter()
    missed: Counter[str] = Counter()
    # They come last one first.
    failures: deque[RecordedTrip] = deque(maxlen=FAILURES_SHOWN_MAX)
    measured: list[Latencies] = []
    for trip in recorded.each_trip():
        states[trip.state] += 1
        measured.append(trip.latencies)
        if trip.state is State.FAILED:
            missed.update(missing_parts(trip))
            failures.appendleft(trip)
    return Account(states, list(failures), distributions(measured, missed))


class Soak:
    """A soak under way on an open bench whose target runs.

    Attributes:
        pressed: presses that this process has made.
        failed: of these.
        running: their percentiles so far.
    """

    def __init__(self, bench: Bench, plan: Plan) -> None:
        self._bench = bench
        self._plan = plan
        self._failed_in_a_row = 0
        self.pressed = 0
        self.failed = 0
        self.running = RunningLatencies()

    def press(self, number: int) -> None:
        """Make one press and wait for what comes of it.

        Args:
            number: of the press in the whole soak, which says whose turn it is.

        Raises:
            TargetFailed: too many presses in a row came to nothing.
            RigError: the rig erred since the press before.
        """
        bench, plan = self._bench, self._plan
        bench.raise_new_rig_errors()
        button = plan.buttons[number % len(plan.buttons)]
        pending = bench.start_press(button, hold_s=plan.hold_s, profile=plan.profile)
        self.pressed += 1
        try:
            trip = pending.wait()
            is_good = trip.reply.accepted and (
                not trip.led.name or trip.frame.value == trip.led.is_on
            )
            self.running.add(trip.latencies)
            failure = "" if is_good else "the frame was refused, or does not agree with the LED"
        except TargetFailed as error:
            failure = str(error)
        # Nobody asks later what this press explains: a long run would keep a list of them all.
        bench.account_for_everything()
        self._failed_in_a_row = self._failed_in_a_row + 1 if failure else 0
        self.failed += bool(failure)
        if failure:
            self._recover(failure)

    def _recover(self, failure: str) -> None:
        if self._failed_in_a_row >= self._plan.failures_in_a_row_max:
            raise TargetFailed(
                f"{self._failed_in_a_row} presses in a row failed; the last:\n{failure}"
            )
        self._bench.wait_until_idle(timeout_s=_IDLE_S)
        if not self._bench.target.is_running:
            self._bench.target.start_afresh()


def check_account(account: Account, pressed_before: int, pressed_now: int, path: Path) -> None:
    """Raise RigError when a press is missing in the recording, or one too many is there."""
    if account.presses != pressed_before + pressed_now:
        raise RigError(
            f"recording {path}: it holds {account.presses} presses, and {pressed_before} before "
            f"and {pressed_now} now were made: not every press is accounted for"
        )
