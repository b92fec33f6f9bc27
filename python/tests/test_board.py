"""A bench whose target is a board: its power, reset, flash and console, and what goes wrong."""

import json
import os
import pty
import re
import signal
import socket
import threading
import time
import tty
from enum import Enum
from pathlib import Path

import pytest
from wwep_rig import NoBench, Recording, RigError, TargetFailed, open_bench, sim
from wwep_rig.board import run_command

PLAIN_PORT = 27708
BANNER = "stand-in board, build 7"
READY = "the button is armed"
_BENCH = """
[bench]
name = "bench-1"
kind = "board"

[lines]

[target]
device = "02:00:00:00:00:01"
ready = "{ready}"
ready_timeout_ms = {ready_timeout_ms}
console = {{ port = "{folder}/console", baud = 115200 }}
{more}

[server]
address = "{address}"
"""
_RESET = 'reset = { command = ["sh", "-c", "echo resetting; echo reset > control"] }'
_POWER = (
    'power = { command = { on = ["sh", "-c", "echo on > control"], '
    'off = ["sh", "-c", "echo off > control"] }, off_ms = 10 }'
)
_FLASH = 'flash = ["sh", "-c", "test -s {image} && echo flash {image} > control"]'


class Habit(Enum):
    """How it comes up."""

    GOOD = "good"
    SLOW = "slow"
    DEAD = "dead"
    BOOT_LOOP = "boot loop"
    BABBLING = "babbling"
    CONNECTING = "connecting"  # says nothing, but talks to the server


class StandInBoard:
    """Comes up when `on` or `reset` is written to the pipe `control`, as its habit is.

    The bench file's commands write there. `journal` holds what it was told.
    """

    def __init__(self, folder: Path, address: str) -> None:
        self.folder = folder
        self.address = address
        self.habit = Habit.GOOD
        self.journal: list[str] = []
        self._is_closing = threading.Event()
        self.plug_in()
        os.mkfifo(folder / "control")
        self._control = os.open(folder / "control", os.O_RDWR)
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def plug_in(self) -> None:
        """Make a console under its usual name."""
        self._master, slave = pty.openpty()
        tty.setraw(slave)
        link = self.folder / "console"
        link.unlink(missing_ok=True)
        link.symlink_to(os.ttyname(slave))
        os.close(slave)

    def unplug(self) -> None:
        """Take the console away."""
        os.close(self._master)
        self._master = -1

    def close(self) -> None:
        """End it."""
        self._is_closing.set()
        os.write(self._control, b"end\n")
        self._thread.join()
        os.close(self._control)
        if self._master >= 0:
            os.close(self._master)

    def say(self, *lines: str) -> None:
        """Print on the console."""
        for line in lines:
            os.write(self._master, line.encode() + b"\r\n")

    def _listen(self) -> None:
        pending = b""
        while not self._is_closing.is_set():
            pending += os.read(self._control, 4096)
            *words, pending = pending.split(b"\n")
            for word in words:
                self.journal.append(word.decode())
                if word in (b"on", b"reset") or word.startswith(b"flash"):
                    self._come_up()

    def _come_up(self) -> None:
        match self.habit:
            case Habit.GOOD:
                self.say(BANNER, READY)
            case Habit.SLOW:
                self.say(BANNER)
                self._is_closing.wait(1.0)
                self.say(READY)
            case Habit.DEAD:
                pass
            case Habit.BOOT_LOOP:
                for _ in range(6):
                    self.say(BANNER, "panic: no button")
            case Habit.BABBLING:
                until = time.monotonic() + 1.0
                while time.monotonic() < until:
                    self.say("temperature 21.5" * 50)
                self.say(READY)
            case Habit.CONNECTING:
                socket.create_connection((self.address, PLAIN_PORT), timeout=10).close()


@pytest.fixture
def board(tmp_path):
    """A stand-in board, and the address at which it looks for its server."""
    address = next(sim.free_addresses(PLAIN_PORT, 40508))
    made = StandInBoard(tmp_path, address)
    yield made
    made.close()


@pytest.fixture
def bench_file(board, tmp_path):
    """Writes the bench file of the stand-in board; its path."""

    def write(*more, ready_timeout_ms=20_000):
        path = tmp_path / "bench-1.toml"
        path.write_text(
            _BENCH.format(
                ready=READY,
                ready_timeout_ms=ready_timeout_ms,
                folder=tmp_path,
                more="\n".join(more),
                address=board.address,
            )
        )
        return str(path)

    return write


@pytest.fixture
def opened(bench_file, environment):
    """Opens the bench of the stand-in board."""
    benches = []

    def open_it(*more, **rest):
        bench = open_bench(bench_file(*more, **rest), environment=environment)
        benches.append(bench)
        return bench

    yield open_it
    for bench in benches:
        bench.close()


def texts(window: Recording) -> list[str]:
    return [event.text for event in window.events]


def test_reset_by_a_command_waits_until_the_console_says_that_it_is_ready(opened, board):
    bench = opened(_RESET)
    window = bench.record()

    bench.target.reset()

    assert board.journal == ["reset"]
    assert [line.text for line in window.console] == [BANNER, READY]
    assert "reset begins" in texts(window) and "reset: resetting" in texts(window)


def test_slow_board_is_waited_for(opened, board):
    board.habit = Habit.SLOW
    bench = opened(_RESET)
    began = time.monotonic()

    bench.target.reset()

    assert time.monotonic() - began >= 1.0


def test_dead_board_is_the_targets_failure_and_names_the_step(opened, board):
    board.habit = Habit.DEAD
    bench = opened(_RESET, ready_timeout_ms=200)

    with pytest.raises(TargetFailed) as caught:
        bench.target.reset()

    assert re.match(
        r"bench bench-1: after reset and [0-9.]+ s \(target.ready_timeout_ms\): the target was not "
        "ready in time",
        str(caught.value),
    )
    assert "(nothing)" in str(caught.value)


def test_board_in_a_boot_loop_is_said_to_be_in_one_and_its_console_is_shown(opened, board):
    board.habit = Habit.BOOT_LOOP
    bench = opened(_RESET, ready_timeout_ms=1000)

    with pytest.raises(TargetFailed) as caught:
        bench.target.reset()

    assert f'restart again and again, its first line "{BANNER}" came 6 times' in str(caught.value)
    assert "panic: no button" in str(caught.value)


def test_babbling_board_neither_hangs_the_rig_nor_hides_that_it_is_ready(opened, board):
    board.habit = Habit.BABBLING
    bench = opened(_RESET)

    bench.target.reset()

    assert bench.rig_errors == ()


def test_connection_to_the_server_says_ready_as_well_as_the_console(opened, board):
    board.habit = Habit.CONNECTING
    bench = opened(_RESET)

    bench.target.reset()

    assert len(bench.record().console) == 0


def test_board_that_restarts_by_itself_is_noted(opened, board):
    bench = opened(_RESET)
    bench.target.reset()
    window = bench.record()

    board.say(BANNER, READY)

    window.wait_for(
        lambda event: "target restarted by itself" in event.text, "its restart", timeout_s=20
    )


def test_power_is_cycled_by_its_commands(opened, board):
    bench = opened(_POWER)

    bench.target.power_on()
    assert bench.target.is_running
    bench.target.power_cycle()
    bench.target.power_off()

    assert board.journal[:3] == ["on", "off", "on"]
    assert not bench.target.is_running


def test_fresh_start_resets_cycles_or_takes_the_board_as_it_is(opened, board, bench_file):
    for more, journal in (
        ((_RESET, _POWER), ["on", "reset"]),
        ((_POWER,), ["off", "on"]),
        ((), []),
    ):
        board.journal.clear()
        bench = opened(*more)
        bench.target.start_afresh()
        bench.close()
        assert board.journal == journal


def test_image_is_flashed_by_the_command_and_the_board_awaited(opened, board, tmp_path):
    image = tmp_path / "firmware.bin"
    image.write_bytes(b"\x7fELF")
    bench = opened(_FLASH)

    bench.target.flash(image)

    assert board.journal == [f"flash {image}"]


def test_command_that_fails_is_a_rig_error_with_its_output_and_the_console(opened, board):
    bench = opened('reset = { command = ["sh", "-c", "echo no probe found; exit 3"] }')

    with pytest.raises(RigError) as caught:
        bench.target.reset()

    assert "bench bench-1: reset: sh -c" in str(caught.value)
    assert "exited with status 3" in str(caught.value)
    assert "it printed:\n    no probe found" in str(caught.value)


def test_command_that_hangs_is_ended_at_its_deadline_with_all_it_started(tmp_path):
    script = "sleep 600 & echo $! > child; wait"

    result = run_command(["/bin/sh", "-c", script], str(tmp_path), 2.0, "the limit")

    assert result.failure == "was not done after 2 s (the limit), and was ended"
    child = int((tmp_path / "child").read_text())
    deadline = time.monotonic() + 20
    while _runs(child):
        assert time.monotonic() < deadline, "what the command started outlived it"
        time.sleep(0.01)


def _runs(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_command_that_prints_without_end_is_kept_short(tmp_path):
    result = run_command(["/bin/sh", "-c", "seq 100000; exit 1"], str(tmp_path), 20, "the limit")

    assert result.lines[-1] == "100000" and len(result.lines) == 20


def test_missing_program_is_no_bench_and_names_it(opened):
    bench = opened('reset = { command = ["no-such-flasher"] }')

    with pytest.raises(NoBench, match="reset: there is no program 'no-such-flasher'; install it"):
        bench.target.reset()


@pytest.mark.parametrize("step", ["reset", "power_on", "power_off", "power_cycle"])
def test_board_without_a_way_to_do_it_says_how_to_give_it_one(opened, step):
    bench = opened()

    with pytest.raises(NoBench, match=r"has no way to .*say so in \[target\] of the bench file"):
        getattr(bench.target, step)()


def test_simulated_board_is_not_flashed(environment, tmp_path):
    image = tmp_path / "image"
    image.write_bytes(b"x")
    with open_bench(environment=environment) as bench:
        with pytest.raises(NoBench, match="its target is a program, which is not flashed"):
            bench.target.flash(image)


def test_console_that_is_unplugged_in_use_is_a_rig_error_with_the_remedy(opened, board):
    bench = opened(_RESET)
    bench.target.reset()
    window = bench.record()

    board.unplug()

    window.wait_for(lambda event: "has gone" in event.text, "the loss", timeout_s=20)
    assert any("plug it in again" in error for error in bench.rig_errors)


def test_missing_console_is_no_bench_and_names_the_port(opened, board, tmp_path):
    (tmp_path / "console").unlink()
    bench = opened(_RESET)

    with pytest.raises(NoBench, match="console: there is no such port; plug the adapter in"):
        bench.target.reset()


# By hand -----------------------------------------------------------------------------------------


def test_verb_reset_tells_how_long_it_took(wwep_rig, bench_file, board):
    done = wwep_rig("reset", "--bench", bench_file(_RESET))

    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("bench-1: reset, ready after ")


def test_verb_claims_no_readiness_that_nothing_tells_of(wwep_rig, bench_file, board):
    path = Path(bench_file(_RESET))
    path.write_text(path.read_text().replace(f'ready = "{READY}"\n', ""))

    done = wwep_rig("reset", "--bench", str(path))
    assert done.code == 0 and done.out.startswith("bench-1: reset, done after ")
    assert "nothing tells whether the board is up" in done.err and "target.ready" in done.err

    value = json.loads(wwep_rig("reset", "--json", "--bench", str(path)).out)
    assert value["is_ready"] is False


def test_verb_power_cycles_in_json(wwep_rig, bench_file, board):
    done = wwep_rig("power", "cycle", "--json", "--bench", bench_file(_POWER))

    assert done.code == 0
    value = json.loads(done.out)
    assert (value["bench"], value["step"]) == ("bench-1", "power cycle") and value["is_ready"]
    assert board.journal == ["off", "on"]


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ((), 4),
        (('reset = { command = ["false"] }',), 3),
        (('reset = { command = ["true"] }',), 1),
    ],
    ids=["no way to reset", "the reset fails", "the board is dead"],
)
def test_exit_codes_keep_bench_rig_and_target_apart(wwep_rig, bench_file, board, more, code):
    done = wwep_rig("reset", "--bench", bench_file(*more, ready_timeout_ms=200))

    assert done.code == code and "reset" in done.err


def test_verb_flash_of_a_missing_image_is_a_usage_error(wwep_rig, bench_file, board):
    done = wwep_rig("flash", "no-such-image", "--bench", bench_file(_FLASH))

    assert done.code == 2 and "no-such-image" in done.err


def test_verb_console_shows_lines_until_it_is_stopped(start, bench_file, board):
    process = start("console", "--bench", bench_file())
    assert process.stdout is not None
    board.say("hello from the board")

    line = ""
    while "hello from the board" not in line:
        line = process.stdout.readline()
        assert line or process.poll() is None
        board.say("hello from the board")
    process.send_signal(signal.SIGINT)

    assert process.wait(timeout=20) == 0


def test_verb_console_of_a_board_without_one_is_no_bench(wwep_rig, bench_file, board):
    path = Path(bench_file())
    lines = path.read_text().splitlines()
    path.write_text("\n".join(each for each in lines if not each.startswith(("console", "ready"))))

    done = wwep_rig("console", "--bench", str(path))

    assert (done.code, done.out) == (4, "")
    assert "bench bench-1 has no console; name its serial port" in done.err


def test_verb_reset_works_on_the_simulated_board_too(wwep_rig):
    done = wwep_rig("reset")

    assert done.code == 0 and done.out.startswith("sim: reset, ready after ")


def test_doctor_asks_for_no_gpio_where_the_bench_has_no_lines(wwep_rig, bench_file, board):
    done = wwep_rig("doctor", "--json", "--bench", bench_file(_RESET))

    findings = {each["what"]: each for each in json.loads(done.out)}
    assert findings["GPIO"] == {
        "what": "GPIO",
        "is_good": True,
        "found": "not needed: the bench file has no lines",
    }
    assert done.code == 0


def test_lines_of_reset_and_power_are_no_buttons(wwep_rig, board, tmp_path):
    path = tmp_path / "bench-2.toml"
    path.write_text(
        _BENCH.format(
            ready=READY,
            ready_timeout_ms=100,
            folder=tmp_path,
            more='reset = { line = "nrst" }',
            address=board.address,
        ).replace(
            "[lines]",
            '[lines.button0]\nchip = "c"\nline = 1\n[lines.nrst]\nchip = "c"\nline = 2\n',
        )
    )

    done = wwep_rig("press", "nrst", "--bench", str(path))

    assert done.code == 2 and "its buttons: button0" in done.err


def test_doctor_looks_at_each_part_of_a_board_on_its_own(wwep_rig, bench_file, board, tmp_path):
    path = bench_file(_RESET, 'flash = ["no-such-flasher", "{image}"]')

    done = wwep_rig("doctor", "--json", "--bench", path)

    findings = {each["what"]: each for each in json.loads(done.out)}
    assert findings["console"]["is_good"] and findings["reset"]["is_good"]
    assert findings["flash"]["found"] == "there is no program 'no-such-flasher'"
    assert "install it" in findings["flash"]["remedy"]
    assert done.code == 4 and board.journal == []

    (tmp_path / "console").unlink()
    done = wwep_rig("doctor", "--bench", path)
    assert "No such file" in done.out and "plug the adapter in" in done.out


def test_command_ends_when_the_rig_is_killed(bench_file, board, start, tmp_path):
    hanging = 'reset = { command = ["sh", "-c", "echo $$ > pid; exec sleep 600"] }'
    process = start("reset", "--bench", bench_file(hanging))
    deadline = time.monotonic() + 20
    pid_file = tmp_path / "pid"
    while not (pid_file.exists() and pid_file.read_text().strip()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()

    while _runs(int(pid_file.read_text())):
        assert time.monotonic() < deadline + 20, "the command outlived the rig"
        time.sleep(0.01)


_TESTS_OF_A_BOARD = """
import pytest

def test_server_listens(bench):
    assert bench.target.is_running

@pytest.mark.rig_needs("reset")
def test_of_a_reset(bench, recording):
    bench.target.reset()
"""


def test_scenario_that_needs_a_reset_is_not_for_a_board_without_one(run_pytest, bench_file, board):
    done = run_pytest(_TESTS_OF_A_BOARD, "-rs", "--rig-bench", bench_file())

    assert "1 passed, 1 skipped" in done.out
    assert done.out.rstrip().endswith("rig: good")
    assert board.journal == []


def test_scenario_that_needs_a_reset_runs_where_there_is_one(run_pytest, bench_file, board):
    done = run_pytest(_TESTS_OF_A_BOARD, "--rig-bench", bench_file(_RESET))

    assert "2 passed" in done.out
    assert board.journal == ["reset", "reset"]
