"""`wwep-rig certs`: make the test CA and its identities, look at certificates, sign, convert."""

import base64
import dataclasses
import json
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import click
from rich.console import Console

from wwep_rig import certs as pki
from wwep_rig.certs import authority, convert, examine, fetch, sign, store
from wwep_rig.certs.identity import Role
from wwep_rig.certs.issue import DAYS_DEFAULT, DAYS_MAX, Authority, KeyType
from wwep_rig.cli import certs_text as text

EXIT_TARGET_FAILED = 1
EXIT_USAGE = 2
EXIT_RIG_ERROR = 3

INPUT_BYTES_MAX = 1 << 20


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
def _errors_reported(as_json: bool) -> Iterator[None]:
    try:
        yield
    except pki.CertificateError as error:
        _fail(error, as_json=as_json)


def _read(path: str) -> bytes:
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


def _write_output(output: Path, content: bytes, *, secret: bool, force: bool) -> None:
    if output.exists() and not force:
        raise pki.InputError(f"{output} exists: name another file, or replace it with --force")
    sign.write_replacing(output, content, secret=secret)


_json_option = click.option("--json", "as_json", is_flag=True, help="Write JSON to stdout.")
_explain_option = click.option(
    "--explain", is_flag=True, help="Also say, on stderr, the openssl commands that do the same."
)


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
@_explain_option
@_json_option
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
    with _errors_reported(as_json), status:
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
@click.option(
    "--role",
    type=click.Choice([Role.SERVER.value, Role.CLIENT.value]),
    help="The end that presents it. A HOST:PORT is a server.",
)
@click.option(
    "--timeout", "timeout_s", type=click.FloatRange(0.1, 300), default=10.0, show_default=True
)
@_explain_option
@_json_option
def show(
    source: str,
    name: str | None,
    roots: tuple[str, ...],
    lists: tuple[str, ...],
    key: str | None,
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
    is looked at even if no client would trust it. Exit status 1 when something is wrong.
    """
    with _errors_reported(as_json):
        endpoint = None if source == "-" or Path(source).exists() else fetch.endpoint_from(source)
        connection: dict[str, str] = {}
        if endpoint is None:
            if source != "-" and not Path(source).exists():
                raise pki.InputError(f"{source}: no such file; a server is written HOST:PORT")
            chain = convert.certificates_in(_read(source), source)
            command = ["openssl", "storeutl", "-certs", "-noout", "-text", source]
        else:
            name = name or endpoint.host
            role = role or Role.SERVER.value
            presented = fetch.fetch(endpoint, name, timeout_s=timeout_s)
            chain = list(presented.chain)
            connection = {"version": presented.version, "cipher": presented.cipher}
            command = fetch.fetch_command(endpoint, name)
        expected = examine.Expectation(
            now=store.system_now(),
            name=name,
            role=Role(role) if role else None,
            roots=tuple(
                each for path in roots for each in convert.certificates_in(_read(path), path)
            ),
            revocation_lists=tuple(
                each for path in lists for each in convert.revocation_lists_in(_read(path), path)
            ),
            public_key=authority.load_key(Path(key)).public_key() if key else None,
        )
        result = examine.examine(chain, expected)
    if explain:
        text.explain(command)
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
@click.option("--passphrase-file", type=click.Path(path_type=Path), metavar="F")
@_explain_option
@_json_option
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
    with _errors_reported(as_json):
        request = convert.request_in(_read(request_path), request_path)
        issuer = _authority(directory, passphrase_file)
        try:
            signed = pki.sign_request(request, issuer, role=Role(role), days=days)
        except pki.TargetError as error:
            raise pki.TargetError(f"{request_path}: {error}") from error
        pem = convert.pem_of(list(signed.chain))
        if output is not None:
            _write_output(output, pem, secret=False, force=force)
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


def _authority(directory: Path, passphrase_file: Path | None) -> Authority:
    passphrase: bytes | None = None
    if passphrase_file is not None:
        lines = _read(str(passphrase_file)).splitlines()
        if not lines or not lines[0]:
            raise pki.InputError(f"{passphrase_file}: its first line, the passphrase, is empty")
        passphrase = lines[0]
    try:
        return authority.load_authority(directory, passphrase=passphrase)
    except pki.PassphraseNeeded as error:
        if not sys.stdin.isatty():
            raise pki.PassphraseNeeded(f"{error}: give one with --passphrase-file") from error
    asked = click.prompt("Passphrase of the CA's key", hide_input=True, err=True)
    return authority.load_authority(directory, passphrase=str(asked).encode())


@certs.command("convert")
@click.argument("source", metavar="FILE")
@click.option(
    "--to",
    "form",
    required=True,
    type=click.Choice(["pem", "der", "c"]),
    help="The form to write.",
)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write here, not to stdout.")
@click.option("--force", is_flag=True, help="Replace the output if it exists.")
@click.option("--array", metavar="NAME", help="Name of the C array. [from the file's name]")
@_explain_option
@_json_option
def convert_verb(
    source: str,
    form: str,
    output: Path | None,
    force: bool,
    array: str | None,
    explain: bool,
    as_json: bool,
) -> None:
    """Turn certificates and keys into PEM, DER, or C text for firmware.

    \b
        wwep-rig certs convert pki/root-ca.pem --to c -o root_ca.h
        wwep-rig certs convert firmware/certificate.h --to pem
        wwep-rig certs convert chain.pem --to der -o chain.der

    FILE is PEM with any number of certificates and keys, DER, or C source that holds PEM in string
    literals; - is stdin. C text is `static const char NAME[] = "-----BEGIN …\\r\\n" …;`, as the
    lab's sources want it, all of FILE in one array, since the SDK takes several roots as one text.
    DER holds one certificate a file: several become OUT-1.der, OUT-2.der and so on. A key's file is
    for you alone (mode 0600), and a key goes to no terminal.
    """
    with _errors_reported(as_json):
        content = _read(source)
        blocks = convert.blocks_in(content, source)
        has_key = any(each.is_key for each in blocks)
        array = _array_name(array, source, output)
        contents = _converted(blocks, form, array, source)
        if form == "der" and output is None and not as_json and sys.stdout.isatty():
            raise pki.InputError("DER is binary and stdout is a terminal: name a file with -o")
        if has_key and output is None and not as_json and sys.stdout.isatty():
            raise pki.InputError(f"{source} holds a private key: name a file with -o")
        if len(contents) > 1 and output is None:
            raise pki.InputError(
                f"{source} holds {len(contents)} certificates or keys, and DER is one a file: name "
                "them with -o OUT.der, which becomes OUT-1.der, OUT-2.der, …"
            )
        outputs = _numbered(output, len(contents)) if output else []
        for path, converted in zip(outputs, contents):
            _write_output(path, converted, secret=has_key, force=force)
    if explain:
        text.explain_lines(text.convert_commands(source, content, form, blocks), outputs)
    report: dict[str, Any] = {
        "source": source,
        "to": form,
        "blocks": [each.label for each in blocks],
        "outputs": [str(path) for path in outputs],
        **({"array": array} if form == "c" else {}),
    }
    if as_json:
        if not outputs:
            report["base64"] = base64.b64encode(contents[0]).decode()
        click.echo(json.dumps(report, indent=2))
        return
    if not outputs:
        click.echo(contents[0], nl=False)
    what = ", ".join(each.label.lower() for each in blocks)
    where = "".join(f", {path}" for path in outputs)
    click.echo(f"{what}{where}" + (f", array {array}" if form == "c" else ""), err=True)


def _array_name(asked: str | None, source: str, output: Path | None) -> str:
    if asked is None:
        stem = Path(source).stem if source != "-" else output.stem if output else "certificate"
        return convert.c_identifier(stem)
    if convert.c_identifier(asked) != asked:
        raise pki.InputError(f"--array {asked}: no C identifier: letters, digits, underscores")
    return asked


def _converted(blocks: list[convert.PemBlock], form: str, array: str, source: str) -> list[bytes]:
    pem = b"".join(each.text.replace(b"\r\n", b"\n") + b"\n" for each in blocks)
    if form == "pem":
        return [pem]
    if form == "c":
        comment = f"From {Path(source).name} by wwep-rig certs convert."
        return [convert.c_text_of(pem, array=array, comment=comment)]
    return [convert.der_of_block(each) for each in blocks if each.label != "EC PARAMETERS"]


def _numbered(output: Path, count: int) -> list[Path]:
    if count == 1:
        return [output]
    return [output.with_name(f"{output.stem}-{n}{output.suffix}") for n in range(1, count + 1)]
