"""Faults as scripts, files and the command line name them."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from wwep_rig import NoBench, RigError, TargetFailed, _core, faults, open_bench
from wwep_rig.certs.plan import FILE_NAMES
from wwep_rig.server import Server

ROOT = Path(__file__).resolve().parents[2]
WRITE, ACCEPTED = "W0FAC0B1234", "A0FAC0B1234"


@pytest.fixture(scope="module")
def server(environment):
    """The server of a bench whose target does not run."""
    with open_bench(environment=environment) as bench:
        yield bench.server


def _sample(parameter: _core.FaultParameter) -> object:
    return 0.5 if parameter.type == "duration" else parameter.words.split("|")[0]


def heard(server: Server) -> str:
    """What one request brings; "(nothing)" if it brings no reply."""
    try:
        return server.ask(WRITE)
    except RigError:
        return "(nothing)"


def test_classes_and_page_follow_from_the_table():
    made = ROOT / "ci/make_fault_kinds.py"
    if not made.exists():
        pytest.skip("this is no checkout")
    done = subprocess.run(
        [sys.executable, made, "--check"],
        env={"PYTHONPATH": ":".join(path for path in sys.path if path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.returncode) == ("", 0), done.stderr


def test_every_identity_that_a_server_can_show_can_be_a_fault():
    keys = {name.removesuffix(".key") for name in FILE_NAMES if name.endswith(".key")}
    mine = {each for each in keys if not each.endswith("-ca") and not each.startswith("client-")}
    infos = {info.name: info for info in _core.fault_table()}

    assert set(infos["tls_identity"].parameters[0].words.split("|")) == mine


def test_every_kind_has_a_class_that_the_server_takes():
    for info in _core.fault_table():
        name = "".join(word.capitalize() for word in info.name.split("_"))
        required = {
            f"{p.name}_s" if p.type == "duration" else p.name: _sample(p)
            for p in info.parameters
            if p.usual is None
        }
        scheduled = faults.at(getattr(faults, name)(**required))
        assert str(scheduled.spec).split()[0] == info.name


@pytest.mark.parametrize(
    ("fault", "reply"),
    [
        (faults.AnswerX(), "X"),
        (faults.WrongValue(), "A0FAC0B1235"),
        (faults.WrongDevice(), "A0FAD0B1234"),
        (faults.CloseInReply(bytes=0), "(nothing)"),
        (faults.ClosedAtAccept(), "(nothing)"),
        (faults.Bytewise(gap_s=0.001), ACCEPTED),
    ],
    ids=str,
)
def test_fault_befalls_the_second_request_only(server, fault, reply):
    with server.fault(fault, nth=2) as fired:
        replies = [heard(server) for _ in range(3)]

    assert replies == [ACCEPTED, reply, ACCEPTED]
    assert fired.count == 1


def test_schedule_arms_several_faults_and_names_those_that_never_fired(server):
    schedule = [
        faults.at(faults.AnswerX(), nth=1),
        faults.parse("wrong_value nth=2"),
        faults.parse("reset bytes=5 nth=9"),
        faults.parse("late by=1s device=0001 optional"),
    ]
    with pytest.raises(TargetFailed) as caught:
        with server.schedule(*schedule) as fired:
            assert [heard(server), heard(server)] == ["X", "A0FAC0B1235"]

    assert [each.count for each in fired] == [1, 1, 0, 0]
    assert "reset bytes=5 nth=9 never came into effect" in str(caught.value)
    assert "late" not in str(caught.value)
    assert heard(server) == ACCEPTED


def test_schedule_that_cannot_be_arms_nothing(server):
    with pytest.raises(NoBench):
        with server.schedule(faults.parse("answer_x"), faults.parse("late by=601s")):
            pass
    assert heard(server) == ACCEPTED


def test_other_port_and_other_device_are_no_chance(server):
    with server.fault(faults.AnswerX(), port="secure", optional=True) as other_port:
        with server.fault(faults.AnswerX(), device=0x0FAD, optional=True) as other_device:
            assert heard(server) == ACCEPTED
    assert other_port.count == other_device.count == 0


def test_file_of_faults_is_read_in_its_order(tmp_path):
    file = tmp_path / "faults.toml"
    file.write_text(
        '[[fault]]\nkind = "late"\nby = "300ms"\nnth = 2\noptional = true\n'
        '[[fault]]\nkind = "reset"\nbytes = 5\nof = "sent"\nprobability = 0.5\n'
    )

    late, reset = faults.load(file)

    assert (str(late.spec), late.spec.nth, late.optional) == ("late by=300ms", 2, True)
    assert (str(reset.spec), reset.optional) == ("reset bytes=5 of=sent", False)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[fault]]\n", "fault 1: kind is a name"),
        ('[[fault]]\nkind = "late"\n[[fault]]\n', "fault 1: fault late: by must be given"),
        ('[[fault]]\nkind = "answer_x"\n[[fault]]\nkind = "none"\n', "fault 2: no fault is called"),
        ('[[fault]]\nkind = "reset"\nbytes = true\n', "fault 1: bytes is a text or a number"),
        ('[faults]\nkind = "reset"\n', "faults: a file of faults holds tables"),
        ("fault = 5\n", "fault: a file of faults holds tables"),
        ("[[fault\n", "at line 1"),
    ],
)
def test_file_that_makes_no_sense_is_refused_by_place(tmp_path, text, said):
    file = tmp_path / "faults.toml"
    file.write_text(text)

    with pytest.raises(NoBench, match=re.escape(said)) as caught:
        faults.load(file)

    assert str(file) in str(caught.value)


@pytest.mark.parametrize("text", ["", "late", "late by", "late by='1s", "late by=1s nth=two"])
def test_text_that_makes_no_sense_is_refused(text):
    with pytest.raises(NoBench):
        faults.parse(text)


def test_serve_lists_every_fault_with_its_parameters(wwep_rig):
    done = wwep_rig("serve", "--fault", "help")

    assert done.code == 0
    for info in _core.fault_table():
        assert f"{info.name}" in done.out and info.help in done.out
        assert all(f"    {each.name}: {each.help}" in done.out for each in info.parameters)


def test_serve_shows_a_bad_identity_to_the_connection_that_was_chosen(start):
    process = start(
        "serve", "--no-plain", "--tls-port", "0", "--fault", "tls_identity name=expired nth=1"
    )
    ready = re.search(r"tls=127\.0\.0\.1:(\d+) root=(\S+)", process.stdout.readline())
    assert ready is not None

    options = _core.ClientOptions()
    options.host, options.port, options.timeout_s = "127.0.0.1", int(ready[1]), 10.0
    options.secure, options.ca_file = True, ready[2]
    answers = [_core.exchange(options, WRITE.encode()) for _ in range(2)]

    assert "expired" in answers[0].failure and not answers[0].reply
    assert answers[1].reply == ACCEPTED.encode()


def test_serve_misbehaves_as_told_and_names_what_never_fired(start, tmp_path):
    file = tmp_path / "faults.toml"
    file.write_text('[[fault]]\nkind = "wrong_value"\nnth = 2\n')
    words = ("--fault", "answer_x nth=1", "--fault", "late by=1s nth=9", "--faults", str(file))
    process = start("serve", "--no-tls", "--port", "0", *words)
    port = process.stdout.readline().rpartition(":")[2].strip()

    def ask() -> str:
        return subprocess.run(
            [sys.executable, "-c", "import sys; from wwep_rig.cli import main; sys.exit(main())"]
            + ["send", WRITE, "--port", port],
            env={"PYTHONPATH": ":".join(path for path in sys.path if path)},
            capture_output=True,
            text=True,
            check=False,
        ).stdout.strip()

    assert [ask(), ask(), ask()] == ["X", "A0FAC0B1235", ACCEPTED]
    process.terminate()
    out, err = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "fault  (answer_x)" in out or "fault (answer_x)" in out
    assert "the fault late by=1s nth=9 never came into effect" in err
    assert "answer_x never" not in err


@pytest.mark.parametrize("words", [("--fault", "none"), ("--fault", "late"), ("--fault", "late b")])
def test_serve_refuses_a_fault_that_cannot_be(wwep_rig, words):
    done = wwep_rig("serve", "--port", "0", "--no-tls", *words)

    assert done.code == 2
    assert "--fault help" in done.err
