"""A recording with known contents, made by SQL: what exports make of it can be told exactly."""

import sqlite3
from pathlib import Path

SCHEMA = Path(__file__).parents[2] / "harness" / "recorder" / "schema.sql"

BEGAN_NS = 5_000_000_000
BEGAN_WALL_NS = 1_767_225_600_000_000_000  # 2026-01-01
MS = 1_000_000

_ROWS = """
insert into runs values(1, {began}, {wall}, {end}, 'pytest', 'lab-pi', 'sim', '1.0', 'fw', '{{}}');
insert into presses values(1, 'button0', {p1}, {p1} + 1000, {p1} + 50000000, 'clean');
insert into edges values({p1}, 'button0', 0, 'rig', 1);
insert into edges values({p1} + 50000000, 'button0', 1, 'rig', 2);
insert into edges values({p1} + 2000000, 'led0', 1, 'board', 1);
insert into edges values({p1} + 2500000, 'led1', 0, 'board', 2);
insert into connections values(1, {p1} + 3000000, {p1} + 6000000, '198.51.100.7:50001',
    '198.51.100.3:27708', 0, NULL, NULL, NULL, NULL, 'answered', 0);
insert into frames values(1, {p1} + 4000000, 1, 'write', 4012, 5, 1, cast('W0FAC050001' as blob),
    cast('A0FAC050001' as blob), {p1} + 5000000, NULL, 'kernel');
insert into connections values(2, {p2}, {p2} + 9000000, '198.51.100.7:50002',
    '198.51.100.3:40508', 1, 'TLSv1.3', 'TLS_AES_128_GCM_SHA256', 1500000, '{{}}', 'answered', 0);
insert into handshakes values(2, {p2} + 1500000, NULL);
insert into frames values(2, {p2} + 2000000, 2, 'read', 4012, 5, 1, cast('R0FAC05' as blob),
    cast('A0FAC050001' as blob), {p2} + 3000000, NULL, 'kernel');
insert into connections values(3, {p3}, {p3} + 9000000, '[2001:db8::7]:50003',
    '[2001:db8::3]:27708', 0, NULL, NULL, NULL, NULL, 'illegal byte', 4);
insert into frames values(3, {p3} + 1000000, 3, 'illegal', NULL, NULL, NULL, x'5130',
    cast('X' as blob), {p3} + 2000000, 'illegal byte 0x51 where a frame starts', 'kernel');
insert into connections values(4, {p4}, NULL, '198.51.100.7:50004',
    '198.51.100.3:27708', 0, NULL, NULL, NULL, NULL, NULL, 0);
insert into frames values(4, {p4} + 1000000, 4, 'truncated', NULL, NULL, NULL,
    cast('W01234' as blob), cast('X' as blob), {p4} + 201000000,
    'frame incomplete after 200 ms', 'kernel');
insert into console values({p1} + 7000000, 'reply: "A0FAC050001", good');
insert into faults values({p4}, 4, 'late');
"""


def make_conversation(path: Path, segments: list[tuple[bytes, bytes]], port: int) -> Path:
    """One connection to a port: in turn what the client sent and what came back, cut as given."""
    database = sqlite3.connect(path)
    try:
        database.executescript(SCHEMA.read_text())
        database.execute(
            "insert into runs values(1, ?, ?, NULL, 'pytest', 'lab-pi', 'sim', '1.0', '', '{}')",
            (BEGAN_NS, BEGAN_WALL_NS),
        )
        database.execute(
            "insert into connections(id, opened_ns, peer, local, secure) values(1, ?, ?, ?, 0)",
            (BEGAN_NS, "198.51.100.7:50001", f"198.51.100.3:{port}"),
        )
        for number, (raw, reply) in enumerate(segments, 1):
            at_ns = BEGAN_NS + number * 10 * MS
            database.execute(
                "insert into frames(id, received_ns, connection_id, verdict, raw, reply, "
                "replied_ns, stamp) values(?, ?, 1, 'write', ?, ?, ?, 'read')",
                (number, at_ns, raw, reply, at_ns + MS),
            )
        database.commit()
    finally:
        database.close()
    return path


def make_recording(path: Path) -> Path:
    """Four connections: a write in the clear, a read over TLS, an illegal frame, a truncated one.

    The last connection is still open, and the recording is kept with nothing beside it.
    """
    at = {f"p{number}": BEGAN_NS + number * 1000 * MS for number in range(1, 5)}
    database = sqlite3.connect(path)
    try:
        database.executescript(SCHEMA.read_text())
        times = {"began": BEGAN_NS, "wall": BEGAN_WALL_NS, "end": BEGAN_NS + 6000 * MS}
        database.executescript(_ROWS.format(**times, **at))
        database.commit()
    finally:
        database.close()
    return path
