"""Keys and certificates as values: pure functions, no files and no clock."""

import enum
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Union

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from .identity import Role

DAYS_DEFAULT = 365
DAYS_MAX = 3650

# Clocks of boards and benches differ; a certificate is valid a day before it is made.
SKEW = timedelta(days=1)

PrivateKey = Union[rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey]
PublicKey = Union[rsa.RSAPublicKey, ec.EllipticCurvePublicKey]


class KeyType(enum.Enum):
    """Kinds of key a good certificate can have."""

    ECDSA = "ecdsa"
    RSA = "rsa"


@dataclass(frozen=True)
class Authority:
    """A certificate and the key that signs in its name."""

    certificate: x509.Certificate
    key: PrivateKey


@dataclass(frozen=True)
class Validity:
    """From when to when, in UTC."""

    not_before: datetime
    not_after: datetime


def new_key(key_type: KeyType) -> PrivateKey:
    """P-256 in well under a millisecond, or RSA-2048 in about a tenth of a second."""
    if key_type is KeyType.ECDSA:
        return ec.generate_private_key(ec.SECP256R1())
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def describe_key(key: object) -> str:
    """`rsa-2048`, `ecdsa-p256`, or the type's name for a key we do not make."""
    if isinstance(key, (rsa.RSAPrivateKey, rsa.RSAPublicKey)):
        return f"rsa-{key.key_size}"
    if isinstance(key, (ec.EllipticCurvePrivateKey, ec.EllipticCurvePublicKey)):
        return {"secp256r1": "ecdsa-p256", "secp384r1": "ecdsa-p384"}.get(
            key.curve.name, f"ecdsa-{key.curve.name}"
        )
    return type(key).__name__.strip("_").replace("PublicKey", "").lower()


def not_before(certificate: x509.Certificate) -> datetime:
    """The start of validity, aware of its zone on old and new versions of cryptography."""
    if hasattr(certificate, "not_valid_before_utc"):
        begin: datetime = certificate.not_valid_before_utc
        return begin
    return certificate.not_valid_before.replace(tzinfo=timezone.utc)


def not_after(certificate: x509.Certificate) -> datetime:
    """The end of validity, aware of its zone on old and new versions of cryptography."""
    if hasattr(certificate, "not_valid_after_utc"):
        end: datetime = certificate.not_valid_after_utc
        return end
    return certificate.not_valid_after.replace(tzinfo=timezone.utc)


def pin_sha256(certificate: x509.Certificate) -> str:
    """SHA-256 of the SubjectPublicKeyInfo, hex."""
    digest = hashes.Hash(hashes.SHA256())
    digest.update(
        certificate.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    return digest.finalize().hex()


def common_name(text: str) -> x509.Name:
    """A distinguished name of one common name, which is all a test needs."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _key_identifier_of(issuer: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    identifier = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier)


def _begin(
    subject: x509.Name, public_key: PublicKey, validity: Validity
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(validity.not_before)
        .not_valid_after(validity.not_after)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
    )


def _key_usage(*, is_ca: bool, enciphers: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_ca,
        content_commitment=False,
        key_encipherment=enciphers,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_ca,
        crl_sign=is_ca,
        encipher_only=False,
        decipher_only=False,
    )


def issue_ca(
    subject: str, key: PrivateKey, validity: Validity, *, issuer: Authority | None, path_length: int
) -> Authority:
    """A CA certificate; self-signed when issuer is None."""
    name = common_name(subject)
    builder = _begin(name, key.public_key(), validity)
    builder = builder.issuer_name(name if issuer is None else issuer.certificate.subject)
    builder = builder.add_extension(
        x509.BasicConstraints(ca=True, path_length=path_length), critical=True
    ).add_extension(_key_usage(is_ca=True, enciphers=False), critical=True)
    if issuer is not None:
        builder = builder.add_extension(_key_identifier_of(issuer.certificate), critical=False)
    signer = key if issuer is None else issuer.key
    return Authority(builder.sign(signer, hashes.SHA256()), key)


def issue_leaf(
    subject: x509.Name,
    public_key: PublicKey,
    validity: Validity,
    *,
    issuer: Authority,
    role: Role,
    alternative_name: x509.SubjectAlternativeName | None,
) -> x509.Certificate:
    """An end-entity certificate with the key usage that its role and key need."""
    usages = {
        Role.SERVER: [ExtendedKeyUsageOID.SERVER_AUTH],
        Role.CLIENT: [ExtendedKeyUsageOID.CLIENT_AUTH],
        Role.EITHER: [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH],
    }
    # RSA key exchange, which boards of the lab's age use, enciphers to the server's key.
    enciphers = isinstance(public_key, rsa.RSAPublicKey)
    builder = (
        _begin(subject, public_key, validity)
        .issuer_name(issuer.certificate.subject)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(is_ca=False, enciphers=enciphers), critical=True)
        .add_extension(x509.ExtendedKeyUsage(usages[role]), critical=False)
        .add_extension(_key_identifier_of(issuer.certificate), critical=False)
    )
    if alternative_name is not None:
        builder = builder.add_extension(alternative_name, critical=False)
    return builder.sign(issuer.key, hashes.SHA256())


def issue_lab_self_signed(subject: str, key: PrivateKey, validity: Validity) -> x509.Certificate:
    """What `openssl req -newkey rsa:2048 -nodes -x509` makes with its default configuration.

    A common name, no alternative name, version 3 with CA:TRUE, and its own key identifier twice.
    """
    name = common_name(subject)
    public_key = key.public_key()
    return (
        _begin(name, public_key, validity)
        .issuer_name(name)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(public_key), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )


def issue_crl(
    issuer: Authority, revoked: list[x509.Certificate], *, now: datetime, next_update: datetime
) -> x509.CertificateRevocationList:
    """A revocation list of the issuer, numbered by the moment, so that a later one is higher."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.certificate.subject)
        .last_update(now - SKEW)
        .next_update(next_update)
        .add_extension(x509.CRLNumber(int(now.timestamp())), critical=False)
        .add_extension(_key_identifier_of(issuer.certificate), critical=False)
    )
    for certificate in revoked:
        builder = builder.add_revoked_certificate(
            x509.RevokedCertificateBuilder()
            .serial_number(certificate.serial_number)
            .revocation_date(now - SKEW)
            .add_extension(x509.CRLReason(x509.ReasonFlags.key_compromise), critical=False)
            .build()
        )
    return builder.sign(issuer.key, hashes.SHA256())


# 1.2.840.113549.1.1.N in DER: N is 4 for MD5, 5 for SHA-1, 11 for SHA-256, each with RSA.
_RSA_SIGNATURE_OID = bytes.fromhex("06092a864886f70d0101")
_OID_SHA256 = _RSA_SIGNATURE_OID + b"\x0b"
_OID_OF_WEAK_HASH = {"md5": _RSA_SIGNATURE_OID + b"\x04", "sha1": _RSA_SIGNATURE_OID + b"\x05"}


def resign_with_weak_hash(
    certificate: x509.Certificate, issuer_key: rsa.RSAPrivateKey, hash_name: str
) -> x509.Certificate:
    """The same certificate, signed with `md5` or `sha1`.

    The builder of newer versions of cryptography refuses these hashes, while a plain signature
    with them is still to be had: so the bytes to be signed are changed here.
    """
    body = certificate.tbs_certificate_bytes
    weak_oid = _OID_OF_WEAK_HASH[hash_name]
    if body.count(_OID_SHA256) != 1:
        raise ValueError("a certificate signed with RSA and SHA-256 is expected")
    weak_body = body.replace(_OID_SHA256, weak_oid)
    algorithm = hashes.MD5() if hash_name == "md5" else hashes.SHA1()
    signature = issuer_key.sign(weak_body, padding.PKCS1v15(), algorithm)
    whole = certificate.public_bytes(serialization.Encoding.DER)
    at = whole.index(body)
    end = at + len(body)
    rest = whole[end:].replace(_OID_SHA256, weak_oid)[: -len(signature)]
    return x509.load_der_x509_certificate(whole[:at] + weak_body + rest + signature)


def with_altered_signature(certificate: x509.Certificate) -> x509.Certificate:
    """The same certificate with the lowest bit of its signature flipped."""
    whole = bytearray(certificate.public_bytes(serialization.Encoding.DER))
    whole[-1] ^= 1
    return x509.load_der_x509_certificate(bytes(whole))
