"""`wwep-rig certs`: make the test CA and its identities, look at certificates, sign, convert."""

import dataclasses
import json
import shlex
import sys
from pathlib import Path

import click
from rich.console import Console

from wwep_rig import certs as pki
from wwep_rig.certs import authority, convert, examine, fetch, store
from wwep_rig.certs.identity import Role
from wwep_rig.certs.issue import DAYS_DEFAULT, DAYS_MAX, KeyType, PublicKey
from wwep_rig.cli import certs_text as text
from wwep_rig.cli.certs_common import (
    EXIT_TARGET_FAILED,
    errors_reported,
    explain_option,
    json_option,
    passphrase_option,
    read_input,
    unlocked,
    write_output,
)
from wwep_rig.cli.certs_convert import convert_verb


@click.group()
def certs() -> None:
    """Make the test CA and every identity, look at a certificate, sign, convert.

    Exit status: 0 good, 1 the certificate or the server has something wrong, 2 usage,
    3 the rig could not do it.

    \b
    Example: a CA, a server with its certificate, and what a client gets to see:
        $ wwep-rig certs make pki
        $ wwep-rig serve --cert pki/server-ecdsa.pem --key pki/server-ecdsa.key
        $ wwep-rig certs show 127.0.0.1:40508 --root pki/root-ca.pem
    """


@certs.command()
@click.argument("directory", type=click.Path(path_type=Path), metavar="DIR")
@click.option("--force", is_flag=True, help="Replace the set that is there: every key changes.")
@click.option("--name", "names", multiple=True, metavar="N", help="One more host name. Repeats.")
@click.option(
    "--address", "addresses", multiple=True, metavar="A", help="One more IP address. Repeats."
)
@click.option(
    "--days",
    type=click.IntRange(1, DAYS_MAX),
    default=DAYS_DEFAULT,
    show_default=True,
    help="Days that the good identities are valid.",
)
@click.option(
    "--key-type",
    type=click.Choice([each.value for each in KeyType]),
    default=KeyType.RSA.value,
    show_default=True,
    help="Keys of the CA. Identities come with both; boards that know RSA only need an RSA CA.",
)
@explain_option
@json_option
def make(
    directory: Path,
    force: bool,
    names: tuple[str, ...],
    addresses: tuple[str, ...],
    days: int,
    key_type: str,
    explain: bool,
    as_json: bool,
) -> None:
    """Make a test CA, server and client identities, and every bad certificate, in DIR.

    DIR is created for you alone (mode 0700), whole or not at all. INDEX.txt in it says what each
    file is for and whether a careful peer accepts it. The server's identities carry the lab's
    names, localhost, 127.0.0.1, ::1 and 198.51.100.3; add your bench's own:

    \b
        wwep-rig certs make pki --name bench.lab --address 10.0.0.1
        wwep-rig serve --cert pki/server-rsa.pem --key pki/server-rsa.key

    A device then trusts pki/root-ca.pem (.der, or .h for C sources). Keep DIR out of git.
    """
    status = Console(stderr=True).status("Making keys and certificates…")
    with errors_reported(as_json), status:
        made = pki.make(
            directory,
            names=names,
            addresses=addresses,
            days=days,
            ca_key_type=KeyType(key_type),
            force=force,
        )
    if explain:
        text.explain_make(made, directory, days, key_type)
    if as_json:
        document = json.loads((made.directory / "index.json").read_bytes())
        click.echo(json.dumps({"directory": str(made.directory), **document}, indent=2))
        return
    text.print_set(made, directory)


@certs.command()
@click.argument("source", metavar="FILE|HOST:PORT")
@click.option("--name", metavar="NAME", help="Host name or address it must be made for. [HOST]")
@click.option("--root", "roots", multiple=True, metavar="FILE", help="What the peer trusts.")
@click.option("--crl", "lists", multiple=True, metavar="FILE", help="Revocation list, PEM or DER.")
@click.option("--key", metavar="FILE", help="The private key that should belong to it.")
@passphrase_option
@click.option(
    "--role",
    type=click.Choice([Role.SERVER.value, Role.CLIENT.value]),
    help="The end that presents it. A HOST:PORT is a server.",
)
@click.option(
    "--timeout", "timeout_s", type=click.FloatRange(0.1, 300), default=10.0, show_default=True
)
@explain_option
@json_option
def show(
    source: str,
    name: str | None,
    roots: tuple[str, ...],
    lists: tuple[str, ...],
    key: str | None,
    passphrase_file: Path | None,
    role: str | None,
    timeout_s: float,
    explain: bool,
    as_json: bool,
) -> None:
    """Say what a certificate file, or the chain that a server presents, holds and lacks.

    \b
        wwep-rig certs show board.pem --root pki/root-ca.pem
        wwep-rig certs show 127.0.0.1:40508 --name wwep.ww101.cypress.com
        wwep-rig certs show [::1]:40508 --root pki/root-ca.pem --crl pki/crl-bundle.pem

    Checked: the dates, that each certificate is signed by the next and in that order, weak keys
    and signatures, key usage; and where you give what they need, the name, the root, revocation,
    and the private key that goes with it. A server is asked for nothing but its certificates, and
    is looked at even if no client would trust it. A key may have a passphrase. Exit status 1 when
    something is wrong.
    """
    with errors_reported(as_json):
        if passphrase_file is not None and key is None:
            raise pki.InputError("--passphrase-file opens a key: name it with --key")
        endpoint = None if source == "-" or Path(source).exists() else fetch.endpoint_from(source)
        connection: dict[str, str] = {}
        if endpoint is None:
            if source != "-" and not Path(source).exists():
                raise pki.InputError(f"{source}: no such file; a server is written HOST:PORT")
            content = read_input(source)
            chain = convert.certificates_in(content, source)
            shown = text.file_commands(source, convert.is_c_text(content), len(chain))
        else:
            name = name or endpoint.host
            role = role or Role.SERVER.value
            presented = fetch.fetch(endpoint, name, timeout_s=timeout_s)
            chain = list(presented.chain)
            connection = {"version": presented.version, "cipher": presented.cipher}
            again = fetch.fetch_command(endpoint, name)
            shown = text.server_commands(again, is_kept=bool(roots or key))
        expected = examine.Expectation(
            now=store.system_now(),
            name=name,
            role=Role(role) if role else None,
            roots=tuple(
                each for path in roots for each in convert.certificates_in(read_input(path), path)
            ),
            revocation_lists=tuple(
                each
                for path in lists
                for each in convert.revocation_lists_in(read_input(path), path)
            ),
            public_key=_public_key(Path(key), passphrase_file) if key else None,
        )
        result = examine.examine(chain, expected)
    if explain:
        checks = text.check_commands(shown.chain_file, expected, roots, lists)
        checks += text.key_commands(shown.chain_file, key, passphrase_file)
        text.explain_lines([*shown.lines, *checks], [])
    if as_json:
        click.echo(json.dumps(text.examination_to_json(source, connection, result), indent=2))
    else:
        text.print_examination(source, connection, result)
    sys.exit(EXIT_TARGET_FAILED if result.problems else 0)


@certs.command("sign")
@click.argument("request_path", metavar="CSR")
@click.option(
    "--ca",
    "directory",
    required=True,
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="The directory that `certs make` made.",
)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write here, not to stdout.")
@click.option("--force", is_flag=True, help="Replace the output if it exists.")
@click.option(
    "--role",
    type=click.Choice([each.value for each in Role]),
    default=Role.EITHER.value,
    show_default=True,
    help="The end of a connection that may present it.",
)
@click.option("--days", type=click.IntRange(1, DAYS_MAX), default=DAYS_DEFAULT, show_default=True)
@passphrase_option
@explain_option
@json_option
def sign_verb(
    request_path: str,
    directory: Path,
    output: Path | None,
    force: bool,
    role: str,
    days: int,
    passphrase_file: Path | None,
    explain: bool,
    as_json: bool,
) -> None:
    """Sign a device's certificate request with the CA that `certs make` made.

    \b
        openssl req -newkey rsa:2048 -nodes -subj /CN=board-7 -keyout board.key -out board.csr
        wwep-rig certs sign board.csr --ca pki -o board.pem

    The result is the new certificate and then the intermediate, which is what a device presents. It
    keeps the request's subject and alternative names; what it may be used for follows from --role.
    The CA's key may be encrypted: its passphrase is prompted for, or read from the first line of a
    file. CSR is PEM or DER, - is stdin. Exit status 1 when the request itself is bad.
    """
    with errors_reported(as_json):
        request = convert.request_in(read_input(request_path), request_path)
        issuer = unlocked(
            lambda passphrase: authority.load_authority(directory, passphrase=passphrase),
            passphrase_file,
            "the CA's key",
        )
        try:
            signed = pki.sign_request(request, issuer, role=Role(role), days=days)
        except pki.TargetError as error:
            raise pki.TargetError(f"{request_path}: {error}") from error
        pem = convert.pem_of(list(signed.chain))
        if output is not None:
            write_output(output, pem, secret=False, force=force)
    if explain:
        command = text.explain_sign(request_path, directory, signed.chain[0], days, passphrase_file)
        issuing = f"openssl x509 -in {shlex.quote(str(directory / 'intermediate-ca.pem'))}"
        text.explain_lines([command, issuing], [output] if output else [])
    for sentence in signed.left_out:
        click.echo(f"note: the request {sentence}", err=True)
    described = examine.describe(signed.chain[0])
    if as_json:
        document = {
            "output": str(output) if output else None,
            "certificate": dataclasses.asdict(described),
            "left_out": list(signed.left_out),
            **({} if output else {"pem": pem.decode()}),
        }
        click.echo(json.dumps(document, indent=2))
        return
    if output is None:
        click.echo(pem, nl=False)
    until = f"valid until {described.not_after}"
    click.echo(
        f"signed {described.subject or 'a request without a subject'}, {until}"
        + (f": {output}" if output else ""),
        err=True,
    )


def _public_key(path: Path, passphrase_file: Path | None) -> PublicKey:
    return unlocked(
        lambda passphrase: authority.load_key(path, passphrase), passphrase_file, str(path)
    ).public_key()


certs.add_command(convert_verb)
