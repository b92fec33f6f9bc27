"""A directory that appears whole or not at all, whoever is killed and when.

Files are written into a hidden sibling, which is renamed into place. Its writer holds a lock on it,
so that the next writer can tell what a killed process left behind and removes it.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from .errors import CertificateError
from .plan import PlannedFile


def failure(verb: str, path: Path, error: OSError) -> CertificateError:
    """An error of the file system, with the verb and the object."""
    return CertificateError(f"{verb} {path}: {error.strerror or error}")


def _leftover_prefix(directory: Path) -> str:
    return f".{directory.name}.making-"


def _remove_leftovers(directory: Path) -> None:
    for leftover in directory.parent.glob(f"{_leftover_prefix(directory)}*"):
        try:
            descriptor = os.open(leftover, os.O_RDONLY | os.O_DIRECTORY)
        except OSError:
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(leftover, ignore_errors=True)
        except BlockingIOError:
            pass  # Another process is writing it at this moment.
        finally:
            os.close(descriptor)


def write_file(path: Path, content: bytes, *, secret: bool) -> None:
    """A new file, 0600 when secret from its first moment, else 0644."""
    mode = 0o600 if secret else 0o644
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    with os.fdopen(descriptor, "wb") as stream:
        os.fchmod(stream.fileno(), mode)
        stream.write(content)


def make_parent(directory: Path) -> None:
    """The directory that the set's own directory will lie in, and those above it."""
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise failure("make the directory", directory.parent, error) from error


def write_whole(directory: Path, files: Mapping[str, PlannedFile]) -> None:
    """Put a directory of mode 0700 with these files in place of the one there, if any.

    The parent exists, and the caller has decided that what is there may go. Between taking the old
    one away and putting the new one there is an instant without either; never one with half of one.
    """
    try:
        _remove_leftovers(directory)
        building = Path(tempfile.mkdtemp(prefix=_leftover_prefix(directory), dir=directory.parent))
    except OSError as error:
        raise failure("make a directory beside", directory, error) from error
    descriptor = os.open(building, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        for name, planned in files.items():
            write_file(building / name, planned.content, secret=planned.secret)
        _put_in_place(building, directory)
    except OSError as error:
        raise failure("write the certificates to", directory, error) from error
    finally:
        os.close(descriptor)
        shutil.rmtree(building, ignore_errors=True)


def _put_in_place(building: Path, directory: Path) -> None:
    if not directory.exists() or not any(directory.iterdir()):
        os.rename(building, directory)
        return
    # The old set goes to a name that a later writer recognises as a leftover.
    retired = Path(tempfile.mkdtemp(prefix=_leftover_prefix(directory), dir=directory.parent))
    os.rename(directory, retired)
    os.rename(building, directory)
    shutil.rmtree(retired, ignore_errors=True)


@contextmanager
def held_lock(directory: Path) -> Iterator[None]:
    """One process at a time beyond this point, for this directory. Ends with the process.

    The lock is on the parent, so that no lock file is left lying about.
    """
    make_parent(directory)
    try:
        descriptor = os.open(directory.parent, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise failure("lock", directory.parent, error) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
