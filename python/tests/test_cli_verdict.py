"""The exit code that a JUnit file stands for."""

import pytest

JUNIT = (
    "<testsuites><testsuite><properties>{properties}</properties>"
    "<testcase name='t'><properties><property name='rig_verdict' value='target-failed'/>"
    "</properties></testcase></testsuite></testsuites>"
)


def junit(*verdicts: str) -> str:
    properties = "".join(
        f"<property name='rig_verdict' value='{verdict}'/>" for verdict in verdicts
    )
    return JUNIT.format(properties=properties)


@pytest.mark.parametrize(
    ("verdicts", "word", "code"),
    [
        (["good"], "good", 0),
        (["target-failed"], "target-failed", 1),
        (["rig-error"], "rig-error", 3),
        (["no-bench"], "no-bench", 4),
        (["good", "no-bench"], "no-bench", 4),
        ([], "rig-error", 3),
        (["splendid"], "rig-error", 3),
    ],
)
def test_exit_code_follows_the_verdict(wwep_rig, tmp_path, verdicts, word, code):
    (tmp_path / "report.xml").write_text(junit(*verdicts))

    done = wwep_rig("verdict", "report.xml")

    assert (done.code, done.out) == (code, word + "\n")


def test_file_that_is_no_junit_file_is_a_usage_error(wwep_rig, tmp_path):
    (tmp_path / "report.xml").write_text("not XML")

    done = wwep_rig("verdict", "report.xml")

    assert done.code == 2
    assert "no JUnit file" in done.err
