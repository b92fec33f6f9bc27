"""Decides a set: makes the keys, issues what is good, and gives each bad identity its one fault."""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from . import convert, issue
from .identity import CatchableBy, Expected, Role
from .issue import Authority, KeyType, PrivateKey, Validity
from .names import subject_alternative_name
from .plan import (
    CA_BUNDLE,
    CRL_BUNDLE,
    INTERMEDIATE,
    LAB_SELF_SIGNED,
    ROOT,
    UNKNOWN_ROOT,
    Plan,
    PlannedFile,
    PlannedIdentity,
)

# The expired identity must lie inside its issuers' validity, so that it has one fault only.
_EXPIRED_SINCE = timedelta(days=30)
_EXPIRED_LIFE = timedelta(days=365)
_CA_BACKDATED = timedelta(days=3 * 365)
_CA_OUTLIVES = timedelta(days=3 * 365)
_LAB_DAYS = 365
# A set in use never makes the identity of the future good.
_FUTURE_AFTER = timedelta(days=365)


@dataclass(frozen=True)
class Authorities:
    """The two CAs of a set."""

    root: Authority
    intermediate: Authority


@dataclass(frozen=True)
class _Keys:
    server_rsa: rsa.RSAPrivateKey
    client_rsa: rsa.RSAPrivateKey
    lab: rsa.RSAPrivateKey
    stranger: rsa.RSAPrivateKey
    short: rsa.RSAPrivateKey
    of_authorities: tuple[rsa.RSAPrivateKey, ...]


def _rsa_key(bits: int) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def _make_keys(*, for_authorities: int) -> _Keys:
    # Making RSA keys is nearly all the work, and OpenSSL does it without Python's lock.
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        made = list(pool.map(_rsa_key, [2048] * (4 + for_authorities) + [1024]))
    return _Keys(made[0], made[1], made[2], made[3], made[-1], tuple(made[4:-1]))


def may_issue(authorities: Authorities, *, days: int, now: datetime) -> bool:
    """Whether the CAs live long enough for a set of that many days."""
    needed = now + timedelta(days=days) + _FUTURE_AFTER
    return all(
        issue.not_after(each.certificate) > needed
        for each in (authorities.root, authorities.intermediate)
    )


def plan_set(
    *,
    names: tuple[str, ...],
    addresses: tuple[str, ...],
    days: int,
    ca_key_type: KeyType,
    now: datetime,
    authorities: Authorities | None = None,
) -> Plan:
    """Everything a set holds. Every date follows from now; names[0] becomes the common name.

    Authorities are those of an earlier set, with keys of ca_key_type; None makes new ones.
    """
    alternative_name = subject_alternative_name(names, addresses)
    is_rsa = ca_key_type is KeyType.RSA
    # An ECDSA CA needs one RSA key besides, for the issuer of what is signed with MD5.
    wanted = 1 if not is_rsa else 0 if authorities else 2
    keys = _make_keys(for_authorities=wanted)
    if authorities is None:
        validity = Validity(now - _CA_BACKDATED, now + timedelta(days=days) + _CA_OUTLIVES)
        authorities = _new_authorities(keys if is_rsa else None, validity)
    good = Validity(now - issue.SKEW, now + timedelta(days=days))
    return _Planner(names[0], alternative_name, good, keys, authorities, now).plan()


def _new_authorities(keys: _Keys | None, validity: Validity) -> Authorities:
    root_key: PrivateKey
    intermediate_key: PrivateKey
    if keys is None:
        root_key, intermediate_key = issue.new_key(KeyType.ECDSA), issue.new_key(KeyType.ECDSA)
    else:
        root_key, intermediate_key = keys.of_authorities
    root = issue.issue_ca("wwep-rig test root CA", root_key, validity, issuer=None, path_length=1)
    intermediate = issue.issue_ca(
        "wwep-rig test intermediate CA", intermediate_key, validity, issuer=root, path_length=0
    )
    return Authorities(root, intermediate)


class _Planner:
    def __init__(
        self,
        server_name: str,
        alternative_name: x509.SubjectAlternativeName,
        good: Validity,
        keys: _Keys,
        authorities: Authorities,
        now: datetime,
    ) -> None:
        self._server_name = server_name
        self._alternative_name = alternative_name
        self._good = good
        self._keys = keys
        self._root = authorities.root
        self._intermediate = authorities.intermediate
        self._ca_validity = Validity(
            issue.not_before(self._root.certificate), issue.not_after(self._root.certificate)
        )
        self._now = now
        self._result = Plan()

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
        begins = self._good.not_after + _FUTURE_AFTER
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
        if not isinstance(issuer.key, rsa.RSAPrivateKey):
            # MD5 is defined with RSA only, so a CA with ECDSA gets an RSA issuer beside it.
            issuer = issue.issue_ca(
                "wwep-rig test intermediate CA (RSA)",
                self._keys.of_authorities[0],
                self._ca_validity,
                issuer=self._root,
                path_length=0,
            )
        assert isinstance(issuer.key, rsa.RSAPrivateKey)
        for hash_name, title in (("sha1", "SHA-1"), ("md5", "MD5")):
            good = self._leaf(key, issuer=issuer)
            leaf = issue.resign_with_weak_hash(good, issuer.key, hash_name)
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
