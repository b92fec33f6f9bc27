"""`wwep-rig conform` as its users see it, a process of its own."""

import json
import re
import signal
import socket
from collections.abc import Callable, Iterator
from typing import Any
from xml.etree import ElementTree

import pytest
from tests.broken_servers import broken
from tests.broken_servers.good import GoodServer

READY = re.compile(r"ready plain=127\.0\.0\.1:(\d+) tls=127\.0\.0\.1:(\d+) root=(\S+)\n")


@pytest.fixture
def serve_broken() -> Iterator[Callable[[type[GoodServer]], str]]:
    """Starts a double; gives its port."""
    started: list[GoodServer] = []

    def run(kind: type[GoodServer]) -> str:
        started.append(kind())
        return str(started[-1].port)

    yield run
    for server in started:
        server.close()


def start_server(start, *arguments: str) -> tuple[str, str]:
    """The rig's own server: its port in the clear and the one over TLS."""
    process = start("serve", "--port", "0", "--tls-port", "0", *arguments)
    ready = READY.fullmatch(process.stdout.readline())
    assert ready is not None
    return ready[1], ready[2]


def by_outcome(report: dict[str, Any], outcome: str) -> set[str]:
    return {case["name"] for case in report["cases"] if case["outcome"] == outcome}


@pytest.mark.parametrize("keeps_open", [False, True], ids=["one transaction", "kept open"])
@pytest.mark.parametrize("secure", [False, True], ids=["in the clear", "over TLS"])
def test_rig_s_own_server_passes_with_no_note(start, wwep_rig, keeps_open, secure):
    mode = ("--keep-open",) if keeps_open else ()
    plain, tls = start_server(start, *mode)
    where = ("--port", tls, "--tls") if secure else ("--port", plain)

    done = wwep_rig("conform", "127.0.0.1", *where, *mode, "--json", timeout_s=100)

    report = json.loads(done.out)
    assert (done.code, report["verdict"], done.err) == (0, "good", "")
    assert by_outcome(report, "fail") == by_outcome(report, "note") == set()
    assert report["keep_open"] is keeps_open and report["one_at_a_time"] is False
    assert bool(report["tls"]) is secure
    skipped = {each for each in by_outcome(report, "skipped") if not each.startswith("tls.")}
    assert {"connection.reused", "connection.one-reply"} & skipped == (
        {"connection.one-reply"} if keeps_open else {"connection.reused"}
    )


def test_failure_names_the_bytes_and_the_exit_code_is_1(serve_broken, wwep_rig):
    port = serve_broken(broken.KeepsEightBits)

    done = wwep_rig("conform", "127.0.0.1", "--port", port, "--only", "table.*", "--seed", "5")

    assert done.code == 1
    assert "fail    table.read-after-write" in done.out
    assert re.search(r"#\d+ +sent +R0FAC0B\n", done.out)
    assert re.search(r"#\d+ +received +A0FAC0B0034\n", done.out)
    assert "seed 5" in done.out.splitlines()[0]
    assert done.out.splitlines()[-1].startswith("4 cases: 3 pass, 0 note, 1 fail, 0 skipped, in ")


def test_note_is_no_failure(serve_broken, wwep_rig, tmp_path):
    port = serve_broken(broken.TakesUpperCaseOnly)
    patterns = ("--only", "hex.*")

    done = wwep_rig("conform", "127.0.0.1", "--port", port, *patterns, "--junit", "out.xml")

    assert done.code == 0
    assert "note    hex.lower-case-digits" in done.out
    assert "rule: ruling 1" in done.out
    assert re.search(r"\| .*#\d+ +sent +[RW][0-9a-f]+\n.*\| .*#\d+ +received +X\n", done.out)
    (noted,) = ElementTree.parse(tmp_path / "out.xml").iterfind(".//*[@name='lower-case-digits']")
    assert noted.find("failure") is None
    said = noted.findtext("system-out") or ""
    assert re.search(r"note: .*\n(.*\n)*.* sent +[RW][0-9a-f]+\n.* received +X(\n|$)", said)


def test_bytes_of_cases_that_passed_are_shown_on_request(serve_broken, wwep_rig):
    port = serve_broken(GoodServer)
    command = ("conform", "127.0.0.1", "--port", port, "--only", "table.write-is-echoed")

    assert "sent" not in wwep_rig(*command).out
    shown = wwep_rig(*command, "-v").out
    assert re.search(r"sent +W0FAC0B1234\n.*received +A0FAC0B1234\n", shown)
    assert "bytes sent and received" in wwep_rig("conform", "--help").out


def test_json_holds_what_was_sent_and_received(serve_broken, wwep_rig):
    port = serve_broken(GoodServer)

    done = wwep_rig(
        "conform", "127.0.0.1", "--port", port, "--only", "table.write-is-echoed", "--json"
    )

    (case,) = json.loads(done.out)["cases"]
    assert case["outcome"] == "pass" and case["exchanges"] == 1
    seen = [(step["kind"], step["bytes"]) for step in case["steps"]]
    assert seen[:3] == [("connected", None), ("sent", "W0FAC0B1234"), ("received", "A0FAC0B1234")]


def test_junit_file_holds_every_case_and_a_verdict(serve_broken, wwep_rig, tmp_path):
    port = serve_broken(broken.KeepsEightBits)
    patterns = ("--only", "table.*", "--only", "tls.pin")

    done = wwep_rig("conform", "127.0.0.1", "--port", port, *patterns, "--junit", "out.xml")

    assert done.code == 1
    suite = ElementTree.parse(tmp_path / "out.xml").getroot().find("testsuite")
    assert suite is not None
    assert suite.attrib["tests"] == "5" and suite.attrib["failures"] == "1"
    (failure,) = suite.findall("testcase/failure")
    assert "got A0FAC0B0034" in failure.attrib["message"]
    assert "sent" in (failure.text or "") and "R0FAC0B" in (failure.text or "")
    passed = {each.attrib["name"]: each.findtext("system-out") for each in suite.iter("testcase")}
    assert "received" in (passed["write-is-echoed"] or "")
    (skipped,) = suite.findall("testcase/skipped")
    assert "needs TLS" in skipped.attrib["message"]
    assert wwep_rig("verdict", "out.xml").out == "target-failed\n"


def test_nobody_at_the_address_is_exit_code_3(wwep_rig):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])

    done = wwep_rig("conform", "127.0.0.1", "--port", port)

    assert done.code == 3
    assert f"connect to 127.0.0.1:{port}: Connection refused" in done.err
    assert done.out == ""


def test_list_needs_no_server(wwep_rig):
    shown = wwep_rig("conform", "--list", "--only", "tls.*")
    listed = json.loads(wwep_rig("conform", "--list", "--json").out)

    assert shown.code == 0
    assert "tls.close-notify" in shown.out and "table." not in shown.out
    assert len(listed) > 50 and set(listed[0]) == {"name", "sentence", "rule"}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "Missing argument 'HOST'"),
        (("127.0.0.1", "--only", "nothing.*"), "no case matches nothing.*"),
        (("127.0.0.1", "--ca", "/dev/null"), "need --tls"),
    ],
)
def test_wrong_use_is_exit_code_2(wwep_rig, arguments, says):
    done = wwep_rig("conform", *arguments)

    assert done.code == 2
    assert says in done.err


def test_ctrl_c_ends_the_run_and_shows_what_has_been_seen(serve_broken, start, wwep_rig):
    port = serve_broken(GoodServer)
    patterns = ("--only", "table.write*", "--only", "connection.idle")
    command = ("conform", "127.0.0.1", "--port", port, *patterns, "--junit", "out.xml")
    process = start(*command, "--idle-timeout", "60")
    assert process.stdout.readline().startswith(f"127.0.0.1:{port} in the clear")
    assert process.stdout.readline().startswith("pass    table.write-is-echoed")

    process.send_signal(signal.SIGINT)

    out, err = process.communicate(timeout=30)
    assert out.startswith("interrupted after 1 of 2 cases: 1 pass")
    assert (process.returncode, err) == (130, "")
    verdict = wwep_rig("verdict", "out.xml")
    assert (verdict.code, verdict.out) == (3, "good (interrupted)\n")
