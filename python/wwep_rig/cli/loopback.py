"""`wwep-rig doctor --loopback`: what the rig itself adds to each latency."""

import os
from dataclasses import asdict

import click

from wwep_rig.bench_config import BenchConfig, Kind
from wwep_rig.bench_file import read_bench_file
from wwep_rig.calibration import Calibration, Spread, digest_of, save
from wwep_rig.errors import NoBench
from wwep_rig.find_bench import load_bench_file
from wwep_rig.loopback import SAMPLES_DEFAULT, measure
from wwep_rig.opening import open_bench

from .common import GOOD, print_json, progress

# The firmware that carries levels from buttons to LEDs.
STAND_IN = "jumper"


def calibrate(bench_name: str, wanted: str, as_json: bool) -> int:
    """Measure, keep and show it.

    Args:
        bench_name: the bench.
        wanted: `button0:led0`; empty: the pair that the bench file names.
        as_json: whether to print JSON.
    """
    bench_file = load_bench_file(bench_name, os.environ)
    config = read_bench_file(bench_file)
    loopback = wanted or config.loopback
    button, colon, led = loopback.partition(":")
    if not loopback:
        raise NoBench(
            f"bench {config.name} names no loopback",
            'say --loopback BUTTON:LED, or set loopback = "BUTTON:LED" under [bench]',
        )
    if not (button and colon and led):
        raise click.UsageError(f"--loopback {loopback}: expected BUTTON:LED, as in button0:led0")
    stand_in = STAND_IN if _needs_stand_in(config, loopback) else None
    with progress("opening the bench"):
        bench = open_bench(bench_name, program=stand_in, judges_latencies=False)
    with bench:
        if stand_in:
            bench.target.start()
        with progress(f"driving {button} and watching {led}") as tell:
            found = measure(
                bench,
                button,
                led,
                over=f"firmware {stand_in}" if stand_in else "a wire",
                lines=digest_of(bench_file),
                samples=SAMPLES_DEFAULT,
                tell=tell,
            )
    path = save(found, os.environ)
    if as_json:
        print_json({**asdict(found), "floors_ms": found.floors_ms, "path": str(path)})
    else:
        _print(found)
        click.echo(f"kept in {path}: the next recordings of bench {found.bench} carry it")
    return GOOD


def _needs_stand_in(config: BenchConfig, loopback: str) -> bool:
    """Whether there is no wire but what a process makes."""
    is_wired = config.kind is Kind.KERNEL and loopback == config.loopback
    return config.kind in (Kind.SIM, Kind.KERNEL) and not is_wired


def _print(found: Calibration) -> None:
    click.echo(f"{found.loopback} over {found.over}: {found.samples} edges, {found.missed} missed")
    click.echo(
        f"{'milliseconds':<26}" + "".join(f"{n:>10}" for n in ("p50", "p99", "max", "jitter"))
    )
    for name, spread in (
        ("setting the line", found.set_call),
        ("set call → kernel edge", found.set_to_edge),
        ("edge → rig", found.edge_to_read),
        ("edge → Python", found.edge_to_python),
    ):
        click.echo(f"{name:<26}" + "".join(f"{number:>10.3f}" for number in _numbers(spread)))


def _numbers(spread: Spread) -> tuple[float, float, float, float]:
    return spread.p50_ms, spread.p99_ms, spread.max_ms, spread.jitter_ms
