-- The recording of one run. Other programs may rely on the names below; a change of meaning bumps
-- user_version. Times are CLOCK_MONOTONIC nanoseconds (runs.began_wall_ns ties them to the
-- calendar), NULL where the thing did not happen. Booleans are 0 and 1.
pragma application_id = 0x57574550;  -- "WWEP"
-- 2: a recording may have been gone on with, each time by another row in runs. All its times are of one
-- start of the machine.
pragma user_version = 2;

create table runs(
    id integer primary key,              -- 1: the first; later ones went on with its recording
    began_ns integer not null,
    began_wall_ns integer not null,      -- nanoseconds since 1970, at the same moment
    ended_ns integer,                    -- NULL: still going on, or killed
    command text not null,
    host text not null,
    bench text not null,
    rig_version text not null,
    firmware text not null,              -- its build, as far as it is known
    facts text not null constraint facts_are_json check (json_valid(facts))
) strict;

create table connections(
    id integer primary key,
    opened_ns integer not null,
    closed_ns integer,
    peer text not null,
    local text not null,
    secure integer not null,
    tls_version text,
    cipher text,
    handshake_ns integer,                -- from accept to the end of the handshake, good or bad
    offered text,                        -- what the ClientHello offered, JSON
    end_reason text,
    ignored_bytes integer not null default 0
) strict;

create table handshakes(
    connection_id integer not null,
    at_ns integer not null,
    failure text                         -- NULL: it succeeded
) strict;

create table frames(
    id integer primary key,
    received_ns integer not null,
    connection_id integer not null,
    -- Not "in (...)": SQLite would build a table of the four for each row that it writes.
    verdict text not null check (verdict = 'write' or verdict = 'read' or verdict = 'illegal'
        or verdict = 'truncated'),
    device integer,
    register integer,
    value integer,                       -- of a write: written; of a read: answered
    raw blob not null,
    reply blob,
    replied_ns integer,
    reason text,
    stamp text not null                  -- where received_ns comes from: kernel, kernel-stale, read
) strict;

create table edges(
    at_ns integer not null,
    line text not null,
    level integer not null,
    source text not null,                -- whose clock: kernel, board, rig
    seqno integer not null
) strict;

create table presses(
    id integer primary key,
    line text not null,
    before_ns integer not null,          -- the line was set between before_ns
    after_ns integer not null,           -- and after_ns
    released_ns integer,
    profile text not null
) strict;

create table console(at_ns integer not null, text text not null) strict;

create table faults(at_ns integer not null, connection_id integer, name text not null) strict;

create table target(at_ns integer not null, what text not null, is_running integer not null) strict;

create table notes(at_ns integer not null, is_error integer not null, what text not null) strict;

create table tests(
    nodeid text not null,
    began_ns integer not null,
    ended_ns integer,
    outcome text                         -- passed, skipped, failed (the target did), rig-error,
                                         -- no-bench, error (no verdict was reached)
) strict;

create index connections_by_time on connections(opened_ns);
create index handshakes_by_connection on handshakes(connection_id);
create index frames_by_time on frames(received_ns);
create index edges_by_time on edges(at_ns);
create index edges_by_line on edges(line, at_ns);
create index presses_by_line on presses(line, before_ns);
create index console_by_time on console(at_ns);
create index tests_by_nodeid on tests(nodeid);

-- For people: everything that happened, one line each, in the order of time. Bytes that are no
-- printable ASCII show in hex.
create view timeline(at_ns, lane, what) as
select began_ns as at_ns, 'rig' as lane, 'run began: ' || command || ' on ' || host as what
from runs
union all
select ended_ns, 'rig', 'run ended' from runs where ended_ns is not null
union all
select at_ns, case source when 'rig' then 'button' else 'led' end,
    line || case level when 0 then ' goes low' else ' goes high' end
from edges
union all
select before_ns, 'button', 'press ' || id || ': ' || line || ' asserted (' || profile || ')'
from presses
union all
select released_ns, 'button', 'press ' || id || ': ' || line || ' released'
from presses where released_ns is not null
union all
select opened_ns, 'connection',
    'connection ' || id || ' from ' || peer || ' to ' || local
        || case secure when 0 then '' else ', secure' end
from connections
union all
select at_ns, 'connection',
    'connection ' || connection_id || case
        when failure is null
        then ': ' || ifnull(tls_version, '') || ' ' || ifnull(cipher, '')
            || printf(' after %.2f ms', handshake_ns / 1e6)
        else ': handshake failed: ' || failure
    end
from handshakes left join connections on connections.id = connection_id
union all
select closed_ns, 'connection',
    'connection ' || id || ' closed: ' || ifnull(end_reason, '')
        || case ignored_bytes when 0 then '' else ', ' || ignored_bytes || ' bytes ignored' end
from connections where closed_ns is not null
union all
select received_ns, 'frame',
    'connection ' || connection_id || ': ' || verdict || ' ' || case
        when instr(raw, x'00') or cast(raw as text) glob '*[^ -~]*' then '0x' || hex(raw)
        else cast(raw as text)
    end || ifnull(': ' || reason, '')
from frames
union all
select replied_ns, 'reply',
    'connection ' || connection_id || ': reply ' || case
        when instr(reply, x'00') or cast(reply as text) glob '*[^ -~]*' then '0x' || hex(reply)
        else cast(reply as text)
    end
from frames where replied_ns is not null
union all
select at_ns, 'console', text from console
union all
select at_ns, 'target', what from target
union all
select at_ns, 'fault',
    'fault ' || name || ' fired' || ifnull(' on connection ' || connection_id, '')
from faults
union all
select at_ns, 'rig', case is_error when 0 then '' else 'rig error: ' end || what from notes
union all
select began_ns, 'test', nodeid || ' began' from tests
union all
select ended_ns, 'test', nodeid || ' ' || ifnull(outcome, 'ended')
from tests where ended_ns is not null
order by 1;
