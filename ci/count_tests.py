#!/usr/bin/python3 -I
"""Counts the tests in JUnit files: prints "PASSED FAILED SKIPPED". A file not there counts 0.

With --refuse-skips a test that was skipped for a reason that is not expected here counts as failed,
and is named on standard error: on a machine that must test everything a skip hides something.
"""

import re
import sys
import xml.etree.ElementTree
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element

# ctest writes a skipped test with the status "notrun" or "disabled", a failed one with "fail".
SKIPPED_STATUS = {"notrun", "disabled"}
EXPECTED_SKIPS = re.compile(
    "|".join(
        (
            # What asks the kernel for a module: ci/kernel-test runs it, where the kernel has it.
            r"no (\S+/gpio-sim: |gpio-sim that this user may set up$)",
            r"the kernel's netem cannot be had: ",
            # What a bench and its firmware promise is what scenarios ask of them.
            r"this (firmware|target) ",
            r"the target (does not serve|of bench \S+ is a) ",
            r"the bench file sets no ",
            r"bench \S+ (has no|is of kind|is a board|is open already)\b",
            # What a server does not offer, and what the conformance suite was not told to check.
            r"the server (does one transaction|takes one connection|keeps connections open) ",
            r"in the clear: needs TLS$",
            r"takes as long as the server's idle timeout: ",
            r"still open \S+ \S+ after the reply$",
            r".* \((--cert|--pin|--insecure or --pin)\)$",
            # Debian 12's udevadm cannot check rules.
            r"needs the verb verify of udevadm 254 ",
        )
    )
)


def is_failed(case: Element) -> bool:
    """Whether a test failed, or what it needs did."""
    return (
        case.find("failure") is not None
        or case.find("error") is not None
        or case.get("status") == "fail"
    )


def is_skipped(case: Element) -> bool:
    """Whether a test was left out."""
    return case.find("skipped") is not None or case.get("status") in SKIPPED_STATUS


def skip_reason(case: Element) -> str:
    """Why a test was skipped: pytest says it, and GoogleTest, which ctest hands on as output."""
    said = re.search(r": Skipped\n(.*)", case.findtext("system-out") or "")
    if said:
        return said[1]
    skipped = case.find("skipped")
    return "no reason" if skipped is None else skipped.get("message", "no reason")


def cases_of(junit: Path) -> Iterator[Element]:
    """The tests of a JUnit file."""
    return xml.etree.ElementTree.parse(junit).iter("testcase")


def count_tests(junit: Path) -> tuple[int, int, int]:
    """How many tests of a JUnit file passed, failed and were skipped."""
    passed = failed = skipped = 0
    for case in cases_of(junit):
        if is_failed(case):
            failed += 1
        elif is_skipped(case):
            skipped += 1
        else:
            passed += 1
    return passed, failed, skipped


def unexpected_skips(junit: Path) -> list[str]:
    """The tests of a JUnit file that were skipped and should not have been, with their reasons."""
    skipped = (case for case in cases_of(junit) if not is_failed(case) and is_skipped(case))
    return [
        f"{case.get('name')}: {skip_reason(case)}"
        for case in skipped
        if not EXPECTED_SKIPS.match(skip_reason(case))
    ]


def main() -> None:
    refuses_skips = sys.argv[1:2] == ["--refuse-skips"]
    junits = [Path(name) for name in sys.argv[1 + refuses_skips :] if Path(name).exists()]
    passed, failed, skipped = (sum(column) for column in zip((0, 0, 0), *map(count_tests, junits)))
    refused = [each for junit in junits for each in unexpected_skips(junit) if refuses_skips]
    for each in refused:
        print(f"count_tests: skipped, which is not allowed here: {each}", file=sys.stderr)
    print(passed, failed + len(refused), skipped - len(refused))


if __name__ == "__main__":
    main()
