"""What is waited for after a press, and what of it is missing, as text for people."""

from .round_trip import RoundTrip, Until

GOALS = {
    Until.led: "the LED changes",
    Until.frame: "a frame arrives",
    Until.reply: "a frame is replied to",
    Until.settled: "everything has settled",
    Until.closed: "a connection has come and gone",
}


def missing_parts(trip: RoundTrip, until: Until) -> list[str]:
    """What a round trip lacks of that much."""
    is_closed = bool(trip.connections) and trip.connections[-1].is_closed
    parts = {
        "LED edge": (not trip.led.edges, (Until.led, Until.settled)),
        "connection": (
            not trip.connections,
            (Until.frame, Until.reply, Until.settled, Until.closed),
        ),
        "frame": (not trip.frames, (Until.frame, Until.reply, Until.settled)),
        "reply": (not trip.replies, (Until.reply, Until.settled)),
        "end of the connection": (not is_closed, (Until.settled, Until.closed)),
        "release of the button": (not trip.press.released_ns, (Until.settled,)),
    }
    return [name for name, (lacks, matters) in parts.items() if lacks and until in matters]


def listed(names: tuple[str, ...] | list[str]) -> str:
    """`a, b and c`; empty for none."""
    if not names:
        return ""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
