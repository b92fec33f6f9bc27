"""A recording as columns of small numbers, packed for the page, which unpacks and draws them.

Ten thousand round trips are some hundred thousand events: as text they would make a page of many
megabytes. Times are differences in microseconds, texts are numbers into a list of texts.
"""

import base64
import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from wwep_rig.recorded import RecordedRun
from wwep_rig.recorded_trips import RecordedTrip, Row


class _Texts:
    """Each text once, and its number."""

    def __init__(self) -> None:
        self.all: list[str] = []
        self._numbers: dict[str, int] = {}

    def number(self, text: str) -> int:
        """Of a text."""
        if text not in self._numbers:
            self._numbers[text] = len(self.all)
            self.all.append(text)
        return self._numbers[text]


class Columns:
    """What the page draws of a recording, or of a stretch of it."""

    def __init__(
        self, recorded: RecordedRun, trips: Sequence[RecordedTrip], from_ns: int, until_ns: int
    ) -> None:
        """Take the rows between two moments.

        Args:
            recorded: the recording.
            trips: those to be listed, failing ones first.
            from_ns: zero on the page.
            until_ns: where it ends.
        """
        self._recorded = recorded
        self._texts = _Texts()
        self._from_ns = from_ns
        self._until_ns = until_ns
        self._trips = trips

    def packed(self) -> str:
        """All of it: JSON, deflated, in base64."""
        tables = {
            "lines": self._lines(),
            "edges": self._rows("edges", "at_ns", ("line", "level", "source")),
            "presses": self._rows("presses", "before_ns", ("id", "line", "released_ns", "profile")),
            "connections": self._rows(
                "connections",
                "opened_ns",
                ("id", "closed_ns", "peer", "secure", "tls_version", "cipher", "end_reason"),
            ),
            "frames": self._rows(
                "frames",
                "received_ns",
                ("connection_id", "verdict", "raw", "reason", "reply", "replied_ns"),
            ),
            "console": self._rows("console", "at_ns", ("text",)),
            "faults": self._rows("faults", "at_ns", ("name", "connection_id")),
            "target": self._rows("target", "at_ns", ("what",)),
            "notes": self._rows("notes", "at_ns", ("is_error", "what")),
            "tests": self._columns(
                self._recorded.tests, "began_ns", ("nodeid", "ended_ns", "told")
            ),
            "trips": self._trip_columns(),
            "until": self._micro(self._until_ns),
        }
        # Last, because the tables above put texts into it.
        tables["texts"] = self._texts.all
        text = json.dumps(tables, separators=(",", ":"), ensure_ascii=False)
        return base64.b64encode(zlib.compress(text.encode(), 9)).decode()

    def _micro(self, at_ns: int) -> int:
        return (at_ns - self._from_ns) // 1000

    def _rows(self, table: str, time: str, fields: Sequence[str]) -> dict[str, list[Any]]:
        """The rows of a table in the order of time, column by column."""
        return self._columns(self._recorded.each_row(table), time, fields)

    def _columns(
        self, table: Iterable[Row], time: str, fields: Sequence[str]
    ) -> dict[str, list[Any]]:
        rows = [row for row in table if self._from_ns <= row[time] <= self._until_ns]
        at = [self._micro(row[time]) for row in rows]
        columns: dict[str, list[Any]] = {"at": _differences(at)}
        for field in fields:
            columns[field.removesuffix("_ns")] = [self._value(row, field, time) for row in rows]
        return columns

    def _value(self, row: Row, field: str, time: str) -> int | None:
        value = row[field]
        if value is None:
            return None
        if field.endswith("_ns"):
            return int(value - row[time]) // 1000
        if isinstance(value, bytes):
            return self._texts.number(printable(value))
        return self._texts.number(value) if isinstance(value, str) else int(value)

    def _lines(self) -> list[dict[str, Any]]:
        """The lines that have edges, with the level that is active."""
        lines: Mapping[str, Any] = self._recorded.bench_facts.get("lines", {})
        found: dict[str, str] = {}
        for row in self._recorded.each_row("edges"):
            found.setdefault(row["line"], "button" if row["source"] == "rig" else "led")
        return [
            {
                "name": self._texts.number(name),
                "kind": kind,
                "active": 0 if lines.get(name, {}).get("active") == "low" else 1,
            }
            for name, kind in sorted(found.items(), key=lambda item: (item[1], item[0]))
        ]

    def _trip_columns(self) -> dict[str, list[Any]]:
        def micro(values: Iterable[float | None]) -> list[int | None]:
            return [None if value is None else round(value * 1000) for value in values]

        trips, number = self._trips, self._texts.number
        measured = [trip.latencies for trip in trips]
        return {
            "id": _differences([trip.id for trip in trips]),
            "button": [number(trip.button) for trip in trips],
            "at": _differences([self._micro(trip.before_ns) for trip in trips]),
            "ended": [(trip.ended_ns - trip.before_ns) // 1000 for trip in trips],
            "state": [number(trip.state.value) for trip in trips],
            "problem": [number(trip.problem) for trip in trips],
            "test": [number(trip.test_text) for trip in trips],
            "led_is_on": [
                None if each.led_is_on is None else int(each.led_is_on) for each in trips
            ],
            "frame": [number(printable(trip.frame.raw)) if trip.frame else None for trip in trips],
            "reply": [
                number(printable(trip.frame.reply)) if trip.frame and trip.frame.reply else None
                for trip in trips
            ],
            "how": [number(_how(trip)) for trip in trips],
            "press_to_led_ms": micro(each.press_to_led_ms for each in measured),
            "press_to_frame_ms": micro(each.press_to_frame_ms for each in measured),
            "frame_to_reply_ms": micro(each.frame_to_reply_ms for each in measured),
            "handshake_ms": micro(each.handshake_ms for each in measured),
        }


def _how(trip: RecordedTrip) -> str:
    if trip.connection is None:
        return ""
    if not trip.connection.secure:
        return "clear"
    return trip.connection.tls_version or "TLS failed"


def _differences(numbers: Sequence[int]) -> list[int]:
    return [now - before for before, now in zip((0, *numbers), numbers)]


def printable(raw: bytes) -> str:
    """Bytes as text if they are that, else in hex."""
    if all(0x20 <= byte < 0x7F for byte in raw):
        return raw.decode("ascii")
    return "0x" + raw.hex().upper()
