"""The identity that `serve` shows: this user's own, or the one that a bench file names."""

import contextlib
import hashlib
import os
import platform
import socket
from contextlib import ExitStack

from wwep_rig import _core, certs, sim
from wwep_rig.bench_config import BenchConfig
from wwep_rig.user_dirs import state_directory


def use_identity_of_bench(
    server: _core.ServerOptions, config: BenchConfig, resources: ExitStack
) -> str:
    """Lets the server show the identity of a bench; the path of the root that leads to it."""
    folder = resources.enter_context(sim.PrivateFolder(state_directory(os.environ) / "run"))
    # Its board goes on knowing it by the bench's address, also where --bind names another.
    addresses = _certified_addresses(server.addresses) | {config.server.address} - {""}
    files = sim.server_files(config, sorted(addresses), folder.path, os.environ)
    server.certificate_file, server.key_file = str(files.certificate), str(files.key)
    _trust_own_clients(server)
    return str(files.root)


def use_own_identity(server: _core.ServerOptions) -> str:
    """Lets the server show this user's own identity; the path of its root."""
    state = state_directory(os.environ)
    whole = certs.ensure(state / "certs")
    name = "server-rsa" if server.tls_profile == "legacy" else "server-ecdsa"
    own_names = {platform.node().lower()} if _is_host_name(platform.node()) else set()
    addresses = _certified_addresses(server.addresses)
    if addresses <= set(whole.addresses):
        identity = whole.identity(name)
    else:
        kind = certs.KeyType.RSA if name == "server-rsa" else certs.KeyType.ECDSA
        digest = hashlib.sha256(" ".join(sorted(addresses)).encode()).hexdigest()[:12]
        identity = certs.sign_server_identity(
            whole.directory,
            addresses=sorted(addresses),
            names=sorted(own_names),
            key_type=kind,
            out=state / "serve",
            name=f"{name}-{digest}",
        )
    server.certificate_file = str(identity.cert_path)
    server.key_file = str(identity.key_path)
    _trust_own_clients(server)
    return str(whole.root_path)


def use_certificates_for_faults(server: _core.ServerOptions) -> None:
    """Lets faults show the identities of this user's own set."""
    server.certificates = str(certs.ensure(state_directory(os.environ) / "certs").directory)


def _trust_own_clients(server: _core.ServerOptions) -> None:
    if server.client_auth != "none" and not server.client_ca_file:
        whole = certs.ensure(state_directory(os.environ) / "certs")
        server.client_ca_file = str(whole.client_ca_path)


def _is_host_name(name: str) -> bool:
    return bool(name) and all(label and label.isascii() for label in name.split("."))


def _certified_addresses(bound: list[str]) -> set[str]:
    """The addresses that clients may know the server by: a wildcard stands for the machine's."""
    addresses = set()
    for address in bound:
        if address in ("0.0.0.0", "::"):
            family = socket.AF_INET if address == "0.0.0.0" else socket.AF_UNSPEC
            with contextlib.suppress(socket.gaierror):
                found = socket.getaddrinfo(platform.node(), None, family, socket.SOCK_STREAM)
                addresses |= {str(entry[4][0]) for entry in found}
        else:
            addresses.add(address)
    return addresses
