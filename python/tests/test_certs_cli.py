"""The verbs of `wwep-rig certs`: what they print, write and exit with."""

import base64
import contextlib
import json
import os
import pty
import socket
import ssl
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from wwep_rig import certs as pki
from wwep_rig.certs import convert, issue
from wwep_rig.cli.certs import certs


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> pki.CertificateSet:
    """One whole set, shared by the tests that only read."""
    return pki.make(tmp_path_factory.mktemp("certs") / "set")


@dataclass(frozen=True)
class Ran:
    """What a verb left behind."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, object]:
        """stdout as JSON."""
        document: dict[str, object] = json.loads(self.out)
        return document


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> "Runner":
    """Runs a verb in this process."""
    return Runner(capsys)


class Runner:
    """Calls the group as the console script does."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: str | Path) -> Ran:
        with pytest.raises(SystemExit) as ended:
            certs.main([str(each) for each in arguments], prog_name="wwep-rig certs")
        captured = self._capsys.readouterr()
        return Ran(int(ended.value.code or 0), captured.out, captured.err)


@contextmanager
def serving(identity: pki.Identity, *, handshakes: int = 1) -> Iterator[str]:
    """A TLS server on a port of its own that presents the identity and says nothing."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.load_cert_chain(identity.cert_path, identity.key_path)
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(30)

    def accept() -> None:
        for _ in range(handshakes):
            connection, _address = listener.accept()
            with connection:
                connection.settimeout(30)
                try:
                    context.wrap_socket(connection, server_side=True).close()
                except OSError:
                    pass  # The client has what it came for, and may leave as it likes.

    thread = threading.Thread(target=accept)
    thread.start()
    try:
        yield f"127.0.0.1:{listener.getsockname()[1]}"
    finally:
        thread.join(timeout=30)
        listener.close()


@pytest.mark.parametrize("verb", ["make", "show", "sign", "convert"])
def test_each_verb_teaches_with_an_example(run: Runner, verb: str) -> None:
    ran = run(verb, "--help")

    assert ran.status == 0
    assert f"      wwep-rig certs {verb} " in ran.out


def test_make_lists_every_identity_and_its_verdict(run: Runner, tmp_path: Path) -> None:
    ran = run("make", tmp_path / "pki", "--name", "bench.lab", "--address", "10.0.0.1")

    assert ran.status == 0
    made = pki.load(tmp_path / "pki")
    assert made.names[-1] == "bench.lab" and made.addresses[-1] == "10.0.0.1"
    for each in made.identities:
        verdict = f"refuses: {each.catchable_by.value}"
        assert f"{each.name} " in ran.out
        assert each.expected is pki.Expected.ACCEPT or verdict in ran.out


def test_make_in_json_is_the_index_and_the_directory(run: Runner, tmp_path: Path) -> None:
    ran = run("make", tmp_path / "pki", "--json", "--key-type", "ecdsa", "--days", "7")

    assert ran.status == 0 and ran.err == ""
    index = json.loads((tmp_path / "pki" / "index.json").read_bytes())
    assert ran.json == {"directory": str(tmp_path / "pki"), **index}
    assert ran.json["ca_key_type"] == "ecdsa"


def test_make_refuses_a_set_that_is_there_until_forced(run: Runner, tmp_path: Path) -> None:
    first = run("make", tmp_path / "pki", "--key-type", "ecdsa")
    root = (tmp_path / "pki" / "root-ca.pem").read_bytes()

    second = run("make", tmp_path / "pki")
    assert (first.status, second.status) == (0, 2)
    assert str(tmp_path / "pki") in second.err and "--force" in second.err
    assert (tmp_path / "pki" / "root-ca.pem").read_bytes() == root
    assert run("make", tmp_path / "pki", "--force", "--key-type", "ecdsa").status == 0
    assert (tmp_path / "pki" / "root-ca.pem").read_bytes() != root


@pytest.mark.parametrize(
    "arguments", [["--name", "a b"], ["--address", "x"], ["--days", "0"], ["--key-type", "dsa"], []]
)
def test_make_with_bad_usage_exits_with_2_and_makes_nothing(
    run: Runner, tmp_path: Path, arguments: list[str]
) -> None:
    where = [str(tmp_path / "pki")] if arguments else []

    assert run("make", *where, *arguments).status == 2
    assert list(tmp_path.iterdir()) == []


def test_make_where_the_file_system_refuses_exits_with_3(run: Runner) -> None:
    ran = run("make", "/proc/no-such-place/pki", "--json")

    assert ran.status == 3
    assert "/proc/no-such-place" in ran.err
    assert ran.json == {"error": ran.err.removeprefix("wwep-rig certs: ").rstrip(), "exit": 3}


def alternatives(certificate: x509.Certificate) -> set[str]:
    """Its alternative names and addresses, as text."""
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return {str(each.value) for each in names}


def test_commands_that_make_explains_do_what_make_did(run: Runner, tmp_path: Path) -> None:
    """They are run as printed, in an empty directory, and their result verifies."""
    wishes = ("--name", "bench.lab", "--address", "10.0.0.1", "--days", "20", "--key-type", "ecdsa")
    ran = run("make", tmp_path / "pki", "--explain", *wishes)
    commands = [line.strip() for line in ran.err.splitlines() if line.startswith("  ")]
    (tmp_path / "again").mkdir()

    for command in commands:
        again = command.replace(str(tmp_path / "pki"), str(tmp_path / "again"))
        subprocess.run(
            again, shell=True, cwd=tmp_path, check=True, stderr=subprocess.DEVNULL, timeout=60
        )
    said = subprocess.run(
        [
            *("openssl", "verify", "-CAfile", "root-ca.pem", "-untrusted", "intermediate-ca.pem"),
            *("-verify_hostname", pki.SERVER_NAMES[0], "server-ecdsa.leaf.pem"),
        ],
        cwd=tmp_path / "again",
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )

    assert len(commands) == 6
    assert said.stdout == "server-ecdsa.leaf.pem: OK\n"
    ours, theirs = (
        convert.certificates_in((tmp_path / each / "server-ecdsa.leaf.pem").read_bytes(), each)[0]
        for each in ("pki", "again")
    )
    assert alternatives(theirs) == alternatives(ours)
    assert {"bench.lab", "10.0.0.1"} <= alternatives(ours)
    root = convert.certificates_in((tmp_path / "again" / "root-ca.pem").read_bytes(), "root")[0]
    assert issue.describe_key(root.public_key()) == "ecdsa-p256"


def test_show_of_a_good_chain_finds_nothing(run: Runner, made: pki.CertificateSet) -> None:
    identity = made.identity("server-ecdsa")

    ran = run(
        *("show", identity.cert_path, "--root", made.root_path, "--key", identity.key_path),
        *("--crl", made.crl_path, "--name", "::1", "--role", "server"),
    )

    assert ran.status == 0
    assert "nothing wrong" in ran.out and "ecdsa-p256" in ran.out
    assert identity.pin_sha256 in ran.out


@pytest.mark.parametrize(
    "name, check",
    [
        ("unknown-issuer", "chain"),
        ("unknown-self-signed", "chain"),
        ("missing-intermediate", "chain"),
        ("altered-signature", "chain"),
        ("expired", "time"),
        ("not-yet-valid", "time"),
        ("wrong-name", "name"),
        ("wrong-usage", "usage"),
        ("weak-rsa-1024", "strength"),
        ("weak-sha1", "strength"),
        ("weak-md5", "strength"),
        ("key-mismatch", "key"),
        ("revoked", "revocation"),
    ],
)
def test_show_finds_the_one_fault_of_each_bad_identity(
    run: Runner, made: pki.CertificateSet, name: str, check: str
) -> None:
    identity = made.identity(name)

    ran = run(
        *("show", identity.cert_path, "--root", made.root_path, "--key", identity.key_path),
        *("--crl", made.crl_path, "--name", "localhost", "--role", "server", "--json"),
    )

    problems = ran.json["problems"]
    assert ran.status == 1
    assert isinstance(problems, list)
    # The lab's way of making a certificate gives it no alternative name, besides.
    faults = [each for each in problems if name != "unknown-self-signed" or each["check"] != "name"]
    assert [(each["certificate"], each["check"]) for each in faults] == [(1, check)]


def test_show_finds_a_chain_in_the_wrong_order(
    run: Runner, made: pki.CertificateSet, tmp_path: Path
) -> None:
    leaf = (made.directory / "server-rsa.leaf.pem").read_bytes()
    issuer = (made.directory / "intermediate-ca.pem").read_bytes()
    root = made.root_path.read_bytes()
    (tmp_path / "chain.pem").write_bytes(leaf + root + issuer)

    ran = run("show", tmp_path / "chain.pem")

    assert ran.status == 1
    assert "out of order" in ran.out


def test_show_of_a_common_name_without_alternatives_is_a_note(
    run: Runner, made: pki.CertificateSet
) -> None:
    identity = made.identity("lab-self-signed")
    options = ["--root", str(identity.root_path), "--name"]

    matching = run("show", identity.cert_path, *options, pki.SERVER_NAMES[0], "--json")
    other = run("show", identity.cert_path, *options, pki.SERVER_NAMES[1], "--json")

    assert (matching.status, other.status) == (0, 1)
    assert matching.json["problems"] == [] and matching.json["notes"] != []


@pytest.mark.parametrize("name", ["server-ecdsa", "server-rsa"])
def test_show_of_a_server_gives_the_chain_it_sends(
    run: Runner, made: pki.CertificateSet, name: str
) -> None:
    identity = made.identity(name)
    with serving(identity) as endpoint:
        ran = run("show", endpoint, "--root", made.root_path, "--json")

    certificates = ran.json["certificates"]
    assert ran.status == 0
    assert isinstance(certificates, list) and len(certificates) == 2
    assert certificates[0]["pin_sha256"] == identity.pin_sha256


@pytest.mark.parametrize("name", ["weak-md5", "weak-rsa-1024", "expired", "wrong-usage"])
def test_show_of_a_server_that_no_client_would_trust_says_why(
    run: Runner, made: pki.CertificateSet, name: str
) -> None:
    identity = made.identity(name)
    with serving(identity) as endpoint:
        ran = run("show", endpoint, "--root", made.root_path, "--json")

    problems = ran.json["problems"]
    assert ran.status == 1
    assert isinstance(problems, list)
    assert [each["check"] for each in problems] == [identity.catchable_by.value]


def test_show_holds_a_server_against_the_name_asked_for(
    run: Runner, made: pki.CertificateSet
) -> None:
    with serving(made.identity("server-ecdsa")) as endpoint:
        ran = run("show", endpoint, "--name", "elsewhere.lab")

    assert ran.status == 1
    assert "not made for elsewhere.lab" in ran.out


def test_show_of_a_port_that_speaks_no_tls_is_the_targets_failure(run: Runner) -> None:
    listener = socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        connection, _address = listener.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(b"X")

    thread = threading.Thread(target=answer)
    thread.start()
    ran = run("show", f"127.0.0.1:{listener.getsockname()[1]}")
    thread.join(timeout=30)
    listener.close()

    assert ran.status == 1
    assert "no certificate came" in ran.err


def test_show_of_a_port_where_nobody_listens_is_a_rig_error(run: Runner) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        endpoint = f"127.0.0.1:{listener.getsockname()[1]}"
    ran = run("show", endpoint)

    assert ran.status == 3
    assert ran.err == f"wwep-rig certs: connect to {endpoint}: Connection refused\n"


def test_show_gives_up_on_a_server_that_stays_silent(run: Runner) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ran = run("show", f"127.0.0.1:{listener.getsockname()[1]}", "--timeout", "0.3")

    assert ran.status == 1
    assert "nothing within 0.3 s" in ran.err


@pytest.mark.parametrize("source", ["absent.pem", "host:0", "host:70000", "a:b:44", "[::1]"])
def test_show_of_neither_file_nor_endpoint_is_usage(run: Runner, source: str) -> None:
    ran = run("show", source)

    assert ran.status == 2
    assert ran.err == f"wwep-rig certs: {source}: no such file; a server is written HOST:PORT\n"


BROKEN = {
    "empty": (b"", "neither PEM"),
    "text": (b"hello\n", "neither PEM"),
    "cut": (b"-----BEGIN CERTIFICATE-----\nMIID", "cut short"),
    "garbage": (
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        "block 1: CERTIFICATE cannot be parsed",
    ),
    "too long": (b"\n" * (1 << 20) + b"\n", "more than 1048576 bytes"),
}


@pytest.mark.parametrize("verb", [["show"], ["convert", "--to", "c"]])
@pytest.mark.parametrize("name", BROKEN)
def test_file_that_is_no_certificate_is_usage_and_named(
    run: Runner, tmp_path: Path, verb: list[str], name: str
) -> None:
    content, said = BROKEN[name]
    (tmp_path / "it").write_bytes(content)

    ran = run(*verb, tmp_path / "it")

    assert ran.status == 2 and ran.out == ""
    assert str(tmp_path / "it") in ran.err and said in ran.err


def make_request(where: Path, *extra: str, key: str = "rsa:2048") -> Path:
    """A request by openssl, for the common name board-7."""
    subprocess.run(
        [
            *("openssl", "req", "-newkey", key, "-nodes", "-subj", "/CN=board-7", *extra),
            *("-keyout", where / "board.key", "-out", where / "board.csr"),
        ],
        check=True,
        stderr=subprocess.DEVNULL,
    )
    return where / "board.csr"


def verified(made: pki.CertificateSet, path: Path, purpose: str) -> str:
    """openssl's verdict on a signed request."""
    done = subprocess.run(
        [
            *("openssl", "verify", "-x509_strict", "-purpose", purpose),
            *("-CAfile", made.root_path, "-untrusted", path, path),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.stdout.replace(f"{path}", "it")


def test_signed_request_is_accepted_and_keeps_its_key_and_names(
    run: Runner, made: pki.CertificateSet, tmp_path: Path
) -> None:
    request = make_request(tmp_path, "-addext", "subjectAltName=DNS:board-7.lab")
    output = tmp_path / "board.pem"

    ran = run("sign", request, "--ca", made.directory, "-o", output)

    assert ran.status == 0 and ran.out == ""
    assert verified(made, output, "sslserver") == verified(made, output, "sslclient") == "it: OK\n"
    shown = run("show", output, "--name", "board-7.lab", "--key", tmp_path / "board.key")
    assert shown.status == 0


def test_signed_request_goes_to_stdout_without_an_output(
    run: Runner, made: pki.CertificateSet, tmp_path: Path
) -> None:
    ran = run("sign", make_request(tmp_path), "--ca", made.directory, "--role", "client")

    (tmp_path / "it.pem").write_text(ran.out)
    assert ran.status == 0 and ran.out.count("BEGIN CERTIFICATE") == 2
    assert verified(made, tmp_path / "it.pem", "sslclient") == "it: OK\n"
    assert "error 26" in verified(made, tmp_path / "it.pem", "sslserver")


def test_request_to_be_a_ca_is_signed_as_a_leaf_and_said_so(
    run: Runner, made: pki.CertificateSet, tmp_path: Path
) -> None:
    request = make_request(tmp_path, "-addext", "basicConstraints=critical,CA:TRUE")

    ran = run("sign", request, "--ca", made.directory, "-o", tmp_path / "board.pem", "--json")

    certificate = ran.json["certificate"]
    assert isinstance(certificate, dict)
    assert ran.json["left_out"] == ["asks to be a CA: refused"]
    assert certificate["is_ca"] is False


@pytest.mark.parametrize("key, said", [("rsa:1024", "RSA-1024"), ("ed25519", "RSA or EC")])
def test_request_with_a_key_that_boards_or_peers_refuse_fails(
    run: Runner, made: pki.CertificateSet, tmp_path: Path, key: str, said: str
) -> None:
    output = tmp_path / "board.pem"

    ran = run("sign", make_request(tmp_path, key=key), "--ca", made.directory, "-o", output)

    assert ran.status == 1 and said in ran.err
    assert not output.exists()


def test_request_whose_signature_is_wrong_fails(
    run: Runner, made: pki.CertificateSet, tmp_path: Path
) -> None:
    der = bytearray(
        base64.b64decode("".join(make_request(tmp_path).read_text().splitlines()[1:-1]))
    )
    der[-1] ^= 1
    (tmp_path / "altered.csr").write_bytes(der)

    ran = run("sign", tmp_path / "altered.csr", "--ca", made.directory)

    assert ran.status == 1 and ran.out == ""
    assert "altered.csr: the request's signature is wrong" in ran.err


def test_certificate_in_place_of_a_request_is_usage(run: Runner, made: pki.CertificateSet) -> None:
    ran = run("sign", made.root_path, "--ca", made.directory)

    assert ran.status == 2
    assert "a certificate request is expected, and CERTIFICATE is there" in ran.err


def test_signing_replaces_no_file_until_forced(
    run: Runner, made: pki.CertificateSet, tmp_path: Path
) -> None:
    request, output = make_request(tmp_path), tmp_path / "board.pem"
    output.write_text("precious")

    refused = run("sign", request, "--ca", made.directory, "-o", output)
    assert refused.status == 2 and output.read_text() == "precious"
    assert run("sign", request, "--ca", made.directory, "-o", output, "--force").status == 0
    assert output.read_text().startswith("-----BEGIN CERTIFICATE-----")


@pytest.fixture(scope="session")
def encrypted(made: pki.CertificateSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CA directory whose key has the passphrase `open sesame`."""
    where = tmp_path_factory.mktemp("encrypted")
    (where / "intermediate-ca.pem").write_bytes(
        (made.directory / "intermediate-ca.pem").read_bytes()
    )
    subprocess.run(
        [
            *("openssl", "pkey", "-aes256", "-passout", "pass:open sesame"),
            *("-in", made.directory / "intermediate-ca.key", "-out", where / "intermediate-ca.key"),
        ],
        check=True,
    )
    return where


def test_encrypted_ca_key_opens_with_a_passphrase_file(
    run: Runner, made: pki.CertificateSet, encrypted: Path, tmp_path: Path
) -> None:
    request, output = make_request(tmp_path), tmp_path / "board.pem"
    (tmp_path / "right").write_text("open sesame\nsecond line\n")
    (tmp_path / "wrong").write_text("open barley\n")
    (tmp_path / "empty").write_text("")
    sign = ["sign", str(request), "--ca", str(encrypted), "-o", str(output), "--passphrase-file"]

    assert run(*sign, tmp_path / "empty").status == 2
    wrong = run(*sign, tmp_path / "wrong")
    assert wrong.status == 2 and "wrong passphrase" in wrong.err
    assert not output.exists()
    assert run(*sign, tmp_path / "right").status == 0
    assert verified(made, output, "sslclient") == "it: OK\n"


def test_encrypted_ca_key_without_a_terminal_names_the_option(
    run: Runner, encrypted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = make_request(tmp_path)
    with open(os.devnull, encoding="ascii") as nothing:
        monkeypatch.setattr("sys.stdin", nothing)
        ran = run("sign", request, "--ca", encrypted)

    assert ran.status == 2
    assert "--passphrase-file" in ran.err and "intermediate-ca.key" in ran.err


def test_several_certificates_become_one_c_array_that_reads_back(
    run: Runner, made: pki.CertificateSet, tmp_path: Path
) -> None:
    source = made.identity("server-rsa").cert_path
    header = tmp_path / "roots.h"

    ran = run("convert", source, "--to", "c", "-o", header, "--array", "my_roots", "--json")
    back = run("convert", header, "--to", "pem")

    assert ran.status == 0 and ran.json["array"] == "my_roots"
    text = header.read_text()
    assert text.count("static const char my_roots[] =\n") == 1
    assert text.count('    "-----BEGIN CERTIFICATE-----\\r\\n"\n') == 2
    assert text.endswith('    "-----END CERTIFICATE-----\\r\\n";\n')
    assert back.out == source.read_text()


def test_array_is_named_after_the_file_and_said(run: Runner, made: pki.CertificateSet) -> None:
    ran = run("convert", made.root_path, "--to", "c")

    assert ran.status == 0
    assert "static const char root_ca[] =" in ran.out
    assert ran.err == "certificate, array root_ca\n"


def test_array_name_that_is_no_identifier_is_usage(run: Runner, made: pki.CertificateSet) -> None:
    for name in ("1st", "a-b", "static", ""):
        assert run("convert", made.root_path, "--to", "c", "--array", name).status == 2


def test_each_of_several_certificates_becomes_a_der_file(
    run: Runner, made: pki.CertificateSet, tmp_path: Path
) -> None:
    source = made.identity("server-rsa").cert_path

    unnamed = run("convert", source, "--to", "der")
    ran = run("convert", source, "--to", "der", "-o", tmp_path / "chain.der")

    assert unnamed.status == 2 and "OUT-1.der" in unnamed.err
    assert ran.status == 0
    assert sorted(each.name for each in tmp_path.iterdir()) == ["chain-1.der", "chain-2.der"]
    second = x509.load_der_x509_certificate((tmp_path / "chain-2.der").read_bytes())
    issuer = (made.directory / "intermediate-ca.pem").read_bytes()
    assert second == x509.load_pem_x509_certificate(issuer)


def test_der_becomes_the_pem_it_came_from(run: Runner, made: pki.CertificateSet) -> None:
    ran = run("convert", made.directory / "root-ca.der", "--to", "pem")

    assert ran.out == made.root_path.read_text()


@pytest.mark.parametrize("form", ["pem", "der", "c"])
def test_converted_key_is_the_same_key_for_its_owner_only(
    run: Runner, made: pki.CertificateSet, tmp_path: Path, form: str
) -> None:
    source, output = made.identity("client-rsa").key_path, tmp_path / "out"

    assert run("convert", source, "--to", form, "-o", output).status == 0
    assert stat.S_IMODE(output.stat().st_mode) == 0o600
    assert run("convert", output, "--to", "pem").out == source.read_text()


def test_encrypted_key_is_not_converted(run: Runner, encrypted: Path) -> None:
    ran = run("convert", encrypted / "intermediate-ca.key", "--to", "c")

    assert ran.status == 2 and "decrypt it first" in ran.err


def run_explained(ran: Ran, where: Path, output: Path) -> None:
    """Runs the lines that a verb explained itself with, as printed, with another output."""
    lines = [line.strip() for line in ran.err.splitlines() if line.startswith("  ")]
    assert lines
    for line in lines:
        again = line.replace(str(output.with_suffix("")), str(where / output.stem))
        subprocess.run(again, shell=True, cwd=where, check=True, timeout=60)


@pytest.mark.parametrize("form", ["pem", "der", "c"])
@pytest.mark.parametrize(
    "source", ["root-ca.pem", "server-rsa.pem", "root-ca.der", "client-rsa.key", "roots.h"]
)
def test_commands_that_convert_explains_write_the_same(
    run: Runner, made: pki.CertificateSet, tmp_path: Path, source: str, form: str
) -> None:
    here, there = tmp_path / "ours", tmp_path / "theirs"
    here.mkdir()
    there.mkdir()
    path = made.directory / source
    if source == "roots.h":
        path = tmp_path / source
        run("convert", made.identity("server-rsa").cert_path, "--to", "c", "-o", path)
    output = here / f"out.{form}"

    ran = run("convert", path, "--to", form, "-o", output, "--explain")
    run_explained(ran, there, output)

    assert ran.status == 0
    ours = {each.name: each.read_bytes() for each in here.iterdir()}
    if form == "c":
        lines = ours["out.c"].decode().splitlines()[2:]
        ours["out.c"] = "".join(f"{line.strip().rstrip(';')}\n" for line in lines).encode()
    assert {each.name: each.read_bytes() for each in there.iterdir()} == ours


@pytest.mark.parametrize("role", ["server", "client", "either"])
def test_commands_that_sign_explains_give_a_certificate_for_the_same_uses(
    run: Runner, made: pki.CertificateSet, tmp_path: Path, role: str
) -> None:
    here, there = tmp_path / "ours", tmp_path / "theirs"
    here.mkdir()
    there.mkdir()
    request = make_request(
        tmp_path, "-addext", "subjectAltName=DNS:board-7.lab,IP:10.0.0.7", key="rsa:2048"
    )
    output = here / "board.pem"

    ran = run(*("sign", request, "--ca", made.directory, "-o", output, "--role", role, "--explain"))
    run_explained(ran, there, output)

    ours = convert.certificates_in(output.read_bytes(), "ours")
    theirs = convert.certificates_in((there / "board.pem").read_bytes(), "theirs")
    assert theirs[1:] == ours[1:] and len(ours) == 2
    assert theirs[0].subject == ours[0].subject
    assert {each.oid: (each.critical, each.value) for each in theirs[0].extensions} == {
        each.oid: (each.critical, each.value) for each in ours[0].extensions
    }


def test_command_that_show_explains_shows_the_same_certificates(
    run: Runner, made: pki.CertificateSet
) -> None:
    identity = made.identity("server-ecdsa")
    from_file = run("show", identity.cert_path, "--explain", "--json")
    with serving(identity, handshakes=2) as endpoint:
        from_server = run("show", endpoint, "--explain", "--json")
        said = [
            subprocess.run(
                ran.err.splitlines()[1],
                shell=True,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            ).stdout
            for ran in (from_file, from_server)
        ]

    assert said[0].count("Subject: ") == 2
    for certificate in convert.certificates_in(identity.cert_path.read_bytes(), "it"):
        assert f"{certificate.serial_number:x}" in said[0].replace(":", "")
        assert certificate.public_bytes(serialization.Encoding.PEM).decode() in said[1]


def test_passphrase_is_asked_for_on_a_terminal_and_not_shown(
    made: pki.CertificateSet, encrypted: Path, tmp_path: Path
) -> None:
    request, output = make_request(tmp_path), tmp_path / "board.pem"
    words = ["sign", str(request), "--ca", str(encrypted), "-o", str(output)]
    program = f"from wwep_rig.cli.certs import certs; certs.main({words!r})"
    child, terminal = pty.fork()
    if child == 0:
        os.environ["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
        os.execv(sys.executable, [sys.executable, "-c", program])

    said = b""
    while b"Passphrase of the CA's key: " not in said:  # the blank is the prompt's last word
        said += os.read(terminal, 1000)
    os.write(terminal, b"open sesame\n")
    with contextlib.suppress(OSError):  # a terminal whose process has ended
        while part := os.read(terminal, 1000):
            said += part
    os.close(terminal)

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert b"open sesame" not in said
    assert verified(made, output, "sslclient") == "it: OK\n"
