#!/usr/bin/python3 -I
"""Counts the tests in JUnit files: prints "PASSED FAILED SKIPPED". A file not there counts 0."""

import sys
import xml.etree.ElementTree
from pathlib import Path

# ctest writes a skipped test with the status "notrun" or "disabled", and a failed one with "fail".
SKIPPED_STATUS = {"notrun", "disabled"}


def count_tests(junit: Path) -> tuple[int, int, int]:
    """How many tests of a JUnit file passed, failed and were skipped."""
    passed = failed = skipped = 0
    for case in xml.etree.ElementTree.parse(junit).iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            failed += 1
        elif case.get("status") == "fail":
            failed += 1
        elif case.find("skipped") is not None or case.get("status") in SKIPPED_STATUS:
            skipped += 1
        else:
            passed += 1
    return passed, failed, skipped


def main() -> None:
    counts = [count_tests(Path(name)) for name in sys.argv[1:] if Path(name).exists()]
    print(*(sum(column) for column in zip((0, 0, 0), *counts)))


if __name__ == "__main__":
    main()
