"""The conformance suite against servers that are right, and against ones with one defect each."""

import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.broken_servers import broken
from tests.broken_servers.good import GoodKeepingServer, GoodServer
from wwep_rig import _core, certs
from wwep_rig.conformance import CaseResult, Conformance, Outcome, ServerUnderTest, cases, matching

# Of a good server on a busy machine none takes this long; of a broken one some do.
PATIENCE_S = 4.0

Results = dict[str, CaseResult]


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> certs.CertificateSet:
    """Identities made for this run."""
    return certs.make(tmp_path_factory.mktemp("certs") / "pki", addresses=["127.0.0.1"])


@pytest.fixture
def serve() -> Iterator[Callable[..., GoodServer]]:
    """Starts a server, and ends it with the test."""
    started: list[GoodServer] = []

    def run(kind: type[GoodServer], tls: ssl.SSLContext | None = None) -> GoodServer:
        started.append(kind(tls))
        return started[-1]

    yield run
    for server in started:
        server.close()


def connection_to(server: GoodServer, root: Path | None = None) -> _core.ClientOptions:
    options = _core.ClientOptions()
    options.host, options.port = "127.0.0.1", server.port
    options.secure = server.tls is not None
    options.ca_file = str(root) if root else ""
    options.verify = root is not None
    return options


def run_all(server: GoodServer, *, root: Path | None = None, only: str = "*") -> Results:
    """Every case, after probing."""
    said = ServerUnderTest(connection_to(server, root), patience_s=PATIENCE_S)
    suite = Conformance(said)
    suite.probe()
    return {case.name: suite.run(case.name) for case in matching([only])}


def names(results: Results, outcome: Outcome) -> set[str]:
    return {name for name, result in results.items() if result.outcome is outcome}


def server_tls(identity: certs.Identity) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(identity.cert_path, identity.key_path)
    return context


IN_TLS_ONLY = {case.name for case in matching(["tls.*"])}
NEEDS_SAYING = {"connection.idle"}
KEPT_OPEN_ONLY = {
    "framing.line-ends-between",
    "framing.line-end-starts-no-frame",
    "framing.second-line-end",
    "connection.reused",
    "connection.pipelined",
}


def test_good_server_passes_every_case_that_applies_to_it(serve):
    results = run_all(serve(GoodServer))

    assert names(results, Outcome.FAIL) == set()
    assert names(results, Outcome.NOTE) == set()
    assert names(results, Outcome.SKIPPED) == IN_TLS_ONLY | NEEDS_SAYING | KEPT_OPEN_ONLY
    assert set(results) == {case.name for case in cases()}


def test_good_server_that_keeps_connections_open_is_noted_for_that_alone(serve):
    results = run_all(serve(GoodKeepingServer))

    assert names(results, Outcome.FAIL) == set()
    assert names(results, Outcome.NOTE) == {"connection.closes"}
    assert names(results, Outcome.SKIPPED) == IN_TLS_ONLY | NEEDS_SAYING | {"connection.one-reply"}


UNFINISHED = {"unfinished.in-time", "unfinished.half-close"}
CUT = {"framing.write-in-two-parts", "framing.read-in-two-parts", "framing.byte-by-byte"}

# The server; the cases that it fails; those that note something; what one of the cases says.
DEFECTS: list[tuple[type[GoodServer], set[str], set[str], str, str]] = [
    (
        broken.SharesRegisters,
        {"table.other-device", "registers.unwritten", "registers.separate-devices"},
        set(),
        "table.other-device",
        "R0BAC0B: expected X, got A0BAC0B1234",
    ),
    (
        broken.KeepsEightBits,
        {"table.read-after-write", "values.edges"},
        set(),
        "table.read-after-write",
        "expected A0FAC0B1234, got A0FAC0B0034",
    ),
    (
        broken.HasHalfTheRegisters,
        {"registers.all-256"},
        set(),
        "registers.all-256",
        "expected",
    ),
    (
        broken.ReadsUnwrittenAsZero,
        {"registers.unwritten", "reply.nothing-follows-x"},
        set(),
        "registers.unwritten",
        "expected X, got A",
    ),
    (
        broken.EndsRepliesWithNewline,
        {"reply.nothing-follows-accepted"},
        set(),
        "reply.nothing-follows-accepted",
        "after the reply's 11 bytes came \\x0a",
    ),
    (
        broken.AnswersEarly,
        {"framing.write-in-two-parts", "framing.byte-by-byte", *UNFINISHED},
        set(),
        "framing.write-in-two-parts",
        "before the frame was complete",
    ),
    (
        broken.BreaksOnSplitReads,
        {"table.short-write", *CUT},
        {*UNFINISHED, "connections.do-not-mix"},
        "framing.read-in-two-parts",
        "no answer: ",
    ),
    (
        broken.LeavesTruncatedUnanswered,
        {"table.short-write"},
        UNFINISHED,
        "table.short-write",
        "W01234: expected X, got no answer",
    ),
    (
        broken.RefusesWithAnotherLetter,
        {
            "table.short-write",
            "hex.lower-case-command",
            *UNFINISHED,
            "illegal.command",
            "illegal.digit",
            "illegal.closes",
            "illegal.rest-is-ignored",
        },
        {"framing.line-end-first"},
        "illegal.command",
        "expected X, got what is no reply: E",
    ),
    (broken.TakesSigns, {"illegal.digit"}, set(), "illegal.digit", "expected X, got"),
    (
        broken.DiesOfAReset,
        {"rough.reset"},
        set(),
        "rough.reset-inside-frame",
        "nobody answers at the address since rough.reset",
    ),
    (
        broken.WaitsForWhoNeverReads,
        {"rough.never-reads"},
        {"connection.closes"},
        "rough.never-reads",
        "a client that never reads, still connected: ",
    ),
    (
        broken.TakesUpperCaseOnly,
        set(),
        {"hex.lower-case-digits"},
        "hex.lower-case-digits",
        "got X",
    ),
    (
        broken.SaysMoreAfterX,
        set(),
        {"reply.nothing-follows-x", "illegal.rest-is-ignored"},
        "reply.nothing-follows-x",
        "after the X came  Not Found",
    ),
    (
        broken.ShowsLowerCase,
        set(),
        {"hex.write-echoes-digits", "hex.read-is-upper-case"},
        "hex.read-is-upper-case",
        "the reply is A",
    ),
]


@pytest.mark.parametrize(
    ("kind", "failed", "noted", "case", "says"), DEFECTS, ids=[row[0].__name__ for row in DEFECTS]
)
def test_server_with_one_defect_is_faulted_for_it_and_for_nothing_else(
    serve, kind, failed, noted, case, says
):
    results = run_all(serve(kind))

    assert names(results, Outcome.FAIL) == failed
    assert names(results, Outcome.NOTE) == noted
    assert says in results[case].reason


def test_server_that_swaps_the_bytes_of_a_value_fails_wherever_a_value_is_read(serve):
    results = run_all(serve(broken.SwapsBytes))

    assert names(results, Outcome.NOTE) == set()
    assert {"table.read-after-write", "values.edges"} <= names(results, Outcome.FAIL)
    # Nothing that is refused is held against it.
    assert "illegal.command" not in names(results, Outcome.FAIL)
    assert "got A0FAC0B3412" in results["table.read-after-write"].reason


def test_good_server_over_tls_passes_every_case_that_applies_to_it(serve, pki):
    identity = pki.identity("server-ecdsa")

    results = run_all(serve(GoodServer, server_tls(identity)), root=identity.root_path)

    assert names(results, Outcome.FAIL) == set()
    assert names(results, Outcome.NOTE) == set()
    said = {"tls.pin", "tls.client-certificate"}
    assert names(results, Outcome.SKIPPED) == said | NEEDS_SAYING | KEPT_OPEN_ONLY


@pytest.mark.parametrize(
    ("identity", "failed", "says"),
    [
        ("expired", "tls.certificate", "expired"),
        ("not-yet-valid", "tls.certificate", "not valid yet"),
        ("unknown-issuer", "tls.certificate", "signed by no CA that is trusted here"),
        ("wrong-name", "tls.name", "name"),
    ],
)
def test_server_with_a_bad_certificate_fails_the_one_case_about_it(
    serve, pki, identity, failed, says
):
    server = serve(GoodServer, server_tls(pki.identity(identity)))

    results = run_all(server, root=pki.root_path, only="t*")

    assert names(results, Outcome.FAIL) == {failed}
    assert names(results, Outcome.NOTE) == set()
    assert says in results[failed].reason


def test_server_without_tls_1_3_and_with_tls_1_1_is_noted(serve, pki):
    context = server_tls(pki.identity("server-ecdsa"))
    context.minimum_version = ssl.TLSVersion.TLSv1_1
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ALL:@SECLEVEL=0")

    results = run_all(serve(GoodServer, context), root=pki.root_path, only="t*")

    assert names(results, Outcome.FAIL) == set()
    assert names(results, Outcome.NOTE) == {"tls.version-1.3", "tls.version-1.1"}


def test_server_that_answers_in_the_clear_on_its_port_over_tls_fails(serve, pki):
    server = serve(broken.AnswersInTheClear, server_tls(pki.identity("server-ecdsa")))

    results = run_all(server, root=pki.root_path, only="t*")

    assert names(results, Outcome.FAIL) == {"tls.no-clear-text"}


def test_server_that_ends_without_close_notify_is_noted(serve, pki):
    server = serve(broken.EndsWithoutCloseNotify, server_tls(pki.identity("server-ecdsa")))

    results = run_all(server, root=pki.root_path, only="t*")

    assert names(results, Outcome.FAIL) == set()
    assert names(results, Outcome.NOTE) == {"tls.close-notify"}


def test_flags_decide_without_probing_which_cases_apply(serve):
    said = ServerUnderTest(
        connection_to(serve(GoodServer)), one_at_a_time=True, keep_open=False, patience_s=PATIENCE_S
    )
    suite = Conformance(said)
    suite.probe()

    assert suite.one_at_a_time and not suite.keeps_open
    for name in ("connections.at-once", "connection.reused"):
        result = suite.run(name)
        assert result.outcome is Outcome.SKIPPED
        assert "(said so)" in result.reason


def test_server_for_one_connection_at_a_time_is_found_out(serve):
    class Alone(GoodServer):
        one_at_a_time = True

    suite = Conformance(ServerUnderTest(connection_to(serve(Alone)), patience_s=PATIENCE_S))
    suite.probe()

    assert suite.one_at_a_time
    result = suite.run("connections.at-once")
    assert result.outcome is Outcome.SKIPPED
    assert result.reason == "the server takes one connection at a time (found out by probing)"
    assert suite.run("table.read-after-write").outcome is Outcome.PASS
    assert suite.run("rough.never-reads").outcome is Outcome.PASS


def test_server_that_is_said_to_keep_connections_open_and_does_not_is_noted(serve):
    said = ServerUnderTest(connection_to(serve(GoodServer)), keep_open=True, patience_s=PATIENCE_S)
    suite = Conformance(said)
    suite.probe()

    assert suite.keeps_open
    for name in ("connection.reused", "connection.pipelined", "framing.line-ends-between"):
        result = suite.run(name)
        assert result.outcome is Outcome.NOTE
        assert "closed the connection" in result.reason


def test_same_seed_writes_to_the_same_devices(serve):
    connection = connection_to(serve(GoodServer))
    sent = []
    for seed in (7, 7, 8):
        suite = Conformance(ServerUnderTest(connection, seed=seed))
        suite.probe()
        sent.append([step.data for step in suite.run("registers.led").steps])

    assert sent[0] == sent[1] != sent[2]


def test_idle_timeout_is_tried_when_it_is_said(serve):
    class Impatient(GoodServer):
        idle_timeout_s = 0.5

    said = ServerUnderTest(connection_to(serve(Impatient)), idle_timeout_s=0.5)
    suite = Conformance(said)
    suite.probe()
    assert suite.run("connection.idle").outcome is Outcome.PASS

    suite = Conformance(ServerUnderTest(said.connection, idle_timeout_s=60.0))
    suite.probe()
    result = suite.run("connection.idle")
    assert result.outcome is Outcome.NOTE
    assert "of silence already" in result.reason
