"""Names and addresses a server identity is made for, checked before they reach a certificate."""

import ipaddress
import re
from collections.abc import Iterable

from cryptography import x509

from .errors import InputError

# The lab's texts spell the server's name in four ways; a board built from any of them must connect.
SERVER_NAMES = (
    "wwep.ww101.cypress.com",
    "wwep.wa101.cypress.com",
    "wwep.wv101.cypress.com",
    "wwp.ww101.cypress.com",
    "localhost",
)
# 198.51.100.3 is where the lab's firmware goes when name resolution fails.
SERVER_ADDRESSES = ("127.0.0.1", "::1", "198.51.100.3")

# Every entry travels in the certificate, and a board has little memory for one.
SUBJECT_NAMES_MAX = 64

_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)\Z")
_NAME_LENGTH_MAX = 253


def _checked_name(name: str) -> str:
    labels = name.split(".")
    body = labels[1:] if labels[0] == "*" and len(labels) > 2 else labels
    if len(name) > _NAME_LENGTH_MAX or not all(_LABEL.match(label) for label in body):
        raise InputError(
            f"{name!r} is no host name: labels of letters, digits and hyphens joined by dots are "
            "expected (write an international name in its xn-- form)"
        )
    return name.lower()


def _checked_address(address: str) -> str:
    # A certificate has no place for an IPv6 zone: fe80::1%eth0 is certified as fe80::1.
    try:
        return str(ipaddress.ip_address(address.split("%", 1)[0]))
    except ValueError:
        raise InputError(
            f"{address!r} is no IPv4 or IPv6 address: give a host name as a name"
        ) from None


def is_address(text: str) -> bool:
    """Whether the text is an IPv4 or IPv6 address, with or without a zone."""
    try:
        ipaddress.ip_address(text.split("%", 1)[0])
    except ValueError:
        return False
    return True


def checked_names(names: Iterable[str]) -> tuple[str, ...]:
    """Host names in lower case, each once, in order. Raises InputError for a bad one."""
    return tuple(dict.fromkeys(_checked_name(name) for name in names))


def checked_addresses(addresses: Iterable[str]) -> tuple[str, ...]:
    """Addresses in their shortest form, each once, in order. Raises InputError."""
    return tuple(dict.fromkeys(_checked_address(address) for address in addresses))


def subject_alternative_name(
    names: tuple[str, ...], addresses: tuple[str, ...]
) -> x509.SubjectAlternativeName:
    """The extension for checked names and addresses, at most SUBJECT_NAMES_MAX together."""
    count = len(names) + len(addresses)
    if count > SUBJECT_NAMES_MAX:
        raise InputError(
            f"{count} names and addresses are more than the {SUBJECT_NAMES_MAX} that one "
            "certificate may carry: leave some out"
        )
    general: list[x509.GeneralName] = [x509.DNSName(name) for name in names]
    general.extend(x509.IPAddress(ipaddress.ip_address(address)) for address in addresses)
    return x509.SubjectAlternativeName(general)
