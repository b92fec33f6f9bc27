"""`wwep-rig certs sign`: a device's request, and keys with a passphrase."""

import base64
import os
from pathlib import Path

import pytest
from tests.certs_verbs.verbs import Runner, make_request, on_a_terminal, run_explained, verified

from wwep_rig import certs as pki
from wwep_rig.certs import convert


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


def test_passphrase_is_asked_for_on_a_terminal_and_not_shown(
    made: pki.CertificateSet, encrypted: Path, tmp_path: Path
) -> None:
    request, output = make_request(tmp_path), tmp_path / "board.pem"
    words = ["sign", str(request), "--ca", str(encrypted), "-o", str(output)]

    status, said = on_a_terminal(words, "Passphrase of the CA's key: ", "open sesame")

    assert status == 0 and "open sesame" not in said
    assert verified(made, output, "sslclient") == "it: OK\n"
