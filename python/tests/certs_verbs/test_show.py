"""`wwep-rig certs show`: files, servers, and what is wrong with them."""

import os
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from tests.certs_verbs.verbs import Ran, Runner, on_a_terminal

from wwep_rig import certs as pki
from wwep_rig.certs import convert


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


def explained(ran: Ran, where: Path) -> list[subprocess.CompletedProcess[str]]:
    """What each line that a verb explained itself with comes to, run as printed."""
    lines = [line.strip() for line in ran.err.splitlines() if line.startswith("  ")]
    return [
        subprocess.run(
            line,
            shell=True,
            cwd=where,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        for line in lines
    ]


def test_show_of_a_good_chain_finds_nothing(
    run: Runner, made: pki.CertificateSet, tmp_path: Path
) -> None:
    identity = made.identity("server-ecdsa")

    ran = run(
        *("show", identity.cert_path, "--root", made.root_path, "--key", identity.key_path),
        *("--crl", made.crl_path, "--name", "::1", "--role", "server", "--explain"),
    )

    assert ran.status == 0
    assert "nothing wrong" in ran.out and "ecdsa-p256" in ran.out
    assert identity.pin_sha256 in ran.out
    assert [each.returncode for each in explained(ran, tmp_path)] == [0, 0, 0]


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
    run: Runner, made: pki.CertificateSet, tmp_path: Path, name: str, check: str
) -> None:
    """And so do the commands that it explains itself with."""
    identity = made.identity(name)

    ran = run(
        *("show", identity.cert_path, "--root", made.root_path, "--key", identity.key_path),
        *("--crl", made.crl_path, "--name", "localhost", "--role", "server", "--json", "--explain"),
    )

    problems = ran.json["problems"]
    assert ran.status == 1
    assert isinstance(problems, list)
    # The lab's way of making a certificate gives it no alternative name, besides.
    faults = [each for each in problems if name != "unknown-self-signed" or each["check"] != "name"]
    assert [(each["certificate"], each["check"]) for each in faults] == [(1, check)]
    shown, verified, key_fits = (each.returncode for each in explained(ran, tmp_path))
    assert (shown, verified == 0, key_fits == 0) == (0, check == "key", check != "key")


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


def test_commands_that_show_explains_show_the_same_certificates(
    run: Runner, made: pki.CertificateSet, tmp_path: Path
) -> None:
    identity = made.identity("server-ecdsa")
    source = tmp_path / "chain.h"
    run("convert", identity.cert_path, "--to", "c", "-o", source)
    from_file = explained(run("show", identity.cert_path, "--explain"), tmp_path)
    from_c = explained(run("show", source, "--explain"), tmp_path)
    one = explained(run("show", made.directory / "root-ca.der", "--explain"), tmp_path)
    with serving(identity, handshakes=4) as endpoint:
        from_server = explained(run("show", endpoint, "--explain"), tmp_path)
        kept = explained(run("show", endpoint, "--root", made.root_path, "--explain"), tmp_path)

    assert from_file[0].stdout.count("Subject: ") == 2
    assert from_c[-1].stdout == from_file[0].stdout
    assert one[0].args.startswith("openssl x509 ") and "Subject: " in one[0].stdout
    for certificate in convert.certificates_in(identity.cert_path.read_bytes(), "it"):
        assert f"{certificate.serial_number:x}" in from_file[0].stdout.replace(":", "")
        pem = certificate.public_bytes(serialization.Encoding.PEM).decode()
        assert pem in from_server[0].stdout and pem in kept[0].stdout
    assert len(from_server) == 1
    # The server's name is an address here, which openssl is asked for as one.
    assert kept[1].stdout == "presented.pem: OK\n" and "-verify_ip 127.0.0.1" in kept[1].args


def test_key_with_a_passphrase_is_opened_with_a_file(
    run: Runner, encrypted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = encrypted / "intermediate-ca.key"
    show = ["show", str(encrypted / "intermediate-ca.pem"), "--key", str(key)]
    (tmp_path / "right").write_text("open sesame\n")
    (tmp_path / "wrong").write_text("open barley\n")

    right = run(*show, "--passphrase-file", tmp_path / "right", "--explain")
    wrong = run(*show, "--passphrase-file", tmp_path / "wrong")
    with open(os.devnull, encoding="ascii") as nothing:
        monkeypatch.setattr("sys.stdin", nothing)
        unasked = run(*show)

    assert right.status == 0
    assert [each.returncode for each in explained(right, tmp_path)] == [0, 0]
    assert wrong.status == 2 and f"{key}: wrong passphrase" in wrong.err
    assert unasked.status == 2 and "--passphrase-file" in unasked.err
    keyless = run(*show[:2], "--passphrase-file", tmp_path / "right")
    assert keyless.status == 2 and "--key" in keyless.err


def test_passphrase_of_a_key_is_asked_for_on_a_terminal(encrypted: Path) -> None:
    key = encrypted / "intermediate-ca.key"
    show = ["show", str(encrypted / "intermediate-ca.pem"), "--key", str(key)]

    status, said = on_a_terminal(show, f"Passphrase of {key}: ", "open sesame")

    assert status == 0 and "nothing wrong" in said
    assert "open sesame" not in said
