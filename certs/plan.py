"""What a set consists of: every file's bytes, decided in memory before any is written."""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from . import convert, issue
from .identity import CatchableBy, Expected, Role
from .issue import Authority, KeyType, PrivateKey, Validity
from .names import subject_alternative_name

ROOT = "root-ca"
INTERMEDIATE = "intermediate-ca"
UNKNOWN_ROOT = "unknown-ca"
LAB_SELF_SIGNED = "lab-self-signed"
CA_BUNDLE = "ca-bundle.pem"
CRL_BUNDLE = "crl-bundle.pem"

# The expired identity must lie inside its issuers' validity, so that it has one fault only.
_EXPIRED_SINCE = timedelta(days=30)
_EXPIRED_LIFE = timedelta(days=365)
_CA_BACKDATED = timedelta(days=3 * 365)
_CA_OUTLIVES = timedelta(days=3 * 365)
_LAB_DAYS = 365


@dataclass(frozen=True)
class PlannedFile:
    """The bytes of a file, and why it exists. Keys are secret: mode 0600."""

    content: bytes
    purpose: str
    secret: bool = False


@dataclass(frozen=True)
class PlannedIdentity:
    """An identity before it has a place on disk; the names are file names within the set."""

    name: str
    role: Role
    key: PrivateKey
    chain: tuple[x509.Certificate, ...]
    root: str
    reason: str
    expected: Expected = Expected.ACCEPT
    catchable_by: CatchableBy = CatchableBy.NOTHING


@dataclass
class Plan:
    """All files of a set by name, and its identities in the order people read them."""

    files: dict[str, PlannedFile] = field(default_factory=dict)
    identities: list[PlannedIdentity] = field(default_factory=list)

    def add_root(self, stem: str, certificate: x509.Certificate, purpose: str) -> None:
        """The three forms in which a root reaches a device: PEM, DER, C text."""
        pem = convert.pem_of([certificate])
        array = convert.c_identifier(stem)
        ends = issue.not_after(certificate).date().isoformat()
        c_text = convert.c_text_of(pem, array=array, comment=f"{purpose} Valid until {ends}.")
        self.files[f"{stem}.pem"] = PlannedFile(pem, purpose)
        self.files[f"{stem}.der"] = PlannedFile(convert.der_of(certificate), f"{purpose} (DER)")
        self.files[f"{stem}.h"] = PlannedFile(c_text, f"{purpose} (C, `{array}`)")

    def add_identity(self, identity: PlannedIdentity) -> None:
        """The chain and the key, and the leaf alone where a device has room for one certificate."""
        name = identity.name
        self.identities.append(identity)
        self.files.setdefault(
            f"{name}.pem", PlannedFile(convert.pem_of(list(identity.chain)), identity.reason)
        )
        writer = convert.key_pkcs8_pem_of if name == LAB_SELF_SIGNED else convert.key_pem_of
        self.files[f"{name}.key"] = PlannedFile(writer(identity.key), f"key of {name}", secret=True)
        if len(identity.chain) > 1 and identity.expected is Expected.ACCEPT:
            leaf = convert.pem_of([identity.chain[0]])
            self.files[f"{name}.leaf.pem"] = PlannedFile(
                leaf, f"{name} without its intermediate, where only one certificate fits"
            )


@dataclass(frozen=True)
class _Keys:
    root: PrivateKey
    intermediate: PrivateKey
    weak_issuer: rsa.RSAPrivateKey
    server_rsa: rsa.RSAPrivateKey
    client_rsa: rsa.RSAPrivateKey
    lab: rsa.RSAPrivateKey
    stranger: rsa.RSAPrivateKey
    short: rsa.RSAPrivateKey


def _rsa_key(bits: int) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def _make_keys(ca_key_type: KeyType) -> _Keys:
    # Making RSA keys is nearly all the work, and OpenSSL does it without Python's lock.
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        count = 6 if ca_key_type is KeyType.RSA else 5
        pending = [pool.submit(_rsa_key, 2048) for _ in range(count)]
        pending.append(pool.submit(_rsa_key, 1024))
        made = [each.result() for each in pending]
    server_rsa, client_rsa, lab, stranger, weak_issuer = made[:5]
    root: PrivateKey = made[5] if ca_key_type is KeyType.RSA else issue.new_key(KeyType.ECDSA)
    intermediate = weak_issuer if ca_key_type is KeyType.RSA else issue.new_key(KeyType.ECDSA)
    return _Keys(
        root, intermediate, weak_issuer, server_rsa, client_rsa, lab, stranger, short=made[-1]
    )


def plan_set(
    *,
    names: tuple[str, ...],
    addresses: tuple[str, ...],
    days: int,
    ca_key_type: KeyType,
    now: datetime,
) -> Plan:
    """Everything a set holds. Every date follows from now; names[0] becomes the common name."""
    return _Planner(names, addresses, days, ca_key_type, now).plan()


class _Planner:
    def __init__(
        self,
        names: tuple[str, ...],
        addresses: tuple[str, ...],
        days: int,
        ca_key_type: KeyType,
        now: datetime,
    ) -> None:
        self._server_name = names[0]
        self._alternative_name = subject_alternative_name(names, addresses)
        self._now = now
        self._good = Validity(now - issue.SKEW, now + timedelta(days=days))
        self._ca_validity = Validity(now - _CA_BACKDATED, self._good.not_after + _CA_OUTLIVES)
        self._ca_key_type = ca_key_type
        self._keys = _make_keys(ca_key_type)
        self._result = Plan()
        self._root = issue.issue_ca(
            "wwep-rig test root CA",
            self._keys.root,
            self._ca_validity,
            issuer=None,
            path_length=1,
        )
        self._intermediate = issue.issue_ca(
            "wwep-rig test intermediate CA",
            self._keys.intermediate,
            self._ca_validity,
            issuer=self._root,
            path_length=0,
        )

    def plan(self) -> Plan:
        self._add_authorities()
        self._add_good()
        self._add_bad_chains()
        self._add_bad_leaves()
        self._add_weak()
        self._add_revoked()
        return self._result

    def _leaf(
        self,
        key: PrivateKey,
        *,
        common_name: str | None = None,
        role: Role = Role.EITHER,
        validity: Validity | None = None,
        issuer: Authority | None = None,
        alternative_name: x509.SubjectAlternativeName | None = None,
    ) -> x509.Certificate:
        return issue.issue_leaf(
            issue.common_name(common_name or self._server_name),
            key.public_key(),
            validity or self._good,
            issuer=issuer or self._intermediate,
            role=role,
            alternative_name=alternative_name or self._alternative_name,
        )

    def _chain(self, leaf: x509.Certificate) -> tuple[x509.Certificate, ...]:
        return (leaf, self._intermediate.certificate)

    def _add_authorities(self) -> None:
        root, intermediate = self._root, self._intermediate
        files = self._result.files
        self._result.add_root(
            ROOT, root.certificate, "Root of the wwep-rig test CA: what a device trusts."
        )
        files[f"{INTERMEDIATE}.pem"] = PlannedFile(
            convert.pem_of([intermediate.certificate]), "The CA that issues the identities."
        )
        files[CA_BUNDLE] = PlannedFile(
            convert.pem_of([root.certificate, intermediate.certificate]),
            "Both CA certificates: for a server that verifies clients which send a leaf only.",
        )
        for stem, authority in ((ROOT, root), (INTERMEDIATE, intermediate)):
            files[f"{stem}.key"] = PlannedFile(
                convert.key_pem_of(authority.key), f"key of {stem}", secret=True
            )

    def _add_good(self) -> None:
        ecdsa_server, ecdsa_client = issue.new_key(KeyType.ECDSA), issue.new_key(KeyType.ECDSA)
        servers = (("server-ecdsa", ecdsa_server), ("server-rsa", self._keys.server_rsa))
        clients = (("client-ecdsa", ecdsa_client), ("client-rsa", self._keys.client_rsa))
        for name, key in servers:
            kind = "P-256, the cheap one" if name == "server-ecdsa" else "RSA-2048, for old boards"
            self._result.add_identity(
                PlannedIdentity(
                    name,
                    Role.SERVER,
                    key,
                    self._chain(self._leaf(key, role=Role.SERVER)),
                    f"{ROOT}.pem",
                    f"The server's identity with {kind}.",
                )
            )
        for name, key in clients:
            leaf = issue.issue_leaf(
                issue.common_name("wwep-rig test client"),
                key.public_key(),
                self._good,
                issuer=self._intermediate,
                role=Role.CLIENT,
                alternative_name=None,
            )
            kind = "P-256" if name == "client-ecdsa" else "RSA-2048"
            self._result.add_identity(
                PlannedIdentity(
                    name,
                    Role.CLIENT,
                    key,
                    self._chain(leaf),
                    f"{ROOT}.pem",
                    f"A client's identity with {kind}.",
                )
            )
        lab_validity = Validity(self._now, self._now + timedelta(days=_LAB_DAYS))
        lab = issue.issue_lab_self_signed(self._server_name, self._keys.lab, lab_validity)
        purpose = "The server as the lab makes it: self-signed RSA-2048, a root to itself."
        self._result.add_root(LAB_SELF_SIGNED, lab, purpose)
        self._result.add_identity(
            PlannedIdentity(
                LAB_SELF_SIGNED,
                Role.SERVER,
                self._keys.lab,
                (lab,),
                f"{LAB_SELF_SIGNED}.pem",
                purpose,
            )
        )

    def _add_bad(
        self,
        name: str,
        chain: tuple[x509.Certificate, ...],
        catchable_by: CatchableBy,
        reason: str,
        *,
        key: PrivateKey | None = None,
        role: Role = Role.EITHER,
    ) -> None:
        self._result.add_identity(
            PlannedIdentity(
                name,
                role,
                key or self._keys.server_rsa,
                chain,
                f"{ROOT}.pem",
                reason,
                Expected.REFUSE,
                catchable_by,
            )
        )

    def _add_bad_chains(self) -> None:
        stranger = issue.issue_ca(
            "wwep-rig unknown root CA",
            self._keys.stranger,
            self._ca_validity,
            issuer=None,
            path_length=0,
        )
        self._result.add_root(
            UNKNOWN_ROOT,
            stranger.certificate,
            "A root that issued one bad identity: a device that trusts it must refuse the others.",
        )
        key = self._keys.server_rsa
        good = self._leaf(key)
        self._add_bad(
            "unknown-issuer",
            (self._leaf(key, issuer=stranger),),
            CatchableBy.CHAIN,
            "Issued by a CA that the peer does not know.",
        )
        self._add_bad(
            "unknown-self-signed",
            (issue.issue_lab_self_signed(self._server_name, key, self._good),),
            CatchableBy.CHAIN,
            "Self-signed with the right name, by nobody the peer knows.",
        )
        self._add_bad(
            "missing-intermediate",
            (good,),
            CatchableBy.CHAIN,
            "A good leaf, sent without the intermediate that leads to the root.",
        )
        altered = issue.with_altered_signature(self._leaf(key))
        self._add_bad(
            "altered-signature",
            self._chain(altered),
            CatchableBy.CHAIN,
            "One bit of the leaf's signature is flipped.",
        )

    def _add_bad_leaves(self) -> None:
        key, now = self._keys.server_rsa, self._now
        ended = now - _EXPIRED_SINCE
        expired = self._leaf(key, validity=Validity(ended - _EXPIRED_LIFE, ended))
        self._add_bad(
            "expired", self._chain(expired), CatchableBy.TIME, "Expired 30 days before it was made."
        )
        # It begins a year after the good ones end, so that a set in use never makes it valid.
        begins = self._good.not_after + timedelta(days=365)
        future = self._leaf(key, validity=Validity(begins, begins + timedelta(days=365)))
        self._add_bad(
            "not-yet-valid",
            self._chain(future),
            CatchableBy.TIME,
            "Valid only from a year after the good identities have expired.",
        )
        other = "wrong-name.invalid"
        wrong = self._leaf(
            key, common_name=other, alternative_name=subject_alternative_name((other,), ())
        )
        self._add_bad(
            "wrong-name",
            self._chain(wrong),
            CatchableBy.NAME,
            f"Made for {other}, and for no address.",
            role=Role.SERVER,
        )
        self._add_bad(
            "wrong-usage",
            self._chain(self._leaf(key, role=Role.CLIENT)),
            CatchableBy.USAGE,
            "The server's names, but the extended key usage allows a client only.",
            role=Role.SERVER,
        )
        self._add_bad(
            "key-mismatch",
            self._chain(self._leaf(key)),
            CatchableBy.KEY,
            "The key belongs to another certificate: a careful server will not load the pair.",
            key=self._keys.stranger,
        )

    def _add_weak(self) -> None:
        key = self._keys.server_rsa
        short = self._keys.short
        self._add_bad(
            "weak-rsa-1024",
            self._chain(self._leaf(short)),
            CatchableBy.STRENGTH,
            "The leaf's key is RSA-1024.",
            key=short,
        )
        issuer = self._intermediate
        if self._ca_key_type is not KeyType.RSA:
            # MD5 is defined with RSA only, so a CA with ECDSA gets an RSA issuer beside it.
            issuer = issue.issue_ca(
                "wwep-rig test intermediate CA (RSA)",
                self._keys.weak_issuer,
                self._ca_validity,
                issuer=self._root,
                path_length=0,
            )
        for hash_name, title in (("sha1", "SHA-1"), ("md5", "MD5")):
            leaf = issue.resign_with_weak_hash(
                self._leaf(key, issuer=issuer), self._keys.weak_issuer, hash_name
            )
            self._add_bad(
                f"weak-{hash_name}",
                (leaf, issuer.certificate),
                CatchableBy.STRENGTH,
                f"The leaf is signed with {title}.",
            )

    def _add_revoked(self) -> None:
        revoked = self._leaf(self._keys.server_rsa)
        self._add_bad(
            "revoked",
            self._chain(revoked),
            CatchableBy.REVOCATION,
            f"On the intermediate's revocation list ({INTERMEDIATE}.crl.pem).",
        )
        files = self._result.files
        bundle = b""
        lists: list[tuple[str, Authority, list[x509.Certificate]]] = [
            (INTERMEDIATE, self._intermediate, [revoked]),
            (ROOT, self._root, []),
        ]
        for stem, authority, certificates in lists:
            crl = issue.issue_crl(
                authority, certificates, now=self._now, next_update=self._good.not_after
            )
            pem = crl.public_bytes(serialization.Encoding.PEM)
            bundle += pem
            files[f"{stem}.crl.pem"] = PlannedFile(pem, f"Revocation list of {stem}.")
            files[f"{stem}.crl.der"] = PlannedFile(
                crl.public_bytes(serialization.Encoding.DER), f"Revocation list of {stem} (DER)."
            )
        files[CRL_BUNDLE] = PlannedFile(bundle, "Both revocation lists.")


def _file_names() -> frozenset[str]:
    """Every file name a set can hold, by which a set that is not whole is still recognised."""
    roots = (ROOT, UNKNOWN_ROOT, LAB_SELF_SIGNED)
    good = ("server-ecdsa", "server-rsa", "client-ecdsa", "client-rsa")
    bad = (
        "unknown-issuer",
        "unknown-self-signed",
        "missing-intermediate",
        "altered-signature",
        "expired",
        "not-yet-valid",
        "wrong-name",
        "wrong-usage",
        "key-mismatch",
        "weak-rsa-1024",
        "weak-sha1",
        "weak-md5",
        "revoked",
    )
    return frozenset(
        [
            CA_BUNDLE,
            CRL_BUNDLE,
            *(f"{stem}{suffix}" for stem in roots for suffix in (".pem", ".der", ".h")),
            *(f"{stem}.leaf.pem" for stem in good),
            *(
                f"{stem}.crl{suffix}"
                for stem in (ROOT, INTERMEDIATE)
                for suffix in (".pem", ".der")
            ),
            *(
                f"{stem}{suffix}"
                for stem in (ROOT, INTERMEDIATE, LAB_SELF_SIGNED, *good, *bad)
                for suffix in (".pem", ".key")
            ),
        ]
    )


FILE_NAMES = _file_names()
