"""Sets of certificates on disk: make one, load one, keep one for a user.

A set is the directory's index.json and the files it lists with their digests. Nothing is held open.
Any number of processes may load a set; `ensure` locks the directory's parent while it decides.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

from . import index, plan
from .authority import load_authority
from .directory import failure, held_lock, make_parent, write_whole
from .errors import CertificateError, InputError
from .identity import Identity
from .issue import DAYS_DEFAULT, DAYS_MAX, KeyType
from .names import SERVER_ADDRESSES, SERVER_NAMES, checked_addresses, checked_names
from .planner import Authorities, may_issue, plan_set

# ensure() makes the set anew this long before it expires, or at a third of a shorter life.
RENEW_BEFORE = timedelta(days=30)


@dataclass(frozen=True)
class CertificateSet:
    """A whole set on disk.

    Attributes:
        directory: where it lies, absolute.
        made: when it was made, UTC.
        expires: when its good identities expire, UTC.
        names: host names of the server identities, the common name first.
        addresses: IP addresses of the server identities.
        ca_key_type: the kind of key its CAs have.
        identities: all identities, good and bad.
    """

    directory: Path
    made: datetime
    expires: datetime
    names: tuple[str, ...]
    addresses: tuple[str, ...]
    ca_key_type: str
    identities: tuple[Identity, ...]

    @property
    def root_path(self) -> Path:
        """PEM of the root that devices trust."""
        return self.directory / f"{plan.ROOT}.pem"

    @property
    def client_ca_path(self) -> Path:
        """PEM of root and intermediate, for a server that verifies clients. No leaf is in it."""
        return self.directory / plan.CA_BUNDLE

    @property
    def crl_path(self) -> Path:
        """PEM of both revocation lists. wolfSSL reads the first only: give it `crl_paths`."""
        return self.directory / plan.CRL_BUNDLE

    @property
    def crl_paths(self) -> tuple[Path, Path]:
        """PEM of the intermediate's and of the root's revocation list."""
        return (
            self.directory / f"{plan.INTERMEDIATE}.crl.pem",
            self.directory / f"{plan.ROOT}.crl.pem",
        )

    def identity(self, name: str) -> Identity:
        """The identity of that name. Raises CertificateError that lists the names there are."""
        for each in self.identities:
            if each.name == name:
                return each
        known = ", ".join(each.name for each in self.identities)
        raise InputError(f"{self.directory}: no identity {name!r} there, only {known}")


def default_directory(environment: Mapping[str, str]) -> Path:
    """Where this user's own set lies: `wwep-rig/certs` in the user's state directory."""
    state = environment.get("XDG_STATE_HOME", "")
    if state.startswith("/"):
        return Path(state) / "wwep-rig" / "certs"
    home = environment.get("HOME", "")
    if not home.startswith("/"):
        raise CertificateError("neither XDG_STATE_HOME nor HOME is set: name a directory")
    return Path(home) / ".local" / "state" / "wwep-rig" / "certs"


def system_now() -> datetime:
    """The system's clock, the one place that this package reads it."""
    return datetime.now(timezone.utc)


def checked_days(days: int) -> int:
    """Days of validity, 1 to DAYS_MAX."""
    if not 1 <= days <= DAYS_MAX:
        raise InputError(f"{days} days of validity: 1 to {DAYS_MAX} are possible")
    return days


def checked_now(now: datetime | None) -> datetime:
    """A moment in whole seconds, UTC; None reads the system's clock."""
    moment = system_now() if now is None else now
    if moment.tzinfo is None:
        raise CertificateError(f"now={moment} has no time zone: give it in UTC")
    return moment.astimezone(timezone.utc).replace(microsecond=0)


def make(
    directory: Path | str,
    *,
    names: Iterable[str] = (),
    addresses: Iterable[str] = (),
    days: int = DAYS_DEFAULT,
    ca_key_type: KeyType = KeyType.RSA,
    force: bool = False,
    now: datetime | None = None,
) -> CertificateSet:
    """Make a whole set: CA, identities, bad certificates, revocation lists, index.

    Args:
        directory: created with mode 0700. It may exist if it is empty.
        names: host names for the server identities, besides SERVER_NAMES.
        addresses: IP addresses for them, besides SERVER_ADDRESSES.
        days: validity of the good identities, 1 to DAYS_MAX.
        ca_key_type: the CAs' keys. RSA by default, so that a board which knows RSA only can
            follow the chain.
        force: replace a set, whole or not. A directory with anything else in it is never touched.
        now: the moment every date follows from; None reads the system's clock.

    Raises:
        CertificateError: bad arguments, a directory in use, or a file system that refuses.
    """
    where = Path(directory).absolute()
    _refuse_what_must_stay(where, replace_set=force)
    return _make(where, names, addresses, days, ca_key_type, checked_now(now))


def _make(
    where: Path,
    names: Iterable[str],
    addresses: Iterable[str],
    days: int,
    ca_key_type: KeyType,
    now: datetime,
    *,
    authorities: Authorities | None = None,
) -> CertificateSet:
    all_names = checked_names((*SERVER_NAMES, *names))
    all_addresses = checked_addresses((*SERVER_ADDRESSES, *addresses))
    make_parent(where)  # Before the work of making keys, which would be in vain.
    contents = plan_set(
        names=all_names,
        addresses=all_addresses,
        days=checked_days(days),
        ca_key_type=ca_key_type,
        now=now,
        authorities=authorities,
    )
    # The lab's own identity lives 365 days whatever the others do.
    expires = now + timedelta(days=min(days, DAYS_DEFAULT))
    index_json = index.render_json(
        contents,
        made=now,
        expires=expires,
        names=all_names,
        addresses=all_addresses,
        ca_key_type=ca_key_type.value,
    )
    index_text = index.render_text(contents, made=now, expires=expires)
    files = dict(contents.files)
    files[index.INDEX_TEXT] = plan.PlannedFile(index_text, "this text")
    files[index.INDEX_JSON] = plan.PlannedFile(index_json, "the same for programs")
    write_whole(where, files)
    return load(where)


def _entries(where: Path) -> set[str]:
    try:
        return {each.name for each in where.iterdir()}
    except FileNotFoundError:
        return set()
    except OSError as error:
        raise failure("read the directory", where, error) from error


def _refuse_what_must_stay(where: Path, *, replace_set: bool) -> None:
    """Raise unless the directory is absent, empty, or a set that may be replaced."""
    if where.is_symlink():
        raise InputError(f"{where} is a symbolic link: name the directory itself")
    entries = _entries(where)
    if not entries:
        return
    foreign = sorted(entries - plan.FILE_NAMES - {index.INDEX_JSON, index.INDEX_TEXT})
    if foreign:
        shown = ", ".join(foreign[:3]) + (", …" if len(foreign) > 3 else "")
        raise InputError(
            f"{where} holds files that are no part of a set of certificates ({shown}): move them "
            "away, or name a directory that does not exist"
        )
    if not replace_set:
        raise InputError(
            f"{where} holds a set of certificates already: use it as it is, or replace it with "
            "--force (every key changes, and devices need the new root)"
        )


def load(directory: Path | str) -> CertificateSet:
    """The set in a directory, every file checked against its digest.

    Raises:
        CertificateError: there is none, or it is not whole.
    """
    where = Path(directory).absolute()
    path = where / index.INDEX_JSON
    remedy = "make it again with `wwep-rig certs make --force`"
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        if _entries(where) & plan.FILE_NAMES:
            raise CertificateError(
                f"{where}: half a set, {path.name} is missing: {remedy}"
            ) from None
        raise CertificateError(
            f"{where}: no certificates there: make them with `wwep-rig certs make {where}`"
        ) from None
    except OSError as error:
        raise failure("read", path, error) from error
    found = index.parse_json(content, path)
    for name, digest in found.digests.items():
        try:
            actual = hashlib.sha256((where / name).read_bytes()).hexdigest()
        except FileNotFoundError:
            raise CertificateError(f"{where / name}: missing from the set: {remedy}") from None
        except OSError as error:
            raise failure("read", where / name, error) from error
        if actual != digest:
            raise CertificateError(f"{where / name}: not what was made ({remedy})")
    return CertificateSet(
        directory=where,
        made=found.made,
        expires=found.expires,
        names=found.names,
        addresses=found.addresses,
        ca_key_type=found.ca_key_type,
        identities=found.identities,
    )


def ensure(
    directory: Path | str,
    *,
    names: Iterable[str] = (),
    addresses: Iterable[str] = (),
    days: int = DAYS_DEFAULT,
    now: datetime | None = None,
) -> CertificateSet:
    """The set in a directory, made first if there is none, it is not whole, or it soon expires.

    Processes that call this at once get one and the same set. A whole set that is made anew keeps
    its CAs while they live long enough, and the names it had; a damaged one keeps nothing.

    Args:
        directory: see `make`; `default_directory` names the user's own.
        names: what a set must at least certify; a set without them is made anew.
        addresses: the same for addresses.
        days: validity of a set that has to be made.
        now: the moment it must be valid at; None reads the system's clock.

    Raises:
        CertificateError: as `make` does. A directory with foreign files is never touched.
    """
    where = Path(directory).absolute()
    moment = checked_now(now)
    wanted_names, wanted_addresses = checked_names(names), checked_addresses(addresses)
    with held_lock(where):
        try:
            found = load(where)
        except CertificateError:
            found = None
        if found is not None and _is_usable(found, wanted_names, wanted_addresses, moment):
            return found
        _refuse_what_must_stay(where, replace_set=True)
        return _renew(where, found, wanted_names, wanted_addresses, days, moment)


def _renew(
    where: Path,
    found: CertificateSet | None,
    names: tuple[str, ...],
    addresses: tuple[str, ...],
    days: int,
    now: datetime,
) -> CertificateSet:
    """A new set, under the CAs of the old one while they last: devices keep the root they have."""
    if found is None:
        return _make(where, names, addresses, days, KeyType.RSA, now)
    authorities = Authorities(load_authority(where, plan.ROOT), load_authority(where))
    return _make(
        where,
        (*found.names, *names),
        (*found.addresses, *addresses),
        days,
        KeyType(found.ca_key_type),
        now,
        authorities=authorities if may_issue(authorities, days=days, now=now) else None,
    )


def _is_usable(
    found: CertificateSet, names: tuple[str, ...], addresses: tuple[str, ...], moment: datetime
) -> bool:
    margin = min(RENEW_BEFORE, (found.expires - found.made) / 3)
    return (
        found.made - timedelta(days=1) <= moment < found.expires - margin
        and set(names) <= set(found.names)
        and set(addresses) <= set(found.addresses)
    )
