"""`wwep-rig serve`: the WWEP server with a live console of transactions."""

import contextlib
import hashlib
import ipaddress
import json
import os
import platform
import socket
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import click

from wwep_rig import _core, certs, ports
from wwep_rig.errors import NoBench, RigError
from wwep_rig.user_dirs import state_directory

from .client import PLAIN_PORT, TLS_PORT
from .common import json_option, progress, until_stopped
from .output import PatientOutput
from .transactions import Transactions

_POLL_S = 1.0
_VERSIONS = click.Choice(["TLSv1.1", "TLSv1.2", "TLSv1.3"], case_sensitive=False)
_FILE = click.Path(exists=True, dir_okay=False)
_PORT = click.IntRange(0, 65535)


def _addresses(
    _context: click.Context, _option: click.Parameter, values: tuple[str, ...]
) -> tuple[str, ...]:
    """Refuse names: which of a name's addresses would be meant?"""
    for value in values:
        try:
            ipaddress.ip_address(value)
        except ValueError:
            raise click.BadParameter(f"{value!r} is no IPv4 or IPv6 address") from None
    return values


@click.command()
@click.option(
    "--bind",
    "addresses",
    multiple=True,
    default=("127.0.0.1",),
    callback=_addresses,
    show_default=True,
    metavar="A",
    help="IPv4 or IPv6 address to listen on; may repeat.",
)
@click.option("--port", type=_PORT, default=PLAIN_PORT, show_default=True, metavar="N")
@click.option("--tls-port", type=_PORT, default=TLS_PORT, show_default=True, metavar="N")
@click.option("--no-plain", is_flag=True, help="Do not listen in the clear.")
@click.option("--no-tls", is_flag=True, help="Do not listen for TLS.")
@click.option("--cert", type=_FILE, metavar="F", help="PEM: the certificate and its chain.")
@click.option("--key", type=_FILE, metavar="F", help="PEM: its private key.")
@click.option("--client-ca", type=_FILE, metavar="F", help="PEM of the roots of clients.")
@click.option(
    "--client-auth",
    type=click.Choice(["none", "request", "require"]),
    default="none",
    show_default=True,
    help="Whether clients must show a certificate.",
)
@click.option(
    "--tls-profile",
    type=click.Choice(["modern", "legacy"]),
    default="modern",
    show_default=True,
    help="modern: TLS 1.2 and 1.3, AEAD only. legacy adds TLS 1.1 and CBC suites.",
)
@click.option("--tls-min", type=_VERSIONS, help="Default: what the profile says.")
@click.option("--tls-max", type=_VERSIONS)
@click.option("--keep-open", is_flag=True, help="Any number of frames a connection.")
@click.option(
    "--registers",
    type=click.Path(dir_okay=False),
    metavar="F",
    help="Keep the registers here across restarts.",
)
@click.option(
    "--record", type=click.Path(dir_okay=False), metavar="F", help="Record the run to this file."
)
@click.option("--overwrite", is_flag=True, help="Replace an existing recording.")
@click.option(
    "--frame-timeout",
    "frame_timeout_s",
    type=click.FloatRange(min=0.001),
    default=0.2,
    show_default=True,
    metavar="SECONDS",
    help="For a frame, from its first byte.",
)
@click.option(
    "--idle-timeout",
    "idle_timeout_s",
    type=click.FloatRange(min=0.001),
    default=30.0,
    show_default=True,
    metavar="SECONDS",
    help="For a connection on which nothing comes.",
)
@json_option
def serve(
    addresses: tuple[str, ...],
    port: int,
    tls_port: int,
    no_plain: bool,
    no_tls: bool,
    cert: str | None,
    key: str | None,
    client_ca: str | None,
    client_auth: str,
    tls_profile: str,
    tls_min: str | None,
    tls_max: str | None,
    keep_open: bool,
    registers: str | None,
    record: str | None,
    overwrite: bool,
    frame_timeout_s: float,
    idle_timeout_s: float,
    as_json: bool,
) -> int:
    """Be the WWEP server, in the clear and over TLS.

    The first line says where it listens, and where the root of the certificate lies that it made
    for itself. Then it prints one line for each transaction, until Ctrl-C or SIGTERM. A reader that
    is too slow never delays the server: lines are dropped then, and stderr says how many.

    \b
    Example: two free ports, and a client that trusts the server's root:
        $ wwep-rig serve --port 0 --tls-port 0
        ready plain=127.0.0.1:40001 tls=127.0.0.1:40002 root=/home/me/.local/state/...
        $ wwep-rig write 0FAC 05 0001 --tls --port 40002
        A0FAC050001

    Exit code 3 when it cannot listen; the error names who has the port.
    """
    if no_plain and no_tls:
        raise click.UsageError("--no-plain and --no-tls together leave nothing to serve")
    if (cert is None) != (key is None):
        raise click.UsageError("--cert and --key belong together")
    if client_auth != "none" and no_tls:
        raise click.UsageError("--client-auth needs TLS")
    if client_auth != "none" and cert and not client_ca:
        raise click.UsageError("--client-auth needs --client-ca: the roots of the clients")
    if client_ca and client_auth == "none":
        raise click.UsageError("--client-ca needs --client-auth request or require")
    if no_tls and (cert or tls_min or tls_max):
        raise click.UsageError("--cert, --tls-min and --tls-max are for TLS: not with --no-tls")
    _refuse_impossible_versions(tls_profile, tls_min, tls_max)
    if record and Path(record).exists() and not overwrite:
        raise click.UsageError(f"{record} exists: name another file, or say --overwrite")

    with until_stopped():
        options = _core.BenchOptions()
        server = options.server
        server.addresses = [each.removeprefix("[").removesuffix("]") for each in addresses]
        server.plain_port = None if no_plain else port
        server.tls_port = None if no_tls else tls_port
        server.certificate_file, server.key_file = cert or "", key or ""
        server.client_auth = client_auth
        server.client_ca_file = client_ca or ""
        server.tls_profile = tls_profile
        server.tls_min, server.tls_max = tls_min or "", tls_max or ""
        server.keep_open = keep_open
        server.registers_file = registers or ""
        server.frame_timeout_s = frame_timeout_s
        server.idle_timeout_s = idle_timeout_s
        options.recording_path = record or ""
        options.overwrite_recording = overwrite
        options.run.command = "wwep-rig " + " ".join(sys.argv[1:])
        options.run.host = platform.node()
        root = ""
        if not (cert or no_tls):
            with progress("making certificates"):
                root = _use_own_identity(server)
        _serve(options, root, as_json)
    return 0


def _refuse_impossible_versions(profile: str, lowest: str | None, highest: str | None) -> None:
    if profile == "modern" and "TLSv1.1" in (lowest, highest):
        raise click.UsageError("TLSv1.1 needs --tls-profile legacy")
    if lowest and highest and lowest > highest:
        raise click.UsageError(f"--tls-min {lowest} is above --tls-max {highest}")


def _serve(options: _core.BenchOptions, root: str, as_json: bool) -> None:
    """Serve and print until a signal raises Stopped."""
    with ExitStack() as resources:
        bench = resources.enter_context(_open(options))
        errors = PatientOutput(2)
        resources.callback(errors.close)
        output = PatientOutput(1, notices=errors)
        resources.callback(output.close)
        transactions = Transactions(time.time_ns() - bench.now_ns(), as_json=as_json)
        output.write_line(_ready_line(bench.plain_endpoints, bench.tls_endpoints, root, as_json))
        cursor = 0
        while True:
            part = bench.wait_events(cursor, _POLL_S)
            cursor = part.next
            for event in part.events:
                if isinstance(event.value, _core.RigNote):
                    errors.write_line(f"wwep-rig: {event.text}")
                for line in transactions.lines(event):
                    output.write_line(line)


def _open(options: _core.BenchOptions) -> _core.Bench:
    """Open the server; an error names who has its port."""
    try:
        return _core.Bench(options)
    except NoBench as error:
        # There is no bench to miss here: it is this machine that does not let the rig listen.
        server = options.server
        held = ports.held(server.addresses, (server.plain_port, server.tls_port))
        if not held:
            raise RigError(str(error)) from None
        raise RigError(
            f"{error} ({held}). End it, or take another port: "
            "--port 0 and --tls-port 0 take free ones."
        ) from None


def _ready_line(plain: list[str], tls: list[str], root: str, as_json: bool) -> str:
    if as_json:
        event = {"event": "ready", "plain": plain, "tls": tls, "root": root or None}
        return json.dumps(event)
    words = ["ready", *(f"plain={each}" for each in plain), *(f"tls={each}" for each in tls)]
    return " ".join([*words, f"root={root}"] if root else words)


def _use_own_identity(server: _core.ServerOptions) -> str:
    """Lets the server show this user's own identity; the path of its root."""
    state = state_directory(os.environ)
    whole = certs.ensure(state / "certs")
    name = "server-rsa" if server.tls_profile == "legacy" else "server-ecdsa"
    own_names = {platform.node().lower()} if _is_host_name(platform.node()) else set()
    addresses = _certified_addresses(server.addresses)
    if addresses <= set(whole.addresses):
        identity = whole.identity(name)
    else:
        kind = certs.KeyType.RSA if name == "server-rsa" else certs.KeyType.ECDSA
        digest = hashlib.sha256(" ".join(sorted(addresses)).encode()).hexdigest()[:12]
        identity = certs.sign_server_identity(
            whole.directory,
            addresses=sorted(addresses),
            names=sorted(own_names),
            key_type=kind,
            out=state / "serve",
            name=f"{name}-{digest}",
        )
    server.certificate_file = str(identity.cert_path)
    server.key_file = str(identity.key_path)
    if server.client_auth != "none" and not server.client_ca_file:
        server.client_ca_file = str(whole.client_ca_path)
    return str(whole.root_path)


def _is_host_name(name: str) -> bool:
    return bool(name) and all(label and label.isascii() for label in name.split("."))


def _certified_addresses(bound: list[str]) -> set[str]:
    """The addresses that clients may know the server by: a wildcard stands for the machine's."""
    addresses = set()
    for address in bound:
        if address in ("0.0.0.0", "::"):
            family = socket.AF_INET if address == "0.0.0.0" else socket.AF_UNSPEC
            with contextlib.suppress(socket.gaierror):
                found = socket.getaddrinfo(platform.node(), None, family, socket.SOCK_STREAM)
                addresses |= {str(entry[4][0]) for entry in found}
        else:
            addresses.add(address)
    return addresses
