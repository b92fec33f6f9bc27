"""What makes a Raspberry Pi a rig: the files of rig/pi, as far as they can be tried without one."""

import configparser
import os
import re
import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest

PI = Path(__file__).resolve().parents[2] / "rig" / "pi"
TEMPLATES = sorted((PI / "benches").glob("*.toml"))
UNIT = PI / "wwep-rig@.service"
CHIPS = {"pi3": "pinctrl-bcm2835", "pi4": "pinctrl-bcm2711", "pi5": "pinctrl-rp1"}
SYSTEM_PATH = f"{os.environ['PATH']}:/usr/sbin"


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)


@pytest.fixture
def other_system(tmp_path: Path) -> Path:
    """The folder of a system that has a superuser and nothing else."""
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "passwd").write_text("root:x:0:0::/root:/bin/sh\n")
    (tmp_path / "etc" / "group").write_text("root:x:0:\n")
    return tmp_path


def contents(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Mode and bytes of every file below a folder."""
    return {
        str(path.relative_to(folder)): (path.stat().st_mode, path.read_bytes())
        for path in folder.rglob("*")
        if path.is_file()
    }


def set_up(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run(str(PI / "set-up"), "--root", str(root), *arguments)


@pytest.mark.parametrize("template", TEMPLATES, ids=[each.stem for each in TEMPLATES])
def test_template_is_a_good_bench_file_that_names_the_chip_by_its_label(wwep_rig, template):
    done = wwep_rig("bench", "check", str(template))

    assert (done.code, done.err) == (0, "")
    assert done.out == f"{template.stem} (board): good, device ID 0003\n"
    assert set(re.findall(r'^chip = "(.*)"', template.read_text(), re.M)) == {CHIPS[template.stem]}


def test_there_is_a_template_for_each_kind_of_pi():
    assert [path.stem for path in TEMPLATES] == sorted(CHIPS)


def test_set_up_makes_user_group_rule_and_unit_once(other_system):
    first = set_up(other_system)
    made = contents(other_system)
    second = set_up(other_system)

    assert (first.returncode, first.stderr) == (0, "")
    assert made["etc/systemd/system/wwep-rig@.service"][1] == UNIT.read_bytes()
    rule = made["etc/udev/rules.d/60-wwep-rig-gpio.rules"]
    assert rule[1] == (PI / "60-wwep-rig-gpio.rules").read_bytes()
    assert len(re.findall(rb"^gpio:", made["etc/group"][1], re.M)) == 1
    passwd = made["etc/passwd"][1]
    assert re.findall(rb"^wwep-rig:.*:(.*):(.*)$", passwd, re.M) == [
        (b"/var/lib/wwep-rig", b"/usr/sbin/nologin")
    ]
    assert (other_system / "etc" / "wwep-rig").is_dir()
    assert second.returncode == 0 and "making it" in first.stdout
    assert "making it" not in second.stdout
    assert contents(other_system) == made


def test_set_up_mends_only_what_differs(other_system):
    set_up(other_system)
    made = contents(other_system)
    (other_system / "etc" / "systemd" / "system" / "wwep-rig@.service").write_text("old")

    done = set_up(other_system)

    assert done.stdout.count("making it") == 1
    assert contents(other_system) == made


def test_check_of_set_up_lists_what_is_missing_and_changes_nothing(other_system):
    before = contents(other_system)
    bare = set_up(other_system, "--check")
    untouched = contents(other_system)
    set_up(other_system)
    (other_system / "opt" / "wwep-rig" / "ci").mkdir(parents=True)
    (other_system / "opt" / "wwep-rig" / "ci" / "setup").touch(mode=0o755)
    whole = set_up(other_system, "--check")

    assert bare.returncode == 1 and bare.stdout.count("missing") == 6
    assert untouched == before
    assert whole.returncode == 0 and "missing" not in whole.stdout


@pytest.mark.parametrize("arguments", [("--root",), ("--root", "/proc"), ("--roto", "/")])
def test_set_up_refuses_what_is_no_system(arguments):
    done = run(str(PI / "set-up"), *arguments)

    assert done.returncode == 2
    assert done.stdout == "" and ("needs the folder" in done.stderr or "usage:" in done.stderr)


def unit() -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser(strict=True)
    parser.optionxform = str  # type: ignore[assignment]
    parser.read_string(UNIT.read_text())
    return parser


def test_unit_serves_its_bench_file_and_releases_the_buttons_before_and_after(wwep_rig, tmp_path):
    service = dict(unit()["Service"])
    program = "/opt/wwep-rig/.venv/bin/wwep-rig"
    bench = "--bench /etc/wwep-rig/%i.toml"

    assert service["ExecStart"] == f"{program} serve {bench} $WWEP_SERVE_OPTIONS"
    assert service["ExecStartPre"] == service["ExecStopPost"] == f"-{program} release {bench}"
    for verb in ("serve", "release"):
        done = wwep_rig(verb, "--bench", "/etc/wwep-rig/no-such-bench.toml")
        assert done.code == 4 and "no bench file /etc/wwep-rig/no-such-bench.toml" in done.err


def test_systemd_accepts_the_unit(tmp_path):
    analyze = shutil.which("systemd-analyze", path=SYSTEM_PATH)
    if analyze is None:
        pytest.skip("systemd-analyze is not installed: ci/setup")
    # Its program is looked for, and lies elsewhere here.
    text = UNIT.read_text().replace("/opt/wwep-rig/.venv/bin/wwep-rig", "/bin/true")
    good, bad = tmp_path / "wwep-rig@bench-1.service", tmp_path / "wwep-rig@bad.service"
    good.write_text(text)
    bad.write_text(text.replace("Restart=on-failure", "Restart=soon").replace("Type=", "Typ="))

    accepted = run(analyze, "verify", "--man=no", str(good))
    refused = run(analyze, "verify", "--man=no", str(bad))

    assert (accepted.returncode, accepted.stderr) == (0, "")
    assert "soon" in refused.stderr and "'Typ'" in refused.stderr


def test_udev_accepts_the_rule(tmp_path):
    udevadm = shutil.which("udevadm", path=SYSTEM_PATH)
    if udevadm is None or "verify" not in run(udevadm, "--help").stdout:
        pytest.skip("needs the verb verify of udevadm 254 or newer, which Debian 12 does not have")

    # The group is made by set-up, and not on this machine.
    verify = (udevadm, "verify", "--resolve-names=never")
    rule = (PI / "60-wwep-rig-gpio.rules").read_text()
    bad = tmp_path / "60-bad.rules"
    bad.write_text(rule.replace("KERNEL==", "KERNAL=="))

    accepted, refused = run(*verify, str(PI / "60-wwep-rig-gpio.rules")), run(*verify, str(bad))

    assert accepted.returncode == 0, accepted.stdout + accepted.stderr
    assert refused.returncode != 0


def test_wiring_drawing_names_resistors_pins_and_the_danger_of_5_volts():
    drawing = ElementTree.parse(PI / "wiring.svg").getroot()
    texts = ["".join(each.itertext()) for each in drawing.iter() if each.tag.endswith("}text")]
    lines = re.findall(
        r"^line = (\d+) +# header pin (\d+),.*?(\d+) kOhm", TEMPLATES[0].read_text(), re.M
    )

    assert texts.count("1 kΩ") == 2 and texts.count("10 kΩ") == 2
    assert len(lines) == 4
    for line, pin, _ in lines:
        assert any(text.startswith(f"GPIO {line} (pin {pin})") for text in texts)
    assert [ohm for _, _, ohm in lines] == ["1", "1", "10", "10"]
    assert any("5 V damages the Pi" in text for text in texts)
