"""The test CA, the identities it issues, and every bad certificate a device must refuse.

    from wwep_rig import certs
    made = certs.make("pki", names=["board.lab"], addresses=["10.0.0.1"])
    made.identity("expired").cert_path

Nothing here opens a socket except `fetch`. Keys are made anew for every set and never leave its
directory. A directory appears whole or not at all.
"""

from .errors import CertificateError, InputError, PassphraseNeeded, TargetError
from .identity import CatchableBy, Expected, Identity, Role
from .issue import DAYS_DEFAULT, DAYS_MAX, KeyType
from .names import SERVER_ADDRESSES, SERVER_NAMES, SUBJECT_NAMES_MAX
from .sign import sign_request, sign_server_identity
from .store import CertificateSet, default_directory, ensure, load, make

__all__ = [
    "CatchableBy",
    "CertificateError",
    "CertificateSet",
    "DAYS_DEFAULT",
    "DAYS_MAX",
    "Expected",
    "Identity",
    "InputError",
    "KeyType",
    "PassphraseNeeded",
    "Role",
    "SERVER_ADDRESSES",
    "SERVER_NAMES",
    "SUBJECT_NAMES_MAX",
    "TargetError",
    "default_directory",
    "ensure",
    "load",
    "make",
    "sign_request",
    "sign_server_identity",
]
