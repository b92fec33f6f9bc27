"""PEM, DER and the C text that firmware is built with. Bytes in, bytes out."""

import base64
import re
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from .errors import InputError, PassphraseNeeded
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

    @property
    def is_certificate(self) -> bool:
        """Also for the label `X509 CERTIFICATE` that old tools write."""
        return self.label in ("CERTIFICATE", "X509 CERTIFICATE")

    @property
    def is_key(self) -> bool:
        """Whether it is a private key, and its file secret."""
        return self.label.endswith("PRIVATE KEY")


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


def is_c_text(content: bytes) -> bool:
    """Whether it is C source with PEM in string literals."""
    return b'"-----BEGIN ' in content


def blocks_in(content: bytes, origin: str) -> list[PemBlock]:
    """The certificates and keys of a file as PEM blocks, in order, each one parsed as a check.

    The file may be PEM, one certificate or unencrypted key in DER, or C source whose string
    literals hold PEM.

    Args:
        content: the file's bytes.
        origin: what to call the file in an error.
    """
    text = _text_of_c_literals(content) if is_c_text(content) else content
    blocks = pem_blocks(text)
    if not blocks:
        if b"-----BEGIN " in text:
            raise InputError(f"{origin}: a PEM block begins and never ends: the file is cut short")
        return [_block_from_der(content, origin)]
    for number, block in enumerate(blocks, start=1):
        _check(block, f"{origin}, block {number}")
    return blocks


def certificates_in(content: bytes, origin: str) -> list[x509.Certificate]:
    """The certificates of a file that `blocks_in` can read, in order, at least one."""
    blocks = blocks_in(content, origin)
    found = [x509.load_pem_x509_certificate(each.text) for each in blocks if each.is_certificate]
    if not found:
        labels = ", ".join(each.label for each in blocks)
        raise InputError(f"{origin}: no certificate in it, but {labels}")
    return found


def request_in(content: bytes, origin: str) -> x509.CertificateSigningRequest:
    """The certificate request of a PEM or DER file. Raises InputError."""
    try:
        if b"-----BEGIN " in content:
            return x509.load_pem_x509_csr(content)
        return x509.load_der_x509_csr(content)
    except ValueError as error:
        labels = ", ".join(each.label for each in pem_blocks(content)) or "nothing that is known"
        raise InputError(
            f"{origin}: a certificate request is expected, and {labels} is there: make one with "
            "`openssl req -newkey rsa:2048 -nodes -subj /CN=board -keyout KEY -out CSR`"
        ) from error


def revocation_lists_in(content: bytes, origin: str) -> list[x509.CertificateRevocationList]:
    """The revocation lists of a PEM file, or the one of a DER file. Raises InputError."""
    blocks = [each for each in pem_blocks(content) if each.label == "X509 CRL"]
    try:
        if blocks:
            return [x509.load_pem_x509_crl(each.text) for each in blocks]
        return [x509.load_der_x509_crl(content)]
    except ValueError as error:
        raise InputError(f"{origin}: no revocation list in PEM or DER") from error


def _text_of_c_literals(content: bytes) -> bytes:
    literals = re.findall(rb'"((?:[^"\\\n]|\\.)*)"', content)
    return b"".join(literals).replace(rb"\r", b"").replace(rb"\n", b"\n")


def _block_from_der(content: bytes, origin: str) -> PemBlock:
    try:
        certificate = x509.load_der_x509_certificate(content)
    except ValueError:
        pass
    else:
        return PemBlock("CERTIFICATE", pem_of([certificate]).strip())
    try:
        key = serialization.load_der_private_key(content, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise InputError(
            f"{origin}: neither PEM (no -----BEGIN line), nor a certificate or an unencrypted key "
            "in DER, nor C source with PEM in it"
        ) from None
    if not isinstance(key, (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey)):
        raise InputError(f"{origin}: neither an RSA nor an EC key")
    return pem_blocks(key_pem_of(key))[0]


def _check(block: PemBlock, origin: str) -> None:
    if block.label == "ENCRYPTED PRIVATE KEY" or b"Proc-Type: 4,ENCRYPTED" in block.text:
        raise PassphraseNeeded(
            f"{origin}: an encrypted key, which no board can read: decrypt it first with "
            "`openssl pkey -in KEY -out PLAIN`"
        )
    try:
        if block.is_certificate:
            x509.load_pem_x509_certificate(block.text)
        elif block.is_key:
            serialization.load_pem_private_key(block.text, None)
        elif block.label != "EC PARAMETERS":
            raise InputError(f"{origin}: a {block.label}: certificates and keys are expected")
    except (ValueError, UnsupportedAlgorithm) as error:
        raise InputError(f"{origin}: {block.label} cannot be parsed: {error}") from error


def der_of_block(block: PemBlock) -> bytes:
    """What a PEM block holds: the bytes between its lines."""
    lines = [line for line in block.text.splitlines()[1:-1] if b":" not in line]
    return base64.b64decode(b"".join(lines))


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
