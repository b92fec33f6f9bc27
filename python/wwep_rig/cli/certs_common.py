"""What the verbs of `wwep-rig certs` share: errors, files in and out, passphrases."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn, TypeVar

import click

from wwep_rig import certs as pki
from wwep_rig.certs import sign

EXIT_TARGET_FAILED = 1
EXIT_USAGE = 2
EXIT_RIG_ERROR = 3

INPUT_BYTES_MAX = 1 << 20

Opened = TypeVar("Opened")


def _fail(error: pki.CertificateError, *, as_json: bool) -> NoReturn:
    status = EXIT_RIG_ERROR
    if isinstance(error, pki.TargetError):
        status = EXIT_TARGET_FAILED
    elif isinstance(error, pki.InputError):
        status = EXIT_USAGE
    if as_json:
        click.echo(json.dumps({"error": str(error), "exit": status}))
    click.echo(f"wwep-rig certs: {error}", err=True)
    sys.exit(status)


@contextmanager
def errors_reported(as_json: bool) -> Iterator[None]:
    """Ends with the status that an error stands for, and says what it was."""
    try:
        yield
    except pki.CertificateError as error:
        _fail(error, as_json=as_json)


def read_input(path: str) -> bytes:
    """A file, or standard input for `-`. Raises InputError."""
    try:
        if path == "-":
            content = sys.stdin.buffer.read(INPUT_BYTES_MAX + 1)
        else:
            with open(path, "rb") as stream:
                content = stream.read(INPUT_BYTES_MAX + 1)
    except OSError as error:
        raise pki.InputError(f"read {path}: {error.strerror}") from error
    if len(content) > INPUT_BYTES_MAX:
        raise pki.InputError(f"{path}: more than {INPUT_BYTES_MAX} bytes: no certificate file")
    return content


def write_output(output: Path, content: bytes, *, secret: bool, force: bool) -> None:
    """A file; secret: for its owner only; force: even if there is one. Raises InputError."""
    if output.exists() and not force:
        raise pki.InputError(f"{output} exists: name another file, or replace it with --force")
    sign.write_replacing(output, content, secret=secret)


def unlocked(
    open_key: Callable[[bytes | None], Opened], passphrase_file: Path | None, whose: str
) -> Opened:
    """What `open_key` makes of the passphrase: a file's first line, none, or one asked for.

    Args:
        open_key: raises PassphraseNeeded when it is given None and needs one.
        passphrase_file: None asks on a terminal once it turns out that there is a passphrase.
        whose: key it is, for the prompt.
    """
    passphrase: bytes | None = None
    if passphrase_file is not None:
        lines = read_input(str(passphrase_file)).splitlines()
        if not lines or not lines[0]:
            raise pki.InputError(f"{passphrase_file}: its first line, the passphrase, is empty")
        passphrase = lines[0]
    try:
        return open_key(passphrase)
    except pki.PassphraseNeeded as error:
        if not sys.stdin.isatty():
            raise pki.PassphraseNeeded(f"{error}: give one with --passphrase-file") from error
    asked = click.prompt(f"Passphrase of {whose}", hide_input=True, err=True)
    return open_key(str(asked).encode())


json_option = click.option("--json", "as_json", is_flag=True, help="Write JSON to stdout.")
explain_option = click.option(
    "--explain", is_flag=True, help="Also say, on stderr, the openssl commands that do the same."
)
passphrase_option = click.option(
    "--passphrase-file",
    type=click.Path(path_type=Path),
    metavar="F",
    help="Its first line opens the key. Without it, a terminal is asked.",
)
