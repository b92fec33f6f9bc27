"""`wwep-rig watch` on a terminal: what it shows, that it stays calm, and that it lets go of it."""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator

import pyte
import pytest
from rich.console import Console

from tests.conftest import COMMAND
from tests.made_presses import MadeRecording
from wwep_rig.cli.live_view import EVENTS_KEPT_MAX, LiveView, Seen, sparkline
from wwep_rig.cli.watch_sources import RecordingSource
from wwep_rig.latencies import Latencies

COLUMNS, ROWS = 110, 40


class Terminal:
    """A process on a terminal of its own, and what stands on its screen."""

    def __init__(self, environment: dict[str, str], *arguments: str) -> None:
        self._descriptor, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        self.before = termios.tcgetattr(theirs)
        self._theirs = theirs
        self._screen = pyte.Screen(COLUMNS, ROWS)
        self._stream = pyte.ByteStream(self._screen)
        self.process = subprocess.Popen(
            [sys.executable, "-c", COMMAND, *arguments],
            env={**environment, "TERM": "xterm-256color"},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        self.bytes_seen = 0

    @property
    def text(self) -> str:
        """The screen."""
        return "\n".join(self._screen.display)

    @property
    def attributes(self) -> list[object]:
        """How the terminal is set."""
        return termios.tcgetattr(self._theirs)

    def read(self, timeout_s: float) -> bool:
        """Take what it has written; whether there was something."""
        if not select.select([self._descriptor], [], [], timeout_s)[0]:
            return False
        part = os.read(self._descriptor, 65_536)
        self.bytes_seen += len(part)
        self._stream.feed(part)
        return True

    def wait_for(self, found: Callable[[str], object]) -> None:
        """Until the screen is like that."""
        give_up_at = time.monotonic() + 30
        while not found(self.text):
            assert time.monotonic() < give_up_at, f"the screen did not come to it:\n{self.text}"
            self.read(0.1)

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self._descriptor, keys.encode())

    def end(self) -> int:
        """Wait for its end; the exit code."""
        give_up_at = time.monotonic() + 30
        while self.process.poll() is None:
            assert time.monotonic() < give_up_at, self.text
            self.read(0.1)
        while self.read(0.1):
            pass
        return int(self.process.returncode)

    def close(self) -> None:
        """Kill it if it still runs."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self._descriptor)
        os.close(self._theirs)


@pytest.fixture
def on_terminal(environment) -> Iterator[Callable[..., Terminal]]:
    """Runs the command `wwep-rig` on a terminal of its own."""
    terminals: list[Terminal] = []

    def run(*arguments: str) -> Terminal:
        terminals.append(Terminal(environment, *arguments))
        return terminals[-1]

    yield run
    for each in terminals:
        each.close()


def test_watch_shows_a_bench_and_its_keys_press_the_buttons(on_terminal):
    terminal = on_terminal("watch")
    terminal.wait_for(lambda text: "0 button0 1 button1  q end" in text)
    assert "○ button0" in terminal.text and "○ led1" in terminal.text

    terminal.type("0")
    terminal.wait_for(lambda text: "● led0" in text and "○ button0" in text)
    terminal.type("1")
    for words in ("● led1", "handshake", "○ button1", "press 2: button1 released"):
        terminal.wait_for(lambda text, words=words: words in text)

    text = terminal.text
    assert "sim (sim)" in text and "events/s" in text
    for words in ("press → LED", "press → frame", "write W000305000", "reply A000305000", "▁"):
        assert words in text, text
    assert "connection 2 from" in text
    terminal.type("q")
    assert terminal.end() == 0
    assert terminal.attributes == terminal.before  # a shell after it has its echo


def test_key_that_does_nothing_is_answered_with_those_that_do(on_terminal, tmp_path):
    bench = on_terminal("watch")
    bench.wait_for(lambda text: "0 button0 1 button1  q end" in text)
    for typed, shown in (("x", "x"), ("7", "7"), ("\x1b[A", "'\\x1b[A'")):
        bench.type(typed)
        wanted = f"no key {shown}; keys: 0 button0 1 button1  q end"
        bench.wait_for(lambda text, wanted=wanted: wanted in text)
    bench.type("0")  # what is told is gone with the next key that does something
    bench.wait_for(lambda text: "no key" not in text and "● led0" in text)

    made = MadeRecording(tmp_path / "run.sqlite")
    made.press()
    recording = on_terminal("watch", str(made.close()))
    recording.wait_for(lambda text: "the run has ended; q ends" in text)
    recording.type("0")
    recording.wait_for(lambda text: "a recording is only looked at" in text)
    recording.type("x")
    recording.wait_for(lambda text: "no key x; keys: q end" in text)


def test_watch_on_a_terminal_ends_well_by_a_signal(on_terminal):
    terminal = on_terminal("watch")
    terminal.wait_for(lambda text: "q end" in text)
    terminal.process.send_signal(signal.SIGTERM)

    assert terminal.end() == 0 and terminal.attributes == terminal.before


def test_watch_shows_a_recording_on_a_terminal_without_a_bench(on_terminal, tmp_path):
    made = MadeRecording(tmp_path / "run.sqlite")
    for number in range(50):
        made.press(button=number % 2, frame_ms=2.0 + number / 10)
    terminal = on_terminal("watch", str(made.close()))

    terminal.wait_for(lambda text: "the run has ended; q ends" in text)
    assert "press 50: button1 released" in terminal.text
    frame = terminal.text.partition("press → frame")[2].split()
    assert [frame[0], *frame[2:5]] == ["6.90", "6.90", "6.90", "50"]
    assert 4.4 <= float(frame[1]) <= 4.45  # a running percentile: at most 1 % too high
    terminal.type("q")
    assert terminal.end() == 0


def test_recording_tells_its_newest_rows_once_and_then_what_comes(tmp_path):
    made = MadeRecording(tmp_path / "run.sqlite")
    for _ in range(10):
        made.press()
    source = RecordingSource(made.close(), rows_max=30)

    first = list(source.events())
    assert len(first) == 30 and first[-1].text == "run ended"
    assert list(source.events()) == []
    assert len(list(source.latencies())) == 10 and list(source.latencies()) == []
    assert source.is_over()


def test_view_keeps_little_of_what_it_takes_and_draws_any_size():
    view = LiveView("sim", {"led0": "high"})
    for number in range(100_000):
        level = "high" if number % 2 else "low"
        view.take(Seen(number * 1_000_000, "led", f"led0 goes {level}"))
        view.take(Seen(number * 1_000_000, "console", f"line \x1b[2J{number}"))
        view.take(Seen(number, "connection", f"connection {number} from 127.0.0.1:1 to x"))
        view.take_latencies(Latencies(number / 1000, None, None, None, 0.0))

    assert len(view.events) == len(view.console) == EVENTS_KEPT_MAX
    assert len(view.connections) < 10 and len(view.values_ms["press_to_led_ms"]) < 100
    for width, height in ((40, 10), (80, 24), (200, 60)):
        console = Console(width=width, height=height, force_terminal=True, record=True)
        with console.capture() as drawn:
            console.print(view.drawn(width, height))
        assert "● led0" in drawn.get() and "100000" in drawn.get()
        assert "\x1b[2J" not in drawn.get()


def test_error_of_the_rig_does_not_hide_the_answer_to_a_key():
    view = LiveView("sim", {}, keys="keys: q end")
    view.take(Seen(1, "rig", "rig error: the disk is full"))
    view.message = "no key x"
    console = Console(width=80, height=24, force_terminal=True, record=True)
    with console.capture():
        console.print(view.drawn(80, 24))

    assert "no key x  rig error: the disk is full" in console.export_text()


def test_sparkline_goes_from_the_lowest_to_the_highest():
    assert sparkline([1.0, 2.0, 3.0, 8.0]) == "▁▂▃█"
    assert sparkline([5.0, 5.0]) == "▁▁"
