"""Presses a bench's buttons, and waits for what comes of each press."""

import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from . import _core
from .bench_config import BenchConfig, Kind
from .errors import NoBench, TargetFailed
from .explained import Explained
from .neighbours import Neighbours
from .press_text import GOALS, listed, missing_parts
from .recording import Recording
from .round_trip import RoundTrip, Until, round_trip_of
from .target import Target
from .timeline_text import last_events

# A button is held so long, and so many times the contract's debounce time, unless it is said.
HOLD_S = 0.03
HOLD_DEBOUNCES = 5
# A line that is stuck is let go at the end of its block; no press lasts longer than this.
_STUCK_MAX_S = 600.0
_RELEASE_LATE_MAX_S = 1.0
# Firmware looks at a contact somewhat after its debounce time is over; a simulated board on a busy
# machine does so even later.
_REST_MARGIN_S = 0.05
# What happened longer before a press belongs to other presses.
_TOLD_BEFORE_NS = 1_000_000_000


class PendingTrip:
    """A press under way."""

    def __init__(self, presses: "Presses", press_id: int, hold_s: float) -> None:
        self._presses = presses
        self._press_id = press_id
        self._hold_s = hold_s

    @property
    def press_id(self) -> int:
        """By which the timeline knows it."""
        return self._press_id

    @property
    def trip(self) -> RoundTrip:
        """What the press has caused so far."""
        return self._presses.trip_of(self._press_id)

    def wait(self, *, until: Until = Until.settled, timeout_s: float | None = None) -> RoundTrip:
        """Wait until the round trip got that far.

        Args:
            until: how far.
            timeout_s: how long; None: what the bench's budgets allow.

        Raises:
            TargetFailed: it did not get there in time; the text says what was missing.
            RigError: the rig erred meanwhile, so nothing can be said about the target.
        """
        return self._presses.wait_for(self._press_id, self._hold_s, until, timeout_s)


class Presses:
    """The presses of one bench, whose C++ side must outlive it."""

    def __init__(
        self, core: _core.Bench, config: BenchConfig, target: Target, explained: Explained
    ) -> None:
        self._core = core
        self._config = config
        self._target = target
        self._explained = explained
        self._last_of: dict[str, tuple[int, float]] = {}
        # Whoever talks on a simulated bench is the rig's own; a board is on a network.
        self._neighbours = (
            Neighbours(config.target.mac, config.device_id) if config.kind is Kind.BOARD else None
        )

    @property
    def hold_s_default(self) -> float:
        """How long a button is held unless it is said, in seconds."""
        return HOLD_S + HOLD_DEBOUNCES * self._target.contract.debounce_ms / 1000

    def start(self, button: str, hold_s: float | None, profile: str) -> PendingTrip:
        """See `Bench.start_press`."""
        hold_s = self.hold_s_default if hold_s is None else hold_s
        if button not in self._core.buttons:
            known = listed(tuple(self._core.buttons))
            raise NoBench(f"bench {self._config.name} has no button {button!r}, only {known}")
        self._wait_until_pressable(button)
        press_id = self._core.start_press(button, hold_s=hold_s, profile=profile)
        self._last_of[button] = (press_id, hold_s)
        return PendingTrip(self, press_id, hold_s)

    def _wait_until_pressable(self, button: str) -> None:
        press_id, hold_s = self._last_of.pop(button, (0, 0.0))
        if not press_id:
            return
        give_up_at = time.monotonic() + hold_s + _RELEASE_LATE_MAX_S
        while True:
            cursor = self._core.cursor()
            released_ns = self._core.round_trip(press_id).released_ns
            left_s = give_up_at - time.monotonic()
            if released_ns or left_s <= 0:
                break
            self._core.wait_events(cursor, left_s, 1)
        debounce_s = self._target.contract.debounce_ms / 1000
        rest_s = debounce_s + _REST_MARGIN_S if debounce_s else 0.0
        left_s = rest_s - (self._core.now_ns() - released_ns) / 1e9
        if left_s > 0:
            # No event says that a contact has come to rest: the firmware's own clock decides.
            time.sleep(left_s)

    @contextmanager
    def stuck(self, button: str) -> Iterator[PendingTrip]:
        """See `Bench.stuck`."""
        pressed = self.start(button, _STUCK_MAX_S, "ideal")
        self._core.note_fault(f"{button} stuck pressed")
        self._last_of[button] = (pressed.press_id, 0.0)
        try:
            yield PendingTrip(self, pressed.press_id, 0.0)
        finally:
            self._core.release_button(button)

    def trip_of(self, press_id: int) -> RoundTrip:
        """What a press has caused so far."""
        trip = self._core.round_trip(press_id)
        line = self._config.lines.get(trip.led_line)
        return round_trip_of(
            trip,
            is_active_high=line.is_active_high if line else True,
            was_on_before_first_edge=bool(line) and self._core.led_is_on(trip.led_line),
        )

    def wait_for(
        self, press_id: int, hold_s: float, until: Until, timeout_s: float | None
    ) -> RoundTrip:
        """Wait for a press that was started; see `PendingTrip.wait`."""
        limit_s = self._config.press_timeout_s + hold_s if timeout_s is None else timeout_s
        reached = self._core.wait_trip(press_id, until, limit_s)
        trip = self.trip_of(press_id)
        for said in self._neighbours.look_at(trip.connections) if self._neighbours else ():
            self._core.note(said)
            warnings.warn(said, stacklevel=2)
        if not reached:
            raise TargetFailed(self._what_is_missing(trip, hold_s, until, limit_s))
        if until in (Until.settled, Until.closed):
            self._explained.add_trip(trip)
        else:
            self._explained.add_everything_before(self._core.cursor())
        return trip

    def _what_is_missing(self, trip: RoundTrip, hold_s: float, until: Until, limit_s: float) -> str:
        missing = missing_parts(trip, until)
        events = [
            event
            for event in Recording(self._core, self._config, self._explained, cursor=0).events
            if event.at_ns >= trip.press.before_ns - _TOLD_BEFORE_NS
        ]
        ends = [
            event.value.what
            for event in events
            if isinstance(event.value, _core.TargetChanged) and not event.value.is_running
        ]
        has_ended = ends and not self._target.is_running
        dead = f" The target had ended: {ends[-1]}." if has_ended else ""
        return (
            f"pressed {trip.press.button} for {hold_s * 1000:g} ms and waited {limit_s:g} s until "
            f"{GOALS[until]}: {listed(missing) or 'it came too late'} missing.{dead}\n"
            f"What happened, counted from the press:\n"
            f"{last_events(events, trip.press.before_ns)}"
        )
