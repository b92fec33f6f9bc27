"""`serve` under TLS programs that nobody here wrote; harness/tls/SCANS.md has what they said."""

import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator

import pytest

WEAK_CIPHER = re.compile("NULL|RC4|DES|EXPORT|MD5|CBC|SHA$|_CCM|ADH|AECDH|PSK|^AES|^CAMELLIA")
HANDSHAKE_FAILURE, PROTOCOL_VERSION, INAPPROPRIATE_FALLBACK = 40, 70, 86
SCANS_MAX = 200
ANYTHING = "ALL:COMPLEMENTOFALL:@SECLEVEL=0"


@pytest.fixture(scope="module")
def endpoint(environment: dict[str, str]) -> Iterator[str]:
    """Address and port of a server as it comes, over TLS."""
    serve = "from wwep_rig.cli import main; main(['serve', '--no-plain', '--tls-port', '0'])"
    with subprocess.Popen(
        [sys.executable, "-c", serve], env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().split()[1].removeprefix("tls=")
        finally:
            process.kill()


def client(endpoint: str, *words: str, says: str = "") -> str:
    """What openssl's client says of a connection to its end."""
    done = subprocess.run(
        ["openssl", "s_client", "-connect", endpoint, *words],
        input=says,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.stdout + done.stderr


def alert(said: str) -> int:
    """The number of the alert that the server sent; 0: none."""
    found = re.search(r"SSL alert number (\d+)", said)
    return int(found[1]) if found else 0


def scanned(endpoint: str) -> ElementTree.Element:
    """What sslscan sees of a server."""
    done = subprocess.run(
        ["sslscan", "--xml=-", "--no-groups", "--timeout=20", endpoint],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    (scan,) = ElementTree.fromstring(done.stdout[done.stdout.index("<?xml") :]).iter("ssltest")
    return scan


def protocols(scan: ElementTree.Element) -> set[str]:
    """Those that the server speaks."""
    return {
        f"{each.get('type')}{each.get('version')}"
        for each in scan.iter("protocol")
        if each.get("enabled") == "1"
    }


def test_sslscan_finds_nothing_weak(endpoint):
    # The key that it offers under TLS 1.3 is made up: one in six or so is a point of its curve.
    scans = (scanned(endpoint) for _ in range(SCANS_MAX))
    scan = next(scan for scan in scans if "tls1.3" in protocols(scan))

    assert protocols(scan) <= {"tls1.2", "tls1.3"}
    names = [each.get("cipher", "") for each in scan.iter("cipher")]
    assert names and not [name for name in names if WEAK_CIPHER.search(name)]
    assert all(int(each.get("bits", "0")) >= 128 for each in scan.iter("cipher"))
    assert all(each.get("vulnerable") == "0" for each in scan.iter("heartbleed"))
    assert all(each.get("supported") != "1" for each in scan.iter("compression"))
    assert all(each.get("secure") == each.get("supported") for each in scan.iter("renegotiation"))
    (key,) = scan.iter("pk")
    assert (key.get("error"), key.get("type"), key.get("bits")) == ("false", "EC", "128")


@pytest.mark.parametrize(
    "words",
    [
        ("-tls1_3", "-ciphersuites", "TLS_AES_128_GCM_SHA256"),
        ("-tls1_3", "-ciphersuites", "TLS_AES_256_GCM_SHA384"),
        ("-tls1_3", "-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256"),
        ("-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"),
        ("-tls1_2", "-cipher", "ECDHE-ECDSA-AES256-GCM-SHA384"),
        ("-tls1_2", "-cipher", "ECDHE-ECDSA-CHACHA20-POLY1305"),
        ("-tls1_3", "-groups", "P-256"),
        ("-tls1_3", "-groups", "P-384"),
        ("-tls1_3", "-groups", "X25519"),
    ],
    ids=" ".join,
)
def test_good_offer_is_taken(endpoint, words):
    said = client(endpoint, *words)

    assert re.search(r"New, TLSv1\.[23], Cipher is \w", said), said
    if "-groups" not in words:
        assert f"Cipher is {words[2]}" in said
    assert "Compression: NONE" in said and "TLS session ticket:" not in said


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (("-tls1", "-cipher", ANYTHING), PROTOCOL_VERSION),
        (("-tls1_1", "-cipher", ANYTHING), PROTOCOL_VERSION),
        (("-tls1_2", "-fallback_scsv"), INAPPROPRIATE_FALLBACK),
        (("-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0"), HANDSHAKE_FAILURE),
        (("-tls1_2", "-cipher", "AES128-GCM-SHA256"), HANDSHAKE_FAILURE),
        (("-tls1_2", "-cipher", "kDHE:@SECLEVEL=0"), HANDSHAKE_FAILURE),
        (("-tls1_2", "-cipher", "eNULL:@SECLEVEL=0"), HANDSHAKE_FAILURE),
        (("-tls1_2", "-cipher", "aNULL:@SECLEVEL=0"), HANDSHAKE_FAILURE),
        (("-tls1_3", "-ciphersuites", "TLS_AES_128_CCM_8_SHA256"), HANDSHAKE_FAILURE),
        (("-tls1_2", "-cipher", ANYTHING, "-sigalgs", "RSA+SHA1:ECDSA+SHA1"), HANDSHAKE_FAILURE),
    ],
    ids=str,
)
def test_bad_offer_is_refused_by_the_right_alert(endpoint, words, answer):
    said = client(endpoint, *words)

    assert "Cipher is (NONE)" in said, said
    assert alert(said) == answer, said


@pytest.mark.parametrize("group", ["X448", "P-521", "ffdhe2048"])
def test_no_key_is_agreed_in_a_group_that_the_server_has_not(endpoint, group):
    said = client(endpoint, "-tls1_3", "-groups", group)

    assert "Cipher is (NONE)" in said, said


def test_renegotiation_is_refused(endpoint):
    said = client(endpoint, "-tls1_2", says="R\n")

    assert "RENEGOTIATING" in said and "Secure Renegotiation IS supported" in said
    assert alert(said) != 0, said
