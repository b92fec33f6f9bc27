"""`wwep-rig network --print`: files that a Pi's daemons take, and no other effect."""

import json
import os
import shutil
import socket
import struct
import subprocess
import sys

from pathlib import Path

import pytest

DNSMASQ = shutil.which("dnsmasq", path=f"{os.environ['PATH']}:/usr/sbin")
HOSTAPD = shutil.which("hostapd", path=f"{os.environ['PATH']}:/usr/sbin")
NAMES = (
    "wwep.ww101.cypress.com",
    "wwep.wa101.cypress.com",
    "wwep.wv101.cypress.com",
    "wwp.ww101.cypress.com",
)
needs_dnsmasq = pytest.mark.skipif(
    DNSMASQ is None, reason="dnsmasq-base is not installed: ci/setup"
)


@pytest.fixture
def files(wwep_rig):
    """Runs `network --print --json`; the files by their names."""

    def run(*arguments: str) -> dict[str, str]:
        done = wwep_rig("network", "--print", "--json", "--country", "DE", *arguments)
        assert done.code == 0, done.err
        return {Path(each["path"]).name: each["text"] for each in json.loads(done.out)["files"]}

    return run


def settings(text: str) -> list[str]:
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def test_text_shows_every_file_with_its_place_and_the_commands(wwep_rig):
    done = wwep_rig("network", "--print", "--country", "de", "--passphrase", "correct horse")

    assert done.code == 0
    for path in (
        "/etc/hostapd/hostapd.conf",
        "/etc/dnsmasq.d/wwep-rig.conf",
        "/etc/systemd/network/10-wwep-rig.network",
        "/etc/NetworkManager/conf.d/wwep-rig.conf",
    ):
        assert f"##### {path} (mode 06" in done.out
        assert f"\n# {path}\n" in done.out
    assert "wpa_passphrase=correct horse\n" in done.out
    assert "country_code=DE\n" in done.out
    assert "sudo systemctl unmask hostapd\n" in done.out
    assert '# bench sim: set address = "192.168.50.1" under [server]' in done.out


def test_nothing_is_written(wwep_rig, tmp_path):
    assert wwep_rig("network", "--print", "--country", "DE").code == 0

    assert list(tmp_path.iterdir()) == []


def test_without_print_it_says_that_it_only_prints(wwep_rig):
    done = wwep_rig("network", "--country", "DE")

    assert done.code == 2
    assert "say --print" in done.err and done.out == ""


def test_address_and_names_are_those_of_the_bench_file(wwep_rig, files, tmp_path):
    wwep_rig("bench", "new", "pi")
    path = tmp_path / "benches" / "pi.toml"
    text = path.read_text()
    path.write_text(text[: text.index("[server]")] + '[server]\naddress = "198.51.100.3"\n')

    made = files("--bench", "pi", "--interface", "wlan1")

    assert "Address=198.51.100.3/24" in settings(made["10-wwep-rig.network"])
    assert "Name=wlan1" in settings(made["10-wwep-rig.network"])
    assert "interface=wlan1" in settings(made["hostapd.conf"])
    assert "unmanaged-devices=interface-name:wlan1" in settings(made["wwep-rig.conf"])
    dnsmasq = dnsmasq_text(wwep_rig, "--bench", "pi")
    assert [f"host-record={name},198.51.100.3" in dnsmasq for name in NAMES] == [True] * 4
    done = wwep_rig("network", "--print", "--country", "DE", "--bench", "pi")
    assert "under [server]" not in done.out


def dnsmasq_text(wwep_rig, *arguments: str) -> str:
    done = wwep_rig("network", "--print", "--json", "--country", "DE", *arguments)
    return next(
        str(each["text"]) for each in json.loads(done.out)["files"] if "dnsmasq" in each["path"]
    )


def test_boards_never_get_the_own_address_of_the_pi(wwep_rig):
    low = dnsmasq_text(wwep_rig, "--address", "10.1.0.1/16")
    high = dnsmasq_text(wwep_rig, "--address", "192.168.7.250")
    tiny = dnsmasq_text(wwep_rig, "--address", "192.168.7.10/29")

    assert "dhcp-range=10.1.0.2,10.1.0.101,255.255.0.0,12h\n" in low
    assert "dhcp-range=192.168.7.150,192.168.7.249,255.255.255.0,12h\n" in high
    assert "dhcp-range=192.168.7.11,192.168.7.14,255.255.255.248,12h\n" in tiny


def test_passphrase_is_made_anew_each_time_unless_it_is_given(wwep_rig):
    def passphrase(**variables: str) -> str:
        done = wwep_rig("network", "--print", "--json", "--country", "DE", variables=variables)
        return str(json.loads(done.out)["passphrase"])

    first, second = passphrase(), passphrase()

    assert first != second and len(first) == len(second) == 16
    assert passphrase(WWEP_RIG_PASSPHRASE="from outside") == "from outside"


def test_name_that_is_not_plain_ascii_is_given_in_hex(files):
    assert "ssid=the lab" in settings(files("--ssid", "the lab")["hostapd.conf"])
    assert "ssid2=4cc3bc" in settings(files("--ssid", "Lü")["hostapd.conf"])
    assert "ssid2=2078" in settings(files("--ssid", " x")["hostapd.conf"])


def test_band_follows_from_the_channel(files):
    assert "hw_mode=g" in settings(files("--channel", "13")["hostapd.conf"])
    assert "hw_mode=a" in settings(files("--channel", "36")["hostapd.conf"])


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--passphrase", "seven77"), "7 characters: WPA2 takes 8 to 63"),
        (("--passphrase", "x" * 64), "64 characters: WPA2 takes 8 to 63"),
        (("--passphrase", "passphräse"), "printable ASCII"),
        (("--passphrase", "two\nlines"), "printable ASCII"),
        (("--ssid", "x" * 33), "1 to 32 bytes"),
        (("--ssid", "ü" * 17), "1 to 32 bytes"),
        (("--ssid", "two\nlines"), "printable text"),
        (("--ssid", ""), "1 to 32 bytes"),
        (("--channel", "14"), "channel 14: expected 1 to 13"),
        (("--channel", "52"), "channel 52: expected 1 to 13"),
        (("--country", "US", "--channel", "12"), "not for access points in US"),
        (("--country", "DEU"), "country 'DEU': expected two letters"),
        (("--interface", "wlan0; reboot"), "interface 'wlan0; reboot'"),
        (("--interface", "a-name-far-too-long"), "1 to 15 letters"),
        (("--address", "127.0.0.1"), "boards cannot reach that"),
        (("--address", "192.168.50.0"), "the network's own or its broadcast"),
        (("--address", "192.168.50.255"), "the network's own or its broadcast"),
        (("--address", "192.168.50.1/30"), "from /8 to /29"),
        (("--address", "fd00::1"), "no IPv4 address"),
        (("--address", "the-pi"), "no IPv4 address"),
    ],
)
def test_nonsense_is_refused_by_name(wwep_rig, arguments, complaint):
    given = arguments if "--country" in arguments else ("--country", "DE", *arguments)

    done = wwep_rig("network", "--print", *given)

    assert done.code == 2
    assert complaint in done.err and done.out == ""


@needs_dnsmasq
@pytest.mark.parametrize(
    "arguments", [(), ("--address", "198.51.100.3"), ("--address", "10.0.0.9/8")]
)
def test_dnsmasq_takes_its_file(wwep_rig, tmp_path, arguments):
    path = tmp_path / "dnsmasq.conf"
    path.write_text(dnsmasq_text(wwep_rig, *arguments))

    done = subprocess.run(
        [str(DNSMASQ), "--test", "--conf-file=" + str(path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=10,
    )

    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(HOSTAPD is None, reason="hostapd is not installed: apt-get install hostapd")
@pytest.mark.parametrize("arguments", [(), ("--ssid", "Lü", "--channel", "36")])
def test_hostapd_understands_every_line_of_its_file(files, tmp_path, arguments):
    # It has no verb that only checks: it gets past its file to an interface that is not there.
    text = files("--interface", "no-such-radio", *arguments)["hostapd.conf"]
    path = tmp_path / "hostapd.conf"

    def said(content: str) -> str:
        path.write_text(content)
        done = subprocess.run(
            [str(HOSTAPD), str(path)], capture_output=True, text=True, check=False, timeout=30
        )
        return done.stdout + done.stderr

    assert "Failed to initialize driver" in said(text) or "no-such-radio" in said(text)
    assert "errors found in configuration file" not in said(text)
    assert "errors found in configuration file" in said(text.replace("channel=", "chanel="))


# Run inside a network namespace of its own: dnsmasq with the file, asked as a board asks.
ASK = """
import socket, subprocess, sys, time
dnsmasq, path, address, *names = sys.argv[1:]
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
subprocess.run(["ip", "address", "add", address + "/24", "dev", "lo"], check=True)
server = subprocess.Popen(
    [dnsmasq, "--keep-in-foreground", "--conf-file=" + path, "--user=", "--pid-file=",
     "--dhcp-leasefile=" + path + ".leases"])
try:
    for name in names:
        labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
        query = bytes.fromhex("004201000001000000000000") + labels + bytes.fromhex("0000010001")
        give_up_at = time.monotonic() + 5
        while True:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as board:
                board.settimeout(0.2)
                board.connect((address, 53))
                try:
                    board.send(query)
                    print(name, board.recv(512).hex(), flush=True)
                    break
                except OSError:
                    if time.monotonic() > give_up_at:
                        raise
finally:
    server.kill()
    server.wait()
"""


@needs_dnsmasq
@pytest.mark.skipif(os.geteuid() != 0, reason="a network namespace needs root")
def test_board_that_asks_dnsmasq_is_told_the_pi_for_each_spelling_and_nothing_else(
    wwep_rig, tmp_path
):
    path = tmp_path / "dnsmasq.conf"
    text = dnsmasq_text(wwep_rig, "--interface", "lo").replace("except-interface=lo\n", "")
    path.write_text(text)

    done = subprocess.run(
        ["unshare", "--net", sys.executable, "-c", ASK, str(DNSMASQ), str(path), "192.168.50.1"]
        + [*NAMES, "example.com"],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )

    assert done.returncode == 0, done.stderr
    answers = dict(line.split() for line in done.stdout.splitlines())
    address = socket.inet_aton("192.168.50.1").hex()
    told = {name: answers[name].endswith("0004" + address) for name in answers}
    assert told == {**dict.fromkeys(NAMES, True), "example.com": False}
    no_such_name = 3
    (flags,) = struct.unpack(">H", bytes.fromhex(answers["example.com"])[2:4])
    assert flags & 0xF == no_such_name
