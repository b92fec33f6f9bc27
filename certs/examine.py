"""What a chain of certificates says, and what is wrong with it. Pure: no file, no socket, no clock.

A problem is what a careful peer refuses; a note is what a person should know. The checks carry the
words that the identities of a set use (`chain`, `name`, `time`, `usage`, `strength`, …).
"""

import ipaddress
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from . import issue
from .identity import CatchableBy, Role
from .index import iso
from .names import is_address

RSA_BITS_MIN = 2048
EC_BITS_MIN = 256
_WEAK_HASHES = ("md5", "sha1")


@dataclass(frozen=True)
class Described:
    """One certificate, in words.

    Attributes:
        subject: RFC 4514.
        issuer: RFC 4514.
        names: alternative names, hosts and addresses.
        key: for example `rsa-2048`.
        signed_with: the signature's hash, for example `sha256`.
        not_before: ISO 8601, UTC.
        not_after: ISO 8601, UTC.
        is_ca: whether it may issue certificates.
        usages: key usage and extended key usage.
        serial: hex.
        fingerprint_sha256: of the whole certificate, hex.
        pin_sha256: of its public key, hex.
    """

    subject: str
    issuer: str
    names: tuple[str, ...]
    key: str
    signed_with: str
    not_before: str
    not_after: str
    is_ca: bool
    usages: tuple[str, ...]
    serial: str
    fingerprint_sha256: str
    pin_sha256: str


@dataclass(frozen=True)
class Finding:
    """Something to say about certificate `position` (1 is the leaf)."""

    position: int
    check: CatchableBy
    what: str


@dataclass(frozen=True)
class Examination:
    """The certificates in words, the problems, and the notes."""

    certificates: tuple[Described, ...]
    problems: tuple[Finding, ...]
    notes: tuple[Finding, ...]


@dataclass(frozen=True)
class Expectation:
    """What the chain is held against; None and empty leave a check out.

    Attributes:
        now: the moment it must be valid at.
        name: host name or address the leaf must be made for.
        role: the end that presents the leaf.
        roots: what the peer trusts.
        revocation_lists: lists that may name one of the certificates.
        public_key: of the private key that goes with the leaf.
    """

    now: datetime
    name: str | None = None
    role: Role | None = None
    roots: tuple[x509.Certificate, ...] = ()
    revocation_lists: tuple[x509.CertificateRevocationList, ...] = ()
    public_key: issue.PublicKey | None = None


def describe(certificate: x509.Certificate) -> Described:
    """The certificate in words."""
    hash_algorithm = _hash_of(certificate)
    return Described(
        subject=certificate.subject.rfc4514_string(),
        issuer=certificate.issuer.rfc4514_string(),
        names=_alternative_names(certificate),
        key=issue.describe_key(certificate.public_key()),
        signed_with=hash_algorithm.name if hash_algorithm else "no separate hash",
        not_before=iso(issue.not_before(certificate)),
        not_after=iso(issue.not_after(certificate)),
        is_ca=_is_ca(certificate),
        usages=_usages(certificate),
        serial=f"{certificate.serial_number:x}",
        fingerprint_sha256=certificate.fingerprint(hashes.SHA256()).hex(),
        pin_sha256=issue.pin_sha256(certificate),
    )


def examine(chain: list[x509.Certificate], expected: Expectation) -> Examination:
    """Hold a chain, leaf first, against what is expected of it."""
    return _Examiner(chain, expected).examine()


def made_for(certificate: x509.Certificate, name: str) -> bool:
    """Whether an alternative name, or a wildcard for one label, covers the name or address."""
    if is_address(name):
        address = str(ipaddress.ip_address(name.split("%", 1)[0]))
        return address in _alternative_names(certificate)
    wanted = name.lower().rstrip(".")
    _, _, parent = wanted.partition(".")
    known = {each.lower() for each in _alternative_names(certificate)}
    return wanted in known or bool(parent) and f"*.{parent}" in known


def is_signed_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool | None:
    """Whether the issuer's key made the signature; None when its algorithm is not known here."""
    key, hash_algorithm = issuer.public_key(), _hash_of(certificate)
    try:
        if hash_algorithm is None:
            return None
        if isinstance(key, rsa.RSAPublicKey):
            if "rsassa" in getattr(certificate.signature_algorithm_oid, "_name", "").lower():
                return None
            key.verify(
                certificate.signature,
                certificate.tbs_certificate_bytes,
                padding.PKCS1v15(),
                hash_algorithm,
            )
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(
                certificate.signature, certificate.tbs_certificate_bytes, ec.ECDSA(hash_algorithm)
            )
        else:
            return None
    except InvalidSignature:
        return False
    except UnsupportedAlgorithm:
        return None
    return True


def _hash_of(certificate: x509.Certificate) -> hashes.HashAlgorithm | None:
    try:
        return certificate.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return None


def _alternative_names(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return ()
    hosts = extension.value.get_values_for_type(x509.DNSName)
    addresses = extension.value.get_values_for_type(x509.IPAddress)
    return (*hosts, *(str(each) for each in addresses))


def _is_ca(certificate: x509.Certificate) -> bool:
    try:
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    except x509.ExtensionNotFound:
        return False
    return constraints.value.ca


def _key_usage(certificate: x509.Certificate) -> x509.KeyUsage | None:
    try:
        return certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return None


def _extended_key_usage(certificate: x509.Certificate) -> x509.ExtendedKeyUsage | None:
    try:
        return certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return None


def _usages(certificate: x509.Certificate) -> tuple[str, ...]:
    found: list[str] = []
    usage = _key_usage(certificate)
    if usage is not None:
        for word in (
            "digital_signature",
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "key_cert_sign",
            "crl_sign",
        ):
            if getattr(usage, word):
                found.append(word.replace("_", " "))
    for oid in _extended_key_usage(certificate) or ():
        found.append(str(getattr(oid, "_name", oid.dotted_string)))
    return tuple(found)


def _common_name(certificate: x509.Certificate) -> str:
    attributes = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(attributes[0].value) if attributes else ""


def _days_apart(earlier: datetime, later: datetime) -> str:
    days = (later - earlier).days
    return "less than a day" if days == 0 else "1 day" if days == 1 else f"{days} days"


class _Examiner:
    def __init__(self, chain: list[x509.Certificate], expected: Expectation) -> None:
        self._chain = chain
        self._expected = expected
        self._problems: list[Finding] = []
        self._notes: list[Finding] = []

    def examine(self) -> Examination:
        for position, certificate in enumerate(self._chain, start=1):
            self._examine_time(position, certificate)
            self._examine_strength(position, certificate)
            self._examine_revocation(position, certificate)
        self._examine_name()
        self._examine_usage()
        self._examine_key()
        self._examine_links()
        self._examine_end()
        return Examination(
            tuple(describe(each) for each in self._chain),
            tuple(sorted(self._problems, key=lambda each: each.position)),
            tuple(sorted(self._notes, key=lambda each: each.position)),
        )

    def _problem(self, position: int, check: CatchableBy, what: str) -> None:
        self._problems.append(Finding(position, check, what))

    def _note(self, position: int, check: CatchableBy, what: str) -> None:
        self._notes.append(Finding(position, check, what))

    def _examine_time(self, position: int, certificate: x509.Certificate) -> None:
        now = self._expected.now
        begins, ends = issue.not_before(certificate), issue.not_after(certificate)
        if ends < now:
            what = f"expired {_days_apart(ends, now)} ago, on {ends.date()}"
            self._problem(position, CatchableBy.TIME, what)
        elif begins > now:
            what = f"not valid for another {_days_apart(now, begins)}, until {begins.date()}"
            self._problem(position, CatchableBy.TIME, what)
        elif (ends - now).days < 30:
            self._note(position, CatchableBy.TIME, f"expires in {_days_apart(now, ends)}")

    def _examine_strength(self, position: int, certificate: x509.Certificate) -> None:
        key, hash_algorithm = certificate.public_key(), _hash_of(certificate)
        bits_min = RSA_BITS_MIN if isinstance(key, rsa.RSAPublicKey) else EC_BITS_MIN
        if isinstance(key, (rsa.RSAPublicKey, ec.EllipticCurvePublicKey)):
            if key.key_size < bits_min:
                what = (
                    f"its key is {issue.describe_key(key)}, at least {bits_min} bits are expected"
                )
                self._problem(position, CatchableBy.STRENGTH, what)
        else:
            what = f"its key is {issue.describe_key(key)}: many boards know RSA and EC only"
            self._note(position, CatchableBy.STRENGTH, what)
        # Nobody relies on the signature that a root makes of itself.
        is_root = certificate.subject == certificate.issuer
        if hash_algorithm is not None and hash_algorithm.name in _WEAK_HASHES and not is_root:
            what = f"signed with {hash_algorithm.name}, which can be forged"
            self._problem(position, CatchableBy.STRENGTH, what)

    def _examine_revocation(self, position: int, certificate: x509.Certificate) -> None:
        for each in self._expected.revocation_lists:
            if each.issuer != certificate.issuer:
                continue
            entry = each.get_revoked_certificate_by_serial_number(certificate.serial_number)
            if entry is not None:
                self._problem(position, CatchableBy.REVOCATION, "revoked by its issuer")

    def _examine_name(self) -> None:
        leaf, name = self._chain[0], self._expected.name
        if name is None or made_for(leaf, name):
            return
        alternatives = _alternative_names(leaf)
        if not alternatives and _common_name(leaf).lower() == name.lower():
            what = (
                f"{name} is its common name only: clients of today look at alternative names, "
                "of which it has none"
            )
            self._note(1, CatchableBy.NAME, what)
            return
        made = ", ".join(alternatives) or f"nothing (common name {_common_name(leaf)!r})"
        self._problem(1, CatchableBy.NAME, f"not made for {name}, but for {made}")

    def _examine_usage(self) -> None:
        leaf, role = self._chain[0], self._expected.role
        extended = _extended_key_usage(leaf)
        wanted = {
            Role.SERVER: ExtendedKeyUsageOID.SERVER_AUTH,
            Role.CLIENT: ExtendedKeyUsageOID.CLIENT_AUTH,
        }
        if role in wanted and extended is not None and wanted[role] not in extended:
            what = f"its extended key usage does not allow a {role.value}"
            self._problem(1, CatchableBy.USAGE, what)
        for position, certificate in enumerate(self._chain[1:], start=2):
            usage = _key_usage(certificate)
            if not _is_ca(certificate):
                self._problem(position, CatchableBy.USAGE, "no CA, and may issue nothing")
            elif usage is not None and not usage.key_cert_sign:
                self._problem(position, CatchableBy.USAGE, "its key usage allows no issuing")

    def _examine_key(self) -> None:
        given, leaf_key = self._expected.public_key, self._chain[0].public_key()
        if given is None:
            return
        if not isinstance(leaf_key, (rsa.RSAPublicKey, ec.EllipticCurvePublicKey)) or (
            leaf_key.public_numbers() != given.public_numbers()
        ):
            self._problem(1, CatchableBy.KEY, "the private key belongs to another certificate")

    def _examine_links(self) -> None:
        for position, (certificate, issuer) in enumerate(
            zip(self._chain, self._chain[1:]), start=1
        ):
            if certificate.issuer != issuer.subject:
                what = (
                    f"issued by {certificate.issuer.rfc4514_string()}, but followed by "
                    f"{issuer.subject.rfc4514_string()}: certificates are missing or out of order"
                )
                self._problem(position, CatchableBy.CHAIN, what)
            else:
                self._examine_signature(position, certificate, issuer)
        last = self._chain[-1]
        if len(self._chain) > 1 and last.subject == last.issuer:
            what = "a root, which a peer has itself and which need not be sent"
            self._note(len(self._chain), CatchableBy.CHAIN, what)

    def _examine_signature(
        self, position: int, certificate: x509.Certificate, issuer: x509.Certificate
    ) -> None:
        signed = is_signed_by(certificate, issuer)
        if signed is None:
            what = f"its signature by {issuer.subject.rfc4514_string()} cannot be checked here"
            self._note(position, CatchableBy.CHAIN, what)
        elif not signed:
            what = f"its signature is not by {issuer.subject.rfc4514_string()}: altered or forged"
            self._problem(position, CatchableBy.CHAIN, what)

    def _examine_end(self) -> None:
        last, position = self._chain[-1], len(self._chain)
        roots = self._expected.roots
        if not roots:
            self._note_untrusted_end(last, position)
            return
        if any(each in roots for each in self._chain):
            return
        issuers = [each for each in roots if each.subject == last.issuer]
        if not issuers:
            known = ", ".join(each.subject.rfc4514_string() for each in roots)
            what = (
                f"issued by {last.issuer.rfc4514_string()}, which is not the root ({known}): "
                "an intermediate is missing, or its issuer is unknown"
            )
            self._problem(position, CatchableBy.CHAIN, what)
        elif all(is_signed_by(last, each) is False for each in issuers):
            what = f"its signature is not by the root {last.issuer.rfc4514_string()}"
            self._problem(position, CatchableBy.CHAIN, what)

    def _note_untrusted_end(self, last: x509.Certificate, position: int) -> None:
        if last.subject != last.issuer:
            what = f"a peer must have {last.issuer.rfc4514_string()}: --root FILE checks against it"
            self._note(position, CatchableBy.CHAIN, what)
            return
        if is_signed_by(last, last) is False:
            self._problem(position, CatchableBy.CHAIN, "its signature is not its own: altered")
        elif len(self._chain) == 1:
            what = "self-signed: a peer accepts it only when it was given it as a root"
            self._note(position, CatchableBy.CHAIN, what)
