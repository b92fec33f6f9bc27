"""Sign with the CA of a set: the bench's own server identity, and the request of a board."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from . import convert, index, issue, plan, store
from .authority import load_authority
from .directory import failure
from .errors import CertificateError, InputError, TargetError
from .identity import Identity, Role
from .issue import DAYS_DEFAULT, Authority, KeyType, Validity
from .names import (
    SERVER_ADDRESSES,
    SERVER_NAMES,
    checked_addresses,
    checked_names,
    subject_alternative_name,
)

RSA_BITS_MIN = 2048


@dataclass(frozen=True)
class SignedRequest:
    """A certificate made from a request.

    Attributes:
        chain: the new certificate, then the CA certificates up to but without the root.
        left_out: what the request asked for and did not get, one sentence each.
    """

    chain: tuple[x509.Certificate, ...]
    left_out: tuple[str, ...]


def _validity(authority: Authority, days: int, now: datetime) -> Validity:
    ends = issue.not_after(authority.certificate)
    if ends <= now:
        raise CertificateError(
            f"the CA expired on {ends.date().isoformat()}: make the set anew with --force"
        )
    return Validity(now - issue.SKEW, min(now + timedelta(days=store.checked_days(days)), ends))


def write_replacing(path: Path, content: bytes, *, secret: bool) -> None:
    """A file whose old or new content is there at every moment. 0600 when secret, else 0644."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    mode = 0o600 if secret else 0o644
    try:
        temporary.unlink(missing_ok=True)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(descriptor, "wb") as stream:
            os.fchmod(stream.fileno(), mode)
            stream.write(content)
        os.replace(temporary, path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise failure("write", path, error) from error


def sign_server_identity(
    directory: Path | str,
    *,
    addresses: Iterable[str] = (),
    names: Iterable[str] = (),
    key_type: KeyType = KeyType.ECDSA,
    out: Path | str,
    name: str = "bench-server",
    days: int = DAYS_DEFAULT,
    now: datetime | None = None,
) -> Identity:
    """A server identity for the bench's own addresses and names, besides those of every set.

    It takes milliseconds for ECDSA; RSA needs a new key, about a tenth of a second.

    Args:
        directory: the set whose CA signs.
        addresses: IP addresses of the bench.
        names: host names of the bench; the lab's names are always included.
        key_type: the kind of the new key.
        out: existing directory, or one to be created with mode 0700, for NAME.pem and NAME.key.
            Files of these names are replaced.
        name: the file name without its suffix.
        days: validity, at most that of the CA.
        now: the moment it is made; None reads the system's clock.
    """
    where = Path(directory).absolute()
    out_directory = Path(out).absolute()
    if not name or Path(name).name != name:
        raise InputError(f"{name!r} is no file name")
    authority = load_authority(where)
    all_names = checked_names((*SERVER_NAMES, *names))
    all_addresses = checked_addresses((*SERVER_ADDRESSES, *addresses))
    moment = store.checked_now(now)
    key = issue.new_key(key_type)
    leaf = issue.issue_leaf(
        issue.common_name(all_names[0]),
        key.public_key(),
        _validity(authority, days, moment),
        issuer=authority,
        role=Role.SERVER,
        alternative_name=subject_alternative_name(all_names, all_addresses),
    )
    planned = plan.PlannedIdentity(
        name,
        Role.SERVER,
        key,
        (leaf, authority.certificate),
        str(where / f"{plan.ROOT}.pem"),
        f"The server's identity of a bench: {', '.join((*all_names, *all_addresses))}.",
    )
    try:
        out_directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise failure("make the directory", out_directory, error) from error
    identity = index.identity_on_disk(planned, out_directory)
    # The certificate last: where it lies, its key lies too.
    write_replacing(identity.key_path, convert.key_pem_of(key), secret=True)
    write_replacing(identity.cert_path, convert.pem_of(list(planned.chain)), secret=False)
    return identity


def sign_request(
    request: x509.CertificateSigningRequest,
    authority: Authority,
    *,
    role: Role = Role.EITHER,
    days: int = DAYS_DEFAULT,
    now: datetime | None = None,
) -> SignedRequest:
    """A certificate for the request's subject, key and alternative names.

    The request's other wishes are not followed, and are listed. Raises TargetError when the
    request's own signature is wrong or its key is weak.
    """
    if not request.is_signature_valid:
        raise TargetError("the request's signature is wrong: its sender may not own the key")
    public_key = request.public_key()
    if isinstance(public_key, rsa.RSAPublicKey):
        if public_key.key_size < RSA_BITS_MIN:
            raise TargetError(
                f"the request's key is RSA-{public_key.key_size}: at least RSA-{RSA_BITS_MIN} is "
                "expected"
            )
    elif not isinstance(public_key, ec.EllipticCurvePublicKey):
        raise TargetError(
            f"the request's key is {issue.describe_key(public_key)}: RSA or EC is expected"
        )
    alternative_name: x509.SubjectAlternativeName | None = None
    left_out: list[str] = []
    for extension in request.extensions:
        if isinstance(extension.value, x509.SubjectAlternativeName):
            alternative_name = extension.value
        elif isinstance(extension.value, x509.BasicConstraints) and extension.value.ca:
            left_out.append("asks to be a CA: refused")
        elif not isinstance(extension.value, (x509.SubjectKeyIdentifier, x509.BasicConstraints)):
            oid = extension.oid
            left_out.append(f"asks for {getattr(oid, '_name', oid.dotted_string)}: set by the role")
    leaf = issue.issue_leaf(
        request.subject,
        public_key,
        _validity(authority, days, store.checked_now(now)),
        issuer=authority,
        role=role,
        alternative_name=alternative_name,
    )
    return SignedRequest((leaf, authority.certificate), tuple(left_out))
