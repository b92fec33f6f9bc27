"""Which bench a test needs, and whether it can have it: the markers, and what is one bench only."""

import os

import pytest

from . import netem
from .bench_config import BenchConfig, Kind, Role
from .bench_file import read_bench_file
from .errors import NoBench
from .find_bench import BUILT_IN, load_bench_file
from .pytest_settings import FIXTURES, read_settings

# What only some kinds of bench can do, and where it can be had.
_REMEDIES = {
    "network": "; the board's own network is there with --rig-bench emulator",
    "console-input": "; a console to type on is there with --rig-bench emulator",
    "speed": "; a processor at an MCU's speed is there with --rig-bench emulator",
}

# What this machine's kernel has, whatever the bench.
_NETEM = "netem"


def uses_bench(item: pytest.Item) -> bool:
    """Whether a test needs a bench at all."""
    return not FIXTURES.isdisjoint(getattr(item, "fixturenames", ()))


def has_many_benches(config: pytest.Config) -> bool:
    """Whether the bench of this session can be opened more than once at a time."""
    name = read_settings(config, os.environ).bench or BUILT_IN
    try:
        return is_private(read_bench_file(load_bench_file(name, os.environ)))
    except NoBench:
        return True  # whoever asks for it will be told


def is_private(config: BenchConfig) -> bool:
    """Whether each process that opens it has one of its own."""
    return config.kind in (Kind.SIM, Kind.EMULATOR) and not config.server.address


def skip_unless_it_fits(item: pytest.Item, config: BenchConfig) -> None:
    """Skip a test whose markers ask for another bench."""
    _skip_unless_in_role(item, config)
    _skip_unless_able(item, config)
    _skip_unless_of_kind(item, config)


def _skip_unless_in_role(item: pytest.Item, config: BenchConfig) -> None:
    marker = item.get_closest_marker("rig_role")
    wanted = str(marker.args[0]) if marker else Role.CLIENT.value
    is_role = config.target.role.value
    if is_role != wanted:
        pytest.skip(f"the target of bench {config.name} is a {is_role}, and this is for a {wanted}")


def _skip_unless_able(item: pytest.Item, config: BenchConfig) -> None:
    for marker in item.iter_markers("rig_needs"):
        if _NETEM in marker.args and (lack := netem.lack()) is not None:
            pytest.skip(str(lack))
        leds = [line.name for line in config.lines.values() if not line.is_driven]
        lacks = sorted(set(marker.args) - {*config.buttons, *leds, *config.abilities, _NETEM})
        if lacks:
            remedy = _REMEDIES.get(lacks[0], "")
            pytest.skip(f"bench {config.name} has no {', '.join(lacks)}{remedy}")


def _skip_unless_of_kind(item: pytest.Item, config: BenchConfig) -> None:
    for marker in item.iter_markers("rig_kinds"):
        if config.kind.value not in marker.args:
            kind, wanted = config.kind.value, ", ".join(marker.args)
            pytest.skip(f"bench {config.name} is of kind {kind}, and this is for {wanted}")
