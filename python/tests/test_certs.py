"""The certificates that a set holds, judged by openssl(1), and the directory they lie in."""

import hashlib
import json
import os
import signal
import stat
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from cryptography import x509

from wwep_rig import certs
from wwep_rig.certs import directory as certs_directory
from wwep_rig.certs import plan

SERVER = "wwep.ww101.cypress.com"


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> certs.CertificateSet:
    """One whole set, made for one extra name and address, shared by the tests that only read."""
    where = tmp_path_factory.mktemp("certs") / "set"
    return certs.make(where, names=["bench.lab"], addresses=["10.9.8.7", "fd00::5"])


@pytest.fixture(scope="session")
def made_with_ecdsa_ca(tmp_path_factory: pytest.TempPathFactory) -> certs.CertificateSet:
    """One whole set whose CAs have ECDSA keys."""
    where = tmp_path_factory.mktemp("certs") / "set"
    return certs.make(where, ca_key_type=certs.KeyType.ECDSA)


def openssl(*arguments: str | Path) -> str:
    """What openssl says on either stream, whatever its exit status."""
    done = subprocess.run(
        ["openssl", *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=30,
        check=False,
    )
    return done.stdout


def verify(identity: certs.Identity, *checks: str | Path, purpose: str = "sslserver") -> str:
    """openssl's verdict on the chain an identity presents, with the root it is meant to meet."""
    return openssl(
        "verify",
        *("-x509_strict", "-purpose", purpose, *checks),
        *("-CAfile", identity.root_path, "-untrusted", identity.cert_path, identity.cert_path),
    )


def key_of(path: Path) -> str:
    return openssl("pkey", "-in", path, "-pubout")


def certified_key_of(path: Path) -> str:
    return openssl("x509", "-in", path, "-noout", "-pubkey")


@pytest.mark.parametrize("name", ["server-ecdsa", "server-rsa"])
@pytest.mark.parametrize("host", [*certs.SERVER_NAMES, "bench.lab"])
def test_good_server_is_accepted_by_each_of_its_names(
    made: certs.CertificateSet, name: str, host: str
) -> None:
    identity = made.identity(name)

    verdict = verify(identity, "-verify_hostname", host, "-auth_level", "2")

    assert verdict == f"{identity.cert_path}: OK\n"


@pytest.mark.parametrize("name", ["server-ecdsa", "server-rsa"])
@pytest.mark.parametrize("address", [*certs.SERVER_ADDRESSES, "10.9.8.7", "fd00::5"])
def test_good_server_is_accepted_by_each_of_its_addresses(
    made: certs.CertificateSet, name: str, address: str
) -> None:
    identity = made.identity(name)

    assert verify(identity, "-verify_ip", address) == f"{identity.cert_path}: OK\n"


def test_server_is_refused_by_a_name_it_was_not_made_for(made: certs.CertificateSet) -> None:
    assert "error 62" in verify(made.identity("server-rsa"), "-verify_hostname", "other.lab")


@pytest.mark.parametrize("name", ["client-ecdsa", "client-rsa"])
def test_good_client_is_accepted_as_a_client_and_not_as_a_server(
    made: certs.CertificateSet, name: str
) -> None:
    identity = made.identity(name)

    assert verify(identity, purpose="sslclient") == f"{identity.cert_path}: OK\n"
    assert "error 26" in verify(identity, purpose="sslserver")


def test_good_server_is_not_accepted_as_a_client(made: certs.CertificateSet) -> None:
    assert "error 26" in verify(made.identity("server-rsa"), purpose="sslclient")


@pytest.mark.parametrize("name", ["server-ecdsa", "server-rsa", "client-ecdsa", "client-rsa"])
def test_good_identity_is_not_on_the_revocation_lists(
    made: certs.CertificateSet, name: str
) -> None:
    identity = made.identity(name)
    purpose = "sslserver" if identity.role is certs.Role.SERVER else "sslclient"

    verdict = verify(identity, "-crl_check_all", "-CRLfile", made.crl_path, purpose=purpose)

    assert verdict == f"{identity.cert_path}: OK\n"


REFUSALS: dict[str, tuple[str, list[str]]] = {
    "unknown-issuer": ("error 20", []),
    "unknown-self-signed": ("error 18", []),
    "missing-intermediate": ("error 20", []),
    "altered-signature": ("error 7", []),
    "expired": ("error 10", []),
    "not-yet-valid": ("error 9", []),
    "wrong-name": ("error 62", ["-verify_hostname", SERVER]),
    "wrong-usage": ("error 26", []),
    "weak-rsa-1024": ("error 66", ["-auth_level", "2"]),
    "weak-sha1": ("error 68", ["-auth_level", "1"]),
    "weak-md5": ("error 68", ["-auth_level", "1"]),
    "revoked": ("error 23", ["-crl_check_all"]),
}


def test_every_bad_identity_has_a_refusal_to_check(made: certs.CertificateSet) -> None:
    bad = {each.name for each in made.identities if each.expected is certs.Expected.REFUSE}

    assert bad == {*REFUSALS, "key-mismatch"}


@pytest.mark.parametrize("ca", ["made", "made_with_ecdsa_ca"])
@pytest.mark.parametrize("name", REFUSALS)
def test_bad_identity_is_refused_for_its_own_reason_and_no_other(
    request: pytest.FixtureRequest, ca: str, name: str
) -> None:
    pki: certs.CertificateSet = request.getfixturevalue(ca)
    error, checks = REFUSALS[name]
    lists = ["-CRLfile", str(pki.crl_path)] if "-crl_check_all" in checks else []

    verdict = verify(pki.identity(name), *checks, *lists)

    assert f"{error} at 0 depth" in verdict
    assert verdict.count(" depth lookup") == 1


@pytest.mark.parametrize(
    "name", ["wrong-name", "weak-rsa-1024", "weak-sha1", "weak-md5", "revoked", "key-mismatch"]
)
def test_bad_identity_is_accepted_where_its_one_fault_is_not_looked_for(
    made: certs.CertificateSet, name: str
) -> None:
    identity = made.identity(name)

    assert verify(identity, "-auth_level", "0") == f"{identity.cert_path}: OK\n"


@pytest.mark.parametrize("name, moment", [("expired", -60), ("not-yet-valid", 800)])
def test_identity_out_of_its_time_is_accepted_within_it(
    made: certs.CertificateSet, name: str, moment: int
) -> None:
    identity = made.identity(name)
    at = int((made.made + timedelta(days=moment)).timestamp())

    assert verify(identity, "-attime", str(at)) == f"{identity.cert_path}: OK\n"


def test_unknown_issuer_is_accepted_by_its_own_root_only(made: certs.CertificateSet) -> None:
    stranger = made.identity("unknown-issuer").cert_path
    other_root = made.directory / "unknown-ca.pem"

    assert openssl("verify", "-CAfile", other_root, stranger) == f"{stranger}: OK\n"
    good = made.identity("server-rsa").cert_path
    assert "error 20 at 1 depth" in openssl(
        "verify", "-CAfile", other_root, "-untrusted", good, good
    )


def test_every_key_but_the_mismatched_one_belongs_to_its_certificate(
    made: certs.CertificateSet,
) -> None:
    strangers = [
        each.name
        for each in made.identities
        if key_of(each.key_path) != certified_key_of(each.cert_path)
    ]

    assert strangers == ["key-mismatch"]


def test_weak_certificates_are_as_weak_as_they_say(made: certs.CertificateSet) -> None:
    def text(name: str) -> str:
        return openssl("x509", "-in", made.identity(name).cert_path, "-noout", "-text")

    assert text("weak-md5").count("md5WithRSAEncryption") == 2
    assert text("weak-sha1").count("sha1WithRSAEncryption") == 2
    assert "Public-Key: (1024 bit)" in text("weak-rsa-1024")


def test_lab_identity_equals_what_openssl_req_makes(
    made: certs.CertificateSet, tmp_path: Path
) -> None:
    """Subject, issuer, version, algorithms, lifetime and the extensions in their order."""
    theirs_path, their_key = tmp_path / "theirs.pem", tmp_path / "theirs.key"
    openssl(
        *("req", "-newkey", "rsa:2048", "-nodes", "-x509", "-days", "365"),
        *("-subj", f"/CN={SERVER}", "-keyout", their_key, "-out", theirs_path),
    )
    ours_path = made.identity("lab-self-signed").cert_path
    ours = x509.load_pem_x509_certificate(ours_path.read_bytes())
    theirs = x509.load_pem_x509_certificate(theirs_path.read_bytes())

    assert ours.subject == theirs.subject == ours.issuer
    assert ours.subject.public_bytes() == theirs.subject.public_bytes()
    assert ours.version == theirs.version
    assert ours.signature_algorithm_oid == theirs.signature_algorithm_oid
    assert ours.not_valid_after - ours.not_valid_before == timedelta(days=365)
    assert theirs.not_valid_after - theirs.not_valid_before == timedelta(days=365)
    assert [(each.oid, each.critical) for each in ours.extensions] == [
        (each.oid, each.critical) for each in theirs.extensions
    ]
    assert ours.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    first_line = made.identity("lab-self-signed").key_path.read_text().splitlines()[0]
    assert first_line == their_key.read_text().splitlines()[0]


def test_lab_identity_is_accepted_as_a_root_to_itself(made: certs.CertificateSet) -> None:
    identity = made.identity("lab-self-signed")

    assert identity.root_path == identity.cert_path
    assert verify(identity, "-verify_hostname", SERVER) == f"{identity.cert_path}: OK\n"


@pytest.mark.parametrize("stem", ["root-ca", "lab-self-signed", "unknown-ca"])
def test_root_is_the_same_in_pem_der_and_c(
    made: certs.CertificateSet, tmp_path: Path, stem: str
) -> None:
    pem = (made.directory / f"{stem}.pem").read_bytes()
    der = (made.directory / f"{stem}.der").read_bytes()
    source, program = tmp_path / "print.c", tmp_path / "print"
    array = stem.replace("-", "_")
    source.write_text(
        f'#include <stdio.h>\n#include "{made.directory}/{stem}.h"\n'
        f"int main(void) {{ return fputs({array}, stdout) < 0; }}\n"
    )
    subprocess.run(
        ["cc", "-std=c11", "-Wall", "-Wextra", "-Werror", "-pedantic", "-o", program, source],
        check=True,
    )

    printed = subprocess.run([program], stdout=subprocess.PIPE, check=True).stdout

    assert printed == pem.replace(b"\n", b"\r\n")
    assert x509.load_der_x509_certificate(der) == x509.load_pem_x509_certificate(pem)


@pytest.mark.parametrize("name", ["client-rsa", "client-ecdsa", "server-rsa"])
def test_identity_fits_the_space_a_board_has_for_it(made: certs.CertificateSet, name: str) -> None:
    """4096 bytes for certificates and 2048 for the key, with CR LF and the final NUL.

    Where a resource is read with a limit of 2048 bytes, the leaf alone must fit.
    """

    def size_on_board(path: Path) -> int:
        return len(path.read_bytes().replace(b"\n", b"\r\n")) + 1

    identity = made.identity(name)
    assert size_on_board(identity.cert_path) <= 4096
    assert size_on_board(identity.key_path) <= 2048
    assert size_on_board(made.directory / f"{name}.leaf.pem") <= 2048
    assert size_on_board(made.root_path) <= 2048


@pytest.mark.parametrize("name, label", [("client-rsa", "RSA"), ("client-ecdsa", "EC")])
def test_key_is_written_in_the_form_old_sdks_read(
    made: certs.CertificateSet, name: str, label: str
) -> None:
    text = made.identity(name).key_path.read_text()

    assert text.startswith(f"-----BEGIN {label} PRIVATE KEY-----\n")


def test_keys_are_for_their_owner_only_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o000)
    try:
        made = certs.make(tmp_path / "set", ca_key_type=certs.KeyType.ECDSA)
    finally:
        os.umask(before)

    modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in made.directory.iterdir()}
    assert stat.S_IMODE(made.directory.stat().st_mode) == 0o700
    assert {mode for name, mode in modes.items() if name.endswith(".key")} == {0o600}
    assert {mode for name, mode in modes.items() if not name.endswith(".key")} == {0o644}


def test_ca_files_hold_ca_certificates_only(made: certs.CertificateSet) -> None:
    """A leaf in a file of roots would be trusted as a peer by some libraries."""
    listing = openssl("storeutl", "-certs", "-noout", "-text", made.client_ca_path)

    assert listing.count("CA:TRUE") == 2
    assert listing.count("BEGIN") == listing.count("CA:FALSE") == 0


def test_revocation_lists_lie_in_files_of_their_own_as_well(made: certs.CertificateSet) -> None:
    """Some libraries read the first list of a file only."""
    together = b"".join(each.read_bytes() for each in made.crl_paths)

    assert together == made.crl_path.read_bytes()
    assert [each.read_bytes().count(b"BEGIN X509 CRL") for each in made.crl_paths] == [1, 1]


def test_index_names_every_file_and_its_digest(made: certs.CertificateSet) -> None:
    document = json.loads((made.directory / "index.json").read_bytes())
    present = {each.name for each in made.directory.iterdir()} - {"index.json", "INDEX.txt"}
    text = (made.directory / "INDEX.txt").read_text()

    assert set(document["files"]) == present == plan.FILE_NAMES
    for name, entry in document["files"].items():
        content = (made.directory / name).read_bytes()
        assert entry["sha256"] == hashlib.sha256(content).hexdigest()
        assert entry["purpose"] in text
        assert entry["secret"] == name.endswith(".key")


def test_index_gives_each_identity_the_pin_that_openssl_computes(
    made: certs.CertificateSet,
) -> None:
    identity = made.identity("server-ecdsa")
    public_key = subprocess.run(
        ["openssl", "pkey", "-in", identity.key_path, "-pubout", "-outform", "DER"],
        stdout=subprocess.PIPE,
        check=True,
    ).stdout

    assert identity.pin_sha256 == hashlib.sha256(public_key).hexdigest()


def test_dates_follow_from_the_moment_given(tmp_path: Path) -> None:
    now = datetime(2031, 5, 6, 7, 8, 9, 999, tzinfo=timezone.utc)

    made = certs.make(tmp_path / "set", days=10, ca_key_type=certs.KeyType.ECDSA, now=now)

    assert made.made == datetime(2031, 5, 6, 7, 8, 9, tzinfo=timezone.utc)
    good, expired = made.identity("server-ecdsa"), made.identity("expired")
    assert (good.not_before, good.not_after) == ("2031-05-05T07:08:09Z", "2031-05-16T07:08:09Z")
    assert (expired.not_before, expired.not_after) == (
        "2030-04-06T07:08:09Z",
        "2031-04-06T07:08:09Z",
    )
    assert made.identity("not-yet-valid").not_before == "2032-05-15T07:08:09Z"
    at = ["-attime", str(int(now.timestamp()))]
    assert verify(good, *at).endswith(": OK\n")
    assert "next update" not in verify(good, *at, "-crl_check_all", "-CRLfile", made.crl_path)


def test_identity_that_is_not_there_is_an_error_that_lists_the_others(
    made: certs.CertificateSet,
) -> None:
    with pytest.raises(certs.CertificateError, match="no identity 'server-dsa'.*server-ecdsa"):
        made.identity("server-dsa")


@pytest.mark.parametrize("name", ["", "a b", "-x.lab", "a..b", "ü.lab", "x" * 64, "a." * 130 + "b"])
def test_bad_name_is_refused_before_anything_is_made(tmp_path: Path, name: str) -> None:
    with pytest.raises(certs.CertificateError, match="is no host name"):
        certs.make(tmp_path / "set", names=[name])

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("address", ["", "1.2.3", "300.1.1.1", "bench.lab", ":::1"])
def test_bad_address_is_refused_before_anything_is_made(tmp_path: Path, address: str) -> None:
    with pytest.raises(certs.CertificateError, match="is no IPv4 or IPv6 address"):
        certs.make(tmp_path / "set", addresses=[address])

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("days", [0, -1, certs.DAYS_MAX + 1])
def test_days_outside_their_limits_are_refused(tmp_path: Path, days: int) -> None:
    with pytest.raises(certs.CertificateError, match="days of validity"):
        certs.make(tmp_path / "set", days=days)

    assert list(tmp_path.iterdir()) == []


def test_more_names_than_a_certificate_may_carry_are_refused(tmp_path: Path) -> None:
    fixed = len(certs.SERVER_NAMES) + len(certs.SERVER_ADDRESSES)
    room = certs.SUBJECT_NAMES_MAX - fixed
    names = [f"n{number}.lab" for number in range(room + 1)]

    with pytest.raises(certs.CertificateError, match="more than the 64"):
        certs.make(tmp_path / "set", names=names)
    made = certs.make(tmp_path / "set", names=names[:room], ca_key_type=certs.KeyType.ECDSA)

    assert len(made.names) + len(made.addresses) == certs.SUBJECT_NAMES_MAX


def test_empty_directory_is_filled_and_closed_to_others(tmp_path: Path) -> None:
    where = tmp_path / "set"
    where.mkdir(mode=0o755)

    certs.make(where, ca_key_type=certs.KeyType.ECDSA)

    assert stat.S_IMODE(where.stat().st_mode) == 0o700


def test_set_is_replaced_only_when_forced(tmp_path: Path) -> None:
    first = certs.make(tmp_path / "set", ca_key_type=certs.KeyType.ECDSA)
    root = first.root_path.read_bytes()

    with pytest.raises(certs.CertificateError, match="--force"):
        certs.make(tmp_path / "set")
    assert first.root_path.read_bytes() == root
    second = certs.make(tmp_path / "set", force=True, ca_key_type=certs.KeyType.ECDSA)

    assert second.root_path.read_bytes() != root
    assert [each.name for each in tmp_path.iterdir()] == ["set"]


@pytest.mark.parametrize("force", [False, True])
def test_directory_with_anything_else_in_it_is_never_touched(tmp_path: Path, force: bool) -> None:
    where = tmp_path / "set"
    made = certs.make(where, ca_key_type=certs.KeyType.ECDSA)
    (where / "thesis.tex").write_text("precious")
    before = {each.name: each.read_bytes() for each in where.iterdir()}

    with pytest.raises(certs.CertificateError, match="thesis.tex"):
        certs.make(where, force=force)
    with pytest.raises(certs.CertificateError, match="thesis.tex"):
        certs.ensure(where, now=made.expires)

    assert {each.name: each.read_bytes() for each in where.iterdir()} == before


def test_symbolic_link_is_not_followed_to_another_directory(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")

    with pytest.raises(certs.CertificateError, match="symbolic link"):
        certs.make(tmp_path / "link", force=True)

    assert list((tmp_path / "real").iterdir()) == []


def test_file_in_place_of_a_directory_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "set").write_text("")

    with pytest.raises(certs.CertificateError, match=f"{tmp_path}/set"):
        certs.make(tmp_path / "set")


def test_lost_index_lost_file_and_changed_file_are_each_found(tmp_path: Path) -> None:
    made = certs.make(tmp_path / "set", ca_key_type=certs.KeyType.ECDSA)
    key = made.identity("server-rsa").key_path
    content = key.read_bytes()

    key.write_bytes(b"")
    with pytest.raises(certs.CertificateError, match="server-rsa.key: not what was made"):
        certs.load(made.directory)
    key.unlink()
    with pytest.raises(certs.CertificateError, match="server-rsa.key: missing"):
        certs.load(made.directory)
    key.write_bytes(content)
    assert certs.load(made.directory) == made
    (made.directory / "index.json").write_text('{"format": ')
    with pytest.raises(certs.CertificateError, match="index.json: not an index"):
        certs.load(made.directory)
    (made.directory / "index.json").unlink()
    with pytest.raises(certs.CertificateError, match="half a set"):
        certs.load(made.directory)


def test_absent_set_is_an_error_that_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(certs.CertificateError, match="wwep-rig certs make"):
        certs.load(tmp_path / "set")


KILLED_IN_THE_MIDDLE = """
import os, signal, sys
from wwep_rig import certs
from wwep_rig.certs import directory

whole_write, count = directory.write_file, 0

def write_file(path, content, *, secret):
    global count
    count += 1
    if count == 20:
        os.kill(os.getpid(), signal.SIGKILL)
    whole_write(path, content, secret=secret)

directory.write_file = write_file
certs.ensure(sys.argv[1])
"""


def test_process_killed_while_writing_leaves_no_half_set(tmp_path: Path) -> None:
    where = tmp_path / "set"

    killed = subprocess.run([sys.executable, "-c", KILLED_IN_THE_MIDDLE, where], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert not where.exists()
    assert len(list(tmp_path.iterdir())) == 1
    certs.ensure(where)

    assert [each.name for each in tmp_path.iterdir()] == ["set"]


def test_leftover_that_another_process_still_writes_is_left_alone(tmp_path: Path) -> None:
    where = tmp_path / "set"
    written, go_on = threading.Event(), threading.Event()

    class Slow(dict[str, plan.PlannedFile]):
        def items(self):
            yield "root-ca.pem", plan.PlannedFile(b"", "")
            written.set()
            assert go_on.wait(timeout=30)

    with ThreadPoolExecutor(max_workers=1) as pool:
        slow = pool.submit(certs_directory.write_whole, where, Slow())
        assert written.wait(timeout=30)
        certs_directory.write_whole(tmp_path / "set", {"a": plan.PlannedFile(b"x", "")})
        building = [each.name for each in tmp_path.iterdir() if each.name.startswith(".")]
        go_on.set()
        slow.result(timeout=30)

    assert len(building) == 1


def test_ensure_makes_a_set_once_and_keeps_it(tmp_path: Path) -> None:
    first = certs.ensure(tmp_path / "state" / "certs")
    root = first.root_path.read_bytes()

    assert certs.ensure(tmp_path / "state" / "certs") == first
    assert first.root_path.read_bytes() == root


def test_ensure_makes_a_set_anew_before_it_expires_and_not_earlier(tmp_path: Path) -> None:
    now = datetime(2027, 1, 1, tzinfo=timezone.utc)
    first = certs.ensure(tmp_path / "set", now=now)

    still = certs.ensure(tmp_path / "set", now=first.expires - timedelta(days=31))
    renewed = certs.ensure(tmp_path / "set", now=first.expires - timedelta(days=30))

    assert still == first
    assert renewed.made == first.expires - timedelta(days=30)


def test_renewed_set_keeps_its_root_while_that_lasts_and_then_gets_another(
    tmp_path: Path,
) -> None:
    """A device that was given the root goes on, until the CA is too old to issue."""
    first = certs.ensure(tmp_path / "set", names=["bench.lab"])
    root = first.root_path.read_bytes()

    second = certs.ensure(tmp_path / "set", now=first.expires)
    kept, at = second.root_path.read_bytes(), str(int(second.made.timestamp()))
    verdict = verify(second.identity("server-ecdsa"), "-attime", at)
    third = certs.ensure(tmp_path / "set", now=first.expires + timedelta(days=2 * 365 + 1))

    assert kept == root and verdict.endswith(": OK\n")
    assert "bench.lab" in second.names
    assert second.identity("server-ecdsa").pin_sha256 != first.identity("server-ecdsa").pin_sha256
    assert third.root_path.read_bytes() != root


def test_ensure_makes_a_damaged_set_anew(tmp_path: Path) -> None:
    first = certs.ensure(tmp_path / "set")
    (tmp_path / "set" / "root-ca.key").write_bytes(b"")

    second = certs.ensure(tmp_path / "set")

    assert second.identity("server-rsa").pin_sha256 != first.identity("server-rsa").pin_sha256


def test_ensure_makes_a_set_anew_when_it_lacks_a_name(tmp_path: Path) -> None:
    certs.ensure(tmp_path / "set")

    second = certs.ensure(tmp_path / "set", names=["bench.lab"], addresses=["10.0.0.1"])

    assert "bench.lab" in second.names and "10.0.0.1" in second.addresses
    assert certs.ensure(tmp_path / "set", names=["BENCH.lab"]) == second


def test_processes_that_ensure_at_once_get_one_and_the_same_set(tmp_path: Path) -> None:
    program = (
        "import sys; from wwep_rig import certs; "
        "print(certs.ensure(sys.argv[1]).identity('server-rsa').pin_sha256)"
    )
    started = [
        subprocess.Popen(
            [sys.executable, "-c", program, tmp_path / "set"], stdout=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]

    answers = [process.communicate(timeout=60)[0] for process in started]

    assert [process.returncode for process in started] == [0, 0, 0, 0]
    assert len(set(answers)) == 1 and len(answers[0].strip()) == 64
    assert [each.name for each in tmp_path.iterdir()] == ["set"]


def test_default_directory_is_in_the_users_state(tmp_path: Path) -> None:
    by_state = certs.default_directory({"XDG_STATE_HOME": "/s", "HOME": "/h"})
    by_home = certs.default_directory({"XDG_STATE_HOME": "relative", "HOME": "/h"})

    assert by_state == Path("/s/wwep-rig/certs")
    assert by_home == Path("/h/.local/state/wwep-rig/certs")
    with pytest.raises(certs.CertificateError, match="HOME"):
        certs.default_directory({})


@pytest.mark.parametrize("key_type", list(certs.KeyType))
@pytest.mark.parametrize("ca", ["made", "made_with_ecdsa_ca"])
def test_bench_identity_is_accepted_by_the_benchs_own_address(
    request: pytest.FixtureRequest, tmp_path: Path, ca: str, key_type: certs.KeyType
) -> None:
    pki: certs.CertificateSet = request.getfixturevalue(ca)

    identity = certs.sign_server_identity(
        pki.directory,
        addresses=["127.0.77.1", "fe80::1%eth0"],
        names=["bench-77.lab"],
        key_type=key_type,
        out=tmp_path / "run",
    )

    good = f"{identity.cert_path}: OK\n"
    assert verify(identity, "-verify_ip", "127.0.77.1") == good
    assert verify(identity, "-verify_ip", "fe80::1") == good
    assert verify(identity, "-verify_hostname", "bench-77.lab") == good
    assert verify(identity, "-verify_hostname", SERVER) == good
    assert key_of(identity.key_path) == certified_key_of(identity.cert_path)
    assert stat.S_IMODE(identity.key_path.stat().st_mode) == 0o600
    assert sorted(each.name for each in (tmp_path / "run").iterdir()) == [
        "bench-server.key",
        "bench-server.pem",
    ]


def test_bench_identity_is_replaced_at_the_next_start(
    made: certs.CertificateSet, tmp_path: Path
) -> None:
    first = certs.sign_server_identity(made.directory, out=tmp_path)
    second = certs.sign_server_identity(made.directory, out=tmp_path)

    assert first.pin_sha256 != second.pin_sha256
    assert key_of(second.key_path) == certified_key_of(second.cert_path)


def test_signing_without_a_set_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(certs.CertificateError, match="intermediate-ca.pem.*certs make"):
        certs.sign_server_identity(tmp_path, out=tmp_path / "run")

    assert not (tmp_path / "run").exists()


def test_signing_does_not_outlive_the_ca_and_an_expired_ca_does_not_sign(
    made: certs.CertificateSet, tmp_path: Path
) -> None:
    late = made.expires + timedelta(days=3 * 365 - 1)

    identity = certs.sign_server_identity(made.directory, out=tmp_path, now=late)
    assert identity.not_after == (late + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    with pytest.raises(certs.CertificateError, match="the CA expired"):
        certs.sign_server_identity(made.directory, out=tmp_path, now=late + timedelta(days=2))


def test_key_of_another_ca_is_found_before_it_signs(
    made: certs.CertificateSet, tmp_path: Path
) -> None:
    (tmp_path / "intermediate-ca.pem").write_bytes(
        (made.directory / "intermediate-ca.pem").read_bytes()
    )
    (tmp_path / "intermediate-ca.key").write_bytes((made.directory / "root-ca.key").read_bytes())

    with pytest.raises(certs.CertificateError, match="do not belong together"):
        certs.sign_server_identity(tmp_path, out=tmp_path / "run")
