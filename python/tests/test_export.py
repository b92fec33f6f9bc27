"""`wwep-rig export`: tables and dumps, each read by a program that is not ours."""

import csv
import io
import json
import re
import shutil
import sqlite3
import subprocess
import time

import pytest

from tests.made_recording import BEGAN_NS, BEGAN_WALL_NS, MS, make_recording


@pytest.fixture
def recording(tmp_path):
    return make_recording(tmp_path / "run.sqlite")


def tool(name: str) -> str:
    found = shutil.which(name)
    assert found, f"{name} is not installed: ci/setup installs ci/packages.txt"
    return found


def test_csv_of_a_table_has_its_columns_and_all_its_rows(wwep_rig, recording):
    done = wwep_rig("export", "run.sqlite", "--format", "csv", "--table", "frames")

    assert done.code == 0, done.err
    rows = list(csv.DictReader(io.StringIO(done.out)))
    assert [row["verdict"] for row in rows] == ["write", "read", "illegal", "truncated"]
    assert (rows[0]["device"], rows[0]["register"], rows[0]["value"]) == ("4012", "5", "1")
    assert bytes.fromhex(rows[0]["raw"]) == b"W0FAC050001"
    assert rows[2]["device"] == "" and rows[2]["raw"] == "5130"
    assert int(rows[0]["received_ns"]) == BEGAN_NS + 1004 * MS
    assert int(rows[0]["wall_time_ns"]) == BEGAN_WALL_NS + 1004 * MS


def test_csv_is_imported_by_sqlite(wwep_rig, recording, tmp_path):
    assert wwep_rig("export", "run.sqlite", "--format", "csv", "-o", "all.csv").code == 0

    count = subprocess.run(
        [tool("sqlite3"), ":memory:", "-cmd", ".import --csv all.csv timeline"],
        input="select count(*) from timeline where lane = 'console' "
        "and what = 'reply: \"A0FAC050001\", good'",
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )

    assert count.stdout.strip() == "1"


def test_csv_of_a_table_without_rows_still_names_its_columns(wwep_rig, recording):
    done = wwep_rig("export", "run.sqlite", "--format", "csv", "--table", "notes")

    assert done.out == "at_ns,is_error,what,wall_time_ns\n"


def test_json_lines_hold_every_row_in_the_order_of_time(wwep_rig, recording, tmp_path):
    done = wwep_rig("export", "run.sqlite", "--format", "jsonl")

    values = [json.loads(line) for line in done.out.splitlines()]
    held = sqlite3.connect(recording)
    tables = [
        name
        for (name,) in held.execute(
            "select name from sqlite_schema where sql like " "'create table%'"
        )
    ]
    rows = sum(held.execute(f"select count(*) from {name}").fetchone()[0] for name in tables)
    held.close()
    assert len(values) == rows > 10
    walls = [value["wall_time_ns"] for value in values]
    assert walls == sorted(walls)
    chosen = subprocess.run(
        [tool("jq"), "-r", 'select(.table == "edges" and .source == "board") | .line'],
        input=done.out,
        capture_output=True,
        text=True,
        check=True,
    )
    assert chosen.stdout == "led0\nled1\n"


def test_json_lines_of_chosen_tables_hold_no_others(wwep_rig, recording):
    done = wwep_rig(
        "export", "run.sqlite", "--format", "jsonl", "--table", "edges", "--table", "console"
    )

    tables = [json.loads(line)["table"] for line in done.out.splitlines()]
    assert tables == ["edges", "edges", "edges", "console", "edges"]


def sigrok_changes(folder, name: str) -> dict[str, list[tuple[int, str]]]:
    """Each signal's levels with their times in us, as PulseView's library reads them."""
    done = subprocess.run(
        [tool("sigrok-cli"), "-I", "vcd", "-i", name, "-O", "vcd"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    head, _, body = done.stdout.partition("$enddefinitions $end")
    assert "$timescale 1 us $end" in head
    names = dict(re.findall(r"\$var wire 1 (\S+) (\S+) \$end", head))
    changes: dict[str, list[tuple[int, str]]] = {each: [] for each in names.values()}
    at_us = 0
    for word in body.split():
        if word.startswith("#"):
            at_us = int(word[1:])
        else:
            changes[names[word[1:]]].append((at_us, word[0]))
    return changes


def test_dump_is_read_by_sigrok_with_every_level_at_its_time(wwep_rig, recording, tmp_path):
    """Time 0 is the press at 1 s; a line had the other level before its first edge."""
    done = wwep_rig("export", "run.sqlite", "--format", "vcd", "-o", "run.vcd")

    assert (done.code, done.out) == (0, ""), done.err
    changes = sigrok_changes(tmp_path, "run.vcd")
    assert changes["button0"] == [(0, "0"), (50_000, "1")]
    assert changes["led0"] == [(0, "0"), (2_000, "1")]
    assert changes["led1"] == [(0, "1"), (2_500, "0")]
    assert changes["press_button0"] == [(0, "1"), (50_000, "0")]
    assert changes["plain_frame"][:3] == [(0, "0"), (4_000, "1"), (5_000, "0")]
    assert changes["plain_reply"][:3] == [(0, "0"), (5_000, "1"), (5_001, "0")]
    assert changes["secure_frame"] == [(0, "0"), (1_002_000, "1"), (1_003_000, "0")]
    assert changes["plain_bad_frame"][1:] == [
        (2_001_000, "1"),
        (2_001_001, "0"),
        (3_001_000, "1"),
        (3_001_001, "0"),
    ]
    # The last connection is still open.
    assert changes["plain_connection"][-1] == (3_000_000, "1")
    assert changes["fault_late"] == [(0, "0"), (3_000_000, "1"), (3_000_001, "0")]


def test_dump_shows_frames_and_console_as_texts(wwep_rig, recording):
    done = wwep_rig("export", "run.sqlite", "--format", "vcd", "--time-unit", "ns")

    texts = re.findall(r"\$var string 1 (\S+) (\w+) \$end", done.out)
    codes = {name: code for code, name in texts}
    assert sorted(codes) == ["console", "frame", "reply"]
    assert "$timescale 1 ns $end" in done.out
    assert f"sW0FAC050001 {codes['frame']}\n" in done.out
    assert f"s0x5130 {codes['frame']}\n" not in done.out  # Q0 is printable
    assert f"sQ0 {codes['frame']}\n" in done.out
    assert f'sreply:_"A0FAC050001",_good {codes["console"]}\n' in done.out


def test_existing_file_is_kept_unless_told(wwep_rig, recording, tmp_path):
    (tmp_path / "run.csv").write_text("mine")

    refused = wwep_rig("export", "run.sqlite", "--format", "csv", "-o", "run.csv")

    assert refused.code == 2 and "--overwrite" in refused.err
    assert (tmp_path / "run.csv").read_text() == "mine"
    again = wwep_rig(
        "export", "run.sqlite", "--format", "csv", "-o", "run.csv", "--overwrite", "--json"
    )
    assert again.code == 0, again.err
    told = json.loads(again.out)
    assert told["bytes"] == (tmp_path / "run.csv").stat().st_size > 100
    assert not list(tmp_path.glob(".run.csv*"))


def test_table_that_is_not_there_is_named_with_those_that_are(wwep_rig, recording, tmp_path):
    done = wwep_rig("export", "run.sqlite", "--format", "csv", "--table", "frame", "-o", "x.csv")

    assert done.code == 3
    assert 'no table "frame"; there are: connections, ' in done.err
    assert not (tmp_path / "x.csv").exists()


def test_options_that_do_not_fit_the_format_are_usage_errors(wwep_rig, recording):
    for arguments in (
        [],
        ["--format", "vcd", "--table", "frames"],
        ["--format", "csv", "--table", "frames", "--table", "edges"],
        ["--format", "csv", "--json"],
    ):
        assert wwep_rig("export", "run.sqlite", *arguments).code == 2, arguments


def test_recording_that_is_still_written_can_be_exported(wwep_rig, start, tmp_path):
    server = start("serve", "--port", "0", "--no-tls", "--record", "live.sqlite")
    port = server.stdout.readline().split("plain=127.0.0.1:")[1].split()[0]
    assert wwep_rig("write", "0FAC", "05", "0001", "--port", port).code == 0
    give_up_at = time.monotonic() + 20

    raws: list[str] = []
    while raws != [b"W0FAC050001".hex()] and time.monotonic() < give_up_at:
        done = wwep_rig("export", "live.sqlite", "--format", "csv", "--table", "frames")
        raws = [row["raw"] for row in csv.DictReader(io.StringIO(done.out))]

    assert raws == [b"W0FAC050001".hex()]
    assert server.poll() is None
