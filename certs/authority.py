"""Keys and CAs read back from their files."""

from pathlib import Path
from typing import cast

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from . import convert, issue, plan
from .directory import failure
from .errors import CertificateError, InputError, PassphraseNeeded
from .issue import Authority, PrivateKey


def load_key(path: Path, passphrase: bytes | None = None) -> PrivateKey:
    """A PEM key. Raises PassphraseNeeded, or CertificateError for any other trouble."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise failure("read the key", path, error) from error
    try:
        key = serialization.load_pem_private_key(content, passphrase)
    except TypeError as error:
        if passphrase is None:
            raise PassphraseNeeded(f"{path}: encrypted, and no passphrase was given") from error
        key = serialization.load_pem_private_key(content, None)
    except (ValueError, UnsupportedAlgorithm) as error:
        why = "wrong passphrase, or no PEM key" if passphrase else "no PEM key"
        raise InputError(f"{path}: {why}") from error
    if not isinstance(key, (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey)):
        raise InputError(f"{path}: neither an RSA nor an EC key")
    return key


def load_authority(
    directory: Path, stem: str = plan.INTERMEDIATE, *, passphrase: bytes | None = None
) -> Authority:
    """A CA of a set, by default the one that issues identities, checked against its key."""
    path = directory / f"{stem}.pem"
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise InputError(
            f"{path}: no such file: {directory} is no set of certificates; make one with "
            f"`wwep-rig certs make {directory}`"
        ) from None
    except OSError as error:
        raise failure("read", path, error) from error
    certificate = convert.certificates_in(content, str(path))[0]
    key = load_key(directory / f"{stem}.key", passphrase)
    if (
        key.public_key().public_numbers()
        != cast(issue.PublicKey, certificate.public_key()).public_numbers()
    ):
        raise CertificateError(f"{directory}: {path.name} and its key do not belong together")
    return Authority(certificate, key)
