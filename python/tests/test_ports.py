"""Who listens where."""

import os
import socket
from pathlib import Path

import pytest

from wwep_rig import ports
from wwep_rig.errors import NoBench
from wwep_rig.sim import free_addresses, refuse_wildcard_holder


@pytest.fixture
def listener():
    """A listener of this process on one loopback address."""
    with socket.create_server(("127.0.0.1", 0)) as made:
        yield made


@pytest.fixture
def wildcard_listener():
    """A listener of this process on every address."""
    with socket.create_server(("0.0.0.0", 0)) as made:
        yield made


def test_holder_of_a_port_is_named_with_its_command(listener):
    port = listener.getsockname()[1]

    (holder,) = ports.holders(port, "127.0.0.1")

    assert holder.pid == os.getpid()
    command = Path("/proc/self/cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
    assert holder.command and holder.command in command
    assert f"127.0.0.1:{port} is held by process {os.getpid()}" in str(holder)
    assert not holder.is_wildcard


def test_port_of_another_address_is_not_held(listener):
    port = listener.getsockname()[1]

    assert ports.holders(port, "127.0.0.2") == []
    assert ports.is_free("127.0.0.2", port)
    assert not ports.is_free("127.0.0.1", port)


def test_wildcard_listener_holds_the_port_of_every_address(wildcard_listener):
    port = wildcard_listener.getsockname()[1]

    (holder,) = ports.holders(port, "127.9.8.7")

    assert holder.is_wildcard


def test_bench_that_cannot_get_its_port_names_who_has_it(wildcard_listener):
    port = wildcard_listener.getsockname()[1]

    with pytest.raises(NoBench) as caught:
        refuse_wildcard_holder(port, port)

    assert f"0.0.0.0:{port} is held by process {os.getpid()} (" in str(caught.value)
    with pytest.raises(NoBench, match="on every address"):
        next(free_addresses(port, port))


def test_free_addresses_are_loopback_addresses_and_differ(listener):
    port = listener.getsockname()[1]
    found = free_addresses(port, port)

    first, second = next(found), next(found)

    assert first.startswith("127.") and second.startswith("127.")
    assert first != second
