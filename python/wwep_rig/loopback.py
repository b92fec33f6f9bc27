"""Measures the rig over a button that is wired to an LED: what `calibration` keeps."""

import time
from collections.abc import Callable
from datetime import datetime

from . import _core
from .bench import Bench
from .calibration import Calibration, Spread, host
from .errors import NoBench, RigError, TargetFailed

SAMPLES_DEFAULT = 1000
PRESSES_MAX = 100
_HOLD_S = 0.002
_ANSWER_S = 1.0


def measure(
    bench: Bench,
    button: str,
    led: str,
    *,
    over: str,
    lines: str,
    samples: int,
    tell: Callable[[str], None] = lambda text: None,
) -> Calibration:
    """Measure. The bench can do nothing else afterwards but be closed.

    Args:
        bench: an open one, with a wire from the button to the LED.
        button: the line that is driven.
        led: the line that follows.
        over: what joins them, for people.
        lines: `digest_of` the bench's file.
        samples: how often to set the line.
        tell: hears now and then how far it is.

    Raises:
        RigError: the LED does not follow.
        NoBench: there is no such line.
    """
    if button not in bench.buttons:
        raise NoBench(f"bench {bench.name} has no button {button!r}")
    bench.led(led)
    presses = min(samples, PRESSES_MAX)
    to_python = []
    for pressed in range(presses):
        tell(f"press {pressed + 1} of {presses}")
        to_python.append(_edge_to_python(bench, button, led))
    report = bench.measure_loopback(
        button, led, samples=samples, tell=lambda done: tell(f"edge {done} of {samples}")
    )
    return Calibration(
        bench=bench.name,
        loopback=f"{button}:{led}",
        over=over,
        host=host(),
        lines=lines,
        measured_at=datetime.now().astimezone().isoformat(timespec="seconds"),
        samples=report.samples,
        missed=report.missed,
        set_call=_spread(report.set_call),
        set_to_edge=_spread(report.set_to_edge),
        edge_to_read=_spread(report.edge_to_read),
        edge_to_python=_spread(_core.spread_of(to_python)),
    )


def _edge_to_python(bench: Bench, button: str, led: str) -> int:
    """Nanoseconds from an edge's stamp to this thread, which waits for it, the ordinary way."""
    window = bench.record()
    bench.start_press(button, hold_s=_HOLD_S)
    give_up_at = time.monotonic() + _ANSWER_S
    not_wired = RigError(
        f"{led} does not follow {button}",
        f"wire them together, and pull the wire up if {button} is open-drain",
    )
    edge_ns = 0
    while not edge_ns:
        events = window.next_events(timeout_s=_ANSWER_S)
        now_ns = time.monotonic_ns()
        edges = [each.value for each in events if isinstance(each.value, _core.EdgeSeen)]
        edge_ns = next((edge.at_ns for edge in edges if edge.line == led), 0)
        if not edge_ns and time.monotonic() > give_up_at:
            raise not_wired
    try:
        window.wait_for(
            lambda event: isinstance(event.value, _core.EdgeSeen)
            and event.value.line == led
            and event.value.at_ns > edge_ns,
            f"{led} to follow the release of {button}",
            timeout_s=_ANSWER_S,
        )
    except TargetFailed as error:  # the first edge was not the press's: nobody else is to blame
        raise not_wired from error
    return now_ns - edge_ns


def _spread(spread: _core.Spread) -> Spread:
    return Spread(
        *(ns / 1e6 for ns in (spread.p50_ns, spread.p99_ns, spread.max_ns, spread.jitter_ns))
    )
