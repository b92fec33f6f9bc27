"""What a bench file says, as frozen values. `bench_file.py` makes them of one."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from .app_build import App


class Kind(Enum):
    """Where buttons and LEDs are, and what the target is."""

    SIM = "sim"
    KERNEL = "kernel"
    EMULATOR = "emulator"
    BOARD = "board"


class Role(Enum):
    """Which end of the connection the target is."""

    CLIENT = "client"
    SERVER = "server"


class Speed(Enum):
    """How fast an emulated processor runs: as this machine can, or about as a real one."""

    HOST = "host"
    MCU = "mcu"


class LedBeforeFrame(Enum):
    """Whether the firmware flips its LED before it sends the frame."""

    YES = "yes"
    NO = "no"
    EITHER = "either"


class Verifies(Enum):
    """What the firmware checks of the server's certificate."""

    CHAIN = "chain"
    NAME = "name"
    TIME = "time"


@dataclass(frozen=True)
class ButtonContract:
    """What one button of the firmware does.

    Attributes:
        led: the LED that a press flips; empty when the rig watches none.
        secure: whether its frame travels over TLS.
    """

    led: str
    secure: bool


@dataclass(frozen=True)
class Contract:
    """What the firmware promises. Scenarios judge by it.

    Attributes:
        first_value: 0 or 1, what the first press after a reset sends.
        led_before_frame: the order of LED and frame.
        reads_reply: whether the firmware waits for the reply.
        debounce_ms: presses shorter than this are ignored, and what bounces faster is one press;
            0: each closing of a contact may count.
        retries: how often a frame is sent again when nothing comes that answers it.
        verifies: what is checked of the server's certificate; empty: nothing.
        buttons: by the button's name.
    """

    first_value: int
    led_before_frame: LedBeforeFrame
    reads_reply: bool
    debounce_ms: int
    retries: int
    verifies: frozenset[Verifies]
    buttons: Mapping[str, ButtonContract]


@dataclass(frozen=True)
class Budgets:
    """How long the firmware gives each step, and how long a press may take, in milliseconds.

    Attributes:
        dns_ms: to look up a name.
        connect_ms: to connect.
        reply_ms: to wait for a reply.
        press_to_led_ms: from the press to the LED's edge; None: not judged.
        press_to_frame_ms: from the press to the frame; None: not judged.
    """

    dns_ms: int
    connect_ms: int
    reply_ms: int
    press_to_led_ms: int | None
    press_to_frame_ms: int | None


@dataclass(frozen=True)
class ServesConfig:
    """Where a target that is a server serves, and what is said about it.

    Attributes:
        address: filled in when the bench opens, unless the target is a board.
        plain_port: in the clear; 0: it does not.
        tls_port: over TLS; 0: it does not.
        one_at_a_time: whether it serves one connection at a time; None: found out by probing.
        keep_open: whether a connection carries many frames; None: found out by probing.
        client_identity: name among the identities that `wwep-rig certs` makes, which the rig shows
            to a server that demands a client's certificate; empty: none.
        client_certificate: its file, filled in when the bench opens.
        client_key: the same for its key.
    """

    address: str
    plain_port: int
    tls_port: int
    one_at_a_time: bool | None
    keep_open: bool | None
    client_identity: str = ""
    client_certificate: str = ""
    client_key: str = ""


@dataclass(frozen=True)
class ConsoleConfig:
    """A board's console: a serial port and its rate in baud."""

    port: str
    baud: int


@dataclass(frozen=True)
class ResetConfig:
    """How a board is reset.

    Attributes:
        line: held active for `hold_ms`; empty: the command does it.
        hold_ms: how long the line is held.
        command: a program and its arguments.
        timeout_ms: how long the command may take.
    """

    line: str
    hold_ms: int
    command: tuple[str, ...]
    timeout_ms: int


@dataclass(frozen=True)
class PowerConfig:
    """How a board is switched.

    Attributes:
        line: active while the board has power; empty: the commands do it.
        on_command: a program and its arguments.
        off_command: likewise.
        off_ms: how long it stays off when it is cycled.
        timeout_ms: how long each command may take.
    """

    line: str
    on_command: tuple[str, ...]
    off_command: tuple[str, ...]
    off_ms: int
    timeout_ms: int


@dataclass(frozen=True)
class TargetConfig:
    """The board, or the program that stands for one.

    Attributes:
        mac: as text, `02:00:00:00:00:01`.
        role: which end of the connection it is.
        serves: where, of a server.
        app: the WICED application that runs there; a target that is a process runs what the rig
            builds of it. None: not said.
        program: with a slash a path, without one the name of a firmware that the rig ships.
        arguments: of the program.
        environment: of the program, besides what the rig sets.
        speed: of an emulated board.
        root_certificate: `ca`: the bench's own root, `none`, else a path.
        ready: text of the console that says the target is up; empty: its wire says so.
        ready_timeout_ms: how long that may take.
        contract: what the firmware promises.
        console: a board's; None: the rig reads none, or the process's own output.
        reset: how a board is reset; None: it cannot be.
        power: how a board is switched; None: it cannot be.
        flash: the command that flashes a board, `{image}` standing for the image; empty: none.
        flash_timeout_ms: how long that may take.
    """

    mac: str
    role: Role
    serves: ServesConfig | None
    app: App | None
    program: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    speed: Speed
    root_certificate: str
    ready: str
    ready_timeout_ms: int
    contract: Contract
    console: ConsoleConfig | None
    reset: ResetConfig | None
    power: PowerConfig | None
    flash: tuple[str, ...]
    flash_timeout_ms: int


@dataclass(frozen=True)
class ServerConfig:
    """The WWEP server of the bench.

    Attributes:
        address: to listen on; empty: a loopback address of the bench's own.
        names: host names that lead to it.
        plain_port: in the clear.
        tls_port: over TLS.
        identity: name among the identities that `wwep-rig certs` makes.
        tls_profile: modern or legacy.
    """

    address: str
    names: tuple[str, ...]
    plain_port: int
    tls_port: int
    identity: str
    tls_profile: str


@dataclass(frozen=True)
class LineConfig:
    """One line.

    Attributes:
        name: button0, led0, ...
        is_active_high: whether a high level means pressed or lit.
        is_driven: whether the rig drives it, as it does buttons; else it watches it.
        debounce_us: how long an input must rest before the kernel counts an edge; 0: not at all.
    """

    name: str
    is_active_high: bool
    is_driven: bool
    debounce_us: int = 0


@dataclass(frozen=True)
class BenchConfig:
    """One bench: the rig's lines, the target wired to them, its contract, budgets, the server.

    `loopback` names a button and an LED that are wired together for good, as `button7:led7`; empty:
    there are none.
    """

    name: str
    kind: Kind
    loopback: str
    device_id: int
    lines: Mapping[str, LineConfig]
    target: TargetConfig
    budgets: Budgets
    server: ServerConfig
    folder: str

    @property
    def buttons(self) -> tuple[str, ...]:
        """The names of the lines that can be pressed: those of reset and power are no buttons."""
        controls = {each.line for each in (self.target.reset, self.target.power) if each}
        return tuple(
            line.name
            for line in self.lines.values()
            if line.is_driven and line.name not in controls
        )

    @property
    def abilities(self) -> frozenset[str]:
        """What scenarios can ask for besides lines: `reset`; `network`, the board's own, with name
        and time servers that lie; `console-input`; `power`, cut at any moment; `speed`, an MCU's.
        """
        target, is_board = self.target, self.kind is Kind.BOARD
        has = {"reset"} if not is_board or target.reset is not None else set()
        if not is_board or target.power is not None:
            has.add("power")
        if self.kind is Kind.EMULATOR:
            has |= {"console-input", "speed"}
            if target.role is Role.CLIENT:
                has.add("network")
        return frozenset(has)

    @property
    def press_timeout_s(self) -> float:
        """How long a press may take from the edge to the end of the connection, by the budgets."""
        # A simulated board resolves names from a table.
        dns_ms = 0 if self.kind is Kind.SIM else self.budgets.dns_ms
        tries = 1 + self.target.contract.retries
        handshake_and_close_ms = 1500
        once_ms = self.budgets.connect_ms + self.budgets.reply_ms + handshake_and_close_ms
        return (self.target.contract.debounce_ms + dns_ms + tries * once_ms) / 1000
