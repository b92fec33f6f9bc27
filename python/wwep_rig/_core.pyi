"""The C++ side of the rig. Private: scripts use the package, and only the package imports this.

What it raises is in errors.py. Every ``_ns`` is an int, CLOCK_MONOTONIC nanoseconds; 0 stands for
"did not happen". Whatever waits does so with the GIL released, and Ctrl-C interrupts it.
"""

from collections.abc import Callable
from enum import Enum
from types import TracebackType

__version__: str

class BenchFile:
    """A bench file, checked."""

    @staticmethod
    def load(path: str) -> BenchFile:
        """Reads a TOML bench file. Raises NoBench naming file, line, key and what was expected."""
    @staticmethod
    def parse(text: str, name: str) -> BenchFile:
        """Like load, from text; ``name`` stands in the errors."""
    @staticmethod
    def sim() -> BenchFile:
        """The built-in simulated bench."""
    @staticmethod
    def emulator() -> BenchFile:
        """The built-in emulated board."""
    @staticmethod
    def template(kind: str) -> str:
        """A commented bench file for ``sim``, ``kernel``, ``emulator`` or ``board``."""
    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def device_id(self) -> int:
        """16 bits: the sum of the six bytes of the target's MAC address."""
    def to_json(self) -> str:
        """Every key with its value, defaults filled in, as a JSON object."""

class TriedLine:
    """What became of one line in release_lines or probe_lines."""

    @property
    def name(self) -> str: ...
    @property
    def trouble(self) -> str:
        """Why it could not be had; empty: all is well."""
    @property
    def remedy(self) -> str:
        """What to do about the trouble."""

def release_lines(bench_file: BenchFile) -> list[TriedLine]:
    """Puts every button on a line of a GPIO chip to high impedance, as far as it can be had."""

def keeps_outputs() -> bool:
    """Whether this machine's GPIO driver goes on driving an output after its program has died."""

def probe_lines(bench_file: BenchFile) -> list[TriedLine]:
    """Takes each line of a GPIO chip as a bench would and gives it back; drives nothing."""

class ServerOptions:
    """What the WWEP server listens on and how it talks."""

    addresses: list[str]
    """Addresses to bind; default 127.0.0.1."""
    plain_port: int | None
    """None: no listener in the clear; 0: a free port."""
    tls_port: int | None
    """None: no TLS listener; 0: a free port."""
    certificate_file: str
    key_file: str
    client_ca_file: str
    client_auth: str
    """none, request or require."""
    tls_profile: str
    """modern or legacy."""
    tls_min: str
    """TLSv1.1, TLSv1.2, TLSv1.3; empty: what the profile says."""
    tls_max: str
    key_log_file: str
    """Where the sessions' secrets go (made with mode 0600); empty: nowhere."""
    keep_open: bool
    registers_file: str
    """Keeps the registers across restarts; empty: in memory only."""
    frame_timeout_s: float
    idle_timeout_s: float
    handshake_timeout_s: float
    connections_max: int
    certificates: str
    """The folder of a set of test certificates, for faults; empty: none."""
    def __init__(self) -> None: ...

class TargetOptions:
    """The process that is the simulated board."""

    program: str
    arguments: list[str]
    environment: dict[str, str]
    ready_text: str
    """A console line that contains it means ready; empty: ready once its wire says hello."""
    def __init__(self) -> None: ...

class EmulatorOptions:
    """The emulated board."""

    helper: str
    """The program wwep-enclosure."""
    emulator: str
    """The program qemu-system-arm."""
    folder: str
    """Private to the run, for the console's pipes."""
    image: str
    mac: str
    loaded: list[tuple[str, int]]
    """Files that are in its memory when it starts, and where."""
    forwarded: list[tuple[str, int, int]]
    """Address, port and the board's port; with any the board reaches nobody itself."""
    at_mcu_speed: bool
    ready_text: str
    names: list[str]
    """That its name server leads to the bench's server."""
    def __init__(self) -> None: ...

class NetworkLie:
    """What a name or time server says instead of the truth; as it is made, the truth."""

    kind: str
    """silence; of the name server also no-such-name, wrong-address; empty: it answers."""
    address: str
    late_s: float
    ahead_s: float
    """Of the time server."""
    def __init__(self) -> None: ...

class LinkFaults:
    """What the Ethernet link of an emulated board does to frames; as it is made, nothing."""

    loss: float
    """The probability of each frame, 0 to 1, as the next two."""
    duplicate: float
    reorder: float
    delay_s: float
    """Of every frame, each way."""
    seed: int
    """0 to 2**64 - 1."""
    def __init__(self) -> None: ...

class LinkCounts:
    """What it has done to them, both ways."""

    @property
    def frames(self) -> int: ...
    @property
    def lost(self) -> int: ...
    @property
    def duplicated(self) -> int: ...
    @property
    def reordered(self) -> int: ...
    @property
    def delayed(self) -> int: ...

class LentPort:
    """A port that the server has left to somebody else."""

    @property
    def server(self) -> str:
        """Where the server is meanwhile."""
    @property
    def socket(self) -> int:
        """The number of a socket of the bench's that has the port; -1: bind one of your own."""

def try_enclosure(helper: str) -> None:
    """Makes a network for an emulated board and forgets it. Raises NoBench with the remedy."""

class RunFacts:
    """What the recording says about the run."""

    command: str
    host: str
    bench: str
    firmware: str
    facts_json: str
    def __init__(self) -> None: ...

class BenchOptions:
    """All parts of a bench. Without ``bench_file`` it is a server alone."""

    bench_file: BenchFile | None
    server: ServerOptions
    target: TargetOptions | None
    emulator: EmulatorOptions | None
    recording_path: str
    """Empty: nothing is recorded."""
    overwrite_recording: bool
    go_on_with_recording: bool
    """The recording exists, and gets another run."""
    run: RunFacts
    def __init__(self) -> None: ...

class Level(Enum):
    low = 0
    high = 1

class EdgeSource(Enum):
    """Whose clock reading an edge's timestamp is."""

    kernel = 0
    board = 1
    rig = 2

class StampSource(Enum):
    """Where a received_ns comes from."""

    kernel = 0
    kernel_stale = 1
    read = 2

class Verdict(Enum):
    """What the server took a frame for."""

    read = 0
    write = 1
    illegal = 2
    truncated = 3

class Until(Enum):
    """How much of a round trip to wait for."""

    led = 0
    """The LED changed."""
    frame = 1
    """A whole frame arrived."""
    reply = 2
    """The reply was sent."""
    settled = 3
    """LED changed, reply sent, connection closed and button released."""
    closed = 4
    """A connection came and is closed again, whatever happened on it."""

class EdgeSeen:
    at_ns: int
    line: str
    level: Level
    source: EdgeSource
    seqno: int

class PressAsserted:
    id: int
    line: str
    before_ns: int
    after_ns: int
    profile: str

class PressReleased:
    id: int
    line: str
    released_ns: int

class ConnectionOpened:
    id: int
    at_ns: int
    peer: str
    local: str
    secure: bool

class HandshakeEnded:
    id: int
    at_ns: int
    tls_version: str
    cipher: str
    handshake_ns: int
    offered: str
    failure: str

class FrameReceived:
    id: int
    connection_id: int
    received_ns: int
    stamp: StampSource
    verdict: Verdict
    device: int | None
    register: int | None
    value: int | None
    raw: bytes
    reason: str

class ReplySent:
    frame_id: int
    connection_id: int
    replied_ns: int
    reply: bytes

class ConnectionClosed:
    id: int
    at_ns: int
    end_reason: str
    ignored_bytes: int

class ConsoleLine:
    at_ns: int
    text: str

class TargetChanged:
    at_ns: int
    what: str
    is_running: bool

class FaultFired:
    at_ns: int
    connection_id: int
    name: str

class RigNote:
    at_ns: int
    what: str
    is_error: bool

class TestBegan:
    at_ns: int
    nodeid: str

class TestEnded:
    at_ns: int
    nodeid: str
    outcome: str

EventValue = (
    EdgeSeen
    | PressAsserted
    | PressReleased
    | ConnectionOpened
    | HandshakeEnded
    | FrameReceived
    | ReplySent
    | ConnectionClosed
    | ConsoleLine
    | TargetChanged
    | FaultFired
    | RigNote
    | TestBegan
    | TestEnded
)

class Event:
    """Anything with a timestamp on the timeline."""

    @property
    def at_ns(self) -> int: ...
    @property
    def lane(self) -> str:
        """button, led, connection, frame, reply, console, target, fault, rig, test."""
    @property
    def text(self) -> str:
        """One line for people, without the time."""
    @property
    def value(self) -> EventValue: ...
    def to_json(self) -> str:
        """One JSON object: at_ns, lane, event (the value's class in kebab-case), text, and the
        fields of the value."""

class ConnectionTrace:
    """One connection of a round trip, with its handshake and its end."""

    opened: ConnectionOpened
    handshake: HandshakeEnded | None
    closed: ConnectionClosed | None
    frames: list[FrameReceived]
    replies: list[ReplySent]

class RoundTrip:
    """A press and what it caused, as far as it has happened."""

    press: PressAsserted
    released_ns: int
    led_line: str
    led_edges: list[EdgeSeen]
    connections: list[ConnectionTrace]
    console: list[ConsoleLine]

class TimelineSlice:
    events: list[Event]
    next: int
    """The cursor to go on from."""
    dropped: int
    """Events that were too old to be kept."""

class FaultParameter:
    """What a fault takes."""

    @property
    def name(self) -> str: ...
    @property
    def type(self) -> str:
        """duration, number or text."""
    @property
    def usual(self) -> str | None:
        """Taken unless given, as text; None: it must be given."""
    @property
    def help(self) -> str: ...
    @property
    def words(self) -> str:
        """Of a text: what it can be, with `|` between; empty: anything."""
    @property
    def min(self) -> int: ...
    @property
    def max(self) -> int: ...

class FaultInfo:
    """A row of the table of faults."""

    @property
    def name(self) -> str: ...
    @property
    def point(self) -> str:
        """What is a chance for it: listener, connection or frame."""
    @property
    def port(self) -> str:
        """Connections that it can befall: any, clear or secure."""
    @property
    def help(self) -> str: ...
    @property
    def parameters(self) -> list[FaultParameter]: ...

class FaultSpec:
    """A fault and when it fires. str() names kind and parameters."""

    @property
    def nth(self) -> int:
        """Fires on the nth chance only (from 1); 0: on each."""
    @property
    def point(self) -> str:
        """What is a chance for it: listener, connection or frame."""

def fault_table() -> list[FaultInfo]: ...
def make_fault(name: str, words: list[tuple[str, str]]) -> FaultSpec:
    """A fault by its name, with parameters and matches as text. Raises NoBench."""

class LedEdge:
    """An LED became on or off."""

    at_ns: int
    is_on: bool
    lost_before: int
    """Edges known to have been lost since the one before."""

class LedWindow:
    """What an LED did from ``from_ns`` up to, not including, ``until_ns``."""

    led: str
    from_ns: int
    until_ns: int
    was_on: bool
    """Just before from_ns."""
    edges: list[LedEdge]
    lost_after: int
    @property
    def on_share(self) -> float:
        """For how much of the window it is on, 0 to 1."""
    def is_on_at(self, at_ns: int) -> bool: ...
    def describe(self) -> str:
        """``off; on at 12.031 ms, off at 512.104 ms``, from the window's beginning."""

class LedAnswer(Enum):
    yes = 0
    no = 1
    cannot_tell = 2

class LedVerdict:
    answer: LedAnswer
    text: str
    """What was expected, and what was seen with the edges and their times; empty for yes."""

def led_stays(window: LedWindow, on: bool) -> LedVerdict:
    """Whether the LED is on (or off) for the whole of the window."""

def led_blinks(window: LedWindow, *, period_s: float, duty: float, tolerance: float) -> LedVerdict:
    """Whether it blinks like that for the whole of the window, which must hold two periods."""

class Spread:
    """How a duration spreads over samples: values that occurred."""

    p50_ns: int
    p99_ns: int
    max_ns: int
    jitter_ns: int
    """The longest less the shortest."""

class LoopbackReport:
    """What a rig adds itself, measured over an output wired to an input."""

    samples: int
    missed: int
    """Settings that no edge answered in time."""
    set_call: Spread
    """From right before the call that set the line to right after it."""
    set_to_edge: Spread
    """From right before that call to the edge's stamp."""
    edge_to_read: Spread
    """From the stamp to the edge being in the rig's hands."""

def spread_of(durations_ns: list[int]) -> Spread: ...

class PressStep:
    """One step of a press: at ``after_ns`` the contact becomes closed (pressed) or open."""

    after_ns: int
    closed: bool

def press_steps(profile: str, hold_s: float) -> list[PressStep]:
    """The train of a press, from the moment of its first edge. Raises NoBench for nonsense."""

class Bench:
    """One rig and its target: loop thread, lines, target, server, timeline, recorder.

    Context manager; ``close()`` twice is fine. Any thread may call any method.
    """

    def __init__(self, options: BenchOptions) -> None:
        """Opens everything but does not start the target yet.

        Raises NoBench (a port or line is taken: the text names who holds it) or RigError.
        """
    def __enter__(self) -> Bench: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...
    def close(self) -> None:
        """Releases every button, stops the target and the server, flushes the recording."""
    @property
    def plain_endpoints(self) -> list[str]:
        """``127.0.0.1:27708``, IPv6 as ``[::1]:27708``."""
    @property
    def tls_endpoints(self) -> list[str]: ...
    def start_target(self, timeout_s: float) -> None:
        """Starts the firmware and waits until it is ready. TargetFailed shows its console."""
    def stop_target(self) -> None: ...
    def reset_target(self, timeout_s: float) -> None:
        """Stops it if it runs, starts it again and waits until it is ready."""
    def cut_target_power(self) -> None:
        """As abruptly as a board loses its power."""
    def pause_target(self) -> None:
        """An emulated board only, as the next eight."""
    def resume_target(self) -> None: ...
    def set_target_link(self, is_up: bool) -> None: ...
    def set_link_faults(self, faults: LinkFaults) -> None:
        """From now on, also after the board was started anew."""
    def end_link_faults(self) -> LinkCounts: ...
    def link_counts(self) -> LinkCounts: ...
    def type_on_console(self, line: str) -> None: ...
    def set_name_lie(self, lie: NetworkLie) -> None: ...
    def set_time_lie(self, lie: NetworkLie) -> None: ...
    def board_begins(self) -> None:
        """A real board begins anew from now on: whoever resets it or switches it on says so."""
    def board_ends(self) -> None:
        """A real board has no power from now on."""
    def wait_target_ready(self, timeout_s: float) -> None:
        """TargetFailed shows its console."""
    def set_line(self, line: str, active: bool) -> None:
        """Holds the line of reset or power at that level until it is set again, or the end."""
    @property
    def target_is_running(self) -> bool: ...
    @property
    def target_pid(self) -> int:
        """0 when it does not run."""
    @property
    def buttons(self) -> list[str]: ...
    @property
    def leds(self) -> list[str]: ...
    def start_press(self, button: str, *, hold_s: float = ..., profile: str = ...) -> int:
        """Asserts the button, returns the press's id, and lets go after ``hold_s`` (from 0.001)."""
    def round_trip(self, press_id: int) -> RoundTrip:
        """What the press has caused so far."""
    def wait_trip(self, press_id: int, until: Until, timeout_s: float) -> bool:
        """Whether it got that far in time. Raises RigError if the rig erred meanwhile."""
    def release_button(self, button: str) -> None:
        """One button to high impedance, now."""
    def note_fault(self, name: str) -> None:
        """Something the rig itself does wrong on purpose."""
    def release_buttons(self) -> None:
        """Every button to high impedance."""
    def led_is_on(self, led: str) -> bool: ...
    def wait_led(self, led: str, on: bool, timeout_s: float) -> bool:
        """Whether the LED is, or becomes, on (or off) in time."""
    def led_window(self, led: str, from_ns: int, until_ns: int) -> LedWindow:
        """What it did from one moment up to another. Ask some milliseconds after ``until_ns``.

        Raises RigError for what is too long ago, ValueError for a window that ends before it
        begins.
        """
    def measure_loopback(
        self, button: str, led: str, samples: int, tell: Callable[[int], None]
    ) -> LoopbackReport:
        """Drives a button that is wired to an LED, and times each edge that comes back.

        Every 50 ms ``tell`` hears how many are done. Nothing of it is on the timeline; close the
        bench afterwards. Raises RigError when the LED does not follow.
        """
    def read_register(self, device: int, register: int) -> int | None: ...
    def write_register(self, device: int, register: int, value: int) -> None: ...
    def clear_registers(self) -> None: ...
    def add_fault(self, fault: FaultSpec) -> int:
        """Arms a fault and returns its id."""
    def remove_fault(self, fault_id: int) -> int:
        """Disarms it; how often it fired."""
    def step_aside(self, *, secure: bool) -> list[LentPort]:
        """Leaves the port in the clear, or the secure one, to somebody else.

        The server listens on free ports of the same addresses instead; in the order of its
        endpoints.
        """
    def step_back(self, *, secure: bool) -> None:
        """Back to the usual port. Raises NoBench when somebody still has it."""
    @property
    def connections_open(self) -> int: ...
    def cursor(self) -> int:
        """The place after the newest event."""
    def events(self, cursor: int, events_max: int = ...) -> TimelineSlice:
        """Events from ``cursor`` on, without waiting."""
    def wait_events(self, cursor: int, timeout_s: float, events_max: int = ...) -> TimelineSlice:
        """Like events, but waits until there is at least one or the time is over."""
    def now_ns(self) -> int:
        """CLOCK_MONOTONIC."""
    def test_began(self, nodeid: str) -> None: ...
    def test_ended(self, nodeid: str, outcome: str) -> None: ...
    def note(self, text: str) -> None: ...
    def note_error(self, text: str) -> None: ...
    def flush_recording(self, timeout_s: float) -> bool: ...
    @property
    def rig_errors(self) -> list[str]:
        """What went wrong with the rig itself so far; empty is good."""

class PressLatency:
    """One press of a recording; a part that did not happen is None."""

    press_id: int
    button: str
    before_ns: int
    press_to_led_ns: int | None
    press_to_frame_ns: int | None
    frame_to_reply_ns: int | None
    handshake_ns: int | None
    frame_id: int | None

class TimelineRow:
    at_ns: int
    lane: str
    what: str

class RecordingReader:
    """A recording, read-only; one left by a killed process too."""

    def __init__(self, path: str) -> None:
        """Raises RigError: no such file, not a recording, written by a newer rig."""
    def run_json(self) -> str:
        """The newest run's row as a JSON object: command, host, bench, began_wall_ns, firmware,
        facts."""
    def latencies(
        self, pairings: dict[str, tuple[str, bool]] | None = ..., from_ns: int = ...
    ) -> list[PressLatency]:
        """Every press since ``from_ns`` in the order of time.

        ``pairings``: by the button's name its LED, and whether its frames are secure; None: the
        lab's wiring.
        """
    def timeline(
        self, limit: int = ..., from_ns: int = ..., until_ns: int = ...
    ) -> list[TimelineRow]:
        """The last ``limit`` rows of that time; 0: all."""
    def newest_ns(self) -> int:
        """The time of the last event or beginning of a run."""
    def counts(self) -> dict[str, int]:
        """Rows of each table."""
    def rows(self, table: str) -> RecordedRows:
        """A table's rows in the order of time; RigError when the recording has no such table."""

class RecordedRows:
    """The rows of one table, one by one, each with its columns by name. Its reader outlives it."""

    columns: list[str]
    def __iter__(self) -> RecordedRows: ...
    def __next__(self) -> dict[str, int | str | bytes | None]: ...

class ClientOptions:
    """The rig as a WWEP client."""

    host: str
    port: int
    secure: bool
    ca_file: str
    """Empty: the system's."""
    verify: bool
    name: str
    """The name that the certificate must have; empty: the host."""
    pin_sha256: str
    """Hex SHA-256 of the server's public key; replaces chain and name."""
    certificate_file: str
    key_file: str
    timeout_s: float
    def __init__(self) -> None: ...

class ClientReply:
    """What came of one exchange."""

    connected: bool
    reply: bytes
    """``A`` and ten digits, or ``X``; empty: none came in time."""
    rest: bytes
    """What followed the reply."""
    failure: str
    """Why there is no connection or no reply; empty: there is one."""
    tls_version: str
    cipher: str
    sent_ns: int
    received_ns: int

def exchange(options: ClientOptions, request: bytes) -> ClientReply:
    """Connects, sends ``request`` and reads one reply."""

class ConformCase:
    """One case of the conformance suite."""

    @property
    def name(self) -> str: ...
    @property
    def sentence(self) -> str:
        """What holds when it passes."""
    @property
    def rule(self) -> str:
        """Where that is written."""

class ConformStep:
    """Something that happened while a case ran."""

    @property
    def kind(self) -> str:
        """connected, sent, received, ended or note."""
    connection: int
    at_ns: int
    """Since the case began."""
    @property
    def bytes(self) -> bytes:
        """At most 64 of them."""
    bytes_count: int
    text: str

class ConformResult:
    """What became of one case."""

    name: str
    @property
    def outcome(self) -> str:
        """pass, note, fail or skipped."""
    reason: str
    findings: list[str]
    steps: list[ConformStep]
    exchanges: int
    took_ns: int

class ConformOptions:
    """A server under test, and what its owner says about it."""

    server: ClientOptions
    """Its timeout_s does not count."""
    one_at_a_time: bool | None
    """None: found out by probing."""
    keep_open: bool | None
    """None: found out by probing."""
    patience_s: float
    idle_timeout_s: float | None
    """None: not tested."""
    seed: int
    """32 bits."""
    def __init__(self) -> None: ...

class Conformance:
    """The conformance suite against one server."""

    def __init__(self, options: ConformOptions) -> None: ...
    @staticmethod
    def cases() -> list[ConformCase]: ...
    def probe(self) -> str:
        """Finds out what the server is like. Why there is none to be tested; empty: there is."""
    def run(self, name: str) -> ConformResult:
        """Runs one case; probe() comes first. Raises ValueError for an unknown name."""
    @property
    def one_at_a_time(self) -> bool: ...
    @property
    def keeps_open(self) -> bool: ...
    @property
    def tls_version(self) -> str: ...
    @property
    def cipher(self) -> str: ...
