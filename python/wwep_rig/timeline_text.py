"""Events of the timeline as text for people."""

from collections.abc import Iterable

from . import _core

EVENTS_SHOWN = 15


def event_line(event: _core.Event, zero_ns: int) -> str:
    """One line: milliseconds since `zero_ns`, lane, what happened."""
    return row_line(event.at_ns, event.lane, event.text, zero_ns)


def row_line(at_ns: int, lane: str, text: str, zero_ns: int) -> str:
    """The same of a row of a recording."""
    return f"{(at_ns - zero_ns) / 1e6:+12.3f} ms  {lane:<10}  {text}"


def last_events(events: Iterable[_core.Event], zero_ns: int, count: int = EVENTS_SHOWN) -> str:
    """The last `count` events, one a line; says so when there is none."""
    shown = sorted(events, key=lambda event: event.at_ns)[-count:]
    return "\n".join(event_line(each, zero_ns) for each in shown) or "nothing happened"
