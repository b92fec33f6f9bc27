"""`wwep-rig certs make`: what it prints, writes and exits with."""

import json
import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from tests.certs_verbs.verbs import Runner

from wwep_rig import certs as pki
from wwep_rig.certs import convert, issue


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
