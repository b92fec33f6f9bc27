"""What the tests of firmware share: certificates, and a board that is a process.

No part of the rig is used, so that a program and the rig are not tested by each other alone: the
wire is written from rig/line/WIRE.md, the certificates are made here.
"""

import os
import random
import select
import socket
import struct
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

FIRMWARE = Path(__file__).resolve().parents[3] / "firmware-under-test"
PLAIN, SECURE = 27708, 40508
NAME = "wwep.ww101.cypress.com"
WAIT_S = 10.0
RECORD = struct.Struct("<BBBBIQQ")
EDGE, DRIVE = 2, 3
LOW, RELEASED = 0, 2


_KEY_USES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


class Identity:
    """A certificate and its key, in files. Without an issuer it is a root."""

    def __init__(
        self,
        folder: Path,
        name: str,
        issuer: "Identity | None",
        is_ca: bool,
        key_type: str = "ecdsa",
        key: ec.EllipticCurvePrivateKey | None = None,
    ) -> None:
        self.key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey = key or (
            ec.generate_private_key(ec.SECP256R1())
            if key_type == "ecdsa"
            else rsa.generate_private_key(65537, 2048)
        )
        self.subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        signer = issuer or self
        now = datetime.now(timezone.utc)
        builder = (
            x509.CertificateBuilder()
            .subject_name(self.subject)
            .issuer_name(signer.subject)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=2))
            .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        )
        if is_ca:
            # wolfSSL takes an intermediate from a peer only when it says that it may sign.
            usage = dict.fromkeys(_KEY_USES, False) | {"key_cert_sign": True}
            builder = builder.add_extension(x509.KeyUsage(**usage), critical=True)
        made = builder.sign(signer.key, hashes.SHA256())
        self.pem = folder / f"{name}.pem"
        self.pem_text = made.public_bytes(serialization.Encoding.PEM).decode()
        chain = issuer.pem_text if issuer is not None and not is_ca else ""
        self.pem.write_text(self.pem_text + chain)
        self.key_file = folder / f"{name}.key"
        self.key_file.write_bytes(
            self.key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.TraditionalOpenSSL,
                serialization.NoEncryption(),
            )
        )


class Pki:
    """root, intermediate, what they issued, and a root that is nobody's."""

    def __init__(self, folder: Path, key_type: str) -> None:
        self.root = Identity(folder, "root", None, True, key_type)
        self.intermediate = Identity(folder, "intermediate", self.root, True, key_type)
        self.server = Identity(folder, "server", self.intermediate, False, key_type)
        self.client = Identity(folder, "client", self.intermediate, False, key_type)
        self.stranger = Identity(folder, "stranger", None, True, key_type)


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    """Certificates made for this run, with ECDSA keys."""
    return Pki(tmp_path_factory.mktemp("pki"), "ecdsa")


@pytest.fixture(scope="session")
def pki_of(tmp_path_factory: pytest.TempPathFactory, pki: Pki) -> dict[str, Pki]:
    """The same by the type of their keys."""
    return {"ecdsa": pki, "rsa": Pki(tmp_path_factory.mktemp("pki-rsa"), "rsa")}


@pytest.fixture(scope="session")
def sdk(tmp_path_factory: pytest.TempPathFactory, pki: Pki) -> Path:
    """A folder for SOURCE_ROOT with the resources that the programs name."""
    root = tmp_path_factory.mktemp("sdk")
    folder = root / "resources" / "wwep"
    folder.mkdir(parents=True)
    (folder / "root.pem").write_text(pki.root.pem_text)
    (folder / "client_root.pem").write_text(pki.root.pem_text)
    (folder / "client.pem").write_bytes(pki.client.pem.read_bytes())
    (folder / "client.key").write_bytes(pki.client.key_file.read_bytes())
    lines = "\n".join(f'    "{line}\\r\\n"' for line in pki.root.pem_text.splitlines())
    (folder / "root-ca.h").write_text(f"static const char root_ca[] =\n{lines};\n")
    return root


@pytest.fixture
def address() -> str:
    """A loopback address of this test's own, on which both of the lab's ports are free."""
    for _ in range(50):
        text = f"127.{random.randint(1, 254)}.{random.randint(0, 255)}.{random.randint(1, 254)}"
        with socket.socket() as plain, socket.socket() as secure:
            try:
                plain.bind((text, PLAIN))
                secure.bind((text, SECURE))
            except OSError:
                continue
            return text
    raise AssertionError("no loopback address with both ports free")


class Board:
    """A program on its board: console and wire."""

    def __init__(self, program: Path, address: str, variables: dict[str, str]) -> None:
        ours, theirs = socket.socketpair()
        self._wire = ours
        environment = {
            "WWEP_WIRE_FD": str(theirs.fileno()),
            "WWEP_MAC": "02:00:00:00:ff:04",
            "WWEP_ROUTES": f"{NAME}={address}",
            "WWEP_BIND_ADDRESS": address,
            **variables,
        }
        self._process = subprocess.Popen(
            [program],
            env=environment,
            pass_fds=[theirs.fileno()],
            stdout=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
        )
        theirs.close()
        self._driven = {0: 0, 1: 0}
        self._text = ""
        self.lines: list[str] = []

    def close(self) -> None:
        self._wire.close()
        self._process.kill()
        self._process.communicate()

    def wait_for(self, text: str) -> str:
        """The next line of the console with `text` in it."""
        assert self._process.stdout is not None
        deadline = time.monotonic() + WAIT_S
        while True:
            while "\n" in self._text:
                line, _, self._text = self._text.partition("\n")
                self.lines.append(line)
                if text in line:
                    return line
            left = deadline - time.monotonic()
            ready = select.select([self._process.stdout], [], [], max(left, 0.0))[0]
            got = os.read(self._process.stdout.fileno(), 4096).decode() if ready else ""
            assert got, f"no {text!r} on the console within {WAIT_S} s: {self.lines}"
            self._text += got

    def press(self, button: int) -> None:
        """Pulls the button's pin low and lets go."""
        for level in (LOW, RELEASED):
            self._driven[button] += 1
            record = RECORD.pack(
                DRIVE, button, level, 1, 0, self._driven[button], time.monotonic_ns()
            )
            self._wire.sendall(record)

    def next_led(self) -> int:
        """The level of the next edge of LED 0."""
        self._wire.settimeout(WAIT_S)
        while True:
            record = self._wire.recv(RECORD.size, socket.MSG_WAITALL)
            assert len(record) == RECORD.size, "the wire has ended"
            kind, pin, level, *_ = RECORD.unpack(record)
            if (kind, pin) == (EDGE, 2):
                return int(level)


@pytest.fixture
def start(
    environment: dict[str, str], sdk: Path, address: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., Board]]:
    """Builds one of the lab's programs, or the one in a folder, with build-app and starts it."""
    boards: list[Board] = []
    cache = str(tmp_path_factory.getbasetemp() / "cache")

    def run(name: str | Path, **variables: str) -> Board:
        done = subprocess.run(
            [FIRMWARE / "build-app", FIRMWARE / "apps" / name, "--set", f"SOURCE_ROOT={sdk}/"],
            env={**environment, "XDG_CACHE_HOME": cache},
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert done.stderr in ("", "build-app: building the port's library\n")
        boards.append(Board(Path(done.stdout.splitlines()[-1]), address, variables))
        return boards[-1]

    yield run
    for board in boards:
        board.close()
