"""A Raspberry Pi as the board's access point: the configuration files, as text.

Nothing here changes a machine. The board joins the Pi's own network, asks the Pi for an address and
for the server's name, and is told the Pi's address both times.
"""

import ipaddress
import re
import secrets
from dataclasses import dataclass

LEASES_MAX = 100
LEASE_TIME = "12h"
PASSPHRASE_LENGTH = range(8, 64)
SSID_BYTES_MAX = 32
CHANNELS_2_4_GHZ = range(1, 14)
# Without those on which an access point must first listen for radar.
CHANNELS_5_GHZ = (36, 40, 44, 48, 149, 153, 157, 161, 165)
# Where channels 12 and 13 are not for access points.
COUNTRIES_UP_TO_CHANNEL_11 = frozenset(("CA", "US"))
_INTERFACE_NAME = re.compile(r"[A-Za-z0-9_.:-]{1,15}")
# Nothing that looks like something else: a person types it into firmware.
_READABLE = "abcdefghijkmnpqrstuvwxyz23456789"


@dataclass(frozen=True)
class AccessPoint:
    """What the files are made from. Raises ValueError for what cannot be.

    Attributes:
        interface: the Wi-Fi interface, `wlan0`.
        ssid: the network's name, up to 32 bytes of UTF-8.
        passphrase: of WPA2, 8 to 63 printable ASCII characters.
        channel: 1 to 13 in the 2.4 GHz band, else one of CHANNELS_5_GHZ.
        country: two letters of ISO 3166: the law on radio channels.
        address: the Pi's own, with the length of its network: 192.168.50.1/24.
        names: host names that the Pi answers with that address.
    """

    interface: str
    ssid: str
    passphrase: str
    channel: int
    country: str
    address: ipaddress.IPv4Interface
    names: tuple[str, ...]

    def __post_init__(self) -> None:
        """Check everything, so that no file is made that a daemon refuses."""
        if not _INTERFACE_NAME.fullmatch(self.interface):
            raise ValueError(
                f"interface {self.interface!r}: expected 1 to 15 letters, digits, - _ . :, "
                "as in wlan0 (ip link shows them)"
            )
        length = len(self.ssid.encode(errors="replace"))
        if not 1 <= length <= SSID_BYTES_MAX or not self.ssid.isprintable():
            raise ValueError(
                f"SSID {self.ssid!r}: expected 1 to {SSID_BYTES_MAX} bytes of printable text"
            )
        self._check_passphrase()
        self._check_radio()
        self._check_address()
        if not self.names:
            raise ValueError("server.names of the bench file is empty: the board looks one up")

    def _check_passphrase(self) -> None:
        if len(self.passphrase) not in PASSPHRASE_LENGTH or any(
            not " " <= character <= "~" for character in self.passphrase
        ):
            raise ValueError(
                f"a passphrase of {len(self.passphrase)} characters: WPA2 takes 8 to 63 printable "
                "ASCII characters"
            )

    def _check_radio(self) -> None:
        if not re.fullmatch("[A-Z]{2}", self.country):
            raise ValueError(f"country {self.country!r}: expected two letters, as in DE or US")
        if self.channel not in CHANNELS_2_4_GHZ and self.channel not in CHANNELS_5_GHZ:
            known = ", ".join(str(channel) for channel in CHANNELS_5_GHZ)
            raise ValueError(
                f"channel {self.channel}: expected 1 to 13, or at 5 GHz one of {known}"
            )
        if self.country in COUNTRIES_UP_TO_CHANNEL_11 and self.channel in (12, 13):
            raise ValueError(f"channel {self.channel} is not for access points in {self.country}")

    def _check_address(self) -> None:
        ip, network = self.address.ip, self.address.network
        if ip.is_loopback or ip.is_unspecified or ip.is_multicast or ip.is_link_local:
            raise ValueError(f"address {ip}: boards cannot reach that; take one as 192.168.50.1")
        if not 8 <= network.prefixlen <= 29:
            raise ValueError(
                f"address {self.address}: a network from /8 to /29 has room for boards"
            )
        if ip in (network.network_address, network.broadcast_address):
            raise ValueError(f"address {ip} is the network's own or its broadcast address")

    @property
    def leases(self) -> tuple[ipaddress.IPv4Address, ipaddress.IPv4Address]:
        """The first and the last address for boards: the longer side of the Pi's own address."""
        network, own = self.address.network, self.address.ip
        first, last = network.network_address + 1, network.broadcast_address - 1
        if int(last) - int(own) >= int(own) - int(first):
            return own + 1, min(last, own + LEASES_MAX)
        return max(first, own - LEASES_MAX), own - 1


@dataclass(frozen=True)
class ConfigurationFile:
    """One file: where it goes, its permissions, what it holds."""

    path: str
    mode: str
    text: str


def make_passphrase() -> str:
    """A passphrase that nobody guesses: 16 characters that are not mistaken for one another."""
    return "".join(secrets.choice(_READABLE) for _ in range(16))


def configuration(point: AccessPoint, made_for: str) -> list[ConfigurationFile]:
    """The files that make a Pi this access point.

    Args:
        point: what it is to be.
        made_for: whom the files' headers name: `bench pi4`.
    """

    def file(path: str, mode: str, why: str, body: str) -> ConfigurationFile:
        # The path stands in the file too: text that is pasted around keeps saying where it belongs.
        head = f"# {path}\n# {why}\n# Made by wwep-rig network --print for {made_for}.\n"
        return ConfigurationFile(path, mode, head + body)

    return [
        file("/etc/hostapd/hostapd.conf", "0600", "The board's Wi-Fi.", _hostapd(point)),
        file(
            "/etc/dnsmasq.d/wwep-rig.conf",
            "0644",
            "Addresses for boards, and the server's names. No other name is known.",
            _dnsmasq(point),
        ),
        file(
            "/etc/systemd/network/10-wwep-rig.network",
            "0644",
            "The Pi's own address; server.address of the bench file.",
            f"[Match]\nName={point.interface}\n\n[Network]\nAddress={point.address}\n"
            "ConfigureWithoutCarrier=yes\nLinkLocalAddressing=no\nIPv6AcceptRA=no\n",
        ),
        file(
            "/etc/NetworkManager/conf.d/wwep-rig.conf",
            "0644",
            "Keeps NetworkManager, which Raspberry Pi OS has, off that interface.",
            f"[keyfile]\nunmanaged-devices=interface-name:{point.interface}\n",
        ),
    ]


def steps(point: AccessPoint) -> list[str]:
    """The commands that put the files to use, in order; each is safe to run twice."""
    return [
        "sudo apt install hostapd dnsmasq",
        "sudo systemctl reload-or-restart NetworkManager",
        "sudo rfkill unblock wlan",
        "sudo systemctl enable --now systemd-networkd && sudo networkctl reload",
        "sudo systemctl unmask hostapd",
        "sudo systemctl enable hostapd dnsmasq",
        "sudo systemctl restart hostapd dnsmasq",
        f"ip address show dev {point.interface}    # must show {point.address}",
    ]


def _hostapd(point: AccessPoint) -> str:
    is_plain = point.ssid.isascii() and point.ssid == point.ssid.strip()
    # Where a text could be cut or read differently, hostapd also takes the bytes in hex.
    name = f"ssid={point.ssid}" if is_plain else f"ssid2={point.ssid.encode().hex()}\nutf8_ssid=1"
    band = "g" if point.channel in CHANNELS_2_4_GHZ else "a"
    return (
        f"interface={point.interface}\ndriver=nl80211\n{name}\n"
        f"country_code={point.country}\nieee80211d=1\n"
        f"hw_mode={band}\nchannel={point.channel}\nieee80211n=1\nwmm_enabled=1\n"
        "auth_algs=1\nwpa=2\nwpa_key_mgmt=WPA-PSK\nrsn_pairwise=CCMP\n"
        f"wpa_passphrase={point.passphrase}\n"
    )


def _dnsmasq(point: AccessPoint) -> str:
    own, (first, last) = point.address.ip, point.leases
    names = "".join(f"host-record={name},{own}\n" for name in point.names)
    return (
        f"interface={point.interface}\n"
        # Dynamic: also when the interface gets its address later than dnsmasq starts.
        "bind-dynamic\nexcept-interface=lo\n"
        "no-resolv\nno-hosts\nlocal=/#/\n"
        f"{names}"
        f"dhcp-range={first},{last},{point.address.netmask},{LEASE_TIME}\n"
        f"dhcp-option=option:router,{own}\ndhcp-option=option:dns-server,{own}\n"
        "dhcp-authoritative\nlog-dhcp\n"
    )
