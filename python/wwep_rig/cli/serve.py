"""`wwep-rig serve`: the WWEP server with a live console of transactions."""

import ipaddress
import json
import os
import platform
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import click

from wwep_rig import _core, faults, ports
from wwep_rig.bench_config import BenchConfig, Role
from wwep_rig.bench_file import read_bench_file
from wwep_rig.capture import Capture, capture_path, key_log_path
from wwep_rig.errors import NoBench, RigError
from wwep_rig.find_bench import find_bench_file, load_bench_file
from wwep_rig.locks import BenchLock, default_lock_directory

from .client import PLAIN_PORT, TLS_PORT
from .common import complete_bench, json_option, progress, until_stopped, wait_option
from .output import PatientOutput
from .recording_options import files_to_make, recording_options, refuse_existing
from .serve_faults import arm_faults, fault_options, scheduled_faults
from .serve_identity import (
    use_certificates_for_faults,
    use_identity_of_bench,
    use_own_identity,
)
from .transactions import Transactions

_ADDRESS = "127.0.0.1"
_POLL_S = 1.0
_VERSIONS = click.Choice(["TLSv1.1", "TLSv1.2", "TLSv1.3"], case_sensitive=False)
_FILE = click.Path(exists=True, dir_okay=False)
_PORT = click.IntRange(0, 65535)


@dataclass(frozen=True)
class _Where:
    """Where it listens, and with which TLS. Port 0 takes a free one."""

    addresses: tuple[str, ...]
    plain_port: int
    tls_port: int
    tls_profile: str


def _addresses(
    _context: click.Context, _option: click.Parameter, values: tuple[str, ...]
) -> tuple[str, ...]:
    """Refuse names: which of a name's addresses would be meant?"""
    plain = tuple(value.removeprefix("[").removesuffix("]") for value in values)
    for value in plain:
        try:
            ipaddress.ip_address(value)
        except ValueError:
            raise click.BadParameter(f"{value!r} is no IPv4 or IPv6 address") from None
    return plain


@click.command()
@click.option(
    "--bench",
    "bench_name",
    metavar="NAME|FILE",
    shell_complete=complete_bench,
    help="Be the server of this bench: address, ports, names, identity and TLS profile are those "
    "of its [server], unless other options say so, and nobody else can use it meanwhile.",
)
@wait_option
@click.option(
    "--bind",
    "addresses",
    multiple=True,
    callback=_addresses,
    metavar="A",
    help="IPv4 or IPv6 address to listen on; may repeat. "
    f"Default: the bench's, else {_ADDRESS}.",
)
@click.option(
    "--port",
    type=_PORT,
    metavar="N",
    help=f"In the clear; 0: a free one. Default: the bench's, else {PLAIN_PORT}.",
)
@click.option(
    "--tls-port",
    type=_PORT,
    metavar="N",
    help=f"For TLS; 0: a free one. Default: the bench's, else {TLS_PORT}.",
)
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
    help="modern: TLS 1.2 and 1.3, AEAD only. legacy adds TLS 1.1 and CBC suites. "
    "Default: the bench's, else modern.",
)
@click.option("--tls-min", type=_VERSIONS, help="The oldest TLS. Default: the profile's.")
@click.option("--tls-max", type=_VERSIONS, help="The newest TLS. Default: TLSv1.3.")
@click.option("--keep-open", is_flag=True, help="Any number of frames a connection.")
@click.option(
    "--registers",
    type=click.Path(dir_okay=False),
    metavar="F",
    help="Keep the registers here across restarts.",
)
@recording_options
@click.option("--overwrite", is_flag=True, help="Replace existing files of a recording.")
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
@fault_options
@json_option
def serve(
    bench_name: str | None,
    wait_s: float,
    addresses: tuple[str, ...],
    port: int | None,
    tls_port: int | None,
    no_plain: bool,
    no_tls: bool,
    cert: str | None,
    key: str | None,
    client_ca: str | None,
    client_auth: str,
    tls_profile: str | None,
    tls_min: str | None,
    tls_max: str | None,
    keep_open: bool,
    registers: str | None,
    record: Path | None,
    captures: bool,
    key_log: Path | None,
    overwrite: bool,
    frame_timeout_s: float,
    idle_timeout_s: float,
    fault_texts: list[str],
    fault_files: tuple[str, ...],
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

    \b
    Example: the server of a bench, as its bench file describes it:
        $ wwep-rig serve --bench bench-1
        ready plain=192.168.50.1:27708 tls=192.168.50.1:40508 root=/home/me/.local/state/...

    \b
    Example: everything that Wireshark needs to show this run, TLS decrypted:
        $ wwep-rig serve --record run.sqlite --capture --keylog run.sqlite.keys
        $ wwep-rig export run.sqlite --format pcapng -o run.pcapng

    \b
    Example: the second reply comes late, and some three in ten connections are reset:
        $ wwep-rig serve --fault 'late by=300ms nth=2' --fault 'reset probability=0.3 seed=1'

    Faults that never came into effect are named on stderr at the end, unless they say `optional`.

    Exit code 3 when it cannot listen; the error names who has the port. Exit code 4 when there is
    no such bench, or somebody has it; the error names who.
    """
    scheduled = scheduled_faults(fault_texts, fault_files)
    config = _bench_to_serve(bench_name, wait_s)
    where = _where(config, addresses, port, tls_port, tls_profile)
    if no_plain and no_tls:
        raise click.UsageError("--no-plain and --no-tls together leave nothing to serve")
    if where.plain_port and where.plain_port == where.tls_port and not (no_plain or no_tls):
        raise click.UsageError(f"{where.plain_port} is the port in the clear and the one for TLS")
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
    _refuse_impossible_versions(where.tls_profile, tls_min, tls_max)
    if key_log and no_tls:
        raise click.UsageError("--keylog is for TLS: not with --no-tls")
    _make_room_for(record, captures, key_log, overwrite)

    with until_stopped(), ExitStack() as resources:
        if config is not None and find_bench_file(bench_name or "", os.environ) is not None:
            locks = default_lock_directory(os.environ)
            command = " ".join(sys.argv)
            resources.enter_context(BenchLock(config.name, command, directory=locks, wait_s=wait_s))
        options = _core.BenchOptions()
        server = options.server
        server.addresses = list(where.addresses)
        server.plain_port = None if no_plain else where.plain_port
        server.tls_port = None if no_tls else where.tls_port
        server.certificate_file, server.key_file = cert or "", key or ""
        server.client_auth = client_auth
        server.client_ca_file = client_ca or ""
        server.tls_profile = where.tls_profile
        server.tls_min, server.tls_max = tls_min or "", tls_max or ""
        server.key_log_file = str(key_log or "")
        server.keep_open = keep_open
        server.registers_file = registers or ""
        server.frame_timeout_s = frame_timeout_s
        server.idle_timeout_s = idle_timeout_s
        options.recording_path = str(record or "")
        options.overwrite_recording = overwrite
        options.run.command = "wwep-rig " + " ".join(sys.argv[1:])
        options.run.host = platform.node()
        options.run.bench = config.name if config else ""
        root = ""
        if not (cert or no_tls):
            with progress("making certificates"):
                if config is not None:
                    root = use_identity_of_bench(server, config, resources)
                else:
                    root = use_own_identity(server)
        if scheduled and not no_tls:
            use_certificates_for_faults(server)
        _serve(options, root, scheduled, captures, as_json)
    return 0


def _make_room_for(
    record: Path | None, captures: bool, key_log: Path | None, overwrite: bool
) -> None:
    """Refuse files that exist, or take them away if they may go."""
    wanted = files_to_make(record, captures, key_log)
    if not overwrite:
        return refuse_existing(wanted, "name another file, or say --overwrite")
    # Those of an earlier run would be taken for this one's. The recorder replaces its own.
    companions = [key_log_path(record), capture_path(record)] if record else []
    for path in {*wanted, *companions} - {record}:
        path.unlink(missing_ok=True)


def _bench_to_serve(bench_name: str | None, wait_s: float) -> BenchConfig | None:
    """What the bench file says; None when no bench is named."""
    if bench_name is None:
        if wait_s:
            raise click.UsageError("--wait is for a bench that somebody else has: say --bench too")
        return None
    config = read_bench_file(load_bench_file(bench_name, os.environ))
    if config.target.role is Role.SERVER:
        raise click.UsageError(
            f"bench {config.name}: its target is the server (role), so the rig is none there; "
            "wwep-rig conform HOST tries a server"
        )
    return config


def _where(
    config: BenchConfig | None,
    addresses: tuple[str, ...],
    port: int | None,
    tls_port: int | None,
    tls_profile: str | None,
) -> _Where:
    """What the options say, else the bench, else what is usual."""
    server = config.server if config else None
    bench_address = server.address if server else ""
    if port is None:
        port = server.plain_port if server else PLAIN_PORT
    if tls_port is None:
        tls_port = server.tls_port if server else TLS_PORT
    return _Where(
        addresses or (bench_address or _ADDRESS,),
        port,
        tls_port,
        tls_profile or (server.tls_profile if server else "modern"),
    )


def _refuse_impossible_versions(profile: str, lowest: str | None, highest: str | None) -> None:
    if profile == "modern" and "TLSv1.1" in (lowest, highest):
        raise click.UsageError("TLSv1.1 needs --tls-profile legacy")
    if lowest and highest and lowest > highest:
        raise click.UsageError(f"--tls-min {lowest} is above --tls-max {highest}")


def _serve(
    options: _core.BenchOptions,
    root: str,
    scheduled: list[faults.Scheduled],
    captures: bool,
    as_json: bool,
) -> None:
    """Serve and print until a signal raises Stopped."""
    with ExitStack() as resources:
        capture = resources.enter_context(Capture())  # ends after the last connection
        bench = resources.enter_context(_open(options))
        if captures:
            endpoints = [*bench.plain_endpoints, *bench.tls_endpoints]
            capture.start(endpoints, capture_path(Path(options.recording_path)))
        errors = PatientOutput(2)
        resources.callback(errors.close)
        output = PatientOutput(1, notices=errors)
        resources.callback(output.close)
        arm_faults(bench, scheduled, errors, resources)
        transactions = Transactions(time.time_ns() - bench.now_ns(), as_json=as_json)
        output.write_line(_ready_line(bench, options.run.bench, root, as_json))
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
            remedy = ""
            if "does not have that address" in str(error):
                remedy = (
                    ": give it to an interface (`ip address` lists them), or say another --bind"
                )
            raise RigError(f"{error}{remedy}") from None
        raise RigError(
            f"{error} ({held}). End it, or take another port: "
            "--port 0 and --tls-port 0 take free ones."
        ) from None


def _ready_line(bench: _core.Bench, name: str, root: str, as_json: bool) -> str:
    plain, tls = bench.plain_endpoints, bench.tls_endpoints
    if as_json:
        event = {"event": "ready", "bench": name or None, "plain": plain, "tls": tls}
        return json.dumps({**event, "root": root or None})
    words = ["ready", *(f"plain={each}" for each in plain), *(f"tls={each}" for each in tls)]
    return " ".join([*words, f"root={root}"] if root else words)
