#!/usr/bin/python3 -I
"""Writes the inputs that a fuzz target begins with: few, small, and each of a kind of its own."""

import ssl
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

# What a peer sends: the examples of the protocol, and what goes wrong in each way.
CONVERSATIONS = (
    b"W0FAC0B1234",
    b"W01234",
    b"R0FAC0B",
    b"w0fac0b1234",
    b"W0fac0b12cd\r\nR0FAC0B\n",
    b"R0FAC0BR0FAC0CW0FAC0D0001",
    b"\nR0FAC0B",
    b"A0FAC0B1234",
    b"X Not Found",
    b"R0FAC0G",
)

BENCHES = (
    '[bench]\nname = "b"\nkind = "sim"\n[lines.button0]\nline = 0\n[lines.led0]\nline = 1\n'
    '[target]\nprogram = "./firmware"\narguments = ["a"]\nenvironment = { A = "b" }\n'
    '[target.contract]\nfirst_value = 0\nled_before_frame = "yes"\nverifies = ["chain", "name"]\n'
    '[target.contract.buttons.button0]\nled = "led0"\nsecure = true\n'
    "[budgets]\ndns_ms = 1\nconnect_ms = 2\nreply_ms = 3\n"
    '[server]\naddress = "127.0.0.2"\nnames = ["a.b"]\nplain_port = 1\ntls_port = 2\n',
    '[bench]\nname = "b"\nkind = "board"\n[lines.button0]\nchip = "gpiochip0"\nline = 17\n'
    'active = "low"\ndrive = "open-drain"\nbias = "pull-up"\n'
    '[lines.reset]\nchip = "c"\nline = "X"\n'
    '[lines.led0]\nchip = "gpiochip0"\nline = 27\ndebounce_us = 5\n'
    '[target]\ndevice = "02:00:00:00:00:01"\nconsole = { port = "/dev/ttyUSB0", baud = 9600 }\n'
    'reset = { line = "reset", hold_ms = 5 }\n'
    'power = { command = { on = ["a"], off = ["b"] } }\nflash = ["f", "{image}"]\n'
    '[server]\naddress = "::1"\nidentity = "server-rsa"\ntls_profile = "legacy"\n',
    '[bench]\nname = "b"\nkind = "emulator"\n[lines.button0]\nline = "PF1"\n',
    "[bench\n",
)


def client_hello(lowest: ssl.TLSVersion, highest: ssl.TLSVersion, name: str | None) -> bytes:
    """The first flight of OpenSSL's client."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version, context.maximum_version = lowest, highest
    sent = ssl.MemoryBIO()
    connection = context.wrap_bio(ssl.MemoryBIO(), sent, server_hostname=name)
    try:
        connection.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return sent.read()


def client_hellos() -> Iterator[bytes]:
    """One for each version, one without a name, and what is none at all."""
    tls1_2, tls1_3 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
    whole = client_hello(tls1_2, tls1_3, "wwep.ww101.cypress.com")
    yield whole
    yield client_hello(tls1_2, tls1_2, "wwep.ww101.cypress.com")
    yield client_hello(tls1_3, tls1_3, None)
    yield whole[: len(whole) // 2]
    # The same message in two records.
    body = whole[5:]
    first, rest = body[:40], body[40:]
    yield whole[:3] + len(first).to_bytes(2, "big") + first + (
        whole[:3] + len(rest).to_bytes(2, "big") + rest
    )
    yield b"W0FAC0B1234"


def server_flights() -> Iterator[bytes]:
    """What a server sends up to its reply, under TLS 1.2 and 1.3; what is encrypted is made up."""

    def record(kind: int, body: bytes) -> bytes:
        return bytes([kind, 3, 3]) + len(body).to_bytes(2, "big") + body

    def message(kind: int, body: bytes) -> bytes:
        return bytes([kind]) + len(body).to_bytes(3, "big") + body

    def hello(extensions: bytes) -> bytes:
        body = b"\x03\x03" + bytes(32) + b"\x01\x09\xc0\x2b\x00"
        return record(22, message(2, body + len(extensions).to_bytes(2, "big") + extensions))

    kinds = (11, 12, 13, 14)
    tls1_2 = hello(b"\xff\x01\x00\x00") + b"".join(
        record(22, message(kind, bytes(20))) for kind in kinds
    )
    yield tls1_2 + record(20, b"\x01") + record(22, bytes(40)) + record(23, bytes(35))
    yield hello(b"\x00\x2b\x00\x02\x03\x04") + record(23, bytes(20)) * 6
    # Several messages in a record, and one cut over two.
    yield record(22, message(11, bytes(5)) + message(14, b"")) + record(21, b"\x01\x00")
    yield record(22, message(11, bytes(9))[:6]) + record(22, message(11, bytes(9))[6:])


def connections() -> Iterator[bytes]:
    """What peer and time do to a connection: one byte for the kind, one for the fault, then steps.

    A step below 0xA0 says that so many bytes and one follow; the others are in connection_fuzz.cpp.
    """

    def says(text: bytes) -> bytes:
        return b"".join(
            bytes([len(part) - 1]) + part
            for part in (text[at : at + 0x80] for at in range(0, len(text), 0x80))
        )

    plain, keep_open, secure, with_client = 0, 2, 1, 5
    no_fault, faults = 255, range(40)
    for text in CONVERSATIONS:
        yield bytes([plain, no_fault]) + says(text)
        yield bytes([with_client, no_fault]) + says(text) + b"\xe0"
    yield bytes([keep_open, no_fault]) + says(b"R0FAC0B" * 30) + b"\xa0" + says(b"R0FAC0B" * 90)
    yield bytes([keep_open, no_fault]) + says(b"W0") + b"\xd0\xff\xd0\xff" + says(b"FAC0B1234")
    yield bytes([plain, no_fault]) + says(b"W0FAC") + b"\xff" * 9
    yield bytes([with_client, no_fault]) + b"\xb9" + says(b"W0FAC0B1234") + b"\xc0"
    for hello in client_hellos():
        yield bytes([secure, no_fault]) + says(hello) + says(b"\x15\x03\x03\0\x02\x02\x28")
    for fault in faults:
        yield bytes([plain, fault]) + says(b"W0FAC0B1234") + b"\xff\xff"
        yield bytes([with_client, fault]) + says(b"W0FAC0B1234") + b"\xff\xff"


def seeds(target: str) -> list[bytes]:
    """The seeds of a target. Raises KeyError for one that has none."""
    makers: dict[str, Callable[[], list[bytes]]] = {
        # The first four bytes say where the rest is cut.
        "frame_fuzz": lambda: [b"\x01\x03\x05\x07" + each for each in CONVERSATIONS],
        "client_hello_fuzz": lambda: list(client_hellos()),
        # The first four bytes choose what goes wrong, and where.
        "record_shim_fuzz": lambda: [
            bytes([act, at, (act + 3) % 8, 10]) + flight
            for flight in server_flights()
            for act, at in zip(range(8), (2, 5, 10, 3, 4, 11, 12, 9), strict=True)
        ],
        "connection_fuzz": lambda: list(connections()),
        "bench_file_fuzz": lambda: [each.encode() for each in BENCHES],
    }
    return makers[target]()


def main() -> int:
    target, folder = sys.argv[1], Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds(target)):
        (folder / f"seed-{number}").write_bytes(seed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
