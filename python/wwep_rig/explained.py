"""What a script has accounted for, so that anything else is noticed when it must be quiet."""

from . import _core
from .round_trip import RoundTrip


class Explained:
    """The part of a bench's timeline that its script knows about.

    A press that was waited for explains itself, one edge of its LED, and one connection (more when
    the contract has retries) with one frame each. Any other wait explains what came before it.
    """

    def __init__(self, connections_a_press_max: int) -> None:
        self._connections_a_press_max = connections_a_press_max
        self._cursor = 0
        self._presses: set[int] = set()
        self._edges: set[tuple[str, int]] = set()
        self._connections: set[int] = set()
        self._frames: set[tuple[int, int]] = set()

    def add_everything_before(self, cursor: int) -> None:
        """Everything before this place on the timeline is explained."""
        self._cursor = max(self._cursor, cursor)
        self._presses.clear()
        self._edges.clear()
        self._connections.clear()
        self._frames.clear()

    def add_trip(self, trip: RoundTrip) -> None:
        """A press and what it may cause is explained."""
        self._presses.add(trip.press.id)
        self._edges.update((edge.line, edge.at_ns) for edge in trip.led.edges[:1])
        for connection in trip.connections[: self._connections_a_press_max]:
            self._connections.add(connection.id)
            self._frames.update(
                (frame.connection_id, frame.received_ns) for frame in connection.frames[:1]
            )

    def leaves_out(self, event: _core.Event, cursor: int) -> bool:
        """Whether the event at this place disturbs: nothing explains it.

        Only presses, edges that the board made, connections and frames disturb.
        """
        if cursor < self._cursor:
            return False
        match event.value:
            case _core.PressAsserted() as press:
                return press.id not in self._presses
            case _core.EdgeSeen() as edge:
                # What the rig does to its buttons shows as presses.
                is_own = edge.source == _core.EdgeSource.rig
                return not is_own and (edge.line, edge.at_ns) not in self._edges
            case _core.ConnectionOpened() as connection:
                return connection.id not in self._connections
            case _core.FrameReceived() as frame:
                return (frame.connection_id, frame.received_ns) not in self._frames
            case _:
                return False
