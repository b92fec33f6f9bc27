#!/usr/bin/python3 -I
"""Runs clang-tidy on every C and C++ file that a build tree compiles, and remembers what was clean.

A file is looked at again when it, a header that it includes, its command line, a .clang-tidy or
clang-tidy itself has changed. Exit status 1 if any file has a finding.
"""

import argparse
import concurrent.futures
import hashlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
CACHE = REPOSITORY / "build" / "tidy-cache"
FILE_LIMIT_S = 300

# Tests get these only: GoogleTest's headers double the time that each check takes.
TEST_CHECKS = [
    "-*",
    "bugprone-dangling-handle",
    "bugprone-infinite-loop",
    "bugprone-use-after-move",
    "performance-for-range-copy",
    "performance-unnecessary-copy-initialization",
    "readability-identifier-naming",
]


def included_files(build: Path) -> dict[str, list[Path]]:
    """What each object file was made from, as the compiler told ninja."""
    listing = subprocess.run(
        ["ninja", "-C", str(build), "-t", "deps"], capture_output=True, text=True, check=True
    ).stdout
    files: dict[str, list[Path]] = {}
    current: list[Path] = []
    for line in listing.splitlines():
        if line.startswith("    "):
            current.append(Path(os.path.normpath(build / line.strip())))
        elif ": #deps" in line:
            current = files.setdefault(line.split(":")[0], [])
    return files


class Fingerprints:
    """Tells whether clang-tidy would say the same of a file as last time."""

    def __init__(self) -> None:
        version = subprocess.run(["clang-tidy", "--version"], capture_output=True, check=True)
        configurations = sorted(REPOSITORY.glob("**/.clang-tidy"))
        files = [*configurations, Path(__file__)]
        self.common = version.stdout + b"".join(path.read_bytes() for path in files)
        self.known: dict[Path, bytes] = {}

    def of_file(self, path: Path) -> bytes:
        if path not in self.known:
            if path.is_relative_to(REPOSITORY):
                text = path.read_bytes()
            else:
                # The system's headers: as long as size and time stay, so do they.
                status = path.stat()
                text = f"{path} {status.st_size} {status.st_mtime_ns}".encode()
            self.known[path] = hashlib.sha256(text).digest()
        return self.known[path]

    def of_command(self, entry: dict[str, str], includes: list[Path]) -> str:
        digest = hashlib.sha256(self.common)
        digest.update(entry["command"].encode())
        for path in includes:
            digest.update(self.of_file(path))
        return digest.hexdigest()


def run_clang_tidy(build: Path, source: str) -> tuple[str, float]:
    """What clang-tidy finds in one file, "" when nothing; and the seconds it took."""
    began = time.monotonic()
    checks = [f"--checks={','.join(TEST_CHECKS)}"] if source.endswith("_test.cpp") else []
    if checks and Path(source).is_relative_to(REPOSITORY / "firmware-under-test"):
        checks = [f"{checks[0]},-readability-identifier-naming"]  # the names of the firmware's C
    try:
        done = subprocess.run(
            [
                "clang-tidy",
                "--quiet",
                "-p",
                str(build),
                "--extra-arg=-Wno-unknown-warning-option",  # the command line is g++'s
                *checks,
                source,
            ],
            capture_output=True,
            text=True,
            timeout=FILE_LIMIT_S,
        )
        found = "" if done.returncode == 0 else done.stdout
        if found and "-warnings-as-errors]" not in found:
            # clang 14 cannot read some of g++ 12's <ranges>; what compiles is g++'s to say.
            print(
                f"tidy: clang cannot compile {source}; it is judged as far as clang got", flush=True
            )
            found = "" if "[clang-diagnostic-error]" in found else found
    except subprocess.TimeoutExpired:
        found = f"{source}: clang-tidy did not end within {FILE_LIMIT_S} s\n"
    return found, time.monotonic() - began


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default="build/dev", help="build tree (default: %(default)s)")
    parser.add_argument("--times", action="store_true", help="say how long each file took")
    arguments = parser.parse_args()
    build = (REPOSITORY / arguments.build).resolve()
    CACHE.mkdir(parents=True, exist_ok=True)

    commands: list[dict[str, str]] = json.loads((build / "compile_commands.json").read_text())
    includes = included_files(build)
    fingerprints = Fingerprints()
    work: dict[str, str] = {}
    for entry in commands:
        if not Path(entry["file"]).is_relative_to(REPOSITORY):
            continue
        output = entry.get("output") or entry["command"].split(" -o ")[1].split()[0]
        if output not in includes:
            sys.exit(f"tidy: {output} has not been built; run ci/build first")
        fingerprint = fingerprints.of_command(entry, includes[output])
        if not (CACHE / fingerprint).exists():
            work[entry["file"]] = fingerprint
    print(f"tidy: {len(work)} of {len(commands)} files to look at", flush=True)

    findings = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        futures = {pool.submit(run_clang_tidy, build, source): source for source in work}
        for done, future in enumerate(concurrent.futures.as_completed(futures), start=1):
            source = futures[future]
            found, seconds = future.result()
            if found:
                findings += 1
                print(found, flush=True)
            else:
                (CACHE / work[source]).touch()
            if arguments.times or found:
                print(f"[{done}/{len(work)}] {source} {seconds:.1f} s", flush=True)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
