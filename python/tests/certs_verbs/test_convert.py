"""`wwep-rig certs convert`: PEM, DER and C text, and the same by openssl."""

import stat
from pathlib import Path

import pytest
from cryptography import x509
from tests.certs_verbs.verbs import Runner, run_explained

from wwep_rig import certs as pki


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
