"""The command line as a whole, and the verbs for a bench."""

import json
import re
import signal
from pathlib import Path

import click
import pytest

from wwep_rig.cli import cli
from wwep_rig.cli.bench import bench
from wwep_rig.cli.press import as_text, as_value
from wwep_rig.round_trip import (
    Connection,
    Frame,
    Led,
    Press,
    Reply,
    RoundTrip,
    StampSource,
    Verdict,
)

VERBS = (
    "bench certs compare completion conform console doctor export flash network power press read "
    "release report reset run send serve shortest-press show soak verdict watch write"
)


def test_help_lists_every_verb(wwep_rig):
    done = wwep_rig("--help")

    assert done.code == 0
    listed = [line.split()[0] for line in done.out.partition("Verbs:\n")[2].splitlines() if line]
    assert listed == VERBS.split()


@pytest.mark.parametrize("verb", ["", *VERBS.split()])
def test_help_of_a_verb_teaches_with_an_example(wwep_rig, verb):
    done = wwep_rig(*verb.split(), "--help")

    assert done.code == 0
    assert "Example" in done.out and f"wwep-rig {verb}" in done.out


@pytest.mark.parametrize(
    ("verb", "remedy"),
    [("pres", "did you mean press?"), ("dance", "wwep-rig --help lists them")],
)
def test_unknown_verb_is_a_usage_error_that_names_what_may_be_meant(wwep_rig, verb, remedy):
    done = wwep_rig(verb)

    assert done.code == 2
    assert f"no verb {verb!r}: {remedy}" in done.err


def test_each_option_of_each_verb_says_what_it_is_for():
    assert isinstance(cli, click.Group)
    verbs = [each for verb in VERBS.split() if (each := cli.get_command(click.Context(cli), verb))]
    silent = [
        f"{verb.name} {option.opts[0]}"
        for verb in (*verbs, *bench.commands.values())
        for option in verb.params
        if isinstance(option, click.Option) and not option.help
    ]

    assert len(verbs) == len(VERBS.split())
    assert silent == []


def test_version_is_that_of_the_package(wwep_rig):
    done = wwep_rig("--version")

    assert done.code == 0
    assert done.out.startswith("wwep-rig 0.")


def test_bench_file_is_not_made_under_the_built_in_name_or_in_a_folder_that_is_not_there(wwep_rig):
    built_in = wwep_rig("bench", "new", "sim")
    elsewhere = wwep_rig("bench", "new", "no-such-folder/bench-1.toml")

    assert built_in.code == elsewhere.code == 2
    assert "sim is a built-in bench" in built_in.err
    assert "no-such-folder/bench-1.toml: No such file or directory" in elsewhere.err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_script_names_the_command(wwep_rig, shell):
    done = wwep_rig("completion", shell)

    assert done.code == 0
    assert "_WWEP_RIG_COMPLETE" in done.out


def test_shell_completes_names_of_benches(wwep_rig):
    wwep_rig("bench", "new", "bench-1")

    done = wwep_rig(
        variables={
            "_WWEP_RIG_COMPLETE": "bash_complete",
            "COMP_WORDS": "wwep-rig press --bench ",
            "COMP_CWORD": "3",
        }
    )

    assert done.out.split() == ["plain,bench-1", "plain,emulator", "plain,sim"]


def test_press_shows_the_round_trip(wwep_rig):
    done = wwep_rig("press", "button0")

    assert done.code == 0, done.err
    assert "button0: led0 on, in the clear: W" in done.out
    assert "press → LED" in done.out


def test_press_shows_the_exchange_that_ended_though_another_connection_began():
    frame = Frame(3, 5, 0, Verdict.write, b"W0003050000", 1_000, StampSource.kernel, "", 1)
    reply = Reply(b"A0003050000", 2_000, 1)
    ended = Connection(
        1, "peer", "local", True, 500, tls_version="TLSv1.3", frames=(frame,), replies=(reply,)
    )
    press = Press(1, "button1", 1, 2, 3, "worn")
    begun = Connection(2, "peer", "local", True, 3_000)
    trip = RoundTrip(press, Led("led1", True, ()), (ended, begun), ())

    assert "led1 on, TLSv1.3 : W0003050000 → A0003050000" in as_text(trip, {})
    assert as_value(trip, {})["tls_version"] == "TLSv1.3"


def test_press_prints_json(wwep_rig):
    done = wwep_rig("press", "button1", "--json", "--count", "2")

    trips = [json.loads(line) for line in done.out.splitlines()]
    assert [trip["value"] for trip in trips] == [1, 0]
    assert all(trip["secure"] and trip["reply"].startswith("A") for trip in trips)


@pytest.mark.parametrize("verb", ["press", "shortest-press"])
def test_button_that_is_not_there_is_a_usage_error_with_the_buttons(wwep_rig, verb):
    done = wwep_rig(verb, "led0")

    assert done.code == 2
    assert "no button 'led0'; its buttons: button0, button1\n" in done.err


def test_press_of_a_board_that_does_nothing_is_its_failure(wwep_rig, tmp_path):
    wwep_rig("bench", "new", "deaf", "--kind", "sim")
    path = tmp_path / "benches" / "deaf.toml"
    deaf = tmp_path / "deaf"
    deaf.write_text("#!/bin/sh\necho ready\necho I hear nothing\nsleep 600\n")
    deaf.chmod(0o755)
    path.write_text(with_program(path.read_text(), deaf))

    done = wwep_rig("press", "button0", "--bench", "deaf", "--timeout", "0.3")

    assert done.code == 1
    assert "I hear nothing" in done.err


def with_program(text: str, program: Path) -> str:
    lines = [line for line in text.splitlines() if not line.startswith("program =")]
    lines.insert(lines.index("[target]") + 1, f'program = "{program}"')
    return "\n".join(lines) + "\n"


def test_release_says_that_simulated_buttons_need_none(wwep_rig):
    done = wwep_rig("release")

    assert done.code == 0
    assert done.out == "nothing to release: bench sim has no button on a GPIO chip\n"


def test_release_names_each_button_that_cannot_be_had(wwep_rig, tmp_path):
    wwep_rig("bench", "new", "bench-1", "--kind", "board")
    path = tmp_path / "benches" / "bench-1.toml"
    path.write_text(re.sub(r'chip = "[^"]*"', 'chip = "/dev/gpiochip99"', path.read_text()))

    done = wwep_rig("release", "--bench", "bench-1", "--json")

    assert done.code == 4
    troubles = json.loads(done.out)["troubles"]
    assert "button0" in troubles and "led0" not in troubles
    for each in troubles.values():
        assert "/dev/gpiochip99 cannot be opened" in each["trouble"] and ";" not in each["trouble"]
        assert re.search("GPIO chip at all|name one of these in the bench file", each["remedy"])
    assert done.err.count("not released: line button") == len(troubles)


@pytest.mark.parametrize("kind", ["sim", "kernel", "emulator", "board"])
def test_new_bench_file_is_good(wwep_rig, kind):
    made = wwep_rig("bench", "new", "bench-1", "--kind", kind)
    checked = wwep_rig("bench", "check", "bench-1")

    assert (made.code, made.out) == (0, "benches/bench-1.toml\n")
    assert checked.code == 0, checked.err
    assert checked.out.startswith(f"bench-1 ({kind}): good")


def test_new_bench_file_goes_where_it_is_told_and_has_that_name(wwep_rig):
    made = wwep_rig("bench", "new", "elsewhere.toml", "--json")
    checked = wwep_rig("bench", "check", "elsewhere.toml", "--json")

    assert json.loads(made.out) == {"path": "elsewhere.toml"}
    assert json.loads(checked.out)["bench"]["name"] == "elsewhere"


def test_new_bench_file_never_replaces_another(wwep_rig):
    wwep_rig("bench", "new", "bench-1")

    done = wwep_rig("bench", "new", "bench-1")

    assert done.code == 2 and "exists" in done.err


def test_wrong_bench_file_is_no_bench_with_file_and_line(wwep_rig, tmp_path):
    (tmp_path / "wrong.toml").write_text('[bench]\nname = "b"\nkind = "cloud"\n')

    done = wwep_rig("bench", "check", "wrong.toml")

    assert done.code == 4
    assert "wrong.toml:3: bench.kind" in done.err


def test_watch_shows_a_bench_until_it_is_told_to_stop(start):
    process = start("watch", "--json")

    lanes = set()
    for line in process.stdout:
        lanes.add(json.loads(line)["lane"])
        if "console" in lanes:
            break
    process.send_signal(signal.SIGTERM)

    assert "target" in lanes
    assert process.wait(timeout=10) == 0


def test_watch_follows_a_recording_that_another_process_writes(start, wwep_rig):
    server = start("serve", "--port", "0", "--no-tls", "--record", "run.sqlite")
    port = server.stdout.readline().strip().rpartition(":")[2]
    follower = start("watch", "run.sqlite")

    wwep_rig("write", "0FAC", "0B", "1234", "--port", port)

    assert any("W0FAC0B1234" in line for line in follower.stdout)
    follower.send_signal(signal.SIGINT)
    assert follower.wait(timeout=10) == 0


def test_watch_ends_with_the_run_that_it_follows(start):
    server = start("serve", "--port", "0", "--no-tls", "--record", "run.sqlite")
    server.stdout.readline()
    follower = start("watch", "run.sqlite")
    assert "run began" in follower.stdout.readline()

    server.send_signal(signal.SIGTERM)

    assert follower.wait(timeout=10) == 0
    assert "run ended" in follower.stdout.read()


def test_second_user_of_a_bench_is_told_who_has_it(start, wwep_rig):
    wwep_rig("bench", "new", "shared", "--kind", "sim")
    first = start("watch", "--bench", "shared")
    first.stdout.readline()

    second = wwep_rig("release", "--bench", "shared")

    assert second.code == 4
    assert f"process {first.pid} " in second.err and "watch --bench shared" in second.err
