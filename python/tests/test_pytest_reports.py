"""The pages that a pytest run leaves: which there are, and that each has the true verdict."""

import re
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.conftest import Done
from tests.test_pytest_plugin import PASSING, last_line, properties

WITH_PAGES = {"WWEP_RIG_REPORT": ""}


def pages_of(done: Done) -> dict[str, Path]:
    """By what each is of: `report`, or `report of NODEID`."""
    found = re.findall(r"^(report.*): (\S+\.html)$", done.out, re.MULTILINE)
    return {what: Path(path) for what, path in found}


def verdict_on(page: Path) -> str:
    found = re.search(r'<span id="verdict">(.*?)</span>', page.read_text())
    assert found is not None
    return found[1]


def cells(page: Path) -> list[list[str]]:
    """Test and outcome of each row of a page's table of tests."""
    (table,) = re.findall(r'<section id="tests">.*?</section>', page.read_text(), re.DOTALL)
    return [
        re.findall(r"<td>(.*?)</td>", row)[:2] for row in re.findall(r"<tr class.*?</tr>", table)
    ]


@pytest.mark.parametrize(
    ("statement", "line", "words", "cause"),
    [
        (
            "assert not bench.press('button0').reply.accepted",
            "target-failed",
            "The target failed",
            "",
        ),
        (
            "raise RigError('the cable is loose')",
            "rig-error",
            "The rig erred",
            "the cable is loose",
        ),
        ("raise KeyError('mine')", "rig-error", "The rig erred", "KeyError: &#39;mine&#39;"),
        ("bench.led('led9')", "no-bench", "No bench", ""),
    ],
)
def test_pages_of_run_and_test_have_the_verdict_that_the_run_has(
    run_pytest: Callable[..., Done],
    wwep_rig: Callable[..., Done],
    tmp_path: Path,
    statement: str,
    line: str,
    words: str,
    cause: str,
) -> None:
    source = (
        "from wwep_rig import RigError\n"
        "def test_good(bench, recording):\n    bench.press('button0')\n"
        f"def test_bad(bench, recording):\n    {statement}\n"
    )
    done = run_pytest(source, "--rig-require", variables=WITH_PAGES)

    assert last_line(done.out) == f"rig: {line}"
    pages = pages_of(done)
    assert list(pages) == ["report", "report of test_it.py::test_bad"]
    recording = Path(str(pages["report"]).removesuffix(".html"))
    made_later = tmp_path / "later.html"
    assert wwep_rig("report", str(recording), "-o", str(made_later)).code == 0
    for page in (*pages.values(), made_later):
        assert verdict_on(page) == words
        assert f'<header class="{line}">' in page.read_text()
        assert cause in page.read_text().partition('<section id="timeline">')[0]
    shown = "failed" if line == "target-failed" else line
    assert cells(made_later) == [
        ["test_it.py::test_bad", shown],
        ["test_it.py::test_good", "passed"],
    ]


def test_tests_with_benches_of_their_own_have_recordings_and_count_for_the_verdict(
    run_pytest, tmp_path
):
    source = (
        "def test_good(bench, recording):\n    bench.press('button0')\n"
        "def test_own(bench_with):\n    assert not bench_with().press('button0').reply.accepted\n"
    )
    done = run_pytest(source, "--junitxml=r.xml", variables=WITH_PAGES)

    pages = pages_of(done)
    assert [verdict_on(page) for page in pages.values()] == ["The target failed"] * 2
    cases = ElementTree.parse(tmp_path / "r.xml").getroot().iter("testcase")
    good, own = (properties(case)["rig_recording"] for case in cases)
    assert f"{good}.html" == str(pages["report"])
    assert own != good and str(pages["report of test_it.py::test_own"]).startswith(f"{own}.")


def test_attempt_that_another_followed_is_marked_and_no_verdict(run_pytest, wwep_rig, tmp_path):
    source = (
        "import pathlib\n"
        "COUNT = pathlib.Path('count')\n"
        "def test_flaky(bench, recording):\n"
        "    number = int(COUNT.read_text()) if COUNT.exists() else 0\n"
        "    COUNT.write_text(str(number + 1))\n"
        "    if number < 2:\n"
        "        bench.target.stop()\n"
        "    bench.press('button0', timeout_s=0.3 if number < 2 else None)\n"
    )
    done = run_pytest(source, "--rig-retries", "2", variables=WITH_PAGES)

    assert last_line(done.out) == "rig: good (1 test passed after a retry)"
    (page,) = pages_of(done).values()
    made_later = tmp_path / "later.html"
    wwep_rig("report", str(page).removesuffix(".html"), "-o", str(made_later))
    for each in (page, made_later):
        text = " ".join(each.read_text().split())
        assert verdict_on(each) == "Good"
        assert "1 test, 0 not passed, 1 passed after a retry;" in text
        assert cells(each) == [
            ["test_it.py::test_flaky", "failed, tried again (attempt 1)"],
            ["test_it.py::test_flaky", "failed, tried again (attempt 2)"],
            ["test_it.py::test_flaky", "passed (attempt 3)"],
        ]
        assert text.count("<small>test_it.py::test_flaky, tried again</small>") == 2


def test_run_leaves_a_page_of_itself_and_of_each_test_that_failed(run_pytest, tmp_path):
    source = (
        "import pytest\n"
        "def test_good(bench, recording):\n"
        "    bench.press('button0')\n"
        "@pytest.mark.parametrize('name', ['a/b <c>'])\n"
        "def test_bad(bench, recording, name):\n"
        "    trip = bench.press('button1')\n"
        "    assert not trip.reply.accepted\n"
        "def test_own(bench_with):\n"
        "    bench_with().press('button0')\n"
        "    assert False\n"
    )
    done = run_pytest(source, "--rig-record", "kept", variables={"WWEP_RIG_REPORT": ""})
    good = run_pytest(PASSING, "--rig-record", "good", "--rig-report", "failed")
    odd = run_pytest(PASSING, "--rig-report", "some")

    pages = dict(re.findall(r"^(report.*): (\S+\.html)$", done.out, re.MULTILINE))
    assert list(pages) == [
        "report",
        "report of test_it.py::test_bad[a/b <c>]",
        "report of test_it.py::test_own",
    ]
    of_run, of_bad, of_own = ((tmp_path / page).read_text() for page in pages.values())
    assert "3 tests" not in of_run and "2 tests, 1 not passed" in " ".join(of_run.split())
    assert "2 presses" in of_run and "1 press:" in of_bad and "1 press:" in of_own
    assert "test_bad[a/b &lt;c&gt;]" in of_bad and "<td>test_it.py::test_good</td>" not in of_bad
    assert '<header class="target-failed">' in of_own
    assert Path(pages["report"]).parent == Path("kept")
    assert "report:" not in good.out and not list((tmp_path / "good").glob("*.html"))
    assert odd.code == 4 and "rig_report: 'some' is none of all, failed, none" in odd.err


def test_test_that_takes_the_bench_without_recording_is_in_the_recording_too(run_pytest):
    """Its presses are in the table, its failure has a timeline and a page."""
    source = (
        "def test_bare(bench):\n"
        "    assert not bench.press('button0').reply.accepted\n"
        "def test_next(bench, recording):\n"
        "    assert bench.press('button0').frame.value == 1  # the failure before reset the board\n"
    )
    done = run_pytest(source, variables={"WWEP_RIG_REPORT": ""})

    page = re.search(r"^report of test_it.py::test_bare: (\S+\.html)$", done.out, re.MULTILINE)
    assert page is not None and "1 press:" in Path(page[1]).read_text()
    assert "rig timeline" in done.out and re.search(r"press → LED +2 ", done.out)
    assert "1 failed, 1 passed" in done.out and last_line(done.out) == "rig: target-failed"
