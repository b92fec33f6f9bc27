"""Bench: one rig and the one target wired to it, as scripts use them. `open_bench` opens one."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

from . import _core, certs
from .board_network import BoardNetwork
from .calibration import Calibration, latency_budgets, refuse_budgets_below
from .bench_config import BenchConfig, Kind
from .closing import Closing
from .errors import NoBench, RigError, TargetFailed, first_of
from .explained import Explained
from .latencies import LABELS
from .led import LedView
from .man_in_the_middle import ManInTheMiddle, other_value
from .press_text import listed
from .pressing import PendingTrip, Presses
from .recording import Recording
from .relay import Network, Relay
from .round_trip import RoundTrip, Until
from .server import Server
from .target import Target


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
        self._rig_errors_told = 0
        self.config = config
        self.recording_path = recording_path
        self.calibration = calibration
        self._explained = Explained(1 + config.target.contract.retries)
        self.target = Target(core, config, self._explained)
        self._presses = Presses(core, config, self.target, self._explained)
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
        return self._presses.hold_s_default

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
        return self._presses.start(button, hold_s, profile)

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
        pending = self._presses.start(button, hold_s, profile)
        return pending.wait(until=until, timeout_s=timeout_s)

    def stuck(self, button: str) -> AbstractContextManager[PendingTrip]:
        """Let a button's line be stuck, pressed, for the length of a `with` block.

        On the timeline it is a fault. Within the block the button cannot be pressed again.

        Args:
            button: its name.

        Returns:
            The press that the target may take it for. It is released at the end of the block, so
            wait for anything but `Until.settled` before.
        """
        return self._presses.stuck(button)

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
        loss: float = 0.0,
        duplicate: float = 0.0,
        reorder: float = 0.0,
        delay_s: float = 0.0,
        bytes_per_s: float = 0.0,
        stall_after: int | None = None,
        stall_s: float = 0.0,
        secure: bool = False,
    ) -> Relay:
        """The network to one port of the server is bad, for the length of a `with` block.

        Where the kernel has netem it is a network of the kernel's, whose TCP makes up for what is
        lost; elsewhere a relay in user space, which knows no packets. NoBench where `loss`,
        `duplicate` or `reorder` is asked for and there is no netem; a test that is marked
        `rig_needs("netem")` is skipped there.

        Args:
            loss: the probability of each packet to be lost, 0 to 1.
            duplicate: to come twice.
            reorder: to overtake those before it, which takes a delay.
            delay_s: how much later everything arrives, each way.
            bytes_per_s: how much it carries, each way, with netem both ways together; 0: as much as
                there is.
            stall_after: of each connection, after so many bytes nothing goes on for a while.
            stall_s: how long that while is.
            secure: whether it lies before the secure port, not before the one in the clear.
        """
        network = Network(
            loss=loss,
            duplicate=duplicate,
            reorder=reorder,
            delay_s=delay_s,
            bytes_per_s=bytes_per_s,
            stall_after=stall_after,
            stall_s=stall_s,
        )
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

    def new_rig_errors(self) -> tuple[str, ...]:
        """Those that this was not asked for before."""
        errors = self.rig_errors[self._rig_errors_told :]
        self._rig_errors_told += len(errors)
        return errors

    def raise_new_rig_errors(self) -> None:
        """Raise RigError if there are new ones.

        For long runs: an error between two presses ends no wait, so nobody would hear of it.
        """
        if errors := self.new_rig_errors():
            raise RigError(first_of(errors))

    @property
    def endpoints(self) -> dict[str, tuple[str, ...]]:
        """Where to find who serves, the rig or a target whose role that is: `plain` and `tls`."""
        serves = self.config.target.serves
        if serves is None:
            return {"plain": self.server.plain_endpoints, "tls": self.server.tls_endpoints}
        host = f"[{serves.address}]" if ":" in serves.address else serves.address
        ports = {"plain": serves.plain_port, "tls": serves.tls_port}
        return {kind: (f"{host}:{port}",) if port else () for kind, port in ports.items()}

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

    def note_error(self, text: str) -> None:
        """Put an error of the rig's on the timeline. Whoever puts it there knows it already."""
        self._core.note_error(text)
        self._rig_errors_told += 1

    def account_for_everything(self) -> None:
        """Nothing that has happened so far disturbs a later `stays_quiet`.

        Long runs call it now and then: otherwise each press that was waited for is remembered.
        """
        self._explained.add_everything_before(self._core.cursor())

    def test_began(self, nodeid: str) -> None:
        """Mark the beginning of a test on the timeline."""
        self._core.test_began(nodeid)

    def test_ended(self, nodeid: str, outcome: str) -> None:
        """Mark its end: passed, failed, rig-error, no-bench, skipped, or error (no verdict)."""
        self._core.test_ended(nodeid, outcome)

    def trip_of(self, press_id: int) -> RoundTrip:
        """What a press has caused so far."""
        return self._presses.trip_of(press_id)

    def close(self) -> None:
        """Release the buttons, stop target and server, finish the recording, free the bench."""
        self._resources.close()
