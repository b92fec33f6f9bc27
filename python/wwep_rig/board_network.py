"""The network of a board that is no real one, as scripts use it: cable, name and time servers.

    with bench.network.wrong_time(by_s=400 * 86400):
        bench.target.power_cycle()
        ...
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from . import _core
from .bad_link import BadLink, LinkFaults
from .name_trouble import NameTrouble


class BoardNetwork:
    """What the board finds in its network besides the server.

    Each method is a `with` block, after which all is as it should be. Lies of the same server do
    not nest: the inner one's end is the truth. Each time one is told it is a fault on the timeline.
    All raise NoBench on a bench whose board has no such network: a board that is a process has its
    names only.
    """

    def __init__(self, core: _core.Bench, name_trouble: Path | None) -> None:
        """`name_trouble` is the file that a board which is a process goes by; None: it is none."""
        self._core = core
        self._tell_names = (
            core.set_name_lie if name_trouble is None else NameTrouble(core, name_trouble).tell
        )

    @contextmanager
    def cable_pulled(self) -> Iterator[None]:
        """No frame reaches the board or leaves it; it is not told: its PHY is not modelled."""
        self._core.set_target_link(False)
        try:
            yield
        finally:
            if self._core.target_is_running:  # one that is started anew has its cable in
                self._core.set_target_link(True)

    def bad_link(
        self,
        *,
        loss: float = 0.0,
        duplicate: float = 0.0,
        reorder: float = 0.0,
        delay_s: float = 0.0,
        seed: int = 0,
        optional: bool = False,
    ) -> BadLink:
        """The board's Ethernet link loses, doubles, re-orders or delays frames, both ways.

        Args:
            loss: the probability of each frame to be lost, 0 to 1.
            duplicate: to come twice.
            reorder: to be overtaken by the next frame.
            delay_s: how much later each frame arrives.
            seed: of the dice, so that a run can be repeated.
            optional: whether it may do nothing; otherwise that fails the test.

        Raises:
            ValueError: that is no bad link.
        """
        faults = LinkFaults(loss, duplicate, reorder, delay_s, seed)
        return BadLink(self._core, faults, optional=optional)

    @contextmanager
    def no_time(self) -> Iterator[None]:
        """The time server does not answer."""
        lie = _core.NetworkLie()
        lie.kind = "silence"
        with _told(self._core.set_time_lie, lie):
            yield

    @contextmanager
    def wrong_time(self, *, by_s: float) -> Iterator[None]:
        """The time server is ahead by so much, or behind if it is negative."""
        lie = _core.NetworkLie()
        lie.ahead_s = by_s
        with _told(self._core.set_time_lie, lie):
            yield

    @contextmanager
    def late_time(self, *, by_s: float) -> Iterator[None]:
        """The time server answers so much later, with the time of the question."""
        lie = _core.NetworkLie()
        lie.late_s = by_s
        with _told(self._core.set_time_lie, lie):
            yield

    @contextmanager
    def no_names(self) -> Iterator[None]:
        """The name server does not answer."""
        lie = _core.NetworkLie()
        lie.kind = "silence"
        with _told(self._tell_names, lie):
            yield

    @contextmanager
    def unknown_names(self, *, by_s: float = 0.0) -> Iterator[None]:
        """The name server knows no name any more, and takes so long to say so."""
        lie = _core.NetworkLie()
        lie.kind, lie.late_s = "no-such-name", by_s
        with _told(self._tell_names, lie):
            yield

    @contextmanager
    def wrong_address(self, address: str) -> Iterator[None]:
        """The name server leads all names to another IPv4 address."""
        lie = _core.NetworkLie()
        lie.kind, lie.address = "wrong-address", address
        with _told(self._tell_names, lie):
            yield

    @contextmanager
    def late_names(self, *, by_s: float) -> Iterator[None]:
        """The name server answers so much later."""
        lie = _core.NetworkLie()
        lie.late_s = by_s
        with _told(self._tell_names, lie):
            yield


@contextmanager
def _told(tell: Callable[[_core.NetworkLie], None], lie: _core.NetworkLie) -> Iterator[None]:
    tell(lie)
    try:
        yield
    finally:
        tell(_core.NetworkLie())
