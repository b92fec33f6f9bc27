#!/usr/bin/python3 -I
"""Checks what git holds: no key, no certificate, no binary, nothing that only one machine has.

A finding names the file. Exit status 1 if there is any.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
FILE_BYTES_MAX = 512 * 1024

SECRET_SUFFIXES = {".pem", ".key", ".crt", ".cer", ".der", ".p12", ".pfx", ".jks"}
# The opening line alone is no secret: code that reads such files names it.
PEM = re.compile(rb"-----BEGIN [A-Z0-9 ]+-----\s*\\?n?[\s\"']*[A-Za-z0-9+/=]{40,}")
DER_ARRAY = re.compile(rb"0x30\s*,\s*0x82\s*,\s*0x[0-9a-fA-F]{2}\s*,", re.I)
# The names that examples use stand for nobody.
HOMES = re.compile(rb"(?<![\w.~$}-])/(?:(home|Users)/(?!(me|you|user|pi)\b)\w+|(root)/)")
# Folders that many machines have: a checkout that lies right below one tells nothing.
COMMON_FOLDERS = {"/", "/home", "/tmp", "/srv", "/opt", "/usr", "/usr/src", "/var", "/var/tmp"}


def git(root: Path, *arguments: str) -> str:
    return subprocess.run(
        ["git", "-C", str(root), *arguments], capture_output=True, text=True, check=True
    ).stdout


def tracked_files(root: Path) -> list[tuple[str, str]]:
    """Mode and path of every file that git holds or would add."""
    staged = [entry for entry in git(root, "ls-files", "--stage", "-z").split("\0") if entry]
    files = [(entry.split(" ", 1)[0], entry.split("\t", 1)[1]) for entry in staged]
    others = git(root, "ls-files", "--others", "--exclude-standard", "-z").split("\0")
    for path in filter(None, others):
        mode = "120000" if (root / path).is_symlink() else "100644"
        if mode == "100644" and os.access(root / path, os.X_OK):
            mode = "100755"
        files.append((mode, path))
    return files


def machine_paths(root: Path) -> re.Pattern[bytes]:
    """Matches the place of this checkout, and the folder around it unless many machines have it."""
    places = {str(root)}
    if str(root.parent) not in COMMON_FOLDERS:
        places.add(str(root.parent))
    words = "|".join(re.escape(place) for place in sorted(places, key=len, reverse=True))
    return re.compile(rf"(?<![\w.~$}}-])({words})(?![\w-])".encode())


def findings_in_link(root: Path, path: str) -> Iterator[str]:
    target = Path(os.path.normpath((root / path).parent / os.readlink(root / path)))
    if not target.is_relative_to(root):
        yield f"{path}: the symbolic link leads out of the repository"


def findings_in_file(
    path: str, mode: str, content: bytes, place: re.Pattern[bytes]
) -> Iterator[str]:
    if Path(path).suffix in SECRET_SUFFIXES:
        yield f"{path}: a key or a certificate by its name; certs/ makes them at run time"
    if len(content) > FILE_BYTES_MAX:
        yield f"{path}: {len(content)} bytes, more than {FILE_BYTES_MAX}"
    if b"\0" in content:
        yield f"{path}: a binary"
        return
    if PEM.search(content):
        yield f"{path}: holds a key or a certificate in PEM"
    if DER_ARRAY.search(content):
        yield f"{path}: holds what looks like a certificate in DER"
    for pattern in (HOMES, place):
        if found := pattern.search(content):
            line = content.count(b"\n", 0, found.start()) + 1
            yield f"{path}:{line}: {found.group().decode()} exists on one machine only"
    if content.startswith(b"#!") and mode != "100755":
        yield f"{path}: starts with #! and is not executable"


def check(root: Path) -> list[str]:
    """Everything that must not be in the repository at `root`."""
    root = root.resolve()
    place = machine_paths(root)
    findings: list[str] = []
    for mode, path in tracked_files(root):
        if mode == "120000":
            findings += findings_in_link(root, path)
        elif (root / path).is_file():
            content = (root / path).read_bytes()
            findings += findings_in_file(path, mode, content, place)
    return findings


def main() -> int:
    findings = check(REPOSITORY)
    for finding in findings:
        print(finding)
    print(f"check_repository: {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
