"""How `wwep-rig certs` shows its results: tables, JSON, and the openssl commands behind them."""

import dataclasses
import shlex
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from wwep_rig import certs as pki
from wwep_rig.certs import convert, examine, plan
from wwep_rig.certs.identity import Expected


def explain_make(directory: Path, days: int) -> None:
    """Root, intermediate, one server identity, and the lab's own; the rest is more of the same."""

    def at(name: str) -> str:
        return str(directory / name)

    server = pki.SERVER_NAMES[0]
    request = ["openssl", "req", "-nodes", "-newkey"]
    sign = ["openssl", "x509", "-req", "-copy_extensions", "copy", "-days", str(days)]
    explain(
        [
            *(*request, "rsa:2048", "-x509", "-days", str(days)),
            *("-subj", "/CN=wwep-rig test root CA"),
            *("-keyout", at("root-ca.key"), "-out", at("root-ca.pem")),
        ],
        [
            *(*request, "rsa:2048", "-subj", "/CN=wwep-rig test intermediate CA"),
            *("-addext", "basicConstraints=critical,CA:TRUE,pathlen:0"),
            *("-keyout", at("intermediate-ca.key"), "-out", "intermediate.csr"),
        ],
        [
            *(*sign, "-in", "intermediate.csr", "-CA", at("root-ca.pem")),
            *("-CAkey", at("root-ca.key"), "-out", at("intermediate-ca.pem")),
        ],
        [
            *(*request, "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-subj", f"/CN={server}"),
            *("-addext", f"subjectAltName=DNS:{server},IP:127.0.0.1"),
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


def explain_convert(source: str, form: str, first: convert.PemBlock) -> None:
    """One block at a time is all that openssl converts."""
    command = ["openssl", "pkey" if first.is_key else "x509", "-in", source]
    if form == "c":
        to_c = ["sed", 's/.*/"&\\\\r\\\\n"/']
        explain(command, pipe_to=to_c)
    else:
        explain([*command, "-outform", form.upper()])


def explain(*commands: list[str], pipe_to: list[str] | None = None) -> None:
    """The commands on stderr, quoted for a shell."""
    click.echo("The same with openssl(1):", err=True)
    tail = f" | {shlex.join(pipe_to)}" if pipe_to else ""
    for command in commands:
        click.echo(f"  {shlex.join(command)}{tail}", err=True)
