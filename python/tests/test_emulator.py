"""The emulated board as a bench: with a bare image of the C++ tests', which knows no network."""

import os
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from wwep_rig import NoBench, RigError, TargetFailed, Until, _core, faults, open_bench
from wwep_rig.app_build import image_sources
from wwep_rig.bad_link import LinkFaults
from wwep_rig.bench import Bench
from wwep_rig.bench_config import Kind, Speed
from wwep_rig.bench_file import read_bench_file
from wwep_rig.between import Between
from wwep_rig.emulator import SERVER_ADDRESS, dct_blob, emulator_path, helper_path
from wwep_rig.find_bench import load_bench_file

CHECKOUT = Path(__file__).resolve().parents[2]
IMAGE = CHECKOUT / "build/dev/rig/target/emulated_double.elf"
MISSING = shutil.which("qemu-system-arm") is None or not IMAGE.exists()
needs_emulator = pytest.mark.skipif(
    MISSING, reason="NOT TESTED: needs Debian's qemu-system-arm and gcc-arm-none-eabi, and a build"
)


def _script(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def write_bench(folder: Path, target: str) -> Path:
    path = folder / "double.toml"
    path.write_text(f'[bench]\nname = "double"\nkind = "emulator"\n[target]\n{target}\n')
    return path


@pytest.fixture
def bench(tmp_path: Path, environment: dict[str, str]) -> Iterator[Bench]:
    file = write_bench(tmp_path, f'program = "{IMAGE}"')
    with open_bench(file, environment=environment) as opened:
        opened.target.start(timeout_s=60.0)
        yield opened


@needs_emulator
def test_press_flips_the_led_pin_and_a_reset_puts_it_out(bench: Bench) -> None:
    window = bench.record()
    trips = [bench.press("button0", until=Until.led, timeout_s=30.0) for _ in range(3)]
    assert [trip.led.is_on for trip in trips] == [True, False, True]
    assert all(0 < (trip.latencies.press_to_led_ms or 0) < 10_000 for trip in trips)
    assert {edge.line for edge in window.edges} == {"led0"}

    bench.target.reset(timeout_s=60.0)
    assert not bench.led("led0").is_on
    assert bench.press("button1", until=Until.led, timeout_s=30.0).led.is_on
    assert not bench.rig_errors


@needs_emulator
def test_power_that_is_cut_and_given_back_is_no_rig_error(bench: Bench) -> None:
    window = bench.record()
    bench.target.kill()
    assert "killed by signal 9" in window.wait_for_target_end(timeout_s=30.0)
    assert not bench.target.is_running

    bench.target.power_on(timeout_s=60.0)
    assert bench.press("button0", until=Until.led, timeout_s=30.0).led.is_on
    assert not bench.rig_errors


@needs_emulator
def test_qemu_that_dies_by_itself_is_a_rig_error(bench: Bench) -> None:
    window = bench.record()
    os.kill(bench.target.pid, 9)
    window.wait_for_target_end(timeout_s=30.0)
    assert any("QEMU, which is the board" in text for text in bench.rig_errors)


@needs_emulator
def test_console_is_typed_on_and_a_paused_board_says_nothing_until_it_goes_on(bench: Bench) -> None:
    bench.target.pause()
    with pytest.raises(RigError, match="VM not running"):
        bench.start_press("button0")
    window = bench.record()
    bench.target.type("are you there")
    bench.target.resume()
    assert window.wait_for_console("are you there", timeout_s=30.0)
    assert bench.press("button0", until=Until.led, timeout_s=30.0).led.is_on


@needs_emulator
def test_cable_and_lies_are_put_right_at_the_end_of_their_block(bench: Bench) -> None:
    with bench.network.cable_pulled(), bench.network.no_time(), bench.network.no_names():
        pass
    with pytest.raises(NoBench, match="no IPv4 address"), bench.network.wrong_address("nowhere"):
        pass
    window = bench.record()
    with bench.network.cable_pulled():
        bench.target.kill()
    assert [e.text for e in window.events if "cable" in e.text] == ["the network cable is pulled"]


@needs_emulator
def test_bad_link_that_did_nothing_to_any_frame_fails_unless_it_is_optional(bench: Bench) -> None:
    window = bench.record()
    with pytest.raises(TargetFailed, match="bad_link loss=1e-300 seed=7 never came into effect"):
        with bench.network.bad_link(loss=1e-300, seed=7):
            pass
    with bench.network.bad_link(delay_s=1e-300, seed=8, optional=True) as link:
        bench.target.reset(timeout_s=60.0)
        bench.target.kill()
        assert link.lost == link.reordered == link.duplicated == 0
        bench.target.power_on(timeout_s=60.0)
    with pytest.raises(ZeroDivisionError), bench.network.bad_link(loss=1e-300):
        _ = 1 / 0
    texts = [event.text for event in window.events if "link" in event.text]
    assert texts[0] == "the link is bad from now on: loss=1e-300 seed=7"
    assert texts[1].startswith("the link was never bad (loss=1e-300 seed=7): of ")
    assert not bench.rig_errors


@needs_emulator
def test_port_is_left_closed_by_who_stood_there_while_the_server_is_gone(bench: Bench) -> None:
    class Somebody(Between):
        async def serve(self, accepted: socket.socket, server: tuple[str, int]) -> None:
            accepted.close()

        def on_the_board_s_side(self) -> socket.socket:
            (lent,) = (each for each in self._listeners if each.getsockname()[0] == SERVER_ADDRESS)
            return lent.dup()

    def listens(where: socket.socket) -> int:
        return where.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)

    with ExitStack() as standing:
        there = standing.enter_context(Somebody(bench._core, secure=False))
        port = standing.enter_context(there.on_the_board_s_side())
        assert listens(port) == 1
        with bench.server.fault(faults.Gone()):
            there.close()
            assert listens(port) == 0
        assert listens(port) == 1


def test_link_that_cannot_be_is_refused_by_name() -> None:
    refused: list[tuple[dict[str, float], str]] = [
        ({}, "takes loss, duplicate, reorder or delay_s"),
        ({"loss": 1.5}, "loss=1.5: a probability is 0 to 1"),
        ({"duplicate": -0.1}, "duplicate=-0.1"),
        ({"reorder": float("nan")}, "reorder=nan"),
        ({"delay_s": -1.0}, "delay_s=-1.0"),
        ({"delay_s": float("inf")}, "delay_s=inf"),
        ({"loss": 0.1, "seed": -1}, "seed=-1: a seed is"),
    ]
    for values, complaint in refused:
        with pytest.raises(ValueError, match=complaint):
            LinkFaults(**values)  # type: ignore[arg-type]
    assert str(LinkFaults(loss=0.1, delay_s=0.02)) == "loss=0.1 delay=0.02s seed=0"


@needs_emulator
def test_server_is_reached_from_this_machine_too(bench: Bench) -> None:
    assert bench.server.ask("W0FAC0B1234") == "A0FAC0B1234"
    assert "198.51.100.3:27708" in bench.server.plain_endpoints


@needs_emulator
def test_clock_never_goes_below_the_image_s_build_date(environment: dict[str, str]) -> None:
    """Told the time before its certificates began, the board stays where they are good."""
    try:
        image_sources(environment)
    except NoBench as trouble:
        pytest.skip(f"NOT TESTED: {trouble}")
    in_a_minute = str(int(time.time()) + 60)
    built = {**environment, "SOURCE_DATE_EPOCH": in_a_minute}
    with open_bench("emulator", environment=built) as bench:
        window = bench.record()
        with bench.network.wrong_time(by_s=-45 * 86_400):
            bench.target.start(timeout_s=60.0)
            window.wait_for_console("is before the image's build date, not taken", timeout_s=30.0)
            trip = bench.press("button1", timeout_s=30.0)
    assert trip.reply.accepted and trip.connection.secure


def test_other_benches_cannot_do_what_an_emulated_board_can(environment: dict[str, str]) -> None:
    with open_bench("sim", environment=environment) as bench:
        with pytest.raises(NoBench, match="no emulated board"), bench.network.cable_pulled():
            pass
        with pytest.raises(NoBench, match="--rig-bench emulator"):
            with bench.network.bad_link(loss=0.1):
                pass
        with pytest.raises(NoBench, match="name and time server"), bench.network.no_time():
            pass
        with pytest.raises(NoBench, match="no emulated board"):
            bench.target.type("marks")


def test_built_in_bench_is_the_lab_firmware_on_the_emulated_board() -> None:
    config = read_bench_file(load_bench_file("emulator", {}))
    assert config.kind is Kind.EMULATOR and config.target.program == "dual_client"
    assert config.buttons == ("button0", "button1")
    assert {"network", "console-input", "power", "reset", "speed"} <= config.abilities
    assert config.target.speed is Speed.HOST
    sim = read_bench_file(load_bench_file("sim", {}))
    assert sim.abilities == {"reset", "power"}


def test_bench_file_of_an_emulated_board_is_checked(tmp_path: Path) -> None:
    file = write_bench(tmp_path, 'speed = "mcu"\nprogram = "dual_client"')
    assert read_bench_file(load_bench_file(file, {})).target.speed is Speed.MCU
    file = write_bench(tmp_path, 'speed = "fast"')
    with pytest.raises(NoBench, match='target.speed: "fast" is not one of host, mcu'):
        load_bench_file(file, {})
    template = _core.BenchFile.template("emulator")
    assert read_bench_file(_core.BenchFile.parse(template, "t")).kind is Kind.EMULATOR


def test_certificates_lie_in_the_flash_as_the_port_expects_them() -> None:
    blob = dct_blob(b"key", b"certificate")
    assert len(blob) == 8 + 2048 + 4096 + 16
    assert blob.startswith(b"WWEPDCT1key\0") and blob[8 + 2048 :].startswith(b"certificate\0")
    assert len(dct_blob(b"", b"c" * 4095)) == len(blob)
    with pytest.raises(NoBench, match="room for a certificate of 4095 bytes"):
        dct_blob(b"", b"c" * 4096)


def test_what_is_missing_is_named_with_the_remedy(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    with pytest.raises(NoBench, match="install Debian's qemu-system-arm"):
        emulator_path({"PATH": str(tmp_path)})
    with pytest.raises(NoBench, match="no application 'nothing'"):
        open_bench(write_bench(tmp_path, 'program = "nothing"'), environment=environment)
    tools = {**environment, "PATH": f"{tmp_path}:/usr/bin:/bin", "XDG_CACHE_HOME": str(tmp_path)}
    _script(tmp_path / "qemu-system-arm", "exit 1")
    _script(tmp_path / "arm-none-eabi-gcc", 'echo "${1#*=}"')  # what it says of a file it lacks
    with pytest.raises(NoBench, match="takes newlib, which is not there"):
        open_bench("emulator", environment=tools)
    _script(tmp_path / "arm-none-eabi-gcc", "echo /usr/lib/nano.specs")
    with pytest.raises(NoBench, match=f"sources of lwip, which are not in {tmp_path}"):
        open_bench("emulator", environment=tools)
    with pytest.raises(NoBench, match="start firmware /nowhere"):
        _core.try_enclosure("/nowhere")
    _core.try_enclosure(str(helper_path()))
