"""Recordings made row by row, for tests of what reads them: thousands of presses in a moment."""

import json
import sqlite3
from pathlib import Path
from typing import Any

SCHEMA = Path(__file__).parents[2] / "harness" / "recorder" / "schema.sql"
MS = 1_000_000
BENCH_FACTS: dict[str, Any] = {
    "kind": "sim",
    "device": "02:00:00:00:00:01",
    "contract": {
        "buttons": {
            "button0": {"led": "led0", "secure": False},
            "button1": {"led": "led1", "secure": True},
        }
    },
    "lines": {
        name: {"active": "low" if name.startswith("button") else "high"}
        for name in ("button0", "button1", "led0", "led1")
    },
    "budgets": {"press_to_led_ms": None, "press_to_frame_ms": None},
    "server": {"identity": "server-rsa", "tls_profile": "modern"},
    "press_timeout_s": 1.0,
}
FLOOR = {
    "bench": "sim",
    "loopback": "button0:led0",
    "over": "wire",
    "host": "lab",
    "lines": "0",
    "measured_at": "2026-01-01T00:00:00",
    "samples": 1000,
    "missed": 0,
    **{
        name: {"p50_ms": 0.1, "p99_ms": 0.2, "max_ms": 0.3, "jitter_ms": 0.2}
        for name in ("set_call", "set_to_edge", "edge_to_read", "edge_to_python")
    },
}


class MadeRecording:
    """A recording under way; `close()` writes it out."""

    def __init__(self, path: Path, *, floor: bool = False, **run: Any) -> None:
        self.path = path
        self.now_ns = 1_000_000_000
        self._presses = 0
        self._levels = {"led0": 0, "led1": 0}
        self._database = sqlite3.connect(path)
        self._database.executescript(SCHEMA.read_text())
        facts = {"bench": BENCH_FACTS, **({"calibration": FLOOR} if floor else {})}
        row = {
            "began_ns": self.now_ns,
            "began_wall_ns": 1_767_225_600 * 1_000_000_000,
            "command": "made",
            "host": "lab",
            "bench": "sim",
            "rig_version": "0.1.0",
            "firmware": "dual_client",
            "facts": json.dumps(facts),
            **run,
        }
        self.insert("runs", **row)

    def insert(self, table: str, **row: Any) -> None:
        """One row."""
        names, marks = ", ".join(row), ", ".join("?" * len(row))
        sql = f"insert into {table}({names}) values({marks})"
        self._database.execute(sql, tuple(row.values()))

    def press(
        self,
        *,
        button: int = 0,
        led_ms: float | None = 1.0,
        frame_ms: float | None = 2.0,
        reply: bytes | None = b"A0006050001",
        every_ms: float = 20.0,
        lines: int = 2,
    ) -> int:
        """A press and what it causes, with as many console lines; its id."""
        self._presses += 1
        number, at, led = self._presses, self.now_ns, f"led{button}"
        self.insert(
            "presses",
            id=number,
            line=f"button{button}",
            before_ns=at,
            after_ns=at + 20_000,
            released_ns=at + 5 * MS,
            profile="ideal",
        )
        for level, after_ns in ((0, 20_000), (1, 5 * MS)):
            self._edge(at + after_ns, f"button{button}", level, "rig")
        if led_ms is not None:
            self._levels[led] ^= 1
            self._edge(at + round(led_ms * MS), led, self._levels[led], "board")
        if frame_ms is not None:
            self._exchange(at + round(frame_ms * MS), button, self._levels[led], reply)
        for line in range(lines):
            self.insert("console", at_ns=at + line * MS, text=f"press {number % 7}: line {line}")
        self.now_ns += round(every_ms * MS)
        return number

    def _edge(self, at_ns: int, line: str, level: int, source: str) -> None:
        self.insert("edges", at_ns=at_ns, line=line, level=level, source=source, seqno=0)

    def _exchange(self, at_ns: int, button: int, value: int, reply: bytes | None) -> None:
        secure = {"tls_version": "TLSv1.3", "cipher": "TLS_AES_128_GCM_SHA256"}
        self.insert(
            "connections",
            id=self._presses,
            opened_ns=at_ns - MS // 2,
            closed_ns=at_ns + MS,
            peer=f"127.0.0.1:{20_000 + self._presses % 40_000}",
            local="127.0.0.1:27708",
            secure=button,
            end_reason="answered",
            handshake_ns=400_000 if button else None,
            **(secure if button else {}),
        )
        self.insert(
            "frames",
            id=self._presses,
            received_ns=at_ns,
            connection_id=self._presses,
            verdict="write",
            device=6,
            register=5,
            value=value,
            raw=f"W000605000{value}".encode(),
            reply=reply,
            replied_ns=None if reply is None else at_ns + 100_000,
            stamp="kernel",
        )

    def test(self, nodeid: str, outcome: str, began_ns: int) -> None:
        """A test from then until now."""
        ended_ns = max(began_ns, self.now_ns - 1)
        self.insert("tests", nodeid=nodeid, began_ns=began_ns, ended_ns=ended_ns, outcome=outcome)

    def close(self, *, is_killed: bool = False) -> Path:
        """The file."""
        if not is_killed:
            self.now_ns += 2_000 * MS
            self._database.execute("update runs set ended_ns = ?", (self.now_ns,))
        self._database.commit()
        self._database.close()
        return self.path
