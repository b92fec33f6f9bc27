"""The counter reads what ctest and pytest write."""

from pathlib import Path

import pytest
from count_tests import count_tests, main, unexpected_skips

CTEST = """<testsuite name="x" tests="4" failures="1" disabled="1" skipped="1">
<testcase name="a" status="run"/>
<testcase name="b" status="fail"><failure message="Failed"/></testcase>
<testcase name="c" status="notrun"><skipped message="SKIP"/></testcase>
<testcase name="d" status="disabled"/>
</testsuite>"""

SKIPPED_BY_GTEST = """<testsuite name="x"><testcase name="Chip.a" status="notrun">
<skipped message="SKIP_REGULAR_EXPRESSION_MATCHED"/><system-out>[ RUN      ] Chip.a
/x/chip_test.cpp:9: Skipped
REASON

[  SKIPPED ] Chip.a (0 ms)</system-out></testcase></testsuite>"""

PYTEST = """<testsuites><testsuite name="pytest" tests="4" errors="1" failures="1" skipped="1">
<testcase name="a"/>
<testcase name="b"><failure message="no"/></testcase>
<testcase name="c"><error message="no"/></testcase>
<testcase name="d"><skipped message="no bench"/></testcase>
</testsuite></testsuites>"""


def test_ctest_file_is_counted(tmp_path: Path) -> None:
    junit = tmp_path / "ctest.xml"
    junit.write_text(CTEST)

    assert count_tests(junit) == (1, 1, 2)


def test_pytest_errors_count_as_failures(tmp_path: Path) -> None:
    junit = tmp_path / "pytest.xml"
    junit.write_text(PYTEST)

    assert count_tests(junit) == (1, 2, 1)


@pytest.mark.parametrize(
    "reason",
    [
        "no /sys/kernel/config/gpio-sim: load gpio-sim and mount configfs, as root",
        "no gpio-sim that this user may set up",
        "the kernel's netem cannot be had: Error: Specified qdisc kind is unknown.; load it",
        "this firmware does not check the name",
        "bench sim has no network; the board's own network is there with --rig-bench emulator",
        "no key is pinned (--pin)",
    ],
)
def test_skip_by_contract_or_for_another_machine_is_expected(tmp_path: Path, reason: str) -> None:
    junit = tmp_path / "skipped.xml"
    junit.write_text(SKIPPED_BY_GTEST.replace("REASON", reason))
    assert unexpected_skips(junit) == []

    junit.write_text(PYTEST.replace("no bench", reason))
    assert unexpected_skips(junit) == []


def test_skip_for_want_of_something_counts_as_failed_where_that_is_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ctest, by_gtest, by_pytest = (tmp_path / name for name in ("ctest", "gtest", "pytest"))
    ctest.write_text(CTEST)
    by_gtest.write_text(SKIPPED_BY_GTEST.replace("REASON", "NOT TESTED: needs QEMU"))
    by_pytest.write_text(PYTEST)
    files = [str(ctest), str(by_gtest), str(by_pytest)]

    monkeypatch.setattr("sys.argv", ["count_tests", *files])
    main()
    assert capsys.readouterr() == ("2 3 4\n", "")

    monkeypatch.setattr("sys.argv", ["count_tests", "--refuse-skips", *files])
    main()
    said = capsys.readouterr()
    assert said.out == "2 7 0\n"
    for each in ("c: SKIP", "d: no reason", "Chip.a: NOT TESTED: needs QEMU", "d: no bench"):
        assert f"skipped, which is not allowed here: {each}" in said.err
