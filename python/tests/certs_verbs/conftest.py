"""A set of certificates and a runner for the verbs of `wwep-rig certs`."""

import subprocess
from pathlib import Path

import pytest
from tests.certs_verbs.verbs import Runner

from wwep_rig import certs as pki


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> pki.CertificateSet:
    """One whole set, shared by the tests that only read."""
    return pki.make(tmp_path_factory.mktemp("certs") / "set")


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> "Runner":
    """Runs a verb in this process."""
    return Runner(capsys)


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
