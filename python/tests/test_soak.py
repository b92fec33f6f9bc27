"""`wwep-rig soak`: every press accounted for, interrupted and gone on with at any moment."""

import json
import os
import re
import resource
import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from subprocess import Popen
from typing import Any

import pytest

from tests.made_presses import MadeRecording
from wwep_rig.latencies import Latencies
from wwep_rig.running import RunningLatencies, RunningPercentiles

QUICK = ("--hold", "0.001")


def rows(path: Path, sql: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        return database.execute(sql).fetchall()


def wait_for_presses(path: Path, count: int, process: "Popen[str]") -> None:
    give_up_at = time.monotonic() + 60
    while time.monotonic() < give_up_at:
        assert process.poll() is None, process.communicate()
        if Path(path).exists():
            try:
                if rows(path, "select count(*) from presses")[0][0] >= count:
                    return
            except sqlite3.OperationalError:
                pass  # the schema is not there yet
        time.sleep(0.02)
    raise AssertionError(f"{count} presses did not come")


def test_soak_is_interrupted_killed_resumed_and_accounts_for_every_press(start, wwep_rig, tmp_path):
    path = tmp_path / "soak.sqlite"
    first = start("soak", "--presses", "1000000", *QUICK, "--record", str(path), "--json")
    wait_for_presses(path, 20, first)
    busy = wwep_rig("soak", "--resume", str(path))
    first.send_signal(signal.SIGINT)
    out, err = first.communicate(timeout=60)
    interrupted = json.loads(out)

    assert busy.code == 3 and "another process is writing it" in busy.err
    assert first.returncode == 130, err
    assert interrupted["done"] == interrupted["good"] >= 20 and interrupted["failed"] == 0
    assert interrupted["interrupted"] == 0  # Ctrl-C waits for the press under way

    second = start("soak", "--resume", str(path))
    wait_for_presses(path, interrupted["done"] + 20, second)
    second.kill()
    second.communicate(timeout=60)
    presses_before = rows(path, "select count(*) from presses")[0][0]

    wanted = presses_before + 30
    done = wwep_rig("soak", "--resume", str(path), "--presses", str(wanted), "--json", timeout_s=60)
    value = json.loads(done.out)

    assert done.code == 0, done.err
    assert (value["done"], value["good"], value["failed"]) == (wanted, wanted, 0)
    assert value["interrupted"] in (0, 1)  # what kill -9 left behind was made again
    assert rows(path, "select count(*), min(id), max(id) from presses") == [
        (wanted + value["interrupted"], 1, wanted + value["interrupted"])
    ]
    assert presses_before >= interrupted["done"] + 20
    assert rows(path, "select id, ended_ns is null from runs") == [(1, 0), (2, 1), (3, 0)]
    assert {row["latency"]: row["n"] for row in value["latencies"]}["press_to_frame_ms"] >= wanted
    again = wwep_rig("soak", "--resume", str(path), "--presses", str(wanted), "--json")
    assert again.code == 0 and json.loads(again.out)["done"] == wanted
    assert "gone on with 3 times" in wwep_rig("show", str(path)).out


def test_soak_that_the_rig_ends_says_how_to_go_on(start, tmp_path):
    path = tmp_path / "soak.sqlite"
    soak = start("soak", "--presses", "1000000", *QUICK, "--record", str(path))
    wait_for_presses(path, 1, soak)
    resource.prlimit(soak.pid, resource.RLIMIT_FSIZE, (1, 1))  # as if the disk were full
    _, err = soak.communicate(timeout=60)

    assert soak.returncode == 3, err
    assert err.endswith(f"go on with it: wwep-rig soak --resume {path}\n")


@pytest.mark.parametrize(
    ("changed", "name"),
    [
        (("button1",), "BUTTON"),
        (("--record", "other.sqlite"), "--record"),
        (("--hold", "0.5"), "--hold"),
        (("--profile", "worn"), "--profile"),
        (("--give-up", "3"), "--give-up"),
        (("--bench", "sim"), "--bench"),
    ],
)
def test_soak_that_is_gone_on_with_cannot_be_made_another_one(wwep_rig, tmp_path, changed, name):
    recording = MadeRecording(tmp_path / "soak.sqlite").close()

    done = wwep_rig("soak", "--resume", str(recording), *changed)

    assert done.code == 2
    assert f"--resume goes on as it was begun, with its own {name}" in done.err


def test_failed_presses_are_counted_and_too_many_in_a_row_end_it(wwep_rig, tmp_path):
    """A firmware that ignores presses this short: each fails, and that is told from the rig."""
    bench = tmp_path / "deaf.toml"
    made = wwep_rig("bench", "new", "deaf", "--kind", "sim")
    assert made.code == 0, made.err
    bench = next(tmp_path.rglob("deaf.toml"))
    text = re.sub(r"(?m)^#? ?program = .*$", "", bench.read_text())
    text = text.replace("[target]", '[target]\nprogram = "dual_client_debounced"', 1)
    text = re.sub(r"(?m)^#? ?connect_ms = .*$", "connect_ms = 100", text)
    text = re.sub(r"(?m)^#? ?reply_ms = .*$", "reply_ms = 100", text)
    bench.write_text(text)

    done = wwep_rig(
        "soak", "button0", "--presses", "5", *QUICK, "--give-up", "2", "--bench", str(bench)
    )

    assert done.code == 1, done.out + done.err
    assert "2 presses in a row failed; the last:\npressed button0" in done.out
    assert "2 presses: 0 good, 2 failed, 0 interrupted; 2 of 5 done" in done.out
    assert "press 1 of button0: led0 did not change; no frame came" in done.out
    assert "go on with it: wwep-rig soak --resume" in done.out


def test_soak_refuses_what_it_cannot_do(wwep_rig, tmp_path):
    other = MadeRecording(tmp_path / "other.sqlite")
    other.press()
    other.close()
    facts = {
        "boot_id": "another",
        "soak": {
            "presses": 3,
            "buttons": ["button0"],
            "bench": "sim",
            "hold_s": None,
            "profile": "ideal",
            "failures_in_a_row_max": 1,
        },
    }
    old = MadeRecording(tmp_path / "old.sqlite", facts=json.dumps(facts))
    old.close()
    for arguments, code, why in (
        (("--presses", "1", "no-such"), 2, "has no button no-such; its buttons: button0, button1"),
        ((), 2, "--presses N"),
        (("--presses", "1", "--record", str(tmp_path / "old.sqlite")), 2, "go on with it by --res"),
        (("--presses", "1", "--profile", "odd"), 2, "odd"),
        (("--resume", str(tmp_path / "other.sqlite")), 3, "it is not of a soak"),
        (("--resume", str(tmp_path / "old.sqlite")), 3, "started again"),
    ):
        done = wwep_rig("soak", *arguments)
        assert (done.code, why in done.err) == (code, True), done.err
    assert not [name for name in os.listdir(tmp_path) if name.endswith(".in-use")]


def test_running_percentiles_are_at_most_a_hundredth_too_high():
    running = RunningPercentiles()
    for number in range(1, 10_001):
        running.add(number / 100)

    assert 50.0 <= running.percentile(50) <= 50.5
    assert 99.0 <= running.percentile(99) <= 100.0
    assert running.percentile(100) == 100.0


def test_running_percentiles_put_misses_last_and_stay_small():
    running = RunningPercentiles()
    for number in range(100_000):
        running.add(0.001 * (number % 999 + 1))
    for _ in range(2000):
        running.add(None)

    assert running.percentile(99) == pytest.approx(float("inf"))
    assert len(running._buckets) < 2800
    latencies = RunningLatencies()
    latencies.add(Latencies(1.0, 2.0, 3.0, None, 0.0))
    assert latencies.text == "press → LED 1.0/1.0, press → frame 2.0/2.0"
