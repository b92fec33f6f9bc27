"""TLS firmware against peers that nobody here wrote: OpenSSL's and GnuTLS's tools, Python's ssl.

Each in both versions of TLS and with both types of key, with the chain verified by the client.
"""

import os
import select
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import pytest

SECURE = 40508
NAME = "wwep.ww101.cypress.com"
WAIT_S = 10.0
FRAME, REPLY = "W0105050001", "A0105050001"

versions = pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
key_types = pytest.mark.parametrize("key_type", ["ecdsa", "rsa"])
PRIORITY = "NORMAL:-VERS-ALL:+VERS-TLS"


def openssl_version(version: str) -> str:
    """OpenSSL's option for one version alone."""
    return "-" + version.replace("v", "").replace(".", "_").lower()


def gnutls_priority(version: str) -> str:
    """GnuTLS's words for one version alone."""
    return f"{PRIORITY}{version.removeprefix('TLSv')}"


class Tool:
    """A command-line tool, fed and read line by line."""

    def __init__(self, *command: object) -> None:
        name = str(command[0])
        assert shutil.which(name), f"{name} is not installed: ci/setup does that"
        self._process = subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self.said = ""

    def _stdin(self) -> IO[bytes]:
        assert self._process.stdin is not None
        return self._process.stdin

    def tell(self, text: str) -> None:
        """Write text to it, as if typed."""
        self._stdin().write(text.encode())
        self._stdin().flush()

    def wait_for(self, text: str) -> None:
        """Read what it says until `text` is in it."""
        assert self._process.stdout is not None
        give_up_at = time.monotonic() + WAIT_S
        while text not in self.said:
            left_s = max(give_up_at - time.monotonic(), 0.0)
            ready = select.select([self._process.stdout], [], [], left_s)[0]
            got = os.read(self._process.stdout.fileno(), 4096) if ready else b""
            assert got, f"no {text!r} within {WAIT_S} s: {self.said}"
            self.said += got.decode(errors="replace")

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()


@pytest.fixture
def tool() -> Iterator[Callable[..., Tool]]:
    """Starts tools; the test's end ends them."""
    tools: list[Tool] = []

    def run(*command: object) -> Tool:
        tools.append(Tool(*command))
        return tools[-1]

    yield run
    for each in tools:
        each.close()


def free_port() -> int:
    """A port that is free on every address now."""
    with socket.socket() as probe:
        probe.bind(("0.0.0.0", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def relay(address: str) -> Iterator[Callable[[int], None]]:
    """Passes one connection's bytes on: gnutls-serv cannot be told to listen on one address."""
    threads: list[threading.Thread] = []
    listener = socket.create_server((address, SECURE))
    listener.settimeout(WAIT_S)

    def pass_on(port: int) -> None:
        with listener.accept()[0] as near, socket.create_connection(("127.0.0.1", port)) as far:
            while True:
                for source in select.select([near, far], [], [], WAIT_S)[0]:
                    data = source.recv(65536)
                    if not data:
                        return
                    (far if source is near else near).sendall(data)

    def run(port: int) -> None:
        threads.append(threading.Thread(target=pass_on, args=(port,)))
        threads[-1].start()

    yield run
    listener.close()
    for each in threads:
        each.join(WAIT_S)


@pytest.fixture
def asks_with_a_line_end(tmp_path: Path) -> Path:
    """A TLS client that ends its message in LF: gnutls-serv echoes lines."""
    folder = tmp_path / "asks"
    folder.mkdir()
    (folder / "asks.mk").write_text("NAME := App_asks\n$(NAME)_SOURCES := asks.c\n")
    (folder / "asks.c").write_text(
        """
#include "wiced.h"
#include "wiced_tls.h"
void application_start(void) {
    platform_dct_security_t* security;
    wiced_ip_address_t server;
    wiced_tcp_socket_t socket;
    wiced_tls_context_t context;
    wiced_tcp_stream_t stream;
    char reply[13] = "";
    wiced_init();
    wiced_network_up(WICED_STA_INTERFACE, WICED_USE_EXTERNAL_DHCP_SERVER, NULL);
    wiced_dct_read_lock((void**)&security, WICED_FALSE, DCT_SECURITY_SECTION, 0,
                        sizeof(*security));
    wiced_tls_init_root_ca_certificates(security->certificate, strlen(security->certificate));
    wiced_hostname_lookup("wwep.ww101.cypress.com", &server, 10000, WICED_STA_INTERFACE);
    wiced_tcp_create_socket(&socket, WICED_STA_INTERFACE);
    wiced_tls_init_context(&context, NULL, NULL);
    wiced_tcp_enable_tls(&socket, &context);
    WPRINT_APP_INFO(("connect: %d\\n", wiced_tcp_connect(&socket, &server, 40508, 5000)));
    wiced_tcp_stream_init(&stream, &socket);
    wiced_tcp_stream_write(&stream, "W0105050001\\n", 12);
    wiced_tcp_stream_flush(&stream);
    WPRINT_APP_INFO(("read: %d\\n", wiced_tcp_stream_read(&stream, reply, 12, 5000)));
    WPRINT_APP_INFO(("reply %.11s\\n", reply));
    wiced_tcp_stream_deinit(&stream);
    wiced_tcp_delete_socket(&socket);
}
"""
    )
    return folder


@versions
@key_types
def test_client_talks_to_openssls_s_server(start, tool, address, pki_of, version, key_type):
    identity = pki_of[key_type].server
    server = tool(
        *("openssl", "s_server", "-accept", f"{address}:{SECURE}", openssl_version(version)),
        *("-cert", identity.pem, "-cert_chain", identity.pem, "-key", identity.key_file),
    )
    server.wait_for("ACCEPT")
    board = start("tls_client", WWEP_DCT_CERTIFICATE=str(pki_of[key_type].root.pem))
    board.wait_for("ready")

    board.press(0)

    server.wait_for(FRAME)
    server.tell(f"{REPLY}\n")
    board.wait_for(f"reply {REPLY}")
    # Cipher suites of TLS 1.3, and only they, have names of that form.
    assert ("CIPHER is TLS_" in server.said) == (version == "TLSv1.3")


@versions
@key_types
def test_client_talks_to_gnutls_serv(
    start, tool, relay, pki_of, asks_with_a_line_end, version, key_type
):
    identity, port = pki_of[key_type].server, free_port()
    server = tool(
        *("gnutls-serv", "--echo", "--port", port, "--priority", gnutls_priority(version)),
        *("--x509certfile", identity.pem, "--x509keyfile", identity.key_file),
        "--disable-client-cert",
    )
    server.wait_for(f"IPv4 0.0.0.0 port {port}...done")
    relay(port)

    board = start(asks_with_a_line_end, WWEP_DCT_CERTIFICATE=str(pki_of[key_type].root.pem))

    board.wait_for("connect: 0")
    board.wait_for(f"reply {FRAME}")
    server.wait_for(f"Version: {version.replace('v', '')}")


@versions
@key_types
def test_client_talks_to_pythons_ssl(start, address, pki_of, version, key_type):
    identity = pki_of[key_type].server
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = context.maximum_version = ssl.TLSVersion[version.replace(".", "_")]
    context.load_cert_chain(identity.pem, identity.key_file)
    with socket.create_server((address, SECURE)) as listener:
        listener.settimeout(WAIT_S)
        board = start("tls_client", WWEP_DCT_CERTIFICATE=str(pki_of[key_type].root.pem))
        board.wait_for("ready")
        board.press(0)
        with context.wrap_socket(listener.accept()[0], server_side=True) as made:
            assert made.recv(100) == FRAME.encode()
            made.sendall(REPLY.encode())
            board.wait_for(f"reply {REPLY}")
            assert made.version() == version


@pytest.mark.parametrize("peer", ["openssl", "gnutls"])
def test_client_refuses_a_tools_server_of_a_strange_root(
    start, tool, address, relay_to, pki_of, peer
):
    stranger = pki_of["rsa"].server
    if peer == "openssl":
        server = tool(
            *("openssl", "s_server", "-accept", f"{address}:{SECURE}"),
            *("-cert", stranger.pem, "-key", stranger.key_file),
        )
        server.wait_for("ACCEPT")
    else:
        relay_to("--x509certfile", stranger.pem, "--x509keyfile", stranger.key_file)
    board = start("tls_client", WWEP_DCT_CERTIFICATE=str(pki_of["ecdsa"].root.pem))
    board.wait_for("ready")

    board.press(0)

    board.wait_for("failed: 5035")


@pytest.fixture
def relay_to(tool: Callable[..., Tool], request) -> Callable[..., Tool]:
    """Starts gnutls-serv with the given options, behind a relay."""

    def run(*options: object) -> Tool:
        relay: Callable[[int], None] = request.getfixturevalue("relay")
        port = free_port()
        server = tool("gnutls-serv", "--echo", "--port", port, *options)
        server.wait_for(f"IPv4 0.0.0.0 port {port}...done")
        relay(port)
        return server

    return run


@pytest.fixture
def served(start, pki_of) -> Callable[[str], None]:
    """Starts the TLS server firmware with an identity of a type of key."""

    def run(key_type: str) -> None:
        identity = pki_of[key_type].server
        board = start(
            "tls_server",
            WWEP_DCT_CERTIFICATE=str(identity.pem),
            WWEP_DCT_PRIVATE_KEY=str(identity.key_file),
        )
        board.wait_for("listening: 0")

    return run


@versions
@key_types
def test_server_answers_openssls_s_client(served, tool, address, pki_of, version, key_type):
    served(key_type)
    client = tool(
        *("openssl", "s_client", "-connect", f"{address}:{SECURE}", openssl_version(version)),
        *("-CAfile", pki_of[key_type].root.pem, "-verify_return_error", "-verify_hostname", NAME),
    )
    client.wait_for("Verify return code: 0 (ok)")

    client.tell(f"{FRAME}\n")

    client.wait_for(REPLY)
    assert f"New, {version}" in client.said


@versions
@key_types
def test_server_answers_gnutls_cli(served, tool, address, pki_of, version, key_type):
    served(key_type)
    client = tool(
        *("gnutls-cli", "--port", SECURE, "--priority", gnutls_priority(version), address),
        *("--x509cafile", pki_of[key_type].root.pem, f"--verify-hostname={NAME}"),
    )
    client.wait_for("- Simple Client Mode:")

    client.tell(f"{FRAME}\n")

    client.wait_for(REPLY)
    assert "The certificate is trusted." in client.said
    assert f"({version.replace('v', '')}-" in client.said


@versions
@key_types
def test_server_answers_pythons_ssl(served, address, pki_of, version, key_type):
    served(key_type)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = context.maximum_version = ssl.TLSVersion[version.replace(".", "_")]
    context.load_verify_locations(pki_of[key_type].root.pem)

    with socket.create_connection((address, SECURE), WAIT_S) as plain:
        with context.wrap_socket(plain, server_hostname=NAME) as made:
            made.sendall(FRAME.encode())
            assert made.recv(100) == REPLY.encode()
            assert made.version() == version


@pytest.mark.parametrize("peer", ["openssl", "gnutls"])
def test_server_of_mutual_tls_takes_the_certificates_that_tools_show(
    start, tool, address, pki, peer
):
    board = start(
        "mutual_tls_server",
        WWEP_DCT_CERTIFICATE=str(pki.server.pem),
        WWEP_DCT_PRIVATE_KEY=str(pki.server.key_file),
    )
    board.wait_for("listening: 0")
    mine, root = pki.client, pki.root.pem
    if peer == "openssl":
        client = tool(
            *("openssl", "s_client", "-connect", f"{address}:{SECURE}", "-CAfile", root),
            *("-cert", mine.pem, "-cert_chain", mine.pem, "-key", mine.key_file),
        )
        client.wait_for("Verify return code: 0 (ok)")
    else:
        client = tool(
            *("gnutls-cli", "--port", SECURE, address, "--x509cafile", root),
            *("--x509certfile", mine.pem, "--x509keyfile", mine.key_file),
            f"--verify-hostname={NAME}",
        )
        client.wait_for("- Simple Client Mode:")

    client.tell(f"{FRAME}\n")

    client.wait_for(REPLY)


@pytest.mark.parametrize("peer", ["openssl", "gnutls"])
def test_client_of_mutual_tls_shows_its_certificate_to_tools(
    start, tool, address, relay_to, pki, peer
):
    server_files = (pki.server.pem, pki.server.key_file)
    if peer == "openssl":
        server = tool(
            *("openssl", "s_server", "-accept", f"{address}:{SECURE}", "-Verify", 3),
            *("-verify_return_error", "-CAfile", pki.root.pem),
            *("-cert", server_files[0], "-cert_chain", server_files[0], "-key", server_files[1]),
        )
        server.wait_for("ACCEPT")
    else:
        server = relay_to(
            *("--x509certfile", server_files[0], "--x509keyfile", server_files[1]),
            *("--x509cafile", pki.root.pem, "--require-client-cert", "--verify-client-cert"),
        )
    board = start("mutual_tls_client", WWEP_DCT_CERTIFICATE=str(pki.root.pem))
    board.wait_for("ready")

    board.press(0)

    # gnutls-serv answers whole lines only: that it took the certificate is what counts.
    server.wait_for(FRAME if peer == "openssl" else "Client Signature: ECDSA")
    board.wait_for(f"sent {FRAME}")
