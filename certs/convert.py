"""PEM, DER and the C text that firmware is built with. Bytes in, bytes out."""

import re
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from .errors import CertificateError
from .issue import PrivateKey

_PEM_BLOCK = re.compile(
    rb"-----BEGIN (?P<label>[A-Z0-9 ]+)-----\s.*?-----END (?P=label)-----", re.DOTALL
)
_C_KEYWORDS = frozenset(
    "auto break case char const continue default do double else enum extern float for goto if "
    "inline int long register restrict return short signed sizeof static struct switch typedef "
    "union unsigned void volatile while".split()
)


@dataclass(frozen=True)
class PemBlock:
    """One PEM block: its label (`CERTIFICATE`, `RSA PRIVATE KEY`, …) and its whole text."""

    label: str
    text: bytes


def pem_of(certificates: list[x509.Certificate]) -> bytes:
    """The certificates as PEM, one after the other."""
    return b"".join(each.public_bytes(serialization.Encoding.PEM) for each in certificates)


def der_of(certificate: x509.Certificate) -> bytes:
    """The certificate as DER."""
    return certificate.public_bytes(serialization.Encoding.DER)


def key_pem_of(key: PrivateKey) -> bytes:
    """`BEGIN RSA PRIVATE KEY` or `BEGIN EC PRIVATE KEY`: older SDKs read no PKCS #8."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )


def key_pkcs8_pem_of(key: PrivateKey) -> bytes:
    """`BEGIN PRIVATE KEY`, as openssl(1) writes a key that it makes."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def pem_blocks(content: bytes) -> list[PemBlock]:
    """Every PEM block of a file, in order; text around the blocks is skipped."""
    return [
        PemBlock(match["label"].decode("ascii"), match[0]) for match in _PEM_BLOCK.finditer(content)
    ]


def certificates_in(content: bytes, origin: str) -> list[x509.Certificate]:
    """The certificates of a PEM or DER file, in order, at least one.

    Args:
        content: the file's bytes.
        origin: what to call the file in an error.
    """
    blocks = [each for each in pem_blocks(content) if each.label.endswith("CERTIFICATE")]
    if blocks:
        return [
            _certificate_from_pem(each, f"{origin}, certificate {number}")
            for number, each in enumerate(blocks, start=1)
        ]
    if b"-----BEGIN " in content:
        labels = ", ".join(each.label for each in pem_blocks(content)) or "a block that never ends"
        raise CertificateError(f"{origin}: no certificate in it, but {labels}")
    try:
        return [x509.load_der_x509_certificate(content)]
    except ValueError as error:
        raise CertificateError(
            f"{origin}: neither PEM (no -----BEGIN CERTIFICATE-----) nor one DER certificate"
        ) from error


def _certificate_from_pem(block: PemBlock, origin: str) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(block.text)
    except ValueError as error:
        raise CertificateError(f"{origin}: cannot be parsed: {error}") from error


def c_identifier(text: str) -> str:
    """A C identifier close to the text: `root-ca.pem` becomes `root_ca_pem`."""
    identifier = re.sub(r"[^A-Za-z0-9_]", "_", text) or "certificate"
    if identifier[0].isdigit() or identifier in _C_KEYWORDS:
        identifier = f"certificate_{identifier}"
    return identifier


def c_text_of(pem: bytes, *, array: str, comment: str) -> bytes:
    """`static const char ARRAY[] = "-----BEGIN …\\r\\n" …;` with CR LF ends, as the lab writes it.

    A literal keeps its final NUL, which the SDK's parser wants even where a length is given.
    """
    lines = [line.strip() for line in pem.decode("ascii").splitlines() if line.strip()]
    body = "\n".join(f'    "{line}\\r\\n"' for line in lines)
    safe_comment = comment.replace("*/", "* /")
    return f"/* {safe_comment} */\nstatic const char {array}[] =\n{body};\n".encode(
        "ascii", "replace"
    )
