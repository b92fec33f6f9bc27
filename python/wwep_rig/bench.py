"""Bench: one rig and the one target wired to it, as scripts use them."""

import hashlib
import os
import platform
import signal
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import TracebackType

from . import _core, faults, recordings, sim
from .bench_config import BenchConfig, Contract, Kind, read_bench_file
from .errors import NoBench, RigError, TargetFailed
from .find_bench import BUILT_IN, find_bench_file, load_bench_file
from .locks import BenchLock, default_lock_directory
from .recording import Recording
from .round_trip import RoundTrip, Until, round_trip_of
from .timeline_text import last_events
from .user_dirs import state_directory

HOLD_S = 0.03


class Target:
    """The board under test."""

    def __init__(self, core: _core.Bench, config: BenchConfig) -> None:
        self._core = core
        self._config = config

    @property
    def device_id(self) -> int:
        """16 bits: the sum of the six bytes of its MAC address."""
        return self._config.device_id

    @property
    def mac(self) -> str:
        """`02:00:00:00:00:01`."""
        return self._config.target.mac

    @property
    def contract(self) -> Contract:
        """What its firmware promises."""
        return self._config.target.contract

    @property
    def is_running(self) -> bool:
        """Whether it runs, as far as the rig can tell."""
        return self._core.target_is_running

    @property
    def pid(self) -> int:
        """The process that stands for it; 0: none runs, or it is a real board."""
        return self._core.target_pid

    def start(self, *, timeout_s: float | None = None) -> None:
        """Start it and wait until it is ready; nothing happens if it runs."""
        self._core.start_target(self._ready_s(timeout_s))

    def stop(self) -> None:
        """Stop it."""
        self._core.stop_target()

    def reset(self, *, timeout_s: float | None = None) -> None:
        """Start it anew, as abruptly as a reset pin does, and wait until it is ready."""
        self._core.reset_target(self._ready_s(timeout_s))

    def kill(self) -> None:
        """End it at once, as a crash would. Raises NoBench for a board that is no process."""
        if self._config.kind not in (Kind.SIM, Kind.KERNEL):
            raise NoBench(
                f"bench {self._config.name}: only a target that is a process can be killed"
            )
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)

    def _ready_s(self, timeout_s: float | None) -> float:
        return self._config.target.ready_timeout_ms / 1000 if timeout_s is None else timeout_s


class Server:
    """The WWEP server of the bench."""

    def __init__(self, core: _core.Bench, config: BenchConfig) -> None:
        self._core = core
        self._config = config

    @property
    def names(self) -> tuple[str, ...]:
        """The host names that lead to it."""
        return self._config.server.names

    @property
    def plain_endpoints(self) -> tuple[str, ...]:
        """Addresses with ports, in the clear."""
        return tuple(self._core.plain_endpoints)

    @property
    def tls_endpoints(self) -> tuple[str, ...]:
        """Addresses with ports, over TLS."""
        return tuple(self._core.tls_endpoints)

    def register(self, device: int, register: int) -> int | None:
        """What a register holds; None: nothing was written to it."""
        return self._core.read_register(device, register)

    def write(self, device: int, register: int, value: int) -> None:
        """Put a 16-bit value into a register, as if a client had written it."""
        self._core.write_register(device, register, value)

    @property
    def tls_versions(self) -> tuple[str, ...]:
        """The versions of TLS that its profile allows."""
        modern = ("TLSv1.2", "TLSv1.3")
        return modern if self._config.server.tls_profile == "modern" else ("TLSv1.1", *modern)

    def ask(self, request: str, *, timeout_s: float = 2.0) -> str:
        """Send a request in the clear as another client would, and return the reply.

        Raises:
            RigError: there was no reply.
        """
        host, _, port = self._core.plain_endpoints[0].rpartition(":")
        options = _core.ClientOptions()
        options.host, options.port = host.strip("[]"), int(port)
        options.timeout_s = timeout_s
        answer = _core.exchange(options, request.encode())
        if not answer.reply:
            raise RigError(f"asked the bench's own server {request!r}: {answer.failure}")
        return answer.reply.decode()

    def clear(self) -> None:
        """Forget every register of every device."""
        self._core.clear_registers()

    def fault(
        self,
        fault: faults.Fault,
        *,
        nth: int = 0,
        device: int | None = None,
        probability: float = 1.0,
        seed: int = 0,
        optional: bool = False,
    ) -> faults.ArmedFault:
        """Let the server misbehave for the length of a `with` block.

        Args:
            fault: what goes wrong.
            nth: on the nth chance only, from 1; 0: on each.
            device: for frames of this device ID only; None: of any.
            probability: of each chance, 0 to 1.
            seed: of the dice, so that a run can be repeated.
            optional: whether it may go unused. Otherwise a fault that never came into effect
                fails the test at the end of the block.
        """
        spec = faults.spec_of(fault, nth=nth, device=device, probability=probability, seed=seed)
        return faults.ArmedFault(self._core, fault, spec, optional)


class LedView:
    """An LED that the rig watches."""

    def __init__(self, core: _core.Bench, name: str) -> None:
        self._core = core
        self.name = name

    @property
    def is_on(self) -> bool:
        """Whether it is lit now."""
        return self._core.led_is_on(self.name)


class PendingTrip:
    """A press under way."""

    def __init__(self, bench: "Bench", press_id: int, button: str, hold_s: float) -> None:
        self._bench = bench
        self._press_id = press_id
        self._button = button
        self._hold_s = hold_s

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
        return self._bench.wait_trip(
            self._press_id, self._button, self._hold_s, until=until, timeout_s=timeout_s
        )


class Bench:
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
    ) -> None:
        self._core = core
        self._resources = resources
        self.config = config
        self.recording_path = recording_path
        self.target = Target(core, config)
        self.server = Server(core, config)

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
            raise NoBench(f"bench {self.name} has no LED {name!r}, only {_list(self.leds)}")
        return LedView(self._core, name)

    def start_press(
        self, button: str, *, hold_s: float = HOLD_S, profile: str = "ideal"
    ) -> PendingTrip:
        """Press a button without waiting for what comes of it.

        Args:
            button: its name.
            hold_s: how long it is held, from 0.001.
            profile: the bounce profile of its contact.
        """
        if button not in self.buttons:
            raise NoBench(f"bench {self.name} has no button {button!r}, only {_list(self.buttons)}")
        press_id = self._core.start_press(button, hold_s=hold_s, profile=profile)
        return PendingTrip(self, press_id, button, hold_s)

    def press(
        self,
        button: str,
        *,
        timeout_s: float | None = None,
        hold_s: float = HOLD_S,
        profile: str = "ideal",
        until: Until = Until.settled,
    ) -> RoundTrip:
        """Press a button and wait for what comes of it.

        Args:
            button: its name.
            timeout_s: how long the round trip may take; None: what the bench's budgets allow.
            hold_s: how long the button is held, from 0.001.
            profile: the bounce profile of its contact.
            until: how much of the round trip to wait for.

        Raises:
            TargetFailed: part of the round trip is missing; the text says which.
            RigError: the rig erred meanwhile, so nothing can be said about the target.
        """
        pending = self.start_press(button, hold_s=hold_s, profile=profile)
        return pending.wait(until=until, timeout_s=timeout_s)

    def release_buttons(self) -> None:
        """Every button to high impedance."""
        self._core.release_buttons()

    def record(self) -> Recording:
        """A window of the timeline that begins now."""
        return Recording(self._core, self.config)

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
        """What runs on the target: name and digest of the program, if the rig knows it."""
        return firmware_text(self.config)

    def note(self, text: str) -> None:
        """Put a remark on the timeline."""
        self._core.note(text)

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
        self, press_id: int, button: str, hold_s: float, *, until: Until, timeout_s: float | None
    ) -> RoundTrip:
        """Wait for a press that was started; see `PendingTrip.wait`."""
        limit_s = self.config.press_timeout_s + hold_s if timeout_s is None else timeout_s
        reached = self._core.wait_trip(press_id, until, limit_s)
        if errors := self.rig_errors:
            raise RigError(f"while {button} was pressed: " + "; ".join(errors))
        trip = self.trip_of(press_id)
        if not reached:
            raise TargetFailed(self._what_is_missing(trip, hold_s, until, limit_s))
        return trip

    def _what_is_missing(self, trip: RoundTrip, hold_s: float, until: Until, limit_s: float) -> str:
        missing = _missing(trip, until)
        # What happened long before the press belongs to other presses.
        window_ns = 1_000_000_000
        events = [
            event
            for event in Recording(self._core, self.config, cursor=0).events
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
            f"{_GOALS[until]}: {_list(missing) or 'it came too late'} missing.{dead}\n"
            f"What happened, counted from the press:\n"
            f"{last_events(events, trip.press.before_ns)}"
        )

    def close(self) -> None:
        """Release the buttons, stop target and server, finish the recording, free the bench."""
        self._resources.close()

    def __enter__(self) -> "Bench":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


_GOALS = {
    Until.led: "the LED changes",
    Until.frame: "a frame arrives",
    Until.reply: "a frame is replied to",
    Until.settled: "everything has settled",
    Until.closed: "a connection has come and gone",
}


def _missing(trip: RoundTrip, until: Until) -> list[str]:
    is_closed = bool(trip.connections) and trip.connections[-1].is_closed
    parts = {
        "LED edge": (not trip.led.edges, (Until.led, Until.settled)),
        "connection": (
            not trip.connections,
            (Until.frame, Until.reply, Until.settled, Until.closed),
        ),
        "frame": (not trip.frames, (Until.frame, Until.reply, Until.settled)),
        "reply": (not trip.replies, (Until.reply, Until.settled)),
        "end of the connection": (not is_closed, (Until.settled, Until.closed)),
        "release of the button": (not trip.press.released_ns, (Until.settled,)),
    }
    return [name for name, (lacks, matters) in parts.items() if lacks and until in matters]


def _list(names: tuple[str, ...] | list[str]) -> str:
    if not names:
        return ""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def open_bench(
    bench: str | Path = BUILT_IN,
    *,
    recording: Path | None = None,
    identity: str | None = None,
    root_certificate: str | None = None,
    program: str | None = None,
    command: str = "",
    takes_lock: bool = True,
    wait_s: float = 0.0,
    environment: Mapping[str, str] | None = None,
) -> Bench:
    """Open a bench. Its target is not started yet.

    Args:
        bench: a bench file, or its name: looked for in `./benches`, the user's configuration
            directory and `/etc/wwep-rig`; `sim` is built in.
        recording: the file to record to; None: nothing is recorded.
        identity: the server's identity instead of the one that the bench file names.
        root_certificate: what the target trusts instead: `ca`, `none` or a path.
        program: the target's program instead.
        command: what others are told that runs here; empty: this process's command line.
        takes_lock: whether to keep others from it; the built-in bench is private anyway.
        wait_s: how long to wait while somebody else has the bench.
        environment: the environment; None: this process's.

    Raises:
        NoBench: there is none of that name, it is wrongly described, or somebody has it.
        RigError: the rig cannot open it.
    """
    variables = os.environ if environment is None else environment
    bench_file = load_bench_file(bench, variables)
    config = read_bench_file(bench_file)
    config = _changed(config, identity, root_certificate, program)
    what = command or " ".join(sys.argv)
    resources = ExitStack()
    try:
        if takes_lock and find_bench_file(bench, variables) is not None:
            resources.enter_context(
                BenchLock(
                    config.name, what, directory=default_lock_directory(variables), wait_s=wait_s
                )
            )
        folder = resources.enter_context(sim.PrivateFolder(state_directory(variables) / "run"))
        board_log = recordings.board_log_path(recording) if recording else folder.path / "board.log"
        options = _core.BenchOptions()
        options.bench_file = bench_file
        options.recording_path = str(recording) if recording else ""
        options.run.command = what
        options.run.host = platform.node()
        options.run.bench = config.name
        options.run.firmware = firmware_text(config)
        core = _open_core(options, config, folder.path, board_log, variables)
        resources.callback(core.close)
        return Bench(core, config, resources, recording)
    except BaseException:
        resources.close()
        raise


def firmware_text(config: BenchConfig) -> str:
    """What runs on the target: name and digest of the program; empty when the rig cannot know."""
    if config.kind not in (Kind.SIM, Kind.KERNEL):
        return ""
    path = sim.firmware_path(config.target.program)
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return path.name
    return f"{path.name} sha256:{digest[:16]}"


def _changed(
    config: BenchConfig, identity: str | None, root_certificate: str | None, program: str | None
) -> BenchConfig:
    target, server = config.target, config.server
    if root_certificate is not None:
        target = replace(target, root_certificate=root_certificate)
    if program is not None:
        target = replace(target, program=program)
    if identity is not None:
        server = replace(server, identity=identity)
    return replace(config, target=target, server=server)


def _open_core(
    options: _core.BenchOptions,
    config: BenchConfig,
    folder: Path,
    board_log: Path,
    environment: Mapping[str, str],
) -> _core.Bench:
    """Open the C++ bench, on a loopback address of its own if the file names none."""
    wanted = config.server
    options.server.plain_port = wanted.plain_port
    options.server.tls_port = wanted.tls_port
    options.server.tls_profile = wanted.tls_profile
    addresses = (
        iter((wanted.address,))
        if wanted.address
        else sim.free_addresses(wanted.plain_port, wanted.tls_port)
    )
    for address in addresses:
        files = sim.server_files(config, address, folder, environment)
        options.server.addresses = [address]
        options.server.certificate_file = str(files.certificate)
        options.server.key_file = str(files.key)
        options.target = sim.target_options(config, address, files.root, board_log)
        try:
            return _core.Bench(options)
        except NoBench:
            # Somebody else may have taken the address since it was found free.
            if wanted.address or sim.is_free(address, wanted.plain_port, wanted.tls_port):
                raise
    raise NoBench(f"bench {config.name}: no address to listen on")


def new_recording_place(
    bench: str, directory: Path | None, keep: int, environment: Mapping[str, str]
) -> recordings.RecordingPlace:
    """A place for this run's recording, old ones beside it tidied away.

    Args:
        bench: the bench's name.
        directory: where; None: the user's state directory.
        keep: how many stay, this one included; 0: all.
        environment: the environment.
    """
    where = directory or state_directory(environment) / "recordings"
    place = recordings.RecordingPlace(where, bench, datetime.now())
    recordings.prune(where, max(keep - 1, 1) if keep else 0)
    return place
