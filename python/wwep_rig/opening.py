"""Opens a bench: finds its file, takes its lock, prepares what it needs, starts the C++ side."""

import hashlib
import json
import os
import platform
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from . import _core, calibration, capture, emulator, ports, recordings, sim
from .app_build import POSIX, App, build_app, build_command, tell_on_stderr
from .bench import Bench
from .bench_config import BenchConfig, Kind, Role, Speed
from .bench_file import read_bench_file
from .errors import NoBench
from .find_bench import BUILT_IN, find_bench_file, load_bench_file
from .locks import BenchLock, default_lock_directory
from .user_dirs import state_directory


def open_bench(
    bench: str | Path = BUILT_IN,
    *,
    recording: Path | None = None,
    captures: bool = False,
    key_log: Path | None = None,
    goes_on: bool = False,
    facts: Mapping[str, Any] | None = None,
    identity: str | None = None,
    root_certificate: str | None = None,
    program: str | None = None,
    app: App | None = None,
    speed: Speed | None = None,
    tell: Callable[[str], None] = tell_on_stderr,
    command: str = "",
    takes_lock: bool = True,
    judges_latencies: bool = True,
    wait_s: float = 0.0,
    environment: Mapping[str, str] | None = None,
) -> Bench:
    """Open a bench. Its target is not started yet.

    Args:
        bench: a bench file, or its name: looked for in `./benches`, the user's configuration
            directory and `/etc/wwep-rig`; `sim` and `emulator` are built in.
        recording: the file to record to; None: nothing is recorded.
        captures: whether the packets are kept too, beside the recording.
        key_log: the file for the TLS keys, with which packets can be decrypted; beside a recording
            `capture.key_log_path` is where an export looks; None: they are not kept.
        goes_on: whether it is an earlier run's recording, to go on with.
        facts: what else the recording is to say about this run, for `runs.facts`.
        identity: the server's identity instead of the one that the bench file names.
        root_certificate: what the target trusts instead: `ca`, `none` or a path.
        program: the target's program instead.
        app: the target's program is to be built of this application instead.
        speed: of an emulated board instead.
        tell: is given each line that such a build says; a bench file can ask for one too.
        command: what others are told that runs here; empty: this process's command line.
        takes_lock: whether to keep others from it; the built-in bench is private anyway.
        judges_latencies: whether budgets below the rig's own floor are refused.
        wait_s: how long to wait while somebody else has the bench.
        environment: the environment; None: this process's.

    Raises:
        NoBench: there is none of that name, it is wrongly described, or somebody has it.
        TargetFailed: the target's application does not build.
        RigError: the rig cannot open it.
    """
    variables = os.environ if environment is None else environment
    bench_file = load_bench_file(bench, variables)
    config = read_bench_file(bench_file)
    config = _changed(config, identity, root_certificate, program, speed)
    config = _built(config, app, program is None, variables, tell)
    floor = calibration.load(bench_file, variables)
    if judges_latencies:
        budgets = calibration.latency_budgets(config.budgets)
        calibration.refuse_budgets_below(floor, budgets, f"bench {config.name}: budgets.")
    what = command or " ".join(sys.argv)
    resources = ExitStack()
    try:
        if takes_lock and find_bench_file(bench, variables) is not None:
            resources.enter_context(
                BenchLock(
                    config.name, what, directory=default_lock_directory(variables), wait_s=wait_s
                )
            )
        folder = resources.enter_context(sim.PrivateFolder(state_directory(variables) / "run"))
        board_log = recordings.board_log_path(recording) if recording else folder.path / "board.log"
        options = _core.BenchOptions()
        options.bench_file = bench_file
        options.recording_path = str(recording) if recording else ""
        options.server.key_log_file = str(key_log or "")
        options.run.command = what
        options.run.host = platform.node()
        options.run.bench = config.name
        options.run.firmware = firmware_text(config)
        options.go_on_with_recording = goes_on
        options.run.facts_json = json.dumps(
            {
                "bench": bench_facts(bench_file, config),
                "boot_id": boot_id(),
                **(facts or {}),
                **_floor_facts(floor),
            }
        )
        packets = resources.enter_context(capture.Capture())  # ends after the last connection
        core, config = _open_core(options, config, folder.path, board_log, variables)
        resources.callback(core.close)
        opened = Bench(
            core,
            config,
            resources,
            recording,
            options.run.firmware,
            floor,
            certificates=state_directory(variables) / "certs",
            name_trouble=folder.path / sim.NAME_TROUBLE if options.target else None,
        )
        if recording and captures:
            endpoints = [each for some in opened.endpoints.values() for each in some]
            packets.start(endpoints, capture.capture_path(recording))
        return opened
    except BaseException:
        resources.close()
        raise


def bench_facts(bench_file: _core.BenchFile, config: BenchConfig) -> dict[str, Any]:
    """What a recording says about its bench: what its rows mean, but no command and no password."""
    whole = json.loads(bench_file.to_json())
    return {
        "kind": config.kind.value,
        "device": whole["target"]["device"],
        "role": whole["target"]["role"],
        "contract": whole["target"]["contract"],
        "lines": whole["lines"],
        "budgets": whole["budgets"],
        "server": {**whole["server"], "identity": config.server.identity},
        "press_timeout_s": config.press_timeout_s,
    }


def boot_id() -> str:
    """Which start of this machine it is: the times of two of them cannot be compared."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def _floor_facts(floor: calibration.Calibration | None) -> dict[str, Any]:
    return {"calibration": asdict(floor)} if floor else {}


def firmware_text(config: BenchConfig) -> str:
    """What runs on the target: name and digest of the program; empty when the rig cannot know."""
    if config.kind is Kind.BOARD:
        return ""
    path = sim.firmware_path(config.target.program)
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return path.name
    return f"{path.name} sha256:{digest[:16]}"


def _changed(
    config: BenchConfig,
    identity: str | None,
    root_certificate: str | None,
    program: str | None,
    speed: Speed | None,
) -> BenchConfig:
    target, server = config.target, config.server
    if root_certificate is not None:
        target = replace(target, root_certificate=root_certificate)
    if speed is not None:
        target = replace(target, speed=speed)
    if program is not None:
        target = replace(target, program=program)
    if identity is not None:
        server = replace(server, identity=identity)
    return replace(config, target=target, server=server)


def _built(
    config: BenchConfig,
    app: App | None,
    builds_own: bool,
    environment: Mapping[str, str],
    tell: Callable[[str], None],
) -> BenchConfig:
    """Have the target run what is built of an application, if it is to run one."""
    is_board = config.kind is Kind.BOARD
    if app is not None and is_board:
        raise NoBench(
            f"bench {config.name} is of kind {config.kind.value}: the rig builds applications for "
            "the kinds sim, kernel and emulator only"
        )
    wanted = app or (config.target.app if builds_own and not is_board else None)
    ours = config.target.program
    if wanted is None and config.kind is Kind.EMULATOR and "/" not in ours:
        folder = emulator.app_folder(ours, build_command())
        wanted = App(folder, ready=config.target.ready)
    if wanted is None:
        return config
    if config.kind is Kind.EMULATOR:
        emulator.emulator_path(environment)  # before a build that would be for nothing
    port = emulator.PORT if config.kind is Kind.EMULATOR else POSIX
    program = build_app(wanted, environment, tell, port)
    target = replace(config.target, app=wanted, program=str(program), ready=wanted.ready)
    return replace(config, target=target)


def _open_core(
    options: _core.BenchOptions,
    config: BenchConfig,
    folder: Path,
    board_log: Path,
    environment: Mapping[str, str],
) -> tuple[_core.Bench, BenchConfig]:
    """Open the C++ bench, on a loopback address of its own if the file names none."""
    wanted = config.server
    if config.target.role is Role.CLIENT:
        options.server.plain_port = wanted.plain_port
        options.server.tls_port = wanted.tls_port
    else:
        options.server.plain_port = options.server.tls_port = None  # the target has the ports
    options.server.tls_profile = wanted.tls_profile
    addresses = (
        iter((wanted.address,))
        if wanted.address
        else sim.free_addresses(wanted.plain_port, wanted.tls_port)
    )
    for address in addresses:
        is_emulated = config.kind is Kind.EMULATOR
        also = [emulator.SERVER_ADDRESS] if is_emulated else []
        files = sim.server_files(config, [address, *also], folder, environment)
        options.server.addresses = [address]
        options.server.certificate_file = str(files.certificate)
        options.server.key_file = str(files.key)
        options.server.certificates = str(files.certificates)
        if is_emulated:
            options.emulator = emulator.target_options(config, address, files, folder, environment)
        else:
            options.target = sim.target_options(config, address, files, board_log, folder)
        try:
            return _core.Bench(options), _with_server_on_target(
                config, address, files.root, environment
            )
        except NoBench as error:
            held = ports.held([address], (wanted.plain_port, wanted.tls_port))
            if wanted.address and held:
                raise NoBench(f"{error} ({held})") from None
            # Somebody else may have taken the address since it was found free.
            if wanted.address or sim.is_free(address, wanted.plain_port, wanted.tls_port):
                raise
    raise NoBench(f"bench {config.name}: no address to listen on")


def _with_server_on_target(
    config: BenchConfig, address: str, root: Path, environment: Mapping[str, str]
) -> BenchConfig:
    """What the bench has found out for a target that is a server."""
    target, serves = config.target, config.target.serves
    if serves is None:
        return config
    if config.kind is not Kind.BOARD:
        serves = replace(serves, address=address)
    if serves.client_identity:
        shown = sim.client_identity(serves.client_identity, config.name, environment)
        serves = replace(
            serves, client_certificate=str(shown.cert_path), client_key=str(shown.key_path)
        )
    target = replace(target, serves=serves)
    if target.root_certificate == "ca":
        target = replace(target, root_certificate=str(root))
    return replace(config, target=target)


def new_recording_place(
    bench: str, directory: Path | None, keep: int, environment: Mapping[str, str]
) -> recordings.RecordingPlace:
    """A place for this run's recording, old ones beside it tidied away.

    Args:
        bench: the bench's name.
        directory: where; None: the user's state directory.
        keep: how many stay, this one included; 0: all.
        environment: the environment.
    """
    where = directory or state_directory(environment) / "recordings"
    place = recordings.RecordingPlace(where, bench, datetime.now())
    recordings.prune(where, max(keep - 1, 1) if keep else 0)
    return place
