"""What `watch` shows on a terminal: lines, connections, latencies, and the newest events.

It takes everything that happens and keeps little of it: what is on the screen, and counts. How
often it is drawn does not depend on how much happens.
"""

import math
import re
import time
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rich.console import Group, RenderableType
from rich.layout import Layout
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from wwep_rig.latencies import LABELS, Latencies
from wwep_rig.running import RunningLatencies
from wwep_rig.timeline_text import row_line

EVENTS_KEPT_MAX = 300
CONNECTIONS_SHOWN_MAX = 6
VALUES_SHOWN_MAX = 32
_RATE_OVER_S = 2.0

_BARS = "▁▂▃▄▅▆▇█"
_COLOURS = {
    "button": "magenta",
    "led": "yellow",
    "connection": "blue",
    "frame": "cyan",
    "reply": "green",
    "console": "bright_black",
    "fault": "red",
    "rig": "red",
}
_EDGE = re.compile(r"(?P<line>.+) goes (?P<level>high|low)\Z")
_CONNECTION = re.compile(r"connection (?P<id>\d+) (from (?P<who>.+)|closed: (?P<end>.+))\Z")


@dataclass
class _Line:
    """A button or an LED: what is known of it."""

    lane: str
    active: str
    level: str = ""
    edges: int = 0


@dataclass(frozen=True)
class Seen:
    """An event, as the timeline of a bench and that of a recording tell it alike."""

    at_ns: int
    lane: str
    text: str


@dataclass
class LiveView:
    """The state that is shown; not thread-safe.

    Attributes:
        title: what is watched.
        active: the level, `high` or `low`, at which each line is active, by its name.
        keys: what keys do, for people; empty: there are none.
        message: what went wrong with the last key.
    """

    title: str
    active: Mapping[str, str]
    keys: str = ""
    message: str = ""
    missed: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    rig_errors: deque[str] = field(default_factory=lambda: deque(maxlen=3))
    events: deque[Seen] = field(default_factory=lambda: deque(maxlen=EVENTS_KEPT_MAX))
    console: deque[Seen] = field(default_factory=lambda: deque(maxlen=EVENTS_KEPT_MAX))
    connections: dict[str, str] = field(default_factory=dict)
    running: RunningLatencies = field(default_factory=RunningLatencies)
    values_ms: dict[str, deque[float]] = field(default_factory=dict)
    _lines: dict[str, _Line] = field(default_factory=dict)
    _rate: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=64))
    _zero_ns: int = 0
    _taken_s: float = -math.inf

    @property
    def is_moving(self) -> bool:
        """Whether the screen changes by itself, because things happened a moment ago."""
        return time.monotonic() - self._taken_s < 2 * _RATE_OVER_S

    def take(self, seen: Seen) -> None:
        """Take an event into account."""
        self._taken_s = time.monotonic()
        self._zero_ns = self._zero_ns or seen.at_ns
        self.counts[seen.lane] += 1
        if seen.lane == "console":
            self.console.append(seen)
            return
        self.events.append(seen)
        if seen.lane in ("button", "led"):
            self._take_edge(seen)
        elif seen.lane == "connection":
            self._take_connection(seen.text)
        elif seen.lane == "rig" and seen.text.startswith("rig error: "):
            self.rig_errors.append(seen.text)

    def _take_edge(self, seen: Seen) -> None:
        if edge := _EDGE.match(seen.text):
            name = edge["line"]
            usual = "low" if seen.lane == "button" else "high"
            line = self._lines.setdefault(name, _Line(seen.lane, self.active.get(name, usual)))
            line.level = edge["level"]
            line.edges += 1

    def _take_connection(self, text: str) -> None:
        if found := _CONNECTION.match(text):
            if found["who"]:
                self.connections[found["id"]] = found["who"]
            elif found["id"] in self.connections:
                self.connections[found["id"]] += f": {found['end']}"
            while len(self.connections) > CONNECTIONS_SHOWN_MAX:
                del self.connections[next(iter(self.connections))]

    def take_latencies(self, latencies: Latencies) -> None:
        """Take the latencies of a press into account."""
        self.running.add(latencies)
        for key in LABELS:
            value_ms = getattr(latencies, key)
            if value_ms is not None:
                self.values_ms.setdefault(key, deque(maxlen=VALUES_SHOWN_MAX)).append(value_ms)

    def lines_known(self, buttons: Sequence[str], leds: Sequence[str]) -> None:
        """Show these lines though nothing has happened on them yet."""
        for lane, names, usual in (("button", buttons, "low"), ("led", leds, "high")):
            for name in names:
                self._lines.setdefault(name, _Line(lane, self.active.get(name, usual)))

    def drawn(self, width: int, height: int) -> RenderableType:
        """The screen, for a terminal of that size."""
        wide = width >= 90
        above = max(len(self._lines), len(LABELS) + 1, 3) + 2
        connections = CONNECTIONS_SHOWN_MAX + 2
        whole = Layout()
        top = Layout(name="top", size=above)
        top.split_row(
            Layout(Panel(self._line_table(), title="lines"), size=28),
            Layout(Panel(self._latency_table(wide), title="latencies (ms)")),
        )
        left = max(4, height - above - 2 - (connections if wide else 0))
        parts = [Layout(self._header(), size=1), top]
        if wide and height >= 30:
            parts.append(
                Layout(Panel(self._connection_text(), title="connections"), size=connections)
            )
        else:
            left += connections if wide else 0
        console = max(3, left // 3)
        parts.append(
            Layout(Panel(self._event_text(self.events, left - console - 2), title="events"))
        )
        parts.append(
            Layout(
                Panel(self._event_text(self.console, console - 2), title="console"), size=console
            )
        )
        parts.append(Layout(self._footer(), size=1))
        whole.split_column(*parts)
        return whole

    def _header(self) -> Text:
        now_s, total = time.monotonic(), self.counts.total()
        self._rate.append((now_s, total))
        then_s, before = next(
            (one for one in self._rate if now_s - one[0] <= _RATE_OVER_S), self._rate[-1]
        )
        rate = (total - before) / (now_s - then_s) if now_s > then_s else 0.0
        names = ("frame", "reply", "connection", "fault")
        counts = ", ".join(
            f"{self.counts[lane]} {lane} events" for lane in names if self.counts[lane]
        )
        header = Text(f"{self.title}  ", style="bold", no_wrap=True, overflow="ellipsis")
        header.append(f"{rate:6.0f} events/s, {total} so far: {counts}", style="default")
        if self.missed:
            header.append(f"  {self.missed} not seen: too many at once", style="red")
        return header

    def _footer(self) -> Text:
        footer = Text(no_wrap=True, overflow="ellipsis")
        if self.message:
            footer.append(f"{self.message}  ", style="yellow")
        if self.rig_errors:
            footer.append(self.rig_errors[-1], style="bold red")
        if not footer:
            footer.append(self.keys, style="bright_black")
        return footer

    def _line_table(self) -> Table:
        table = Table.grid(padding=(0, 1), expand=True)
        for name, line in sorted(self._lines.items()):
            is_active = line.level == line.active
            said = (
                ("pressed" if is_active else "up")
                if line.lane == "button"
                else ("on" if is_active else "off")
            )
            style = f"bold {_COLOURS[line.lane]}" if is_active else "bright_black"
            sign = "●" if is_active else "○"
            table.add_row(Text(f"{sign} {name}", style), Text(said, style), f"{line.edges}")
        return table

    def _latency_table(self, wide: bool) -> Table:
        table = Table.grid(padding=(0, 1), expand=True)
        heads = ["", "last", "p50", "p99", *(["longest", "n"] if wide else []), ""]
        table.add_row(*(Text(head, style="bright_black", justify="right") for head in heads))
        for key, label in LABELS.items():
            running, values = self.running.of[key], self.values_ms.get(key)
            if not values:
                continue
            numbers = [values[-1], running.percentile(50), running.percentile(99)]
            more = [f"{running.max_ms:.2f}", f"{running.count}"] if wide else []
            cells = [*(f"{number:.2f}" for number in numbers), *more]
            table.add_row(
                Text(label, no_wrap=True),
                *(Text(cell, justify="right") for cell in cells),
                Text(sparkline(values), style="cyan", no_wrap=True),
            )
        return table

    def _connection_text(self) -> Text:
        return Text(
            "\n".join(f"{number}  {told}" for number, told in self.connections.items()),
            no_wrap=True,
            overflow="ellipsis",
        )

    def _event_text(self, events: deque[Seen], count: int) -> Group:
        shown = list(events)[-count:] if count > 0 else []
        return Group(
            *(
                Text(
                    row_line(seen.at_ns, seen.lane, _printable(seen.text), self._zero_ns),
                    style=_COLOURS.get(seen.lane, "default"),
                    no_wrap=True,
                    overflow="ellipsis",
                )
                for seen in shown
            )
        )


def sparkline(values: Sequence[float]) -> str:
    """Each value as a bar, the lowest and the highest of them as the shortest and the longest."""
    low, high = min(values), max(values)
    if high == low:
        return _BARS[0] * len(values)
    return "".join(
        _BARS[round((value - low) / (high - low) * (len(_BARS) - 1))] for value in values
    )


def _printable(text: str) -> str:
    """Without what would move a terminal's cursor: a board prints what it likes."""
    return "".join(each if each.isprintable() else "·" for each in text)
