"""What the server does wrong on purpose, and when.

    with bench.server.fault(faults.Late(by_s=0.3), nth=1) as fired:
        trip = bench.press("button0")
    assert fired.count == 1

    storm = faults.at(faults.NoReply(), nth=1), faults.parse("reset bytes=5 nth=2")
    with bench.server.schedule(*storm) as all_fired:
        ...

The kinds are the classes of `fault_kinds`; `wwep-rig serve --fault help` lists them too.
"""

import shlex
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal

from . import _core
from .errors import NoBench, TargetFailed
from .fault_kinds import *  # noqa: F401,F403
from .fault_kinds import Fault


@dataclass(frozen=True)
class Scheduled:
    """A fault and when it fires. Made by `at`, `parse` and `load`.

    Attributes:
        spec: the fault as the server takes it.
        optional: whether it may go unused.
        text: how messages call it.
    """

    spec: _core.FaultSpec
    optional: bool
    text: str


def at(
    fault: Fault,
    *,
    nth: int = 0,
    device: int | None = None,
    port: Literal["any", "clear", "secure"] = "any",
    probability: float = 1.0,
    seed: int = 0,
    optional: bool = False,
) -> Scheduled:
    """A fault and when it fires.

    Args:
        fault: what goes wrong.
        nth: on the nth chance only, from 1; 0: on each. What a chance is, a connection or a frame,
            its kind says.
        device: for frames of this device ID only; None: of any.
        port: on this port only.
        probability: of each chance, 0 to 1.
        seed: of the dice, so that a run can be repeated.
        optional: whether it may go unused. Otherwise a fault that never came into effect fails the
            test at the end of its block.

    Raises:
        ValueError: nth or probability mean nothing.
        NoBench: the fault cannot be like that.
    """
    if nth < 0 or not 0.0 <= probability <= 1.0:
        raise ValueError(f"nth={nth}, probability={probability}: nth from 0, probability 0 to 1")
    words = [(each.name, getattr(fault, each.name)) for each in fields(fault)]
    texts = [
        (name.removesuffix("_s"), f"{value!r}s") if name.endswith("_s") else (name, str(value))
        for name, value in words
    ]
    texts += [("nth", str(nth)), ("port", port), ("seed", str(seed))]
    texts += [("probability", repr(probability))]
    if device is not None:
        texts.append(("device", f"{device:04X}"))
    return Scheduled(_core.make_fault(fault.KIND, texts), optional, str(fault))


def parse(text: str) -> Scheduled:
    """A fault as `serve --fault` takes it: `late by=300ms nth=2 optional`.

    Raises:
        NoBench: there is no such fault, or it cannot be like that.
    """
    try:
        name, *words = shlex.split(text)
    except ValueError as error:
        raise NoBench(f"the fault {text!r} cannot be read: {error}") from None
    pairs = [word.partition("=") for word in words if word != "optional"]
    if bare := [name for name, equals, _ in pairs if not equals]:
        raise NoBench(f"fault {name}: {bare[0]!r} says nothing: write it as name=value")
    spec = _core.make_fault(name, [(key, value) for key, _, value in pairs])
    return Scheduled(spec, "optional" in words, text)


def load(path: Path) -> tuple[Scheduled, ...]:
    """The faults of a TOML file, in its order.

        [[fault]]
        kind = "late"
        by = "300ms"
        nth = 2
        optional = true

    Raises:
        NoBench: the file cannot be read, or one of its faults cannot be; the text names it.
    """
    try:
        whole = tomllib.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise NoBench(f"{path}: {error}") from None
    tables = whole.pop("fault", [])
    if whole or not isinstance(tables, list) or not all(isinstance(t, dict) for t in tables):
        strangers = ", ".join(whole) or "fault"
        raise NoBench(f"{path}: {strangers}: a file of faults holds tables [[fault]] only")
    return tuple(_from_table(path, number, table) for number, table in enumerate(tables, 1))


def _from_table(path: Path, number: int, table: dict[str, object]) -> Scheduled:
    where = f"{path}: fault {number}"
    kind = table.pop("kind", None)
    optional = table.pop("optional", False)
    if not isinstance(kind, str) or not isinstance(optional, bool):
        raise NoBench(f'{where}: kind is a name such as "late", and optional true or false')
    for key, value in table.items():
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise NoBench(f"{where}: {key} is a text or a number, not {value!r}")
    words = [(key, str(value)) for key, value in table.items()]
    try:
        return Scheduled(_core.make_fault(kind, words), optional, kind)
    except NoBench as error:
        raise NoBench(f"{where}: {error}") from None


class Fired:
    """How often a fault came into effect. `count` is known when the `with` block has ended."""

    def __init__(self) -> None:
        self.count = 0


class ArmedFaults:
    """Faults in force for the length of a `with` block.

    A fault that never came into effect fails the test at the end of the block, unless it is
    optional: what the test says about it would otherwise be said about nothing.
    """

    def __init__(self, core: _core.Bench, scheduled: Sequence[Scheduled]) -> None:
        self._core = core
        self._scheduled = tuple(scheduled)
        self._fired = tuple(Fired() for _ in self._scheduled)
        self._ids: list[int] = []

    def __enter__(self) -> tuple[Fired, ...]:
        try:
            for each in self._scheduled:
                self._ids.append(self._core.add_fault(each.spec))
        except BaseException:
            self._disarm()
            raise
        return self._fired

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: object
    ) -> None:
        self._disarm()
        unused = [
            f"{each.text} never came into effect{_which(each.spec)}"
            for each, fired in zip(self._scheduled, self._fired, strict=True)
            if fired.count == 0 and not each.optional
        ]
        if kind is None and unused:
            raise TargetFailed(
                f"the fault {'; the fault '.join(unused)}: nothing that the target did met it. "
                "Say optional=True if that is fine."
            )

    def _disarm(self) -> None:
        for fired, fault_id in zip(self._fired, self._ids, strict=False):
            fired.count = self._core.remove_fault(fault_id)
        self._ids.clear()


class ArmedFault(ArmedFaults):
    """One fault in force for the length of a `with` block; see `ArmedFaults`."""

    def __enter__(self) -> Fired:  # type: ignore[override]
        return super().__enter__()[0]


def _which(spec: _core.FaultSpec) -> str:
    return f", for {spec.point} {spec.nth}" if spec.nth else ""


def help_text() -> str:
    """Every fault with its parameters, for people."""
    lines = ["KIND [name=value]... [nth=N] [device=XXXX] [port=clear|secure] [probability=P]"]
    lines += ["     [seed=N] [optional]", ""]
    for info in _core.fault_table():
        where = "" if info.port == "any" else f" ({info.port} port only)"
        lines.append(f"{info.name}{where}: {info.help}")
        for each in info.parameters:
            usual = "must be given" if each.usual is None else f"{each.usual!r} unless given"
            words = f" One of {each.words}." if each.words else ""
            lines.append(f"    {each.name}: {each.help}{words} {usual}")
    return "\n".join(lines)
