#!/usr/bin/python3 -I
"""Prints a Markdown table of what Google Benchmark wrote to the given JSON files."""

import json
import platform
import sys
from pathlib import Path
from typing import Any

# Largest first: a time is shown in the first unit that makes it at least one.
UNITS_NS = {"s": 1e9, "ms": 1e6, "µs": 1e3, "ns": 1.0}
BENCHMARK_UNITS_NS = {"s": 1e9, "ms": 1e6, "us": 1e3, "ns": 1.0}
# What Google Benchmark writes of each run; every other number is a counter of the benchmark's own.
KNOWN = {
    "family_index",
    "per_family_instance_index",
    "repetitions",
    "repetition_index",
    "threads",
    "iterations",
    "real_time",
    "cpu_time",
    "items_per_second",
    "bytes_per_second",
}


def text_of_ns(duration_ns: float) -> str:
    """A duration with three digits and the unit that suits it."""
    for unit, unit_ns in UNITS_NS.items():
        if duration_ns >= unit_ns:
            return f"{duration_ns / unit_ns:.3g} {unit}"
    return f"{duration_ns:.3g} ns"


def text_of_count(count: float) -> str:
    """A number with three digits and k, M or G where it is large."""
    for prefix, factor in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if count >= factor:
            return f"{count / factor:.3g} {prefix}"
    return f"{count:.3g} "


def row(run: dict[str, Any]) -> str:
    """One line of the table."""
    unit_ns = BENCHMARK_UNITS_NS[run["time_unit"]]
    facts = []
    if "items_per_second" in run:
        facts.append(f"{text_of_count(run['items_per_second'])}items/s")
    if "bytes_per_second" in run:
        facts.append(f"{text_of_count(run['bytes_per_second'])}B/s")
    facts += [
        f"{name} {text_of_count(value).strip()}"
        for name, value in run.items()
        if name not in KNOWN and isinstance(value, int | float) and not isinstance(value, bool)
    ]
    real, cpu = (text_of_ns(run[key] * unit_ns) for key in ("real_time", "cpu_time"))
    return f"| `{run['name']}` | {real} | {cpu} | {', '.join(facts)} |"


def main() -> None:
    reports = [json.loads(Path(name).read_text()) for name in sys.argv[1:]]
    cores = reports[0]["context"]["num_cpus"] if reports else 0
    print(f"{platform.machine()}, {cores} cores\n")
    print("| benchmark | time | CPU | throughput |")
    print("|---|---:|---:|---|")
    for report in reports:
        for run in report["benchmarks"]:
            print(row(run))


if __name__ == "__main__":
    main()
