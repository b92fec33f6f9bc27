"""What a test that fails, or passes, against expectation says about the run."""

from tests.test_pytest_plugin import last_line

GITHUB = {"GITHUB_ACTIONS": "true"}


def test_failure_that_was_expected_is_no_trouble_of_the_run(run_pytest):
    done = run_pytest(
        "import pytest\n"
        "from wwep_rig import TargetFailed\n"
        "@pytest.mark.xfail\n"
        "def test_known(bench, recording):\n    raise TargetFailed('the LED is dead')\n",
        variables=GITHUB,
    )

    assert "1 xfailed" in done.out and last_line(done.out) == "rig: good"
    assert "::error" not in done.out


def test_test_that_strictly_must_fail_and_passes_is_no_error_of_the_rig(run_pytest):
    done = run_pytest(
        "import pytest\n"
        "@pytest.mark.xfail(strict=True)\n"
        "def test_known(bench, recording):\n    assert bench.press('button0').reply.accepted\n",
        variables=GITHUB,
    )

    assert "1 failed" in done.out and last_line(done.out) == "rig: target-failed"
    assert "title=target failed::test_it.py::test_known%0A[XPASS(strict)]" in done.out
