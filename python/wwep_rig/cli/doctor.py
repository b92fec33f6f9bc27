"""`wwep-rig doctor`: is this bench usable, and if not, what to do."""

import json
import os
import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wwep_rig.errors import WwepRigError

from .common import GOOD, NO_BENCH, RIG_ERROR, bench_option, json_option, print_json

if TYPE_CHECKING:
    from wwep_rig import _core
    from wwep_rig.bench_config import BenchConfig

_BUILD = "ci/setup installs what is needed; ci/build builds"


@dataclass(frozen=True)
class Finding:
    """One line of the doctor's table.

    Attributes:
        what: what was looked at.
        is_good: whether it is fine.
        found: what was seen.
        remedy: what to do; empty when there is nothing to do.
        exit_code: what a bad finding means for the exit code; says nothing of a good one.
    """

    what: str
    is_good: bool
    found: str
    remedy: str = ""
    exit_code: int = NO_BENCH

    def as_value(self) -> dict[str, object]:
        """As a JSON object; what is good has no exit code."""
        value: dict[str, object] = {
            "what": self.what,
            "is_good": self.is_good,
            "found": self.found,
        }
        if self.remedy:
            value["remedy"] = self.remedy
        if not self.is_good:
            value["exit_code"] = self.exit_code
        return value


@click.command()
@bench_option
@click.option(
    "--loopback",
    is_flag=False,
    flag_value="",
    metavar="[BUTTON:LED]",
    help="Instead, measure the rig over a button that is wired to an LED, and keep that for the "
    "bench's next runs. Without BUTTON:LED: the pair that the bench file names.",
)
@json_option
def doctor(bench_name: str, loopback: str | None, as_json: bool) -> int:
    """Check whether a bench is usable; for each thing that is not, say what to do.

    With --loopback it measures what the rig itself adds to each latency. Unplug the target first
    and join the two lines with a wire, or wire two spare lines for good and name them in the bench
    file (loopback = "BUTTON:LED" under [bench]). A board that is a process is replaced by a
    firmware that stands for the wire.

    \b
    Examples:
        $ wwep-rig doctor --bench bench-1
        $ wwep-rig doctor --bench bench-1 --loopback button0:led0

    Exit codes: 0 all is good, 3 the rig's own parts are missing, 4 the bench is not usable.
    """
    if loopback is not None:
        # Needs the C++ side, without which the table must still come up.
        from .loopback import calibrate

        return calibrate(bench_name, loopback, as_json)
    findings = []
    for finding in examine(bench_name, os.environ):
        findings.append(finding)
        if not as_json:
            _print(finding)
    if as_json:
        print_json([each.as_value() for each in findings])
    return min((each.exit_code for each in findings if not each.is_good), default=GOOD)


def _print(finding: Finding) -> None:
    mark = "good" if finding.is_good else "BAD "
    click.echo(f"{mark}  {finding.what:<14} {finding.found}")
    if finding.remedy:
        click.echo(f"{'':21}→ {finding.remedy}")


def examine(bench_name: str, environment: Mapping[str, str]) -> Iterator[Finding]:
    """Look at everything, the rig's own parts first; stops where the rest cannot be seen."""
    for package in ("click", "cryptography", "pytest", "rich"):
        if (finding := _package(package)) is not None:
            yield finding
    core = _guarded("C++ side", _core_loads, _BUILD, RIG_ERROR)
    yield core
    if not core.is_good:
        return
    yield _guarded("certificates", lambda: _certificates(environment), "", NO_BENCH)
    remedy = f"correct it, and look again: wwep-rig bench check {bench_name}"
    bench = _guarded("bench file", lambda: _bench_file(bench_name, environment), remedy, NO_BENCH)
    yield bench
    if bench.is_good:
        yield from _examine_bench(bench_name, environment)


def _package(name: str) -> Finding | None:
    """A finding only when it is missing."""
    try:
        import_module(name)
    except ImportError as error:
        return Finding("packages", False, str(error), f"apt install python3-{name}", RIG_ERROR)
    return None


def _guarded(what: str, look: Callable[[], str], remedy: str, exit_code: int) -> Finding:
    """What `look` finds, or raises; `remedy` is for errors that bring none along."""
    try:
        return Finding(what, True, look())
    except WwepRigError as error:
        return Finding(what, False, error.trouble, error.remedy or remedy, exit_code)
    except Exception as error:  # whatever is wrong is what is to be shown
        return Finding(what, False, str(error), remedy, exit_code)


def _core_loads() -> str:
    core = import_module("wwep_rig._core")
    return f"version {core.__version__}, {core.__file__}"


def _certificates(environment: Mapping[str, str]) -> str:
    from wwep_rig import certs
    from wwep_rig.user_dirs import state_directory

    directory = state_directory(environment) / "certs"
    if not directory.exists():
        return f"none yet: they are made in {directory} when they are first needed"
    whole = certs.load(directory)
    return f"{directory}, valid until {whole.expires:%Y-%m-%d}"


def _bench_file(bench_name: str, environment: Mapping[str, str]) -> str:
    from wwep_rig.find_bench import find_bench_file, load_bench_file

    path = find_bench_file(bench_name, environment)
    found = load_bench_file(bench_name, environment)
    where = str(path) if path else "built in"
    return f"{found.name} ({found.kind}), device ID {found.device_id:04X}, {where}"


def _examine_bench(bench_name: str, environment: Mapping[str, str]) -> Iterator[Finding]:
    from wwep_rig.bench_config import Kind
    from wwep_rig.bench_file import read_bench_file
    from wwep_rig.find_bench import find_bench_file, load_bench_file
    from wwep_rig.locks import default_lock_directory, holder_of
    from wwep_rig.sim import firmware_path

    bench_file = load_bench_file(bench_name, environment)
    config = read_bench_file(bench_file)
    if find_bench_file(bench_name, environment) is None:
        yield Finding("lock", True, "not needed: the built-in bench is private to each run")
    else:
        holder = holder_of(config.name, default_lock_directory(environment))
        remedy = "wait for it (--wait SECONDS), or ask that user" if holder else ""
        yield Finding("lock", holder is None, f"held by {holder}" if holder else "free", remedy)
    if config.kind in (Kind.KERNEL, Kind.BOARD):
        yield from _lines(bench_file)
    if config.kind is Kind.BOARD:
        yield from _board(config)
    yield from _endpoints(config)
    yield _packets()
    yield _netem()
    if config.kind is Kind.EMULATOR:
        yield from _emulator(environment, is_built="/" in config.target.program)
    if config.kind in (Kind.SIM, Kind.KERNEL):
        yield _guarded("firmware", lambda: _firmware(firmware_path, config.target.program), "", 4)


def _endpoints(config: "BenchConfig") -> Iterator[Finding]:
    """The address and the ports of the server. A port is free only where the address can be had."""
    from wwep_rig import ports

    address, has_address = config.server.address, True
    if address:
        remedy = "give an interface of this machine that address, or edit the bench file"
        finding = _guarded("address", lambda: _own_address(address), remedy, NO_BENCH)
        has_address = finding.is_good
        yield finding
    for port in (config.server.plain_port, config.server.tls_port):
        held = [
            each
            for each in (ports.holders(port, address) if address else ports.holders(port))
            if address or each.is_wildcard
        ]
        where = address or "a loopback address of the bench's own"
        if held:
            remedy = "end that process, or bind it to one address that the bench does not use"
            yield Finding(f"port {port}", False, str(held[0]), remedy)
        elif has_address:
            yield Finding(f"port {port}", True, f"free on {where}")


def _packets() -> Finding:
    """Whether they can be captured, which no bench needs unless it is asked for."""
    from wwep_rig import capture

    try:
        return Finding("packets", True, f"can be captured; {capture.try_it()}")
    except WwepRigError as error:
        found = f"--capture and --rig-capture do not work: {error.trouble}"
        return Finding("packets", True, found, error.remedy)


def _netem() -> Finding:
    """Whether the kernel has a bad network, which no bench needs unless it is asked for."""
    from wwep_rig import netem

    lack = netem.lack()
    if lack is None:
        return Finding("netem", True, "there: bad_network is the kernel's, without root")
    found = f"bad_network is a relay without loss, duplicate and reorder: {lack.trouble}"
    return Finding("netem", True, found, lack.remedy)


def _emulator(environment: Mapping[str, str], is_built: bool) -> Iterator[Finding]:
    """What an emulated board takes, each part on its own; an image that is built needs less."""
    from wwep_rig import _core
    from wwep_rig.app_build import cross_compiler, image_sources
    from wwep_rig.emulator import emulator_version, helper_path

    def network() -> str:
        _core.try_enclosure(str(helper_path()))
        return "a network of the board's own can be made, without root"

    yield _guarded("emulator", lambda: emulator_version(environment), "", NO_BENCH)
    if not is_built:
        yield _guarded("compiler", lambda: str(cross_compiler(environment)), "", NO_BENCH)
        yield _guarded("sources", lambda: str(image_sources(environment)), "", NO_BENCH)
    yield _guarded("network", network, "", NO_BENCH)


def _lines(bench_file: "_core.BenchFile") -> Iterator[Finding]:
    from wwep_rig import _core

    if not any(line.get("chip") for line in json.loads(bench_file.to_json())["lines"].values()):
        yield Finding("GPIO", True, "not needed: the bench file has no lines")
        return
    chips = sorted(str(chip) for chip in Path("/dev").glob("gpiochip*"))
    remedy = "" if chips else "run on a machine with GPIO lines, or use --bench sim"
    what = ", ".join(chips) or "no GPIO chip here: there is no /dev/gpiochip*"
    yield Finding("GPIO", bool(chips), what, remedy)
    for line in _core.probe_lines(bench_file):
        found = line.trouble or "free, and can be had"
        yield Finding(f"line {line.name}", not line.trouble, found, line.remedy)
    if _core.keeps_outputs():
        what = (
            "after a rig was killed in the middle of a press, this machine's driver goes on "
            "pressing until wwep-rig release, which the service of rig/pi runs"
        )
        yield Finding("outputs", True, what)


def _board(config: "BenchConfig") -> Iterator[Finding]:
    """What the rig does to a board: each part on its own, without doing it."""
    from wwep_rig.board import find_program

    target = config.target
    if target.console is not None:
        port = target.console.port
        remedy = "plug the adapter in, or look at its group: ls -l /dev/serial/by-id"
        yield _guarded("console", lambda: _serial_port(port), remedy, NO_BENCH)
    commands: list[tuple[str, tuple[str, ...]]] = [("flash", target.flash)]
    if target.reset is not None:
        commands.append(("reset", target.reset.command))
    if target.power is not None:
        commands += [("power on", target.power.on_command), ("power off", target.power.off_command)]
    for what, command in commands:
        if command:
            path = find_program(command[0], config.folder or None)
            remedy = "" if path else "install it, or give its path in the bench file"
            found = path or f"there is no program {command[0]!r}"
            yield Finding(what, path is not None, found, remedy)
    if target.reset is None and target.power is None:
        what = "neither reset nor power in [target]: scenarios find the board as it is"
        yield Finding("reset", True, what)


def _serial_port(port: str) -> str:
    """Open it, which a program that reads it does not notice unless it keeps others out."""
    descriptor = os.open(port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        if not os.isatty(descriptor):
            raise OSError(f"{port} is no serial port")
    finally:
        os.close(descriptor)
    return f"{port} can be opened"


def _own_address(address: str) -> str:
    """Bind a free port there, which only an address of this machine allows."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        try:
            probe.bind((address, 0))
        except OSError as error:
            raise OSError(f"server.address {address}: {error.strerror}") from None
    return f"{address} is this machine's"


def _firmware(find: Callable[[str], Path], program: str) -> str:
    path = find(program)
    if not os.access(path, os.X_OK):
        raise FileNotFoundError(f"{path} is not there or cannot be executed")
    return str(path)
