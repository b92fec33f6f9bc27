"""What an emulated board needs before it can start: QEMU, an image, certificates in its flash."""

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from . import _core
from .bench_config import BenchConfig, Role, Speed
from .errors import NoBench
from .sim import ServerFiles

PORT = "lm3s6965"
SERVER_ADDRESS = "198.51.100.3"
EMULATOR = "qemu-system-arm"

# The board's DCT, the flash's last 8 KiB: firmware-under-test/ports/lm3s6965/README.md.
_DCT_AT = 0x3E000
_DCT_MAGIC = b"WWEPDCT1"
_KEY_BYTES, _CERTIFICATE_BYTES, _UNUSED_BYTES = 2048, 4096, 16


def helper_path() -> Path:
    """The rig's helper that makes a board's network."""
    return Path(_core.__file__).parent / "bin" / "wwep-enclosure"


def emulator_path(environment: Mapping[str, str]) -> str:
    """QEMU. Raises NoBench when it is not installed."""
    path = shutil.which(EMULATOR, path=environment.get("PATH"))
    if path is None:
        raise NoBench(
            f"an emulated board takes {EMULATOR}, which is not there",
            f"install Debian's {EMULATOR} (ci/setup --emulator)",
        )
    return path


def emulator_version(environment: Mapping[str, str]) -> str:
    """What QEMU calls itself. Raises NoBench when it is not installed or does not run."""
    path = emulator_path(environment)
    done = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
    if done.returncode != 0 or not done.stdout:
        raise NoBench(f"{path} does not run: {done.stderr.strip()}")
    return f"{path}, {done.stdout.splitlines()[0]}"


def app_folder(program: str, build_app: Path) -> Path:
    """The sources of one of our own applications, beside build-app. Raises NoBench."""
    folder = build_app.parent / "apps" / program
    if folder.is_dir():
        return folder
    raise NoBench(
        f"no application {program!r} in {folder.parent}",
        "give target.program the path of an image, or target.app a folder; ours are built from a "
        "checkout of wwep-rig",
    )


def target_options(
    config: BenchConfig,
    address: str,
    files: ServerFiles,
    folder: Path,
    environment: Mapping[str, str],
) -> _core.EmulatorOptions:
    """How to start the emulated board, its image being built.

    Args:
        config: the bench; its target's program is the image.
        address: where a board that is a server is to be reached.
        files: the server's identity, and the root that leads to it.
        folder: private to the run; the board's certificates are put there.
        environment: says where QEMU is.
    """
    target = config.target
    options = _core.EmulatorOptions()
    options.helper = str(helper_path())
    options.emulator = emulator_path(environment)
    options.folder = str(folder)
    options.image = target.program
    options.mac = target.mac
    options.ready_text = target.ready
    options.at_mcu_speed = target.speed is Speed.MCU
    options.names = list(config.server.names)
    key = certificate = b""
    if target.role is Role.SERVER:
        key, certificate = files.key.read_bytes(), files.certificate.read_bytes()
        serves = target.serves
        ports = (serves.plain_port, serves.tls_port) if serves else ()
        options.forwarded = [(address, port, port) for port in ports if port]
    elif target.root_certificate == "ca":
        certificate = files.root.read_bytes()
    elif target.root_certificate != "none":
        certificate = _read(Path(target.root_certificate))
    if certificate:
        dct = folder / "dct.bin"
        dct.write_bytes(dct_blob(key, certificate))
        options.loaded = [(str(dct), _DCT_AT)]
    return options


def dct_blob(key: bytes, certificate: bytes) -> bytes:
    """What the board's flash holds of keys and certificates: PEM texts, each ended by a NUL."""
    parts = [_DCT_MAGIC]
    for what, text, size in (
        ("key", key, _KEY_BYTES),
        ("certificate", certificate, _CERTIFICATE_BYTES),
    ):
        if len(text) >= size:
            raise NoBench(
                f"the emulated board has room for a {what} of {size - 1} bytes, and this one has "
                f"{len(text)}",
                "take a shorter chain or an ECDSA key",
            )
        parts.append(text.ljust(size, b"\0"))
    return b"".join(parts) + bytes(_UNUSED_BYTES)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise NoBench(f"target.root_certificate {path}: {error.strerror}") from None
