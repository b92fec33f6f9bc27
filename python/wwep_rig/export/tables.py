"""Rows as CSV and as JSON lines. Bytes are in hex, times are the timeline's nanoseconds."""

import csv
import heapq
import json
from collections.abc import Iterable, Iterator
from typing import TextIO

from .recorded import Cell, Recorded, Row

TIMELINE = "timeline"  # the view of everything, for people
WALL_TIME = "wall_time_ns"  # a row's first time as nanoseconds since 1970


def write_csv(recorded: Recorded, table: str, out: TextIO) -> None:
    """One table, or the timeline. The first line names the columns; NULL is an empty field."""
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*recorded.columns(table), WALL_TIME])
    for row in recorded.rows(table):
        writer.writerow([*map(_plain, row.values()), recorded.wall_ns(_time_of(row))])


def write_jsonl(recorded: Recorded, tables: Iterable[str], out: TextIO) -> None:
    """Rows of several tables in the order of time: one JSON object a line, `table` says whose."""

    def told(table: str) -> Iterator[tuple[int, str, Row]]:
        for row in recorded.rows(table):
            yield _time_of(row), table, row

    merged = heapq.merge(*map(told, tables), key=lambda each: each[0])
    for at_ns, table, row in merged:
        value: dict[str, int | str | None] = {"table": table}
        value |= {name: _plain(cell) for name, cell in row.items()}
        value[WALL_TIME] = recorded.wall_ns(at_ns)
        out.write(json.dumps(value, ensure_ascii=False) + "\n")


def _plain(cell: Cell) -> int | str | None:
    return cell.hex() if isinstance(cell, bytes) else cell


def _time_of(row: Row) -> int:
    """A row's first time: the tables are in the order of it."""
    for name, cell in row.items():
        if name.endswith("_ns"):
            return cell if isinstance(cell, int) else 0
    return 0
