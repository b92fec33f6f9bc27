"""Buttons, LEDs and markers as a Value Change Dump, for GTKWave and PulseView."""

from collections.abc import Iterable, Iterator
from enum import Enum
from typing import NamedTuple, TextIO

from .recorded import Recorded, blob, number, text

_STILL_GOING_ON = 1 << 62  # an end in the far future


class TimeUnit(Enum):
    """How finely a dump tells times: its value is the unit in nanoseconds."""

    NS = 1
    US = 1_000

    @property
    def word(self) -> str:
        """As the command line and the dump's head spell it."""
        return self.name.lower()


class _Change(NamedTuple):
    """A signal's new value: `0`, `1`, or a text for a signal of that kind."""

    at_ns: int
    scope: str
    signal: str
    value: str
    is_text: bool = False


def write_vcd(recorded: Recorded, out: TextIO, unit: TimeUnit) -> None:
    """The whole recording; time 0 is its first change.

    Levels are electrical, as on a logic analyser's probe: 0 is low. Before its first edge a line
    had the other level. Markers are high from a thing's beginning to its end, and one unit long
    where it has none.
    """
    changes = sorted(_changes(recorded, unit.value), key=lambda each: each.at_ns)
    zero_ns = changes[0].at_ns if changes else recorded.began_ns
    codes = _codes(changes)
    out.write(f"$comment {recorded.title.replace('$end', '$ end')} $end\n")
    out.write(
        f"$comment time 0 is {zero_ns} ns on the recording's clock, "
        f"{recorded.wall_ns(zero_ns)} ns since 1970 $end\n"
    )
    out.write(f"$timescale 1 {unit.word} $end\n")
    for scope in sorted({each[0] for each in codes}):
        out.write(f"$scope module {scope} $end\n")
        for (of, signal, is_text), code in codes.items():
            if of == scope:
                kind = "string" if is_text else "wire"
                out.write(f"$var {kind} 1 {code} {signal} $end\n")
        out.write("$upscope $end\n")
    out.write("$enddefinitions $end\n#0\n$dumpvars\n")
    for key, code in codes.items():
        out.write(_value_line(code, _value_before(changes, key), key[2]))
    out.write("$end\n")
    _write_changes(changes, codes, zero_ns, unit, out)


def _write_changes(
    changes: Iterable[_Change],
    codes: dict[tuple[str, str, bool], str],
    zero_ns: int,
    unit: TimeUnit,
    out: TextIO,
) -> None:
    told_at = 0
    for each in changes:
        at = (each.at_ns - zero_ns) // unit.value
        if at > told_at:
            out.write(f"#{at}\n")
            told_at = at
        out.write(_value_line(codes[_key(each)], each.value, each.is_text))
    out.write(f"#{told_at + 1}\n")


def _changes(recorded: Recorded, shortest_ns: int) -> Iterator[_Change]:
    for edge in recorded.rows("edges"):
        scope = "buttons" if text(edge, "source") == "rig" else "leds"
        level = str(number(edge, "level"))
        yield _Change(number(edge, "at_ns"), scope, _name(text(edge, "line")), level)
    for press in recorded.rows("presses"):
        name = f"press_{_name(text(press, 'line'))}"
        span = (name, number(press, "before_ns"), number(press, "released_ns") or _STILL_GOING_ON)
        yield from _marker("rig", [span], shortest_ns)
    yield from _connection_changes(recorded, shortest_ns)
    for line in recorded.rows("console"):
        yield _Change(number(line, "at_ns"), "target", "console", text(line, "text"), True)
    faults = [
        (f"fault_{_name(text(fault, 'name'))}", number(fault, "at_ns"), 0)
        for fault in recorded.rows("faults")
    ]
    yield from _marker("rig", faults, shortest_ns)


def _connection_changes(recorded: Recorded, shortest_ns: int) -> Iterator[_Change]:
    """Markers for what goes over the wire: in the clear and secure apart, as on two probes."""
    ports: dict[int, str] = {}
    spans = []
    for each in recorded.rows("connections"):
        port = "secure" if number(each, "secure") else "plain"
        ports[number(each, "id")] = port
        ended_ns = number(each, "closed_ns") or _STILL_GOING_ON
        spans.append((f"{port}_connection", number(each, "opened_ns"), ended_ns))
    yield from _marker("server", spans, shortest_ns)
    spans = []
    for frame in recorded.rows("frames"):
        port = ports.get(number(frame, "connection_id"), "plain")
        received_ns, replied_ns = number(frame, "received_ns"), number(frame, "replied_ns")
        spans.append((f"{port}_frame", received_ns, replied_ns))
        if text(frame, "verdict") in ("illegal", "truncated"):
            spans.append((f"{port}_bad_frame", received_ns, 0))
        yield _Change(received_ns, "server", "frame", _shown(blob(frame, "raw")), True)
        if replied_ns:
            spans.append((f"{port}_reply", replied_ns, 0))
            yield _Change(replied_ns, "server", "reply", _shown(blob(frame, "reply")), True)
    yield from _marker("server", spans, shortest_ns)


def _marker(
    scope: str, spans: Iterable[tuple[str, int, int]], shortest_ns: int
) -> Iterator[_Change]:
    """High while at least one of the spans lasts: they may overlap."""
    steps: dict[str, list[tuple[int, int]]] = {}
    for signal, began_ns, ended_ns in spans:
        # At least one unit, or a viewer would show nothing.
        ended_ns = max(ended_ns, began_ns + shortest_ns)
        steps.setdefault(signal, []).extend(((began_ns, 1), (ended_ns, -1)))
    for signal, marks in steps.items():
        open_now = 0
        for at_ns, step in sorted(marks, key=lambda mark: (mark[0], -mark[1])):
            if at_ns >= _STILL_GOING_ON:
                break
            was_open, open_now = open_now > 0, open_now + step
            if was_open != (open_now > 0):
                yield _Change(at_ns, scope, signal, "1" if open_now else "0")


def _key(change: _Change) -> tuple[str, str, bool]:
    return change.scope, change.signal, change.is_text


def _codes(changes: Iterable[_Change]) -> dict[tuple[str, str, bool], str]:
    """A short name for each signal, in the order of scopes and names.

    A reader without text signals skips these words; they must not look like a level or a time.
    """
    keys = sorted(set(map(_key, changes)))
    return {key: f"{'t' if key[2] else 'w'}{index}" for index, key in enumerate(keys)}


def _value_before(changes: Iterable[_Change], key: tuple[str, str, bool]) -> str:
    """What a signal was before its first change."""
    if key[2]:
        return ""
    first = next(each for each in changes if _key(each) == key)
    return "0" if first.value == "1" else "1"


def _value_line(code: str, value: str, is_text: bool) -> str:
    if not is_text:
        return f"{value}{code}\n"
    # A string ends at white space, so that has to look like something else.
    return f"s{''.join(c if c.isprintable() and c != ' ' else '_' for c in value)} {code}\n"


def _shown(raw: bytes) -> str:
    is_printable = all(0x20 <= byte < 0x7F for byte in raw)
    return raw.decode("ascii") if is_printable else f"0x{raw.hex()}"


def _name(line: str) -> str:
    return "".join(c if c.isalnum() or c == "_" else "_" for c in line) or "_"
