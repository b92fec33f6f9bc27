"""`wwep-rig read`, `write` and `send`: the rig as a WWEP client."""

import os
import re
import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click

from wwep_rig import _core
from wwep_rig.user_dirs import state_directory

from .common import RIG_ERROR, TARGET_FAILED, hex_number, json_option, print_json

PLAIN_PORT, TLS_PORT = 27708, 40508
_FILE = click.Path(exists=True, dir_okay=False)

_Function = TypeVar("_Function", bound=Callable[..., Any])

_DEVICE = click.argument("device", metavar="DEV", callback=hex_number(4, "a device ID"))
_REGISTER = click.argument("register", metavar="REG", callback=hex_number(2, "a register"))
_VALUE = click.argument("value", metavar="VALUE", callback=hex_number(4, "a value"))


def tls_options(function: _Function) -> _Function:
    """Port and trust: what every verb that connects to a server takes."""
    options = [
        click.option(
            "--port",
            type=click.IntRange(1, 65535),
            metavar="N",
            help=f"Default: {PLAIN_PORT}, with --tls {TLS_PORT}.",
        ),
        click.option("--tls", "secure", is_flag=True, help="Connect over TLS, and verify."),
        click.option(
            "--ca",
            metavar="F",
            type=_FILE,
            help="PEM of the roots to trust. Default: the root of your own `serve`, else the "
            "system's.",
        ),
        click.option(
            "--name",
            default="",
            metavar="NAME",
            help="The certificate's name, if it is not the host's.",
        ),
        click.option(
            "--pin",
            default="",
            metavar="SHA256",
            help="Hex SHA-256 of the server's public key; replaces chain and name.",
        ),
        click.option("--insecure", is_flag=True, help="Over TLS: verify nothing."),
        click.option("--cert", metavar="F", type=_FILE, help="PEM of this client's certificate."),
        click.option("--key", metavar="F", type=_FILE, help="PEM of its private key."),
    ]
    for option in reversed(options):
        function = option(function)
    return function


def _options(function: _Function) -> _Function:
    """The options of a client, in the order in which --help shows them."""
    timeout = click.option(
        "--timeout",
        "timeout_s",
        default=5.0,
        show_default=True,
        type=click.FloatRange(min=0.001),
        metavar="SECONDS",
        help="For connection and answer.",
    )
    host = click.option(
        "--host",
        default="127.0.0.1",
        show_default=True,
        metavar="H",
        help="Name or address of the server.",
    )
    return host(tls_options(timeout(json_option(function))))


@click.command()
@_DEVICE
@_REGISTER
@_options
def read(device: int, register: int, **options: Any) -> int:
    """Read a register: DEV and REG in hex.

    \b
    Example: what did device 0FAC write to register 0B?
        $ wwep-rig read 0FAC 0B
        A0FAC0B1234

    Exit code 1 when the answer is X or does not come in time, 3 without a connection.
    """
    return _transact(f"R{device:04X}{register:02X}".encode(), **options)


@click.command()
@_DEVICE
@_REGISTER
@_VALUE
@_options
def write(device: int, register: int, value: int, **options: Any) -> int:
    """Write a register: DEV, REG and VALUE in hex.

    \b
    Example: light the LED of device 0FAC, over TLS:
        $ wwep-rig write 0FAC 05 0001 --tls
        A0FAC050001

    Exit code 1 when the answer is X or does not come in time, 3 without a connection.
    """
    return _transact(f"W{device:04X}{register:02X}{value:04X}".encode(), **options)


@click.command()
@click.argument("text")
@_options
def send(text: str, **options: Any) -> int:
    """Send TEXT as it is, and print what is answered.

    \b
    Example: a frame that is too short:
        $ wwep-rig send W01234
        X

    Exit code 1 when the answer is X or does not come in time, 3 without a connection.
    """
    return _transact(os.fsencode(text), **options)


def _transact(request: bytes, *, timeout_s: float, as_json: bool, **connection: Any) -> int:
    options = client_options(**connection)
    options.timeout_s = timeout_s
    result = _core.exchange(options, request)
    _print(result, as_json)
    if not result.connected:
        return RIG_ERROR
    return 0 if result.reply.startswith(b"A") else TARGET_FAILED


def client_options(
    *,
    host: str,
    port: int | None,
    secure: bool,
    ca: str | None,
    name: str,
    pin: str,
    insecure: bool,
    cert: str | None,
    key: str | None,
) -> _core.ClientOptions:
    """The options of tls_options() and a host, as the client takes them. Raises UsageError."""
    if not secure and (ca or name or pin or insecure or cert or key):
        raise click.UsageError("--ca, --name, --pin, --insecure, --cert and --key need --tls")
    if insecure and (ca or pin):
        raise click.UsageError("--insecure verifies nothing: leave --ca and --pin out")
    if pin and not re.fullmatch("[0-9A-Fa-f]{64}", pin):
        raise click.UsageError("--pin is 64 hex digits: see `wwep-rig certs show HOST:PORT`")
    options = _core.ClientOptions()
    options.host = host.removeprefix("[").removesuffix("]")
    options.port = port or (TLS_PORT if secure else PLAIN_PORT)
    options.secure = secure
    options.verify = not insecure
    options.ca_file = ca or (_own_root() if secure and not insecure and not pin else "")
    options.name = name
    options.pin_sha256 = pin
    options.certificate_file, options.key_file = cert or "", key or ""
    return options


def _own_root() -> str:
    """The root of this user's own `serve`; empty when there is none."""
    path = state_directory(os.environ) / "certs" / "root-ca.pem"
    return str(path) if path.exists() else ""


def _print(result: _core.ClientReply, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "connected": result.connected,
                "reply": result.reply.decode("latin-1"),
                "rest": result.rest.decode("latin-1"),
                "failure": result.failure,
                "tls_version": result.tls_version,
                "cipher": result.cipher,
                "took_ms": (result.received_ns - result.sent_ns) / 1e6 if result.reply else None,
            }
        )
        return
    if result.reply:
        sys.stdout.buffer.write(result.reply + b"\n")
        sys.stdout.flush()
    if result.rest:
        click.echo(f"after the reply came {result.rest!r}", err=True)
    if result.failure:
        remedy = ""
        if not result.connected and "Connection refused" in result.failure:
            remedy = (
                ". Nobody listens there: start a server (wwep-rig serve), or name another with "
            )
            remedy += "--host and --port"
        click.echo(f"wwep-rig: {result.failure}{remedy}", err=True)
