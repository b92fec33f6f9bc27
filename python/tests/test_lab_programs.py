"""Each of the lab's programs once, as a process on its board, against a plain peer.

The peers are Python's sockets and ssl, the wire is written from rig/line/WIRE.md: no part of the
rig is used, so that a program and the rig are not tested by each other alone.
"""

import os
import random
import select
import socket
import ssl
import struct
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

FIRMWARE = Path(__file__).resolve().parents[2] / "firmware-under-test"
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

    def __init__(self, folder: Path, name: str, issuer: "Identity | None", is_ca: bool) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
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

    def __init__(self, folder: Path) -> None:
        self.root = Identity(folder, "root", None, True)
        self.intermediate = Identity(folder, "intermediate", self.root, True)
        self.server = Identity(folder, "server", self.intermediate, False)
        self.client = Identity(folder, "client", self.intermediate, False)
        self.stranger = Identity(folder, "stranger", None, True)


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    """Certificates made for this run."""
    return Pki(tmp_path_factory.mktemp("pki"))


@pytest.fixture(scope="module")
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
    """Builds one of the lab's programs with build-app and starts it."""
    boards: list[Board] = []
    cache = str(tmp_path_factory.getbasetemp() / "cache")

    def run(name: str, **variables: str) -> Board:
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


class Peer:
    """A server that takes one connection after another."""

    def __init__(self, address: str, port: int, tls: ssl.SSLContext | None) -> None:
        self._tls = tls
        self._listener = socket.create_server((address, port))
        self._listener.settimeout(WAIT_S)

    def close(self) -> None:
        self._listener.close()

    def accept(self) -> socket.socket:
        made = self._listener.accept()[0]
        made.settimeout(WAIT_S)
        return made if self._tls is None else self._tls.wrap_socket(made, server_side=True)

    def answer(self, length: int, reply: bytes) -> bytes:
        """Takes a frame of `length` bytes on a new connection, answers, closes."""
        with self.accept() as made:
            frame = receive(made, length)
            made.sendall(reply)
        return frame

    def stays_quiet(self, for_s: float) -> bool:
        return not select.select([self._listener], [], [], for_s)[0]


def receive(made: socket.socket, length: int) -> bytes:
    """So many bytes, or fewer when the peer closes."""
    got = b""
    while len(got) < length:
        part = made.recv(length - len(got))
        if not part:
            break
        got += part
    return got


@pytest.fixture
def peer(address: str) -> Iterator[Callable[..., Peer]]:
    """Makes servers on this test's address."""
    peers: list[Peer] = []

    def run(port: int = PLAIN, tls: ssl.SSLContext | None = None) -> Peer:
        peers.append(Peer(address, port, tls))
        return peers[-1]

    yield run
    for each in peers:
        each.close()


def server_tls(identity: Identity, client_root: Path | None = None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(identity.pem, identity.key_file)
    if client_root is not None:
        context.load_verify_locations(client_root)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def client_tls(root: Path, identity: Identity | None = None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(root)
    if identity is not None:
        context.load_cert_chain(identity.pem, identity.key_file)
    return context


def ask(address: str, frame: bytes, port: int = PLAIN, tls: ssl.SSLContext | None = None) -> bytes:
    """One transaction with a server: everything that comes until it closes."""
    with socket.create_connection((address, port), WAIT_S) as made:
        secure = made if tls is None else tls.wrap_socket(made, server_hostname=NAME)
        with secure:
            secure.sendall(frame)
            return receive(secure, 12)


def test_client_with_streams_flips_the_led_and_writes_its_state(start, peer):
    server = peer()
    board = start("client_streams")
    board.wait_for("ready")

    for level in (1, 0):
        board.press(0)
        assert board.next_led() == level
        with server.accept() as made:
            assert receive(made, 100) == b"W010505000%d" % level
        board.wait_for(f"sent W010505000{level}")
    assert server.stays_quiet(0.1)


def test_checking_client_tells_an_accepted_frame_from_a_refused_one(start, peer):
    server = peer()
    board = start("client_checked")
    board.wait_for("ready")

    board.press(0)
    assert server.answer(11, b"A0105050001") == b"W0105050001"
    board.wait_for("W0105050001: accepted")
    board.press(1)
    assert server.answer(6, b"X") == b"W01050"
    board.wait_for("W01050: refused")
    board.press(0)
    server.answer(11, b"A0105050001")
    board.wait_for("W0105050000: wrong reply A0105050001")


def test_client_with_packets_sends_one_and_shows_the_reply(start, peer):
    server = peer()
    board = start("client_packets")
    board.wait_for("ready")

    for value in ("0001", "0000", "0001"):
        board.press(0)
        assert server.answer(11, f"A010505{value}".encode()) == f"W010505{value}".encode()
        board.wait_for(f"reply A010505{value}")


def test_console_client_shows_the_transaction(start, peer, address):
    server = peer()
    board = start("client_console")
    board.wait_for("ready")
    board.press(0)
    server.answer(11, b"A0105050001")

    board.wait_for(f"-> W0105050001 to {address} port 27708")
    board.wait_for("<- A0105050001")
    board.wait_for("accepted: device 0105 register 05 value 0001")
    board.wait_for("took ")


@pytest.mark.parametrize("name", ["tls_client", "tls_client_packets"])
@pytest.mark.parametrize("anchor", ["root", "intermediate"])
def test_tls_client_trusts_the_certificate_in_its_dct(start, peer, pki, name, anchor):
    server = peer(SECURE, server_tls(pki.server))
    board = start(name, WWEP_DCT_CERTIFICATE=str(getattr(pki, anchor).pem))
    board.wait_for("ready")

    board.press(0)

    assert server.answer(11, b"A0105050001") == b"W0105050001"
    board.wait_for("reply A0105050001")


def test_tls_client_may_trust_the_server_s_own_certificate_alone(start, peer, pki):
    server = peer(SECURE, server_tls(pki.stranger))
    board = start("tls_client", WWEP_DCT_CERTIFICATE=str(pki.stranger.pem))
    board.wait_for("ready")

    board.press(0)

    assert server.answer(11, b"A0105050001") == b"W0105050001"
    board.wait_for("reply A0105050001")


@pytest.mark.parametrize("name", ["tls_client_resources", "tls_client_c_array"])
def test_tls_client_trusts_the_certificate_inside_its_program(start, peer, pki, name):
    server = peer(SECURE, server_tls(pki.server))
    board = start(name)
    board.wait_for("ready")

    board.press(0)

    assert server.answer(11, b"A0105050001") == b"W0105050001"
    board.wait_for("reply A0105050001")


@pytest.mark.parametrize(
    "name", ["tls_client", "tls_client_packets", "tls_client_resources", "tls_client_c_array"]
)
def test_tls_client_refuses_a_server_of_an_unknown_root(start, peer, pki, name):
    server = peer(SECURE, server_tls(pki.stranger))
    board = start(name, WWEP_DCT_CERTIFICATE=str(pki.root.pem))
    board.wait_for("ready")

    board.press(0)

    with pytest.raises(OSError):
        with server.accept() as made:
            # TLS 1.3 tells of the refusal with the first read.
            if made.recv(1) == b"":
                raise ConnectionResetError
    board.wait_for("failed: 5035")


def test_client_of_mutual_tls_shows_its_own_certificate(start, peer, pki):
    server = peer(SECURE, server_tls(pki.server, pki.root.pem))
    board = start("mutual_tls_client", WWEP_DCT_CERTIFICATE=str(pki.root.pem))
    board.wait_for("ready")

    board.press(0)

    with server.accept() as made:
        assert made.getpeercert()["subject"] == ((("commonName", "client"),),)
        assert receive(made, 11) == b"W0105050001"
        made.sendall(b"A0105050001")
    board.wait_for("reply A0105050001")


def server_answers_as_the_protocol_says(
    address: str, port: int = PLAIN, tls: ssl.SSLContext | None = None
) -> None:
    """The description's own examples."""
    assert ask(address, b"R0FAC0B", port, tls) == b"X"
    assert ask(address, b"W0FAC0B1234", port, tls) == b"A0FAC0B1234"
    assert ask(address, b"R0FAC0B", port, tls) == b"A0FAC0B1234"
    assert ask(address, b"R0BAC0B", port, tls) == b"X"
    assert ask(address, b"W0fac0bABcd", port, tls) == b"A0fac0bABcd"
    assert ask(address, b"R0FAC0b", port, tls) == b"A0FAC0BABCD"
    assert ask(address, b"Q0FAC0B", port, tls) == b"X"
    assert ask(address, b"W01234", port, tls) == b"X"
    assert ask(address, b"r0FAC0B", port, tls) == b"X"
    # What comes after the frame is never read, and must not cost the reply.
    assert ask(address, b"R0FAC0B\r\n", port, tls) == b"A0FAC0BABCD"
    assert ask(address, b"R0FAC0B" + b"x" * 5000, port, tls) == b"A0FAC0BABCD"


@pytest.mark.parametrize("name", ["server_packets", "server_callbacks", "server_table"])
def test_server_for_one_connection_answers_and_closes(start, address, name):
    start(name).wait_for("listening: 0")

    server_answers_as_the_protocol_says(address)


def test_server_for_many_connections_serves_five_at_once_and_keeps_them(start, address):
    start("server_many").wait_for("listening: 0")
    made = [socket.create_connection((address, PLAIN), WAIT_S) for _ in range(5)]
    try:
        for turn in range(2):
            for number, each in enumerate(made):
                each.sendall(b"W000%d05000%d" % (number, turn))
                assert receive(each, 11) == b"A000%d05000%d" % (number, turn)
    finally:
        for each in made:
            each.close()
    with socket.create_connection((address, PLAIN), WAIT_S) as sixth:
        sixth.sendall(b"R000405")
        assert receive(sixth, 11) == b"A0004050001"


def test_server_prints_its_table_of_transactions(start, address):
    board = start("server_table")
    board.wait_for("listening: 0")

    ask(address, b"W0FAC0B1234")
    assert board.wait_for("write").split() == ("1 | 127.0.0.1 | write | 0FAC | 0B | 1234".split())
    ask(address, b"Wxyz")
    assert "refused Wxyz" in board.wait_for("   2 |")
    board.press(0)
    board.wait_for("accepted 1, refused 1")


def dct_of(identity: Identity) -> dict[str, str]:
    return {
        "WWEP_DCT_CERTIFICATE": str(identity.pem),
        "WWEP_DCT_PRIVATE_KEY": str(identity.key_file),
    }


def test_tls_server_shows_the_identity_in_its_dct(start, address, pki):
    start("tls_server", **dct_of(pki.server)).wait_for("listening: 0")

    server_answers_as_the_protocol_says(address, SECURE, client_tls(pki.root.pem))
    with pytest.raises(ssl.SSLCertVerificationError):
        ask(address, b"R0FAC0B", SECURE, client_tls(pki.stranger.pem))
    assert ask(address, b"R0FAC0B", SECURE, client_tls(pki.root.pem)) == b"A0FAC0BABCD"


def test_server_of_mutual_tls_turns_away_who_shows_no_certificate_of_its_root(start, address, pki):
    start("mutual_tls_server", **dct_of(pki.server)).wait_for("listening: 0")

    known = client_tls(pki.root.pem, pki.client)
    assert ask(address, b"W0FAC0B1234", SECURE, known) == b"A0FAC0B1234"
    for stranger in (None, pki.stranger):
        with pytest.raises(OSError):
            # TLS 1.3 tells of the refusal with the first read.
            ask(address, b"W0FAC0B5678", SECURE, client_tls(pki.root.pem, stranger))
    assert ask(address, b"R0FAC0B", SECURE, known) == b"A0FAC0B1234"


def test_dual_server_has_one_register_file_for_both_ports(start, address, pki):
    start("dual_server", **dct_of(pki.server)).wait_for("listening: 0")
    tls = client_tls(pki.root.pem)

    assert ask(address, b"W0FAC0B1234") == b"A0FAC0B1234"
    assert ask(address, b"R0FAC0B", SECURE, tls) == b"A0FAC0B1234"
    assert ask(address, b"W0FAC0B5678", SECURE, tls) == b"A0FAC0B5678"
    assert ask(address, b"R0FAC0B") == b"A0FAC0B5678"
    # A peer that says nothing on one port does not hold up the other.
    with socket.create_connection((address, SECURE), WAIT_S):
        assert ask(address, b"R0FAC0B") == b"A0FAC0B5678"


@pytest.mark.parametrize("first", [b"R0FAC0B", b"W0FAC0B1234"])
def test_server_over_streams_waits_for_a_frame_that_comes_in_parts(start, address, first):
    start("server_table").wait_for("listening: 0")

    with socket.create_connection((address, PLAIN), WAIT_S) as made:
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        made.sendall(first[:3])
        made.sendall(first[3:])
        expected = b"X" if first[:1] == b"R" else b"A0FAC0B1234"
        assert receive(made, 12) == expected
