"""wwep-rig: press a board's button, watch its LED, be its server.

    from wwep_rig import open_bench

    with open_bench("sim") as bench:
        bench.target.start()
        trip = bench.press("button0")
        print(trip.latencies.press_to_led_ms)

The names below load the C++ side when they are first used, so that the certificates and `doctor`
work where it is not built.
"""

from importlib import import_module
from pkgutil import extend_path
from typing import TYPE_CHECKING

__path__ = extend_path(__path__, __name__)

if TYPE_CHECKING:
    from . import faults as faults
    from .acceptance import Acceptance as Acceptance
    from .acceptance import accept_latency as accept_latency
    from .bench import Bench as Bench
    from .opening import open_bench as open_bench
    from .bench_config import BenchConfig as BenchConfig
    from .errors import NoBench as NoBench
    from .errors import RigError as RigError
    from .errors import TargetFailed as TargetFailed
    from .errors import WwepRigError as WwepRigError
    from .recording import Recording as Recording
    from .round_trip import RoundTrip as RoundTrip
    from .round_trip import Until as Until
    from .round_trip import Verdict as Verdict

_HOMES = {
    "Acceptance": "acceptance",
    "accept_latency": "acceptance",
    "Bench": "bench",
    "open_bench": "opening",
    "BenchConfig": "bench_config",
    "NoBench": "errors",
    "RigError": "errors",
    "TargetFailed": "errors",
    "WwepRigError": "errors",
    "Recording": "recording",
    "RoundTrip": "round_trip",
    "Until": "round_trip",
    "Verdict": "round_trip",
}

__all__ = [
    "Acceptance",
    "Bench",
    "BenchConfig",
    "NoBench",
    "Recording",
    "RigError",
    "RoundTrip",
    "TargetFailed",
    "Until",
    "Verdict",
    "WwepRigError",
    "accept_latency",
    "faults",
    "open_bench",
]


def __getattr__(name: str) -> object:
    if name == "faults":
        return import_module(".faults", __name__)
    if name in _HOMES:
        return getattr(import_module(f".{_HOMES[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
