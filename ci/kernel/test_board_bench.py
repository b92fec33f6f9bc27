"""A bench of kind board in the virtual machine, whose board is a stand-in on the second chip.

The stand-in is no child of the rig's and is told nothing by it: it sees its reset and its power on
wired lines, speaks on a pseudo-terminal, and boots the POSIX firmware as a board boots its own.
Run by ci/kernel-test before the session's bench is opened.
"""

import os
import pty
import subprocess
import threading
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest
from kernel.chips import about_line, folder_of, wait_until

from wwep_rig import certs, open_bench, sim
from wwep_rig.user_dirs import state_directory

RESET, POWER = 4, 5
LOW, HIGH = "0", "1"
PLAIN_PORT, TLS_PORT = 27708, 40508
SERVER_NAME = "wwep.ww101.cypress.com"
MAC = "02:00:00:00:00:01"
BENCH = """
[bench]
name = "stand-in"
kind = "board"

[lines]
button0 = {{ chip = "rig-lines", line = 0, active = "low" }}
button1 = {{ chip = "rig-lines", line = 1, active = "low" }}
led0 = {{ chip = "rig-lines", line = 2, active = "high" }}
led1 = {{ chip = "rig-lines", line = 3, active = "high" }}
reset = {{ chip = "rig-lines", line = {reset}, active = "low" }}
power = {{ chip = "rig-lines", line = {power}, active = "low" }}

[target]
device = "{mac}"
console = {{ port = "{console}", baud = 115200 }}
ready = "ready"
ready_timeout_ms = 60000
reset = {{ line = "reset", hold_ms = 100 }}
power = {{ line = "power", off_ms = 100 }}

[target.contract]
first_value = 1
led_before_frame = "either"
reads_reply = true
debounce_ms = 0
retries = 0
verifies = ["chain", "time"]

[target.contract.buttons]
button0 = {{ led = "led0" }}
button1 = {{ led = "led1", secure = true }}

[budgets]
dns_ms = 10000
connect_ms = 5000
reply_ms = 2000

[server]
address = "{address}"
plain_port = {plain_port}
tls_port = {tls_port}
identity = "server-ecdsa"
tls_profile = "modern"
"""


class StandInBoard:
    """Runs the firmware while its power line is low and its reset line is high.

    Attributes:
        console: the serial port on which it speaks.
        journal: what its lines did, and its boots, in order.
    """

    def __init__(self, address: str) -> None:
        self.journal: list[str] = []
        self._firmware: subprocess.Popen[bytes] | None = None
        self._environment = {
            "WWEP_GPIO_CHIP": "board-pins",
            "WWEP_MAC": MAC,
            "WWEP_ROUTES": f"{SERVER_NAME}={address}",
            "WWEP_DCT_CERTIFICATE": str(
                certs.ensure(state_directory(os.environ) / "certs").root_path
            ),
        }
        self._uart, self._port = pty.openpty()
        tty.setraw(self._port)
        self.console = os.ttyname(self._port)
        self._levels = {RESET: HIGH, POWER: HIGH}
        watch = ("gpiomon", "--chip", folder_of("board").name, "--format", "%o %e")
        self._monitor = subprocess.Popen(
            (*watch, str(RESET), str(POWER)), stdout=subprocess.PIPE, text=True
        )
        self._thread = threading.Thread(target=self._follow_lines)
        self._thread.start()

    def close(self) -> None:
        """End it."""
        self._monitor.kill()
        self._thread.join()
        self._monitor.communicate()
        self._halt()
        os.close(self._uart)
        os.close(self._port)

    @property
    def is_up(self) -> bool:
        """Whether its firmware runs."""
        return self._firmware is not None and self._firmware.poll() is None

    def _follow_lines(self) -> None:
        assert self._monitor.stdout is not None
        for event in self._monitor.stdout:
            line, edge = map(int, event.split())
            rising = 1
            self._levels[line] = HIGH if edge == rising else LOW
            self.journal.append(f"{'reset' if line == RESET else 'power'} {self._levels[line]}")
            if self._levels == {RESET: HIGH, POWER: LOW}:
                self._boot()
            else:
                self._halt()

    def _boot(self) -> None:
        self.journal.append("boot")
        self._firmware = subprocess.Popen(
            [sim.firmware_path("dual_client")],
            stdin=self._uart,
            stdout=self._uart,
            env=self._environment,
        )

    def _halt(self) -> None:
        if self._firmware is not None:
            self._firmware.kill()
            self._firmware.wait()


@pytest.fixture
def address() -> str:
    """Where the stand-in looks for its server."""
    return next(sim.free_addresses(PLAIN_PORT, TLS_PORT))


@pytest.fixture
def board(address: str) -> Iterator[StandInBoard]:
    """A stand-in board, without power yet."""
    made = StandInBoard(address)
    try:
        wait_until(lambda: "consumer" in about_line("board", POWER), "the board watches its lines")
        yield made
    finally:
        made.close()


@pytest.fixture
def bench_file(board: StandInBoard, address: str, tmp_path: Path) -> Path:
    """The bench file of the stand-in board."""
    path = tmp_path / "stand-in.toml"
    path.write_text(
        BENCH.format(
            reset=RESET,
            power=POWER,
            mac=MAC,
            console=board.console,
            address=address,
            plain_port=PLAIN_PORT,
            tls_port=TLS_PORT,
        )
    )
    return path


def test_board_is_started_pressed_reset_and_switched_over_wired_lines(
    board: StandInBoard, bench_file: Path
) -> None:
    """Each press is whole, and the first after each start sends what a board that booted sends."""
    with open_bench(bench_file) as bench:

        def press(button: str) -> int | None:
            window = bench.record()
            trip = bench.press(button)
            assert trip.frame.device == bench.target.device_id == 3
            assert (trip.frame.register, trip.frame.value) == (5, trip.led.is_on)
            assert trip.reply.accepted and trip.connection.secure == (button == "button1")
            window.wait_for_console(trip.reply.bytes.decode(), timeout_s=10.0)
            assert window.stays_quiet(for_s=0.1)
            assert len(window.connections) == len(window.frames) == len(trip.led.edges) == 1
            return trip.frame.value

        assert board.journal == [] and not bench.target.is_running
        bench.target.start_afresh()
        assert board.journal == ["power 0", "boot", "reset 0", "reset 1", "boot"]
        assert [press("button0"), press("button0"), press("button0")] == [1, 0, 1]
        assert press("button1") == 1

        board.journal.clear()
        bench.target.reset()
        assert board.journal == ["reset 0", "reset 1", "boot"]
        assert not bench.led("led0").is_on
        assert press("button0") == 1

        board.journal.clear()
        bench.target.power_cycle()
        assert board.journal == ["power 1", "power 0", "boot"]
        assert press("button0") == 1

        bench.target.power_off()
        wait_until(lambda: not board.is_up, "the board has no power")
        assert not bench.target.is_running and bench.rig_errors == ()


def test_board_that_has_no_power_gets_it_before_it_is_reset(
    board: StandInBoard, bench_file: Path
) -> None:
    """A reset by hand begins with a bench that was just opened: its power line is not held yet."""
    with open_bench(bench_file) as bench:
        bench.target.reset()

        assert board.journal == ["power 0", "boot", "reset 0", "reset 1", "boot"]


def test_press_that_another_board_answers_is_warned_of(
    board: StandInBoard, bench_file: Path
) -> None:
    """The file names a board; the one that is wired answers with a device ID of its own."""
    bench_file.write_text(bench_file.read_text().replace(MAC, "02:00:00:00:00:0f"))
    with open_bench(bench_file) as bench:
        bench.target.start()
        window = bench.record()

        with pytest.warns(UserWarning, match="says device ID 0003, .* has 0011: another board"):
            bench.press("button0")

        assert any("another board answers" in event.text for event in window.events)


def test_board_loses_its_power_when_its_bench_is_closed(
    board: StandInBoard, bench_file: Path
) -> None:
    """What the file says of the rig's power line: active while the rig holds it."""
    with open_bench(bench_file) as bench:
        bench.target.start()
        assert board.is_up

    wait_until(lambda: not board.is_up, "the board has no power")
