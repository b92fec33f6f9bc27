"""`wwep-rig doctor`: what it looks at, and what it says to do about what is wrong."""

import grp
import json
import os
import pwd
import re
import shutil
import socket
from pathlib import Path
from typing import Any

from tests.conftest import Done
from wwep_rig.capture import refusal


def test_doctor_finds_the_built_in_bench_usable(wwep_rig):
    done = wwep_rig("doctor")

    assert done.code == 0, done.out
    assert "BAD" not in done.out
    assert "firmware" in done.out and "port 27708" in done.out


def test_doctor_has_a_remedy_for_a_bench_that_is_not_there(wwep_rig):
    done = wwep_rig("doctor", "--bench", "nowhere", "--json")

    assert done.code == 4
    findings = json.loads(done.out)
    (bad,) = [each for each in findings if not each["is_good"]]
    assert bad["what"] == "bench file" and bad["found"].startswith("there is no bench 'nowhere'")
    assert bad["remedy"].startswith("make one: wwep-rig bench new nowhere")
    assert [each for each in findings if "exit_code" in each] == [bad]
    assert bad["exit_code"] == 4


def test_doctor_keeps_what_is_wrong_with_a_line_apart_from_the_remedy(wwep_rig, tmp_path):
    wwep_rig("bench", "new", "bench-1", "--kind", "board")
    path = tmp_path / "benches" / "bench-1.toml"
    path.write_text(re.sub(r'chip = "[^"]*"', 'chip = "a; b"', path.read_text()))

    done = wwep_rig("doctor", "--bench", "bench-1", "--json")

    findings = {each["what"]: each for each in json.loads(done.out)}
    line = findings["line button0"]
    assert line["found"] == 'line button0: no GPIO chip has the path, name or label "a; b"'
    assert re.search("no GPIO chip at all|name one of these in the bench file", line["remedy"])


def test_doctor_tells_how_to_look_again_at_a_bench_file_that_is_wrong(wwep_rig, tmp_path):
    (tmp_path / "wrong.toml").write_text("nonsense")

    done = wwep_rig("doctor", "--bench", "wrong.toml", "--json")

    (bad,) = [each for each in json.loads(done.out) if not each["is_good"]]
    assert "wrong.toml:1" in bad["found"]
    assert bad["remedy"] == "correct it, and look again: wwep-rig bench check wrong.toml"


def test_doctor_names_who_has_a_port(wwep_rig, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        wwep_rig("bench", "new", "bench-1", "--kind", "sim")
        path = tmp_path / "benches" / "bench-1.toml"
        text = "\n".join(
            line for line in path.read_text().splitlines() if not line.startswith("plain_port")
        )
        extra = f'address = "127.0.0.1"\nplain_port = {port}\n'
        path.write_text(with_server_keys(text, extra))

        done = wwep_rig("doctor", "--bench", "bench-1")
        pressed = wwep_rig("press", "button0", "--bench", "bench-1")

    assert done.code == 4
    assert f"held by process {os.getpid()}" in done.out
    assert pressed.code == 4
    assert f"held by process {os.getpid()}" in pressed.err


def test_doctor_finds_an_address_that_this_machine_does_not_have(wwep_rig, tmp_path):
    wwep_rig("bench", "new", "bench-1", "--kind", "board")
    path = tmp_path / "benches" / "bench-1.toml"
    path.write_text(path.read_text().replace("198.51.100.3", "192.0.2.1"))

    done = wwep_rig("doctor", "--bench", "bench-1", "--json")

    assert done.code == 4
    found = findings_of(done)
    bad = {what: each for what, each in found.items() if not each["is_good"]}
    assert "192.0.2.1" in bad["address"]["found"] and bad["address"]["remedy"]
    assert not [what for what in found if what.startswith("port ")]  # none is free there
    assert ("GPIO" in bad) == (not list(Path("/dev").glob("gpiochip*")))


def test_doctor_looks_at_each_thing_that_an_emulated_board_takes(wwep_rig, tmp_path):
    wwep_rig("bench", "new", "bench-1", "--kind", "emulator")

    nothing = {"PATH": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
    done = wwep_rig("doctor", "--bench", "bench-1", "--json", variables=nothing)

    assert done.code == 4
    found = {each["what"]: each for each in json.loads(done.out)}
    assert "qemu-system-arm, which is not there" in found["emulator"]["found"]
    assert "install Debian's qemu-system-arm" in found["emulator"]["remedy"]
    assert "arm-none-eabi-gcc, which is not there" in found["compiler"]["found"]
    assert "install Debian's gcc-arm-none-eabi" in found["compiler"]["remedy"]
    assert f"lwip, which are not in {tmp_path}" in found["sources"]["found"]
    assert "ci/fetch-sources" in found["sources"]["remedy"]
    assert found["network"]["is_good"] or "max_user_namespaces" in found["network"]["remedy"]


def with_server_keys(text: str, keys: str) -> str:
    if "[server]" not in text.splitlines():
        return f"{text}\n[server]\n{keys}"
    return text.replace("[server]\n", f"[server]\n{keys}", 1)


def findings_of(done: Done) -> dict[str, dict[str, Any]]:
    return {each["what"]: each for each in json.loads(done.out)}


def test_doctor_tries_whether_packets_may_be_captured(wwep_rig, may_capture):
    found = findings_of(wwep_rig("doctor", "--json"))["packets"]

    who = "(everyone|root|root and the group [a-z]+)"
    path = re.escape(str(shutil.which("dumpcap")))
    assert found["is_good"] and "remedy" not in found
    assert re.fullmatch(f"can be captured; {path} is for {who}", found["found"])


def test_doctor_tells_how_to_be_allowed_to_capture_and_finds_the_bench_usable(wwep_rig, tmp_path):
    dumpcap = tmp_path / "dumpcap"
    dumpcap.write_text("#!/bin/sh\necho no permission >&2; exit 2\n")
    dumpcap.chmod(0o755)
    refused = wwep_rig("doctor", "--json", variables={"PATH": f"{tmp_path}:{os.environ['PATH']}"})
    dumpcap.unlink()
    absent = wwep_rig("doctor", "--json", variables={"PATH": str(tmp_path)})

    assert (refused.code, absent.code) == (0, 0)
    for done, why in ((refused, "dumpcap ended: no permission"), (absent, "there is no dumpcap")):
        found = findings_of(done)["packets"]
        assert found["is_good"] and "--capture and --rig-capture do not work" in found["found"]
        assert why in found["found"]
        remedy = found["remedy"]
        assert "apt install wireshark-common" in remedy and "usermod -aG wireshark" in remedy


def test_capturing_that_is_for_a_group_names_the_group_and_how_to_join(tmp_path):
    dumpcap = tmp_path / "dumpcap"
    dumpcap.touch()
    dumpcap.chmod(0o640)
    assert "it is for nobody" in refusal(str(tmp_path), "mia").trouble
    dumpcap.chmod(0o750)
    group = grp.getgrgid(dumpcap.stat().st_gid).gr_name
    owner = pwd.getpwuid(dumpcap.stat().st_uid).pw_name

    stranger = refusal(str(tmp_path), "mia")

    assert stranger.trouble == (
        f"mia may not run {dumpcap}: it is for {owner} and the group {group}"
    )
    assert stranger.remedy == f"sudo usermod -aG {group} mia, then log in again; or run as root"
