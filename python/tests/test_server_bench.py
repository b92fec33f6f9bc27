"""Benches whose target is the server: the conformance suite as scenarios, on the lab's programs."""

import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.broken_servers.good import GoodServer
from wwep_rig import certs, open_bench
from wwep_rig.conformance import Outcome, cases
from wwep_rig.errors import NoBench, TargetFailed

SCENARIOS = Path(__file__).resolve().parents[1] / "scenarios"
FIRMWARE = Path(__file__).resolve().parents[2] / "firmware-under-test"
READY = "listening: 0"

# Servers that read packets take a packet for a frame: what is cut is refused.
PACKETS = {
    "framing.write-in-two-parts",
    "framing.read-in-two-parts",
    "framing.byte-by-byte",
}
# And the one that keeps connections open does so without being asked, five at a time.
KEPT = {
    "framing.line-ends-between",
    "framing.second-line-end",
    "illegal.closes",
    "connection.closes",
    "connection.pipelined",
    "connections.at-once",
    "connections.do-not-mix",
}
# The SDK's boards speak TLS 1.1, so ours do.
OLD_TLS = {"tls.version-1.1"}


def bench_file(folder: Path, program: str, serves: str, *, runs: str = "") -> str:
    """A simulated bench with a server as its target; the file's path."""
    path = folder / f"{program}.toml"
    runs = runs or f'program = "{program}"'
    path.write_text(
        f"""
[bench]
name = "{program}"
kind = "sim"

[target]
role = "server"
{runs}
ready = "{READY}"

[target.serves]
{serves}
"""
    )
    return str(path)


@pytest.mark.parametrize(
    ("program", "secure", "noted"),
    [
        ("server_packets", False, PACKETS),
        ("server_callbacks", False, PACKETS),
        ("server_many", False, PACKETS | KEPT),
        ("server_table", False, set()),
        ("tls_server", True, OLD_TLS),
        ("dual_server", False, set()),
        ("dual_server", True, OLD_TLS),
    ],
)
def test_lab_s_server_passes_and_is_noted_for_what_it_is_known_for(
    tmp_path, environment, program, secure, noted
):
    path = bench_file(tmp_path, program, "tls_port = 40508" if secure else "")

    with open_bench(path, environment=environment) as bench:
        bench.target.start()
        results = [bench.target.server.conform(each.name, secure=secure) for each in cases()]

    failed = {each.case.name: each.reason for each in results if each.outcome is Outcome.FAIL}
    assert failed == {}
    assert {each.case.name for each in results if each.outcome is Outcome.NOTE} == noted


@pytest.fixture
def mutual_tls(tmp_path, environment):
    """Writes a bench file for the lab's server of mutual TLS, which trusts this bench's clients."""
    pki = certs.ensure(Path(environment["XDG_STATE_HOME"]) / "wwep-rig" / "certs")
    resources = tmp_path / "sdk" / "resources" / "wwep"
    resources.mkdir(parents=True)
    (resources / "client_root.pem").write_bytes(pki.root_path.read_bytes())
    app = FIRMWARE / "apps" / "mutual_tls_server"
    runs = f'app = "{app}"\napp_settings = {{ SOURCE_ROOT = "{tmp_path}/sdk/" }}'

    def write(serves: str = "") -> str:
        ports = "plain_port = 0\ntls_port = 40508"
        return bench_file(tmp_path, "mutual_tls_server", f"{ports}\n{serves}", runs=runs)

    return write


def test_server_that_demands_a_certificate_passes_with_the_one_the_bench_file_names(
    environment, mutual_tls
):
    path = mutual_tls('client_identity = "client-ecdsa"')

    with open_bench(path, environment=environment) as bench:
        bench.target.start()
        conform = bench.target.server.conform
        results = {each.name: conform(each.name, secure=True) for each in cases()}

    assert {name for name, each in results.items() if each.outcome is Outcome.FAIL} == set()
    assert results["tls.client-certificate"].outcome is Outcome.PASS
    assert results["tls.certificate"].outcome is Outcome.PASS


def test_server_that_demands_a_certificate_serves_nobody_without_one(environment, mutual_tls):
    with open_bench(mutual_tls(), environment=environment) as bench:
        bench.target.start()
        result = bench.target.server.conform("table.write-is-echoed", secure=True)

    assert result.outcome is Outcome.FAIL
    assert "it wants a client certificate" in result.reason


def test_client_identity_that_there_is_none_of_is_no_bench_and_named(environment, mutual_tls):
    path = mutual_tls('client_identity = "client-nobody"')

    with pytest.raises(NoBench, match="target.serves.client_identity 'client-nobody'"):
        open_bench(path, environment=environment)


def test_board_that_is_a_server_needs_no_lines(tmp_path, environment):
    server = GoodServer()
    path = tmp_path / "board.toml"
    path.write_text(
        f"""
[bench]
name = "board"
kind = "board"

[target]
device = "02:00:00:00:00:01"
role = "server"
serves = {{ address = "127.0.0.1", plain_port = {server.port} }}

[server]
address = "127.0.0.1"
"""
    )

    with open_bench(str(path), environment=environment) as bench:
        bench.target.start()
        result = bench.target.server.conform("table.read-after-write")
        assert (bench.buttons, bench.leds) == ((), ())
    server.close()

    assert result.outcome is Outcome.PASS


def test_target_that_serves_nobody_has_failed(tmp_path, environment):
    path = bench_file(tmp_path, "client_streams", "")
    Path(path).write_text(Path(path).read_text().replace(READY, "ready"))

    with open_bench(path, environment=environment) as bench:
        bench.target.start()
        with pytest.raises(TargetFailed, match="the target's server: connect to 127.*refused"):
            bench.target.server.conform("table.short-write")


def test_port_that_the_target_does_not_serve_is_refused_by_name(tmp_path, environment):
    with open_bench(bench_file(tmp_path, "server_table", ""), environment=environment) as bench:
        assert bench.target.server.serves(secure=False)
        assert not bench.target.server.serves(secure=True)
        with pytest.raises(NoBench, match="does not serve over TLS"):
            bench.target.server.conform("table.short-write", secure=True)


def test_rig_s_own_server_leaves_the_ports_to_the_target(tmp_path, environment):
    with open_bench(bench_file(tmp_path, "server_table", ""), environment=environment) as bench:
        assert bench.server.plain_endpoints == bench.server.tls_endpoints == ()
        with pytest.raises(NoBench, match="the rig's server is off"):
            bench.server.ask("R0FAC0B")


@pytest.fixture
def scenarios(environment, command_of_pytest, tmp_path):
    """Runs scenarios on a bench; gives each test's outcome and what it says."""

    def run(bench: str, *arguments: str) -> dict[str, tuple[str, str]]:
        junit = tmp_path / "scenarios.xml"
        command = [*command_of_pytest, f"--rig-bench={bench}", f"--junitxml={junit}", *arguments]
        subprocess.run(
            command,
            cwd=SCENARIOS,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            timeout=100,
            check=False,
        )
        found = {}
        for case in ElementTree.parse(junit).getroot().iter("testcase"):
            children = [each for each in case if each.tag in ("skipped", "failure", "error")]
            outcome = children[0].tag if children else "passed"
            says = children[0].attrib["message"] if children else ""
            found[case.attrib["name"]] = (outcome, says)
        return found

    return run


def test_on_a_server_bench_the_conformance_scenarios_run_and_those_for_clients_skip(
    tmp_path, scenarios
):
    path = bench_file(tmp_path, "dual_server", "tls_port = 40508\none_at_a_time = true")

    found = scenarios(
        path,
        "test_conformance.py",
        "test_registers.py",
        "test_tls.py",
        "-k",
        "table or name or led",
    )

    names = [each.name for each in cases() if "table" in each.name or "name" in each.name]
    for where in ("in-the-clear", "over-tls"):
        for name in names:
            outcome, says = found.pop(f"test_server_conforms[{name}-{where}]")
            expected = ("skipped", "in the clear: needs TLS")
            is_for_tls = name.startswith("tls.") and where == "in-the-clear"
            assert (outcome, says) == (expected if is_for_tls else ("passed", ""))
    others = {name: each for name, each in found.items() if "conforms" not in name}
    assert others
    assert {each for each in others.values()} == {
        ("skipped", "the target of bench dual_server is a server, and this is for a client")
    }


def test_on_a_client_bench_the_conformance_scenarios_skip(scenarios):
    found = scenarios("sim", "test_conformance.py", "-k", "table")

    assert set(found.values()) == {
        ("skipped", "the target of bench sim is a client, and this is for a server")
    }
