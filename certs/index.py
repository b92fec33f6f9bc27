"""The index of a set: what each file is for, for programs (index.json) and people (INDEX.txt)."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from cryptography import x509

from . import issue
from .errors import CertificateError
from .identity import CatchableBy, Expected, Identity, Role
from .plan import Plan, PlannedIdentity

INDEX_JSON = "index.json"
INDEX_TEXT = "INDEX.txt"
FORMAT = "wwep-rig certificates 1"


@dataclass(frozen=True)
class Index:
    """A parsed index.json.

    Attributes:
        made: when the set was made, UTC.
        expires: when its first good identity expires, UTC.
        names: host names the server identities carry, the first is their common name.
        addresses: IP addresses the server identities carry.
        ca_key_type: the kind of key both CAs have.
        identities: all identities, good and bad, in the order people read them.
        digests: SHA-256 of every other file by file name, hex.
    """

    made: datetime
    expires: datetime
    names: tuple[str, ...]
    addresses: tuple[str, ...]
    ca_key_type: str
    identities: tuple[Identity, ...]
    digests: dict[str, str]


def iso(moment: datetime) -> str:
    """`2026-11-21T09:00:00Z`."""
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _moment(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)


def identity_on_disk(planned: PlannedIdentity, directory: Path) -> Identity:
    """The identity with paths inside the directory."""
    leaf: x509.Certificate = planned.chain[0]
    return Identity(
        name=planned.name,
        role=planned.role,
        key_type=issue.describe_key(planned.key),
        cert_path=directory / f"{planned.name}.pem",
        key_path=directory / f"{planned.name}.key",
        root_path=directory / planned.root,
        expected=planned.expected,
        catchable_by=planned.catchable_by,
        reason=planned.reason,
        not_before=iso(issue.not_before(leaf)),
        not_after=iso(issue.not_after(leaf)),
        pin_sha256=issue.pin_sha256(leaf),
    )


def identity_to_json(identity: Identity) -> dict[str, str]:
    """The identity with file names in place of paths."""
    return {
        "name": identity.name,
        "role": identity.role.value,
        "key_type": identity.key_type,
        "certificate": identity.cert_path.name,
        "key": identity.key_path.name,
        "root": identity.root_path.name,
        "expected": identity.expected.value,
        "catchable_by": identity.catchable_by.value,
        "reason": identity.reason,
        "not_before": identity.not_before,
        "not_after": identity.not_after,
        "pin_sha256": identity.pin_sha256,
    }


def _identity_from_json(entry: dict[str, str], directory: Path) -> Identity:
    return Identity(
        name=entry["name"],
        role=Role(entry["role"]),
        key_type=entry["key_type"],
        cert_path=directory / entry["certificate"],
        key_path=directory / entry["key"],
        root_path=directory / entry["root"],
        expected=Expected(entry["expected"]),
        catchable_by=CatchableBy(entry["catchable_by"]),
        reason=entry["reason"],
        not_before=entry["not_before"],
        not_after=entry["not_after"],
        pin_sha256=entry["pin_sha256"],
    )


def render_json(
    plan: Plan,
    *,
    made: datetime,
    expires: datetime,
    names: tuple[str, ...],
    addresses: tuple[str, ...],
    ca_key_type: str,
) -> bytes:
    """The bytes of index.json."""
    document: dict[str, Any] = {
        "format": FORMAT,
        "made": iso(made),
        "expires": iso(expires),
        "names": list(names),
        "addresses": list(addresses),
        "ca_key_type": ca_key_type,
        "identities": [
            identity_to_json(identity_on_disk(each, Path("."))) for each in plan.identities
        ],
        "files": {
            name: {
                "purpose": planned.purpose,
                "secret": planned.secret,
                "sha256": hashlib.sha256(planned.content).hexdigest(),
            }
            for name, planned in sorted(plan.files.items())
        },
    }
    return (json.dumps(document, indent=2) + "\n").encode()


def parse_json(content: bytes, path: Path) -> Index:
    """The index a file holds. Raises CertificateError naming the path when it is not one."""
    try:
        document = json.loads(content)
        if document["format"] != FORMAT:
            raise CertificateError(
                f"{path}: format {document['format']!r}, expected {FORMAT!r}: another version of "
                "wwep-rig made it"
            )
        return Index(
            made=_moment(document["made"]),
            expires=_moment(document["expires"]),
            names=tuple(document["names"]),
            addresses=tuple(document["addresses"]),
            ca_key_type=document["ca_key_type"],
            identities=tuple(
                _identity_from_json(each, path.parent) for each in document["identities"]
            ),
            digests={name: entry["sha256"] for name, entry in document["files"].items()},
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CertificateError(
            f"{path}: not an index of wwep-rig certificates: {error!r}"
        ) from error


def render_text(plan: Plan, *, made: datetime, expires: datetime) -> bytes:
    """INDEX.txt: the same for a person."""
    rows = [identity_on_disk(each, Path(".")) for each in plan.identities]
    width = max(len(row.name) for row in rows)
    lines = [
        "Certificates of a wwep-rig bench. For tests only: the keys lie beside them.",
        f"Made {iso(made)}, good until {iso(expires)}.",
        "",
        "NAME.pem is the certificate, leaf first; NAME.key its private key. A device trusts",
        "root-ca (.pem, .der, or .h for C sources), or lab-self-signed where it meets that server.",
        "",
        "Identities a careful peer accepts:",
        *(
            f"  {row.name:<{width}}  {row.role.value:<6}  {row.reason}"
            for row in rows
            if row.expected is Expected.ACCEPT
        ),
        "",
        "Identities it refuses, and the check that finds the fault:",
        *(
            f"  {row.name:<{width}}  {row.catchable_by.value:<10}  {row.reason}"
            for row in rows
            if row.expected is Expected.REFUSE
        ),
        "",
        "Files:",
        *(f"  {name:<28}  {planned.purpose}" for name, planned in sorted(plan.files.items())),
        "",
    ]
    return "\n".join(lines).encode()
