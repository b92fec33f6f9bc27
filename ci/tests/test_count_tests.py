"""The counter reads what ctest and pytest write."""

from pathlib import Path

from count_tests import count_tests

CTEST = """<testsuite name="x" tests="4" failures="1" disabled="1" skipped="1">
<testcase name="a" status="run"/>
<testcase name="b" status="fail"><failure message="Failed"/></testcase>
<testcase name="c" status="notrun"><skipped message="SKIP"/></testcase>
<testcase name="d" status="disabled"/>
</testsuite>"""

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
