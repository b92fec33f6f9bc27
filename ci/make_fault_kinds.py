#!/usr/bin/env python3
"""Writes what follows from the table of faults (harness/server/fault_table.cpp).

    .venv/bin/python ci/make_fault_kinds.py [--check]

It writes python/wwep_rig/fault_kinds.py, the classes that scripts use, and harness/server/FAULTS.md
for people. --check only compares, and exits with 1 if one of them is behind the table. The module
that the preset dev built must be there.
"""

import sys
import textwrap
from pathlib import Path

from wwep_rig import _core

ROOT = Path(__file__).resolve().parent.parent
KINDS = ROOT / "python/wwep_rig/fault_kinds.py"
PAGE = ROOT / "harness/server/FAULTS.md"
COMMAND = "ci/make_fault_kinds.py"

POINTS = {
    "listener": "in force at once",
    "connection": "each connection",
    "frame": "each frame",
}


def seconds(text: str) -> float:
    """A duration of the table in seconds."""
    for unit, factor in (("min", 60.0), ("ms", 1e-3), ("us", 1e-6), ("ns", 1e-9), ("s", 1.0)):
        if text.endswith(unit):
            return float(text.removesuffix(unit)) * factor
    raise ValueError(text)


def field_name(parameter: _core.FaultParameter) -> str:
    """What the parameter is called in Python: durations say that they are seconds."""
    return f"{parameter.name}_s" if parameter.type == "duration" else parameter.name


def field_line(parameter: _core.FaultParameter) -> str:
    """The dataclass field."""
    words = ", ".join(f'"{word}"' for word in parameter.words.split("|"))
    type_name = {
        "duration": "float",
        "number": "int",
        "text": f"Literal[{words}]" if parameter.words else "str",
    }[parameter.type]
    usual = ""
    if parameter.usual is not None:
        value: object = parameter.usual
        if parameter.type == "duration":
            value = seconds(parameter.usual)
        elif parameter.type == "number":
            value = int(parameter.usual, 0)
        usual = f' = "{value}"' if isinstance(value, str) else f" = {value!r}"
    line = f"    {field_name(parameter)}: {type_name}{usual}"
    if len(line) <= 100:
        return line
    literals = "".join(f'        "{word}",\n' for word in parameter.words.split("|"))
    return f"    {field_name(parameter)}: Literal[\n{literals}    ]{usual}"


def help_of(parameter: _core.FaultParameter) -> str:
    """Its help with the unit or the range."""
    if parameter.type == "duration":
        return f"{parameter.help} In seconds, 0 to 600."
    if parameter.type == "number":
        return f"{parameter.help} {parameter.min} to {parameter.max}."
    return parameter.help


def class_name(info: _core.FaultInfo) -> str:
    """no_reply: NoReply."""
    return "".join(word.capitalize() for word in info.name.split("_"))


def class_text(info: _core.FaultInfo) -> str:
    """One dataclass."""
    lines = ["@dataclass(frozen=True)", f"class {class_name(info)}:"]
    doc = textwrap.wrap(f'"""{info.help}', 94)
    if info.parameters:
        doc += ["", "Attributes:"]
        for parameter in info.parameters:
            text = f"{field_name(parameter)}: {help_of(parameter)}"
            doc += textwrap.wrap(text, 90, initial_indent="    ", subsequent_indent=" " * 8)
        doc += ['"""']
    else:
        doc[-1] += '"""'
    lines += [f"    {line}".rstrip() for line in doc]
    lines += ["", f'    KIND: ClassVar[str] = "{info.name}"']
    lines += [field_line(parameter) for parameter in info.parameters]
    return "\n".join(lines)


def kinds_text(table: list[_core.FaultInfo]) -> str:
    """The module fault_kinds."""
    header = (
        '"""The kinds of faults. Written by ci/make_fault_kinds.py from the server\'s own table; '
        'do not\nchange it by hand."""\n\n'
        "from dataclasses import dataclass\nfrom typing import ClassVar, Literal\n"
    )
    classes = "".join(f"\n\n{class_text(info)}\n" for info in table)
    names = "\n    | ".join(class_name(info) for info in table)
    return f"{header}{classes}\n\nFault = (\n    {names}\n)\n"


def page_text(table: list[_core.FaultInfo]) -> str:
    """The page about faults."""
    lines = [
        "# What the server can do wrong",
        "",
        f"Written by `{COMMAND}` from `fault_table.cpp`; do not change it by hand.",
        "`wwep-rig serve --fault help` prints the same.",
        "",
        "A fault has a kind, parameters, and words that say when it fires:",
        "",
        "| word | meaning |",
        "|---|---|",
        *(f"| `{word}` | {meaning} |" for word, meaning in MATCHES),
        "",
        "| fault | parameters | a chance | what goes wrong |",
        "|---|---|---|---|",
    ]
    for info in table:
        parameters = "<br>".join(
            f"`{each.name}`{'' if each.usual is None else f' (`{each.usual}`)'}: {help_of(each)}"
            for each in info.parameters
        ).replace("|", "\\|")
        chance = POINTS[info.point] + ("" if info.port == "any" else f" on the {info.port} port")
        lines.append(f"| `{info.name}` | {parameters} | {chance} | {info.help} |")
    return "\n".join(lines) + "\n"


MATCHES = (
    ("nth=N", "On the nth chance only, counted from 1 since it was armed; else on each."),
    ("device=XXXX", "For frames of this device only; in hex. Faults of frames only."),
    ("port=clear", "On this port only: `clear` or `secure`."),
    ("probability=P", "On each chance with this probability, 0 to 1."),
    ("seed=N", "Of the dice, so that a run can be repeated."),
    ("optional", "It may go unused. Otherwise that is reported, and fails a scenario."),
)


def main() -> int:
    """Write, or compare."""
    table = _core.fault_table()
    wanted = {KINDS: kinds_text(table), PAGE: page_text(table)}
    behind = [path for path, text in wanted.items() if not same(path, text)]
    if "--check" in sys.argv[1:]:
        for path in behind:
            print(f"{path.relative_to(ROOT)} is behind the table of faults: run {COMMAND}")
        return 1 if behind else 0
    for path in behind:
        path.write_text(wanted[path])
        print(f"wrote {path.relative_to(ROOT)}")
    return 0


def same(path: Path, text: str) -> bool:
    """Whether the file holds that text."""
    return path.exists() and path.read_text() == text


if __name__ == "__main__":
    sys.exit(main())
