"""What a recording holds, as the exports read it: rows by table, the run's clock."""

import json
from collections.abc import Iterator
from pathlib import Path

from wwep_rig import _core

Cell = int | str | bytes | None
Row = dict[str, Cell]

NS_PER_S = 1_000_000_000


class Recorded:
    """A recording, open for reading: a finished one, or one that grows or was left by a crash."""

    def __init__(self, path: Path) -> None:
        """Raises RigError: no such file, no recording, written by a newer rig."""
        self.path = path
        self._reader = _core.RecordingReader(str(path))
        self.run: dict[str, object] = json.loads(self._reader.run_json())

    def rows(self, table: str) -> Iterator[Row]:
        """A table's rows in the order of time, one by one."""
        return iter(self._reader.rows(table))

    def columns(self, table: str) -> list[str]:
        """The names of a table's columns."""
        return self._reader.rows(table).columns

    @property
    def tables(self) -> list[str]:
        """The tables that it has: older recordings have fewer."""
        return sorted(self._reader.counts())

    @property
    def began_ns(self) -> int:
        """The run's beginning on the timeline's clock; 0: the recording does not say."""
        return _number(self.run.get("began_ns"))

    def wall_ns(self, at_ns: int) -> int:
        """A time of the timeline as nanoseconds since 1970."""
        return at_ns - self.began_ns + _number(self.run.get("began_wall_ns"))

    @property
    def title(self) -> str:
        """Which run it is, in a line."""
        return (
            f"recording {self.path.name} of bench {self.run.get('bench', '')!s}: "
            f"{self.run.get('command', '')!s} on {self.run.get('host', '')!s}"
        )


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def number(row: Row, column: str) -> int:
    """A column that holds a number; 0 where it holds none."""
    return _number(row.get(column))


def text(row: Row, column: str) -> str:
    """A column that holds a text; empty where it holds none."""
    value = row.get(column)
    return value if isinstance(value, str) else ""


def blob(row: Row, column: str) -> bytes:
    """A column that holds bytes; empty where it holds none."""
    value = row.get(column)
    return value if isinstance(value, bytes) else b""
