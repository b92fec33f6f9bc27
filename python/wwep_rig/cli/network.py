"""`wwep-rig network`: a Raspberry Pi as the board's access point and name server."""

import ipaddress
import os
from dataclasses import asdict

import click

from wwep_rig.access_point import AccessPoint, configuration, make_passphrase, steps
from wwep_rig.bench_file import read_bench_file
from wwep_rig.find_bench import load_bench_file

from .common import bench_option, json_option, print_json

ADDRESS_DEFAULT = "192.168.50.1"
NETWORK_LENGTH_DEFAULT = 24


@click.command()
@click.option(
    "--print", "is_printing", is_flag=True, help="Print the files: all that this verb can do."
)
@bench_option
@click.option(
    "--country", required=True, metavar="XX", help="Two letters: whose law the radio obeys."
)
@click.option("--ssid", default="wwep-rig", show_default=True, help="Name of the network.")
@click.option(
    "--passphrase",
    envvar="WWEP_RIG_PASSPHRASE",
    metavar="TEXT",
    help="8 to 63 characters; better from WWEP_RIG_PASSPHRASE, which no process list shows. "
    "Without it one is made.",
)
@click.option(
    "--interface",
    default="wlan0",
    show_default=True,
    metavar="NAME",
    help="The Pi's radio, which then joins no other network.",
)
@click.option(
    "--channel",
    type=int,
    default=6,
    show_default=True,
    metavar="N",
    help="1 to 13; boards of the lab's age know no channel of the 5 GHz band.",
)
@click.option(
    "--address",
    metavar="IPV4[/LENGTH]",
    help=f"The Pi's own. Default: server.address of the bench file, else {ADDRESS_DEFAULT}; "
    f"/{NETWORK_LENGTH_DEFAULT}.",
)
@json_option
def network(
    is_printing: bool,
    bench_name: str,
    country: str,
    ssid: str,
    passphrase: str | None,
    interface: str,
    channel: int,
    address: str | None,
    as_json: bool,
) -> None:
    """Print what makes this Pi an access point on which a board finds the bench's server.

    The files are for hostapd, dnsmasq, systemd-networkd and NetworkManager. Nothing is written and
    nothing is changed: read them, put each where its first line says, and run the commands that are
    printed after them. None of it was tried on a real Pi.

    \b
    Example:
        $ wwep-rig network --print --bench pi4 --country DE
    """
    if not is_printing:
        raise click.UsageError("network changes nothing by itself: say --print to see the files")
    config = read_bench_file(load_bench_file(bench_name, os.environ))
    wanted = address or config.server.address or ADDRESS_DEFAULT
    try:
        point = AccessPoint(
            interface=interface,
            ssid=ssid,
            passphrase=passphrase or make_passphrase(),
            channel=channel,
            country=country.upper(),
            address=_interface(wanted),
            names=config.server.names,
        )
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    files = configuration(point, f"bench {config.name}")
    remarks = _remarks(point, config.server.address, config.name, passphrase is None)
    if as_json:
        print_json(
            {
                "files": [asdict(file) for file in files],
                "steps": steps(point),
                "remarks": remarks,
                "address": str(point.address),
                "passphrase": point.passphrase,
            }
        )
        return
    for file in files:
        click.echo(f"##### {file.path} (mode {file.mode})\n{file.text}")
    click.echo("##### then")
    click.echo("\n".join(steps(point)))
    for remark in remarks:
        click.echo(f"# {remark}")


def _interface(text: str) -> ipaddress.IPv4Interface:
    whole = text if "/" in text else f"{text}/{NETWORK_LENGTH_DEFAULT}"
    try:
        return ipaddress.IPv4Interface(whole)
    except ValueError:
        raise ValueError(
            f"address {text!r} is no IPv4 address, which is what boards are given; "
            f"say --address {ADDRESS_DEFAULT}"
        ) from None


def _remarks(
    point: AccessPoint, server_address: str, bench: str, is_passphrase_made: bool
) -> list[str]:
    remarks = []
    if server_address != str(point.address.ip):
        remarks.append(
            f'bench {bench}: set address = "{point.address.ip}" under [server], so that the server '
            "listens there"
        )
    if is_passphrase_made:
        remarks.append(
            f"the passphrase {point.passphrase} was made for this print; the next one has another"
        )
    return remarks
