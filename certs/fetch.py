"""The chain that a server presents, whether or not anyone would trust it.

Python 3.11 gives only the leaf of an unverified peer, so openssl(1) makes the connection. The
security level is 0 and TLS 1.0 is allowed: a weak server is to be looked at, not refused.
"""

import re
import socket
import subprocess
from dataclasses import dataclass

from cryptography import x509

from . import convert
from .errors import CertificateError, TargetError
from .names import is_address

_ENDPOINT = re.compile(r"(?:\[(?P<bracketed>[^\]]+)\]|(?P<host>[^:\[\]]+)):(?P<port>\d{1,5})\Z")
# openssl's error line: pid:error:code:library:function:reason:file:line:data
_ERROR_LINE = re.compile(
    r"^[0-9A-F]+:error:[0-9A-F]+:[^:]*:[^:]*:(?P<reason>[^:]*):[^:]*:\d+:(?P<data>.*)$", re.M
)


@dataclass(frozen=True)
class Endpoint:
    """A host name or address without brackets, and a port of 1 to 65535."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Presented:
    """What a server showed: its chain as sent, the protocol's version and cipher if known."""

    chain: tuple[x509.Certificate, ...]
    version: str
    cipher: str


def endpoint_from(text: str) -> Endpoint | None:
    """`HOST:PORT` or `[ADDRESS]:PORT`, else None."""
    match = _ENDPOINT.match(text)
    if match is None or not 1 <= int(match["port"]) <= 65535:
        return None
    return Endpoint(match["bracketed"] or match["host"], int(match["port"]))


def fetch_command(endpoint: Endpoint, name: str) -> list[str]:
    """The openssl command that shows the chain; name is what the client says it wants."""
    server_name = ["-noservername"] if is_address(name) else ["-servername", name]
    return [
        *("openssl", "s_client", "-connect", str(endpoint), "-showcerts", *server_name),
        *("-min_protocol", "TLSv1", "-cipher", "ALL:@SECLEVEL=0"),
    ]


def fetch(endpoint: Endpoint, name: str, *, timeout_s: float) -> Presented:
    """Connect, shake hands, send nothing.

    Raises:
        CertificateError: no connection, or no openssl.
        TargetError: a connection, but no certificate came.
    """
    command = fetch_command(endpoint, name)
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            timeout=timeout_s,
            check=False,
        )
        output, errors = done.stdout, done.stderr.decode(errors="replace")
    except FileNotFoundError as error:
        raise CertificateError("openssl is not installed: apt-get install openssl") from error
    except subprocess.TimeoutExpired as error:
        raise _silence(endpoint, timeout_s) from error
    connected = b"CONNECTED(" in output
    reason = _reason_in(errors) or "openssl gives no reason"
    if not connected:
        raise CertificateError(f"connect to {endpoint}: {reason}")
    # The leaf comes again after the chain, as the server's certificate.
    sent = output.split(b"\n---\nServer certificate", 1)[0]
    if b"-----BEGIN CERTIFICATE-----" not in sent:
        raise TargetError(f"TLS handshake with {endpoint}: no certificate came: {reason}")
    chain = tuple(convert.certificates_in(sent, str(endpoint)))
    summary = re.search(rb"^New, ([^,]+), Cipher is (\S+)$", output, re.M)
    version, cipher = summary.groups() if summary else (b"unknown", b"unknown")
    return Presented(chain, version.decode(), cipher.decode())


def _reason_in(errors: str) -> str:
    match = _ERROR_LINE.search(errors)
    if match is None:
        lines = errors.strip().splitlines()
        return lines[0] if lines else ""
    # The system's own errors carry their text as data; others repeat themselves there.
    is_system = match["reason"] == "system lib" and match["data"]
    return match["data"] if is_system else match["reason"]


def _silence(endpoint: Endpoint, timeout_s: float) -> CertificateError:
    # openssl's output dies with it, so a second connection tells silence from absence.
    try:
        socket.create_connection((endpoint.host, endpoint.port), timeout=timeout_s).close()
    except OSError:
        return CertificateError(f"connect to {endpoint}: nothing within {timeout_s:g} s")
    return TargetError(
        f"TLS handshake with {endpoint}: connected, then nothing within {timeout_s:g} s"
    )
