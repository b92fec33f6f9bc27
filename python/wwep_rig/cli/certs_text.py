"""How `wwep-rig certs` shows its results: tables, JSON, and the openssl commands behind them."""

import dataclasses
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from rich.console import Console
from rich.table import Table
from rich.text import Text

from wwep_rig import certs as pki
from wwep_rig.certs import convert, examine, plan
from wwep_rig.certs.identity import Expected, Role
from wwep_rig.certs.names import is_address


def explain_make(made: pki.CertificateSet, directory: Path, days: int, ca_key_type: str) -> None:
    """Root, intermediate, one server identity, and the lab's own; the rest is more of the same.

    `directory` is the one that the user wrote.
    """

    def at(name: str) -> str:
        return str(directory / name)

    server = pki.SERVER_NAMES[0]
    alternatives = ",".join(
        [f"DNS:{each}" for each in made.names] + [f"IP:{each}" for each in made.addresses]
    )
    request = ["openssl", "req", "-nodes", "-newkey"]
    ecdsa = ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    ca_key = ecdsa if ca_key_type == "ecdsa" else ["rsa:2048"]
    sign = ["openssl", "x509", "-req", "-copy_extensions", "copy", "-days", str(days)]
    explain(
        [
            *(*request, *ca_key, "-x509", "-days", str(days)),
            *("-subj", "/CN=wwep-rig test root CA"),
            *("-keyout", at("root-ca.key"), "-out", at("root-ca.pem")),
        ],
        [
            *(*request, *ca_key, "-subj", "/CN=wwep-rig test intermediate CA"),
            *("-addext", "basicConstraints=critical,CA:TRUE,pathlen:0"),
            *("-keyout", at("intermediate-ca.key"), "-out", "intermediate.csr"),
        ],
        [
            *(*sign, "-in", "intermediate.csr", "-CA", at("root-ca.pem")),
            *("-CAkey", at("root-ca.key"), "-out", at("intermediate-ca.pem")),
        ],
        [
            *(*request, *ecdsa, "-subj", f"/CN={server}"),
            *("-addext", f"subjectAltName={alternatives}"),
            *("-keyout", at("server-ecdsa.key"), "-out", "server.csr"),
        ],
        [
            *(*sign, "-in", "server.csr", "-CA", at("intermediate-ca.pem")),
            *("-CAkey", at("intermediate-ca.key"), "-out", at("server-ecdsa.leaf.pem")),
        ],
        [
            *(*request, "rsa:2048", "-x509", "-days", "365", "-subj", f"/CN={server}"),
            *("-keyout", at("lab-self-signed.key"), "-out", at("lab-self-signed.pem")),
        ],
    )


def print_set(made: pki.CertificateSet, directory: Path) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("identity", no_wrap=True)
    table.add_column("a careful peer", no_wrap=True)
    table.add_column("what it is")
    for each in made.identities:
        accepted = each.expected is Expected.ACCEPT
        verdict = "accepts" if accepted else f"refuses: {each.catchable_by.value}"
        style = "green" if accepted else "red"
        table.add_row(each.name, Text(verdict, style=style), each.reason)
    console = Console(highlight=False)
    console.print(table)
    console.print(f"\nDevices trust {directory / plan.ROOT}.pem (.der, .h for C sources).")
    console.print(f"Good until {made.expires.date()}. {directory / 'INDEX.txt'} lists every file.")


def examination_to_json(
    source: str, connection: dict[str, str], result: examine.Examination
) -> dict[str, Any]:
    def findings(all_of: tuple[examine.Finding, ...]) -> list[dict[str, Any]]:
        return [
            {"certificate": each.position, "check": each.check.value, "what": each.what}
            for each in all_of
        ]

    return {
        "source": source,
        "good": not result.problems,
        **({"connection": connection} if connection else {}),
        "certificates": [dataclasses.asdict(each) for each in result.certificates],
        "problems": findings(result.problems),
        "notes": findings(result.notes),
    }


def print_examination(source: str, connection: dict[str, str], result: examine.Examination) -> None:
    console = Console(highlight=False)
    if connection:
        console.print(f"{source} speaks {connection['version']}, {connection['cipher']}\n")
    for position, each in enumerate(result.certificates, start=1):
        table = Table(box=None, show_header=False, pad_edge=False)
        table.add_column(style="dim", no_wrap=True)
        table.add_column(overflow="fold")
        for label, value in (
            ("subject", each.subject or "(empty)"),
            ("issuer", each.issuer),
            ("valid", f"{each.not_before} to {each.not_after}"),
            ("names", ", ".join(each.names)),
            ("key", f"{each.key}, signed with {each.signed_with}"),
            ("use", ", ".join((*(["CA"] if each.is_ca else []), *each.usages))),
            ("serial", each.serial),
            ("sha256", each.fingerprint_sha256),
            ("pin", each.pin_sha256),
        ):
            if value:
                table.add_row(label, Text(value))
        console.print(f"Certificate {position}", style="bold")
        console.print(table)
        console.print()
    for finding in result.problems:
        console.print(Text(f"wrong: certificate {finding.position}: {finding.what}", style="red"))
    for finding in result.notes:
        console.print(Text(f"note: certificate {finding.position}: {finding.what}"))
    if not result.problems:
        console.print(Text("nothing wrong with it", style="green"))


@dataclasses.dataclass(frozen=True)
class ShownBy:
    """Lines of a shell that show a chain, and the file that they leave it in."""

    lines: tuple[str, ...]
    chain_file: str


_PRESENTED = "presented.pem"


def file_commands(source: str, is_c: bool, count: int) -> ShownBy:
    """openssl takes no PEM out of C, and x509 shows one certificate only."""
    lines: tuple[str, ...] = ()
    if source == "-" or is_c:
        take = f"{_OUT_OF_C} {shlex.quote(_readable(source))}" if is_c else "cat"
        lines, source = (f"{take} > {_PRESENTED}",), _PRESENTED
    tool = ["storeutl", "-certs", "-noout", "-text"]
    if count == 1:
        tool = ["x509", "-noout", "-text", "-in"]
    return ShownBy((*lines, shlex.join(["openssl", *tool, source])), source)


def server_commands(fetch_command: list[str], *, is_kept: bool) -> ShownBy:
    """What a server presents; kept in a file if more is to be asked of it."""
    keep = f" | tee {_PRESENTED}" if is_kept else ""
    return ShownBy((f"{shlex.join(fetch_command)} < /dev/null{keep}",), _PRESENTED)


def check_commands(
    chain_file: str, expected: examine.Expectation, roots: Sequence[str], lists: Sequence[str]
) -> list[str]:
    """openssl's own verdict, where the roots that it needs are given."""
    if not roots:
        return []
    command = ["openssl", "verify", "-auth_level", "2"]  # refuses what `show` calls weak
    for root in roots:
        command += ["-trusted", root]
    for each in lists:
        command += ["-CRLfile", each]
    command += ["-crl_check"] if lists else []
    if expected.name is not None:
        option = "-verify_ip" if is_address(expected.name) else "-verify_hostname"
        command += [option, expected.name]
    if expected.role in _VERIFY_PURPOSES:
        command += ["-purpose", _VERIFY_PURPOSES[expected.role]]
    return [shlex.join([*command, "-untrusted", chain_file, chain_file])]


def key_commands(chain_file: str, key: str | None, passphrase_file: Path | None) -> list[str]:
    """Whether certificate and key hold the same public key."""
    if key is None:
        return []
    opened = ["openssl", "pkey", "-pubout", "-in", key]
    opened += ["-passin", f"file:{passphrase_file}"] if passphrase_file else []
    certified = shlex.join(["openssl", "x509", "-noout", "-pubkey", "-in", chain_file])
    return [f'[ "$({certified})" = "$({shlex.join(opened)})" ]']


_VERIFY_PURPOSES = {Role.SERVER: "sslserver", Role.CLIENT: "sslclient"}


def explain_sign(
    request: str, directory: Path, signed: x509.Certificate, days: int, passphrase_file: Path | None
) -> str:
    """What signs the request with the same extensions; the chain's second certificate follows."""
    extensions = {
        "basicConstraints": "critical,CA:false",
        "subjectKeyIdentifier": "hash",
        "authorityKeyIdentifier": "keyid",
    }
    for extension in signed.extensions:
        value = extension.value
        if isinstance(value, x509.KeyUsage):
            also = ",keyEncipherment" if value.key_encipherment else ""
            extensions["keyUsage"] = f"critical,digitalSignature{also}"
        elif isinstance(value, x509.ExtendedKeyUsage):
            extensions["extendedKeyUsage"] = ",".join(
                _PURPOSES[each] for each in value if each in _PURPOSES
            )
        elif isinstance(value, x509.SubjectAlternativeName):
            names = [f"DNS:{each}" for each in value.get_values_for_type(x509.DNSName)]
            names += [f"IP:{each}" for each in value.get_values_for_type(x509.IPAddress)]
            extensions["subjectAltName"] = ",".join(names)
    lines = shlex.join(f"{name}={value}" for name, value in extensions.items() if value)
    command = ["openssl", "x509", "-req", "-in", _readable(request), "-days", str(days)]
    command += ["-CA", str(directory / "intermediate-ca.pem")]
    command += ["-CAkey", str(directory / "intermediate-ca.key"), "-extfile", "/dev/stdin"]
    command += ["-passin", f"file:{passphrase_file}"] if passphrase_file else []
    return f"printf '%s\\n' {lines} | {shlex.join(command)}"


_PURPOSES = {
    ExtendedKeyUsageOID.SERVER_AUTH: "serverAuth",
    ExtendedKeyUsageOID.CLIENT_AUTH: "clientAuth",
}


def explain_lines(lines: Sequence[str], outputs: Sequence[Path]) -> None:
    """Lines of a shell on stderr, each writing to its own output, or all one after the other."""
    click.echo("The same with openssl(1):", err=True)
    for number, line in enumerate(lines):
        place = outputs[min(number, len(outputs) - 1)] if outputs else None
        sign = ">" if number < len(outputs) else ">>"
        to = f" {sign} {shlex.quote(str(place))}" if place is not None else ""
        click.echo(f"  {line}{to}", err=True)


def convert_commands(
    source: str, content: bytes, form: str, blocks: Sequence[convert.PemBlock]
) -> list[str]:
    """A line for each block: openssl converts one at a time, and takes no PEM out of C."""
    place = shlex.quote(_readable(source))
    is_c = convert.is_c_text(content)
    lines = []
    for number, block in enumerate(blocks, start=1):
        if form == "der" and block.label == "EC PARAMETERS":
            continue
        tool = ["openssl", "x509"]
        if block.is_key:
            # Without this, openssl turns a key into PKCS #8, which older SDKs do not read.
            tool = ["openssl", "pkey", *([] if block.label == "PRIVATE KEY" else ["-traditional"])]
        elif block.label == "EC PARAMETERS":
            tool = ["openssl", "ecparam"]
        feed = f"{_OUT_OF_C} {place} | " if is_c else ""
        if len(blocks) > 1:
            feed += f"awk '/-----BEGIN/ {{n++}} n == {number}'{'' if is_c else f' {place}'} | "
        rest = shlex.join(tool) + ("" if feed else f" -in {place}")
        rest += " -outform DER" if form == "der" else ""
        lines.append(feed + rest + (_INTO_C if form == "c" else ""))
    return lines


_OUT_OF_C = r"""sed -n 's/^[^"]*"\([^"\]*\)\(\\r\)*\(\\n\)*".*/\1/p'"""
_INTO_C = r""" | sed 's/.*/"&\\r\\n"/'"""


def _readable(source: str) -> str:
    return "/dev/stdin" if source == "-" else source


def explain(*commands: list[str]) -> None:
    """The commands on stderr, quoted for a shell."""
    explain_lines([shlex.join(command) for command in commands], [])
