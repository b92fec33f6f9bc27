"""An identity on disk: a certificate, its key, and what a careful peer should make of it."""

import enum
from dataclasses import dataclass
from pathlib import Path


class Role(enum.Enum):
    """Which end of a connection presents the identity."""

    SERVER = "server"
    CLIENT = "client"
    EITHER = "either"


class Expected(enum.Enum):
    """What a peer that checks everything does with the identity."""

    ACCEPT = "accept"
    REFUSE = "refuse"


class CatchableBy(enum.Enum):
    """The check that finds the fault. The first three are the words of a bench's `verifies`."""

    NOTHING = "nothing"
    CHAIN = "chain"
    NAME = "name"
    TIME = "time"
    USAGE = "usage"
    STRENGTH = "strength"
    REVOCATION = "revocation"
    KEY = "key"


@dataclass(frozen=True)
class Identity:
    """One identity of a set.

    Attributes:
        name: how scenarios and bench files call it, for example `server-ecdsa`.
        role: which end presents it.
        key_type: `ecdsa-p256`, `rsa-2048` or `rsa-1024`.
        cert_path: PEM, the leaf first, then what the peer needs to reach the root.
        key_path: PEM of the private key, mode 0600.
        root_path: PEM of the root that the peer is given.
        expected: what a careful peer does.
        catchable_by: the check that finds the fault; NOTHING for a good identity.
        reason: the fault, or what the identity is for, as a sentence.
        not_before: ISO 8601, UTC.
        not_after: ISO 8601, UTC.
        pin_sha256: SHA-256 of the public key (SubjectPublicKeyInfo), hex.
    """

    name: str
    role: Role
    key_type: str
    cert_path: Path
    key_path: Path
    root_path: Path
    expected: Expected
    catchable_by: CatchableBy
    reason: str
    not_before: str
    not_after: str
    pin_sha256: str
