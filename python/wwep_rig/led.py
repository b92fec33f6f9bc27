"""LEDs as scripts use them: wait for one, and say what it must do for a while.

Every judgement is made on the edges' own timestamps, never on when this program woke up. A failure
shows the edges that were seen.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from . import _core
from ._core import LedAnswer
from .errors import RigError, TargetFailed, first_of
from .explained import Explained
from .target import Target

# An edge comes out of the kernel, or over the wire of a simulated board, a little after its stamp.
EDGES_LATE_MAX_S = 0.02
PERIODS_DEFAULT = 3
_WAITS_AT_ONCE_S = 0.1


@dataclass(frozen=True)
class LedEdge:
    """An LED changed.

    Attributes:
        at_ns: when, by the kernel's clock (or the simulated board's).
        is_on: whether it is lit from then on.
    """

    at_ns: int
    is_on: bool


@dataclass(frozen=True)
class LedWindow:
    """What an LED did between two moments.

    Attributes:
        from_ns: where the window begins.
        until_ns: where it ends; an edge of that moment is outside.
        was_on: whether it was lit just before `from_ns`.
        edges: what it did, oldest first.
        on_share: for how much of the window it was lit, 0 to 1.
        edges_lost: edges of that time which the rig knows to have lost; 0 is good.
        text: `off; on at 12.031 ms, off at 512.104 ms`, times from the window's beginning.
    """

    from_ns: int
    until_ns: int
    was_on: bool
    edges: tuple[LedEdge, ...]
    on_share: float
    edges_lost: int
    text: str


class LedView:
    """An LED that the rig watches. Made by `Bench.led`.

    The moments that its methods take, `from_ns`, are those of edges and presses: CLOCK_MONOTONIC in
    nanoseconds. A moment in the past is fine as long as its edges are kept (the last 10 000).
    """

    def __init__(
        self,
        core: _core.Bench,
        name: str,
        *,
        target: Target,
        explained: Explained,
        debounce_us: int = 0,
    ) -> None:
        """An LED of a bench that is open.

        Args:
            core: the bench.
            name: of the LED's line.
            target: what lights it.
            explained: where the script's waits are kept.
            debounce_us: the kernel's filter on its line; 0: none. Its edges come that much later.
        """
        self._core = core
        self._target = target
        self._explained = explained
        self._edges_late_s = EDGES_LATE_MAX_S + debounce_us / 1e6
        self.name = name

    @property
    def is_on(self) -> bool:
        """Whether it is lit now."""
        return self._core.led_is_on(self.name)

    def wait_for_on(self, *, timeout_s: float, from_ns: int | None = None) -> int:
        """Wait until it is lit, which it may be already.

        Args:
            timeout_s: how long; an edge counts by its own timestamp.
            from_ns: from when on, such as a press's `at_ns`; None: now.

        Returns:
            When it came on, in nanoseconds; 0 if it was lit before.

        Raises:
            TargetFailed: it was dark all the time. The text shows its edges.
            RigError: the rig lost edges meanwhile, or erred.
        """
        return self._wait_for(True, timeout_s, from_ns)

    def wait_for_off(self, *, timeout_s: float, from_ns: int | None = None) -> int:
        """Wait until it is dark; otherwise as `wait_for_on`."""
        return self._wait_for(False, timeout_s, from_ns)

    def stays_on(self, *, for_s: float, from_ns: int | None = None) -> None:
        """It must be lit for the whole of a time. Fails as soon as it is not.

        Args:
            for_s: how long.
            from_ns: from when on; None: now. An edge at that very moment counts.

        Raises:
            TargetFailed: it was not, or the target has ended. The text shows its edges.
            RigError: the rig lost edges meanwhile, so that nobody can tell, or erred.
        """
        self._stays(True, for_s, from_ns)
        if not self._target.is_running:
            # A simulated LED has no supply that could go: the rig must not take it for lit.
            raise TargetFailed(f"{self.name}: expected it to stay on, but the target has ended")

    def stays_off(self, *, for_s: float, from_ns: int | None = None) -> None:
        """It must be dark for the whole of a time; otherwise as `stays_on`."""
        self._stays(False, for_s, from_ns)

    def blinks(
        self,
        *,
        period_s: float,
        duty: float = 0.5,
        tolerance: float = 0.1,
        for_s: float | None = None,
        from_ns: int | None = None,
    ) -> LedWindow:
        """It must blink like that for the whole of a time: every time on, every time off.

        Args:
            period_s: from one switching on to the next.
            duty: the share of the period that it is lit, between 0 and 1.
            tolerance: the share of the period by which each period and each time on or off may
                differ, 0 to 0.5.
            for_s: how long, at least two periods; None: three periods.
            from_ns: from when on; None: now.

        Returns:
            What it did.

        Raises:
            TargetFailed: it did not. The text shows its edges.
            RigError: the rig lost edges meanwhile, the time is too short to tell, or the rig erred.
            ValueError: a period, duty or tolerance that makes no sense.
        """
        length_s = PERIODS_DEFAULT * period_s if for_s is None else for_s
        judged, window = self._watch(length_s, from_ns)
        self._judge(_core.led_blinks(judged, period_s=period_s, duty=duty, tolerance=tolerance))
        return window

    def edges(
        self, *, for_s: float, from_ns: int | None = None, count: int | None = None
    ) -> tuple[LedEdge, ...]:
        """What it does within a time.

        Args:
            for_s: how long.
            from_ns: from when on; None: now.
            count: how many edges there must be; None: any number.

        Raises:
            TargetFailed: there are more or fewer. The text shows them.
            RigError: the rig lost edges meanwhile, so that nobody can tell, or erred.
        """
        judged, window = self._watch(for_s, from_ns)
        seen = len(window.edges)
        expected = "its edges" if count is None else f"{count} edges"
        # One edge too many is enough, whatever else was lost.
        if window.edges_lost and not (count is not None and seen > count):
            raise RigError(self._lost_text(judged, expected, window.edges_lost))
        if count is not None and seen != count:
            raise TargetFailed(
                f"{self.name}: expected {expected} within {_ms(judged)}, not {seen}; "
                f"seen: {judged.describe()}"
            )
        return window.edges

    def window(self, *, for_s: float, from_ns: int | None = None) -> LedWindow:
        """What it does within a time, to be judged by the script itself.

        Args:
            for_s: how long.
            from_ns: from when on; None: now.
        """
        return self._watch(for_s, from_ns)[1]

    def _watch(self, for_s: float, from_ns: int | None) -> tuple[_core.LedWindow, LedWindow]:
        """Wait until a window is over and its last edges have been read."""
        begin_ns, until_ns = self._bounds(for_s, from_ns)
        with _without_rig_error(self._core):
            while (left_s := self._left_s(until_ns)) > 0:
                # Pieces, so that Ctrl-C is heard.
                time.sleep(min(left_s, _WAITS_AT_ONCE_S))
            judged = self._core.led_window(self.name, begin_ns, until_ns)
        self._explained.add_everything_before(self._core.cursor())
        return judged, _window_of(judged)

    def _stays(self, on: bool, for_s: float, from_ns: int | None) -> None:
        begin_ns, until_ns = self._bounds(for_s, from_ns)

        def look() -> _core.LedVerdict:
            # An edge counts from its own moment on: one right at the beginning comes before it.
            window = self._core.led_window(self.name, min(begin_ns + 1, until_ns), until_ns)
            return _core.led_stays(window, on)

        with _without_rig_error(self._core):
            verdict = look()
            left_s = self._left_s(until_ns)
            if verdict.answer == LedAnswer.yes and left_s > 0:
                self._core.wait_led(self.name, not on, left_s)
                verdict = look()
        self._judge(verdict)

    def _wait_for(self, on: bool, timeout_s: float, from_ns: int | None) -> int:
        begin_ns, until_ns = self._bounds(timeout_s, from_ns)

        def look() -> tuple[_core.LedWindow, int | None]:
            window = self._core.led_window(self.name, begin_ns, until_ns)
            if window.was_on == on:
                return window, 0
            return window, next((edge.at_ns for edge in window.edges if edge.is_on == on), None)

        with _without_rig_error(self._core):
            window, came_ns = look()
            left_s = self._left_s(until_ns)
            if came_ns is None and left_s > 0:
                self._core.wait_led(self.name, on, left_s)
                window, came_ns = look()
        self._explained.add_everything_before(self._core.cursor())
        if came_ns is not None:
            return came_ns
        state = "on" if on else "off"
        if lost := _lost_in(window):
            raise RigError(self._lost_text(window, f"it to be {state}", lost))
        dead = "" if self._target.is_running else " The target had ended."
        raise TargetFailed(
            f"{self.name}: waited {timeout_s:g} s for it to be {state}; seen: "
            f"{window.describe()}.{dead}"
        )

    def _bounds(self, for_s: float, from_ns: int | None) -> tuple[int, int]:
        if not for_s > 0:
            raise ValueError(f"{self.name}: a time to watch it must be longer than 0 s: {for_s:g}")
        begin_ns = self._core.now_ns() if from_ns is None else from_ns
        return begin_ns, begin_ns + round(for_s * 1e9)

    def _left_s(self, until_ns: int) -> float:
        """Until everything before a moment has been read."""
        return (until_ns - self._core.now_ns()) / 1e9 + self._edges_late_s

    def _judge(self, verdict: _core.LedVerdict) -> None:
        if verdict.answer == LedAnswer.no:
            raise TargetFailed(verdict.text)
        if verdict.answer == LedAnswer.cannot_tell:
            raise RigError(verdict.text)

    def _lost_text(self, window: _core.LedWindow, expected: str, lost: int) -> str:
        return (
            f"{self.name}: expected {expected} within {_ms(window)}; the rig lost {lost} edges, so "
            f"nobody can tell; seen: {window.describe()}"
        )


@contextmanager
def _without_rig_error(core: _core.Bench) -> Iterator[None]:
    """Raises RigError at its end when the rig erred meanwhile: then an LED says nothing."""
    known = len(core.rig_errors)
    yield
    if new := core.rig_errors[known:]:
        raise RigError(first_of(new))


def _lost_in(window: _core.LedWindow) -> int:
    return window.lost_after + sum(edge.lost_before for edge in window.edges)


def _window_of(window: _core.LedWindow) -> LedWindow:
    return LedWindow(
        from_ns=window.from_ns,
        until_ns=window.until_ns,
        was_on=window.was_on,
        edges=tuple(LedEdge(edge.at_ns, edge.is_on) for edge in window.edges),
        on_share=window.on_share,
        edges_lost=_lost_in(window),
        text=window.describe(),
    )


def _ms(window: _core.LedWindow) -> str:
    return f"{(window.until_ns - window.from_ns) / 1e6:.3f} ms"
