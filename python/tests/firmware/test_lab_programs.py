"""Each of the lab's programs once, as a process on its board, against a plain peer.

The peers are Python's sockets and ssl.
"""

import select
import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import pytest

PLAIN, SECURE = 27708, 40508
NAME = "wwep.ww101.cypress.com"
WAIT_S = 10.0


class Identity(Protocol):
    """The part of an identity that TLS needs."""

    pem: Path
    key_file: Path


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


def test_tls_client_with_a_pinned_key_talks_to_the_server_that_holds_it(start, peer, pki):
    server = peer(SECURE, server_tls(pki.stranger))
    board = start("tls_client", WWEP_DCT_CERTIFICATE=str(pki.stranger.pem))
    board.wait_for("ready")

    board.press(0)

    assert server.answer(11, b"A0105050001") == b"W0105050001"
    board.wait_for("reply A0105050001")


def refuses_the_server(board, server: Peer) -> str:
    """Presses the button; the server must see no frame. What the client then says of it."""
    board.press(0)
    with pytest.raises(OSError):
        with server.accept() as made:
            # TLS 1.3 tells of the refusal with the first read.
            if made.recv(1) == b"":
                raise ConnectionResetError
    said: str = board.wait_for("failed: ")
    return said


def test_tls_client_with_a_pinned_key_refuses_another_key_of_the_same_name(
    start, peer, pki, tmp_path
):
    renamed = type(pki.stranger)(tmp_path, "stranger", None, True)
    assert renamed.subject == pki.stranger.subject
    assert renamed.pem_text != pki.stranger.pem_text
    server = peer(SECURE, server_tls(renamed))
    board = start("tls_client", WWEP_DCT_CERTIFICATE=str(pki.stranger.pem))
    board.wait_for("ready")

    assert refuses_the_server(board, server) == "failed: 5019"


def test_tls_client_with_a_pinned_key_takes_a_renewed_certificate_of_that_key(
    start, peer, pki, tmp_path
):
    renewed = type(pki.stranger)(tmp_path, "stranger", None, True, key=pki.stranger.key)
    assert renewed.pem_text != pki.stranger.pem_text
    server = peer(SECURE, server_tls(renewed))
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

    assert refuses_the_server(board, server) == "failed: 5035"


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
