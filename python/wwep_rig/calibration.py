"""The rig's measurement of itself: what it adds to each latency, kept for the runs that follow.

A button wired to an LED is driven again and again. How long after the call that sets the line the
LED's edge is stamped is the least that any latency from a press can be: the rig's floor.
"""

import hashlib
import json
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from . import _core
from .bench_config import Budgets
from .errors import NoBench, RigError
from .user_dirs import state_directory


@dataclass(frozen=True)
class Spread:
    """How a duration spreads, in milliseconds; percentiles by nearest rank.

    Attributes:
        jitter_ms: the longest less the shortest.
    """

    p50_ms: float
    p99_ms: float
    max_ms: float
    jitter_ms: float


@dataclass(frozen=True)
class Calibration:
    """What a rig adds itself.

    Attributes:
        bench: the bench's name.
        loopback: `button0:led0`, the lines that were wired together.
        over: what joined them: `wire`, or the firmware that stood for one.
        host: the machine, with its kernel.
        lines: digest of the bench's lines: on other lines it says nothing.
        measured_at: local time, ISO 8601.
        samples: how often the line was set.
        missed: how often no edge came back in time.
        set_call: how long setting the line takes: a press is uncertain by it.
        set_to_edge: from right before that call to the edge's stamp.
        edge_to_read: from the stamp to the edge being in the rig's hands.
        edge_to_python: from the stamp to the script that waits for it.
    """

    bench: str
    loopback: str
    over: str
    host: str
    lines: str
    measured_at: str
    samples: int
    missed: int
    set_call: Spread
    set_to_edge: Spread
    edge_to_read: Spread
    edge_to_python: Spread

    @property
    def text(self) -> str:
        """Where the floor comes from, in one line for people."""
        return (
            f"p99 of {self.samples} over {self.loopback} ({self.over}), measured {self.measured_at}"
        )

    @property
    def floors_ms(self) -> dict[str, float]:
        """What no latency can be told to be less than, by the fields of `Latencies`.

        An LED's edge is late by what the loop shows; a frame's stamp is the network's, so only the
        press's own uncertainty counts. The 99th percentile: a budget below it would now and then
        blame the target for the rig.
        """
        return {
            "press_to_led_ms": self.set_to_edge.p99_ms,
            "press_to_frame_ms": self.set_call.p99_ms,
        }


def host() -> str:
    """This machine and its kernel: another one has another floor."""
    return f"{platform.node()} {platform.release()}"


def digest_of(bench_file: _core.BenchFile) -> str:
    """Of the lines that a bench file describes, and of the kind that carries them."""
    whole = json.loads(bench_file.to_json())
    text = json.dumps([bench_file.kind, whole["lines"]], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def place_of(bench: str, environment: Mapping[str, str]) -> Path:
    """The file that keeps a bench's calibration."""
    return state_directory(environment) / "calibration" / f"{bench}.json"


def save(calibration: Calibration, environment: Mapping[str, str]) -> Path:
    """Keep it for the runs that follow; the file."""
    path = place_of(calibration.bench, environment)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_suffix(".new")
        new.write_text(json.dumps(asdict(calibration), indent=2) + "\n")
        new.replace(path)
    except OSError as error:
        raise RigError(f"keep the calibration in {path}: {error.strerror}") from None
    return path


def load(bench_file: _core.BenchFile, environment: Mapping[str, str]) -> Calibration | None:
    """What was measured for a bench; None: nothing, or not on this machine and these lines."""
    try:
        value = json.loads(place_of(bench_file.name, environment).read_text())
    except (OSError, ValueError):
        return None
    calibration = from_value(value)
    if calibration is None or (calibration.host, calibration.lines) != (
        host(),
        digest_of(bench_file),
    ):
        return None
    return calibration


def from_value(value: object) -> Calibration | None:
    """From JSON, as a recording's facts hold it; None: it is none."""
    if not isinstance(value, dict):
        return None
    parts: dict[str, Any] = dict(value)
    try:
        for name in ("set_call", "set_to_edge", "edge_to_read", "edge_to_python"):
            parts[name] = Spread(**{key: float(each) for key, each in parts[name].items()})
        return Calibration(**parts)
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def refuse_budgets_below(
    floor: Calibration | None, budgets: Mapping[str, float | None], where: str
) -> None:
    """Raise NoBench for a budget that the rig itself would use up.

    Args:
        floor: what was measured; None: nothing, and nothing is refused.
        budgets: in milliseconds, by the fields of `Latencies`; None: not judged.
        where: what stands before their names, as `budgets.`.
    """
    if floor is None:
        return
    for name, floor_ms in floor.floors_ms.items():
        budget_ms = budgets.get(name)
        if budget_ms is not None and budget_ms < floor_ms:
            raise NoBench(
                f"{where}{name} = {budget_ms:g} is below the rig's own floor of {floor_ms:.3f} ms "
                f"(p99 of {floor.samples} over {floor.loopback}, measured {floor.measured_at}): "
                "the rig cannot judge that",
                "allow more, or measure again: wwep-rig doctor --loopback",
            )


def latency_budgets(budgets: Budgets) -> dict[str, float | None]:
    """The budgets of a bench file that limit latencies, by the fields of `Latencies`."""
    return {
        "press_to_led_ms": budgets.press_to_led_ms,
        "press_to_frame_ms": budgets.press_to_frame_ms,
    }
