"""What a bench needs before it can open: an address, an identity, a program, its environment."""

import random
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from . import _core, certs, ports
from .bench_config import BenchConfig, Kind, Role
from .closing import Closing, HeldFile, is_held
from .errors import NoBench, RigError
from .user_dirs import state_directory

ADDRESSES_TRIED_MAX = 64
FALLBACK_ADDRESS = "198.51.100.3"
FIRMWARE_DEFAULT = "dual_client"
# In the folder of a run, while the names of its server are answered wrongly.
NAME_TROUBLE = "name-trouble"

_KEY_TYPES = {"server-ecdsa": certs.KeyType.ECDSA, "server-rsa": certs.KeyType.RSA}


class PrivateFolder(Closing):
    """A folder for one run's keys, mode 0700. `close()` removes it; twice is fine.

    Folders that killed runs left behind go when the next one is made: a lock inside tells.
    """

    def __init__(self, parent: Path) -> None:
        """Make it below `parent`, which is made too. Raises RigError."""
        try:
            parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with HeldFile(parent / ".lock"):
                _sweep(parent)
                self.path = Path(tempfile.mkdtemp(prefix="run-", dir=parent))
                self._alive: HeldFile | None = HeldFile(self.path / ".alive", 0o600)
        except OSError as error:
            raise RigError(f"make a private folder in {parent}: {error.strerror}") from None

    def close(self) -> None:
        """Remove it with everything in it."""
        if self._alive is not None:
            shutil.rmtree(self.path, ignore_errors=True)
            self._alive.close()
            self._alive = None


def _sweep(parent: Path) -> None:
    for folder in parent.glob("run-*"):
        try:
            if is_held(folder / ".alive"):
                continue
        except OSError:
            pass  # whoever made it was killed before it was there
        shutil.rmtree(folder, ignore_errors=True)


def _candidates() -> Iterator[str]:
    # Benches that start at once would all begin with the same address; 127.0.0.x is left alone.
    chance = random.SystemRandom()
    for _ in range(ADDRESSES_TRIED_MAX):
        yield f"127.{chance.randint(1, 254)}.{chance.randint(0, 255)}.{chance.randint(1, 254)}"


def refuse_wildcard_holder(plain_port: int, tls_port: int) -> None:
    """Raise NoBench, naming process and command, when somebody has a port of every address."""
    for port in (plain_port, tls_port):
        for holder in ports.holders(port):
            if holder.is_wildcard:
                raise NoBench(
                    f"port {port} is taken on every address: {holder}. A simulated bench needs "
                    "it on a loopback address of its own: end that process, or bind it to one "
                    "address (wwep-rig serve --bind 127.0.0.1)."
                )


def free_addresses(plain_port: int, tls_port: int) -> Iterator[str]:
    """Loopback addresses on which both ports are free right now. Raises NoBench at the end."""
    refused = ""
    for address in _candidates():
        taken = [port for port in (plain_port, tls_port) if not ports.is_free(address, port)]
        if not taken:
            yield address
            continue
        refuse_wildcard_holder(plain_port, tls_port)
        refused = f"; the last one, {address}, because port {taken[0]} is taken"
    raise NoBench(
        f"no loopback address has ports {plain_port} and {tls_port} free: tried "
        f"{ADDRESSES_TRIED_MAX}{refused}"
    )


@dataclass(frozen=True)
class ServerFiles:
    """The server's identity on disk, the root that leads to it, and the whole set."""

    certificate: Path
    key: Path
    root: Path
    certificates: Path


def server_files(
    config: BenchConfig, addresses: Iterable[str], folder: Path, environment: Mapping[str, str]
) -> ServerFiles:
    """The identity that a bench file asks for; a good one is made out to the bench's addresses.

    Raises:
        NoBench: there is no identity of that name, or its files cannot be made.
    """
    state = state_directory(environment) / "certs"
    name = config.server.identity
    try:
        whole = certs.ensure(state)
        if name in _KEY_TYPES:
            # Named here and not in ensure(): another name must not replace the user's CA.
            identity = certs.sign_server_identity(
                state,
                addresses=addresses,
                names=config.server.names,
                key_type=_KEY_TYPES[name],
                out=folder,
            )
        else:
            identity = whole.identity(name)
    except certs.CertificateError as error:
        raise NoBench(f"bench {config.name}: server.identity {name!r}: {error}") from None
    # What the board trusts stays the bench's own CA, also when the server shows a bad identity.
    trusts_itself = identity.root_path.stem == "lab-self-signed"
    root = identity.root_path if trusts_itself else whole.root_path
    return ServerFiles(identity.cert_path, identity.key_path, root, whole.directory)


def client_identity(name: str, bench: str, environment: Mapping[str, str]) -> certs.Identity:
    """The identity that the rig shows a server. Raises NoBench when there is none of that name."""
    try:
        return certs.ensure(state_directory(environment) / "certs").identity(name)
    except certs.CertificateError as error:
        where = f"target.serves.client_identity {name!r}"
        raise NoBench(f"bench {bench}: {where}: {error}") from None


def firmware_path(program: str) -> Path:
    """The program of a simulated board. Raises NoBench when the rig has none of that name."""
    if "/" in program:
        return Path(program)
    folder = Path(_core.__file__).parent / "firmware"
    path = folder / (program or FIRMWARE_DEFAULT)
    if path.exists():
        return path
    known = ", ".join(sorted(each.name for each in folder.glob("*"))) or "none is built"
    raise NoBench(
        f"no firmware {path.name!r} in {folder} ({known})",
        "build the project (ci/build), or give target.program a path",
    )


def target_options(
    config: BenchConfig, address: str, files: ServerFiles, board_log: Path, folder: Path
) -> _core.TargetOptions | None:
    """How to start the process that is the board; None for a bench whose board is no process."""
    if config.kind not in (Kind.SIM, Kind.KERNEL):
        return None
    target = config.target
    options = _core.TargetOptions()
    options.program = str(firmware_path(target.program))
    options.arguments = list(target.arguments)
    names = dict.fromkeys((*config.server.names, FALLBACK_ADDRESS))
    variables = {
        "WWEP_MAC": target.mac,
        "WWEP_ROUTES": ",".join(f"{name}={address}" for name in names),
        "WWEP_BOARD_LOG": str(board_log),
        "WWEP_NAME_TROUBLE": str(folder / NAME_TROUBLE),
    }
    if target.role is Role.SERVER:
        variables["WWEP_BIND_ADDRESS"] = address
        variables["WWEP_DCT_CERTIFICATE"] = str(files.certificate)
        variables["WWEP_DCT_PRIVATE_KEY"] = str(files.key)
    elif target.root_certificate == "ca":
        variables["WWEP_DCT_CERTIFICATE"] = str(files.root)
    elif target.root_certificate != "none":
        variables["WWEP_DCT_CERTIFICATE"] = target.root_certificate
    options.environment = {**variables, **target.environment}
    options.ready_text = target.ready
    return options


def is_free(address: str, plain_port: int, tls_port: int) -> bool:
    """Whether both ports could be listened on now."""
    return ports.is_free(address, plain_port) and ports.is_free(address, tls_port)
