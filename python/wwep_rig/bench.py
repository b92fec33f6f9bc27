"""Bench: one rig and the one target wired to it, as scripts use them. `open_bench` opens one."""

import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from . import _core, certs
from .board_network import BoardNetwork
from .calibration import Calibration, latency_budgets, refuse_budgets_below
from .bench_config import BenchConfig, Kind
from .closing import Closing
from .errors import NoBench, RigError, TargetFailed
from .explained import Explained
from .latencies import LABELS
from .led import LedView
from .man_in_the_middle import ManInTheMiddle, other_value
from .neighbours import Neighbours
from .press_text import GOALS, listed, missing_parts
from .recording import Recording
from .relay import Network, Relay
from .round_trip import RoundTrip, Until, round_trip_of
from .server import Server
from .target import Target
from .timeline_text import last_events

HOLD_S = 0.03
# A line that is stuck is let go at the end of its block; no press lasts longer than this.
STUCK_MAX_S = 600.0
RELEASE_LATE_MAX_S = 1.0
# Firmware looks at a contact somewhat after its debounce time is over.
REST_MARGIN_S = 0.02


class PendingTrip:
    """A press under way."""

    def __init__(self, bench: "Bench", press_id: int, hold_s: float) -> None:
        self._bench = bench
        self._press_id = press_id
        self._hold_s = hold_s

    @property
    def press_id(self) -> int:
        """By which the timeline knows it."""
        return self._press_id

    @property
    def trip(self) -> RoundTrip:
        """What the press has caused so far."""
        return self._bench.trip_of(self._press_id)

    def wait(self, *, until: Until = Until.settled, timeout_s: float | None = None) -> RoundTrip:
        """Wait until the round trip got that far.

        Args:
            until: how far.
            timeout_s: how long; None: what the bench's budgets allow.

        Raises:
            TargetFailed: it did not get there in time; the text says what was missing.
            RigError: the rig erred meanwhile, so nothing can be said about the target.
        """
        return self._bench.wait_trip(self._press_id, self._hold_s, until=until, timeout_s=timeout_s)


class Bench(Closing):
    """One rig and the target wired to it. Made by `open_bench`; a context manager.

    `close()` releases every button, stops the target and the server and finishes the recording;
    twice is fine. It owns the C++ bench and everything in `resources`.
    """

    def __init__(
        self,
        core: _core.Bench,
        config: BenchConfig,
        resources: ExitStack,
        recording_path: Path | None,
        firmware: str,
        calibration: Calibration | None = None,
        *,
        certificates: Path,
        name_trouble: Path | None,
    ) -> None:
        self._core = core
        self._resources = resources
        self._firmware = firmware
        self._certificates = certificates
        self._last_presses: dict[str, tuple[int, float]] = {}
        self.config = config
        self.recording_path = recording_path
        self.calibration = calibration
        self._explained = Explained(1 + config.target.contract.retries)
        # Whoever talks on a simulated bench is the rig's own; a board is on a network.
        self._neighbours = (
            Neighbours(config.target.mac, config.device_id) if config.kind is Kind.BOARD else None
        )
        self.target = Target(core, config, self._explained)
        self.server = Server(core, config, self._explained)
        self.network = BoardNetwork(core, name_trouble)

    def __repr__(self) -> str:
        lines = f"buttons {listed(self.buttons) or 'none'}, LEDs {listed(self.leds) or 'none'}"
        where = ", ".join((*self._core.plain_endpoints, *self._core.tls_endpoints))
        return f"<Bench {self.name} ({self.kind.value}): {lines}; server on {where}>"

    @property
    def name(self) -> str:
        """The bench's name."""
        return self.config.name

    @property
    def kind(self) -> Kind:
        """Where its lines are, and what its target is."""
        return self.config.kind

    @property
    def buttons(self) -> tuple[str, ...]:
        """The names of the lines that can be pressed."""
        return tuple(self._core.buttons)

    @property
    def leds(self) -> tuple[str, ...]:
        """The names of the LEDs that are watched."""
        return tuple(self._core.leds)

    def led(self, name: str) -> LedView:
        """An LED by its name."""
        if name not in self.leds:
            raise NoBench(f"bench {self.name} has no LED {name!r}, only {listed(self.leds)}")
        return LedView(
            self._core,
            name,
            target=self.target,
            explained=self._explained,
            debounce_us=self.config.lines[name].debounce_us,
        )

    @property
    def hold_s_default(self) -> float:
        """How long a button is held unless it is said, in seconds.

        With a contract that debounces it is several times as long as that asks, as a finger would:
        a board that looks up late must not miss it.
        """
        return HOLD_S + 5 * self.target.contract.debounce_ms / 1000

    def start_press(
        self, button: str, *, hold_s: float | None = None, profile: str = "ideal"
    ) -> PendingTrip:
        """Press a button without waiting for what comes of it.

        A button that is still held from its last press is waited for, and then it rests for the
        debounce time of the contract.

        Args:
            button: its name.
            hold_s: how long it is held, from 0.000001; None: `hold_s_default`.
            profile: the bounce profile of its contact: `ideal`, `tactile`, `worn` (each of these
                two also as `worn:seed=3`) or `glitch:200us`, for which the hold does not count.
        """
        hold_s = self.hold_s_default if hold_s is None else hold_s
        if button not in self.buttons:
            raise NoBench(
                f"bench {self.name} has no button {button!r}, only {listed(self.buttons)}"
            )
        self._wait_until_pressable(button)
        press_id = self._core.start_press(button, hold_s=hold_s, profile=profile)
        self._last_presses[button] = (press_id, hold_s)
        return PendingTrip(self, press_id, hold_s)

    def _wait_until_pressable(self, button: str) -> None:
        press_id, hold_s = self._last_presses.pop(button, (0, 0.0))
        if not press_id:
            return
        give_up_at = time.monotonic() + hold_s + RELEASE_LATE_MAX_S
        while True:
            cursor = self._core.cursor()
            released_ns = self._core.round_trip(press_id).released_ns
            left_s = give_up_at - time.monotonic()
            if released_ns or left_s <= 0:
                break
            self._core.wait_events(cursor, left_s, 1)
        debounce_s = self.target.contract.debounce_ms / 1000
        rest_s = debounce_s + REST_MARGIN_S if debounce_s else 0.0
        left_s = rest_s - (self._core.now_ns() - released_ns) / 1e9
        if left_s > 0:
            # No event says that a contact has come to rest: the firmware's own clock decides.
            time.sleep(left_s)

    def press(
        self,
        button: str,
        *,
        timeout_s: float | None = None,
        hold_s: float | None = None,
        profile: str = "ideal",
        until: Until = Until.settled,
    ) -> RoundTrip:
        """Press a button and wait for what comes of it.

        Args:
            button: its name.
            timeout_s: how long the round trip may take; None: what the bench's budgets allow.
            hold_s: how long the button is held, as for `start_press`.
            profile: the bounce profile of its contact, likewise.
            until: how much of the round trip to wait for.

        Raises:
            TargetFailed: part of the round trip is missing; the text says which.
            RigError: the rig erred meanwhile, so nothing can be said about the target.
        """
        pending = self.start_press(button, hold_s=hold_s, profile=profile)
        return pending.wait(until=until, timeout_s=timeout_s)

    @contextmanager
    def stuck(self, button: str) -> Iterator[PendingTrip]:
        """Let a button's line be stuck, pressed, for the length of a `with` block.

        On the timeline it is a fault. Within the block the button cannot be pressed again.

        Args:
            button: its name.

        Returns:
            The press that the target may take it for. It is released at the end of the block, so
            wait for anything but `Until.settled` before.
        """
        pressed = self.start_press(button, hold_s=STUCK_MAX_S)
        self._core.note_fault(f"{button} stuck pressed")
        self._last_presses[button] = (pressed.press_id, 0.0)
        try:
            yield PendingTrip(self, pressed.press_id, 0.0)
        finally:
            self._core.release_button(button)

    def man_in_the_middle(
        self, *, rewrite: Callable[[bytes], bytes] = other_value
    ) -> ManInTheMiddle:
        """Somebody stands between target and server, for the length of a `with` block.

        He has the secure port, shows a certificate of a CA that is not the bench's, and rewrites
        what he reads. A target that verifies never sends him one byte.

        Args:
            rewrite: what he makes of a frame; unless said, one with the other value.
        """
        try:
            identity = certs.ensure(self._certificates).identity("unknown-issuer")
        except certs.CertificateError as error:
            raise RigError(f"no certificate for a man in the middle: {error}") from None
        return ManInTheMiddle(self._core, identity, rewrite)

    def bad_network(
        self,
        *,
        delay_s: float = 0.0,
        bytes_per_s: float = 0.0,
        stall_after: int | None = None,
        stall_s: float = 0.0,
        secure: bool = False,
    ) -> Relay:
        """The network to one port of the server is bad, for the length of a `with` block.

        Args:
            delay_s: how much later everything arrives, each way.
            bytes_per_s: how much it carries, each way; 0: as much as there is.
            stall_after: of each connection, after so many bytes nothing goes on for a while.
            stall_s: how long that while is.
            secure: whether it lies before the secure port, not before the one in the clear.
        """
        network = Network(delay_s, bytes_per_s, stall_after, stall_s)
        return Relay(self._core, network, secure=secure)

    def release_buttons(self) -> None:
        """Every button to high impedance."""
        self._core.release_buttons()

    def record(self) -> Recording:
        """A window of the timeline that begins now."""
        return Recording(self._core, self.config, self._explained)

    def expect_latencies(
        self,
        trip: RoundTrip,
        *,
        press_to_led_ms: float | None = None,
        press_to_frame_ms: float | None = None,
    ) -> None:
        """The latencies of a round trip must keep their budgets.

        Args:
            trip: the round trip.
            press_to_led_ms: from just before the line was set to the LED's first edge, at most;
                None: what the bench file's budgets say, which may be nothing.
            press_to_frame_ms: to the arrival of the frame's last byte; likewise.

        Raises:
            TargetFailed: one took longer, or did not happen.
            NoBench: a budget is below the rig's own floor, so that the rig cannot judge it.
        """
        said = {"press_to_led_ms": press_to_led_ms, "press_to_frame_ms": press_to_frame_ms}
        refuse_budgets_below(self.calibration, said, "")
        for name, budget_ms in latency_budgets(self.config.budgets).items():
            limit_ms = budget_ms if said[name] is None else said[name]
            took_ms = getattr(trip.latencies, name)
            if limit_ms is not None and (took_ms is None or took_ms > limit_ms):
                took = "did not happen" if took_ms is None else f"took {took_ms:.3f} ms"
                raise TargetFailed(
                    f"press {trip.press.id} of {trip.press.button}: {LABELS[name]} {took}, "
                    f"expected at most {limit_ms:g} ms{self._floor_text(name)}"
                )

    def _floor_text(self, latency: str) -> str:
        if self.calibration is None:
            return ""
        return (
            f" (of which the rig itself takes up to {self.calibration.floors_ms[latency]:.3f} ms)"
        )

    def measure_loopback(
        self, button: str, led: str, *, samples: int, tell: Callable[[int], None]
    ) -> _core.LoopbackReport:
        """Drive a button that is wired to an LED, and time each edge that comes back.

        None of it is on the timeline, and the bench can do nothing but be closed afterwards.
        `tell` hears every 50 ms how many are done. Ctrl-C breaks off, and lets go of the button.
        """
        return self._core.measure_loopback(button, led, samples, tell)

    @property
    def rig_errors(self) -> tuple[str, ...]:
        """What went wrong with the rig itself so far."""
        return tuple(self._core.rig_errors)

    @property
    def connections_open(self) -> int:
        """How many connections the server holds."""
        return self._core.connections_open

    def wait_until_idle(self, *, timeout_s: float) -> bool:
        """Wait until the server holds no connection; whether it came to that in time."""
        give_up_at = time.monotonic() + timeout_s
        while True:
            cursor = self._core.cursor()
            if self._core.connections_open == 0:
                return True
            left_s = give_up_at - time.monotonic()
            if left_s <= 0:
                return False
            self._core.wait_events(cursor, left_s, 1)

    @property
    def firmware(self) -> str:
        """What runs on the target: name and digest of the program; empty if the rig cannot know."""
        return self._firmware

    def note(self, text: str) -> None:
        """Put a remark on the timeline."""
        self._core.note(text)

    def account_for_everything(self) -> None:
        """Nothing that has happened so far disturbs a later `stays_quiet`.

        Long runs call it now and then: otherwise each press that was waited for is remembered.
        """
        self._explained.add_everything_before(self._core.cursor())

    def test_began(self, nodeid: str) -> None:
        """Mark the beginning of a test on the timeline."""
        self._core.test_began(nodeid)

    def test_ended(self, nodeid: str, outcome: str) -> None:
        """Mark its end: passed, failed, error or skipped."""
        self._core.test_ended(nodeid, outcome)

    def trip_of(self, press_id: int) -> RoundTrip:
        """What a press has caused so far."""
        trip = self._core.round_trip(press_id)
        line = self.config.lines.get(trip.led_line)
        return round_trip_of(
            trip,
            is_active_high=line.is_active_high if line else True,
            was_on_before_first_edge=bool(line) and self._core.led_is_on(trip.led_line),
        )

    def wait_trip(
        self, press_id: int, hold_s: float, *, until: Until, timeout_s: float | None
    ) -> RoundTrip:
        """Wait for a press that was started; see `PendingTrip.wait`."""
        limit_s = self.config.press_timeout_s + hold_s if timeout_s is None else timeout_s
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
        # What happened long before the press belongs to other presses.
        window_ns = 1_000_000_000
        events = [
            event
            for event in Recording(self._core, self.config, self._explained, cursor=0).events
            if event.at_ns >= trip.press.before_ns - window_ns
        ]
        ends = [
            event.value.what
            for event in events
            if isinstance(event.value, _core.TargetChanged) and not event.value.is_running
        ]
        dead = f" The target had ended: {ends[-1]}." if ends and not self.target.is_running else ""
        return (
            f"pressed {trip.press.button} for {hold_s * 1000:g} ms and waited {limit_s:g} s until "
            f"{GOALS[until]}: {listed(missing) or 'it came too late'} missing.{dead}\n"
            f"What happened, counted from the press:\n"
            f"{last_events(events, trip.press.before_ns)}"
        )

    def close(self) -> None:
        """Release the buttons, stop target and server, finish the recording, free the bench."""
        self._resources.close()
