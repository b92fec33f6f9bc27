"""What a set consists of: every file's bytes and every identity, in memory."""

from dataclasses import dataclass, field

from cryptography import x509

from . import convert, issue
from .identity import CatchableBy, Expected, Role
from .issue import PrivateKey

ROOT = "root-ca"
INTERMEDIATE = "intermediate-ca"
UNKNOWN_ROOT = "unknown-ca"
LAB_SELF_SIGNED = "lab-self-signed"
CA_BUNDLE = "ca-bundle.pem"
CRL_BUNDLE = "crl-bundle.pem"


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
