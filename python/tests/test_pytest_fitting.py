"""Which tests a bench is for: what the markers ask is asked however a test takes its bench."""

import re

import pytest

MARKED = """
import pytest

@pytest.mark.rig_kinds("kernel", "board")
def test_kind({fixtures}):
    {take}

@pytest.mark.rig_role("server")
def test_role({fixtures}):
    {take}

@pytest.mark.rig_needs("network")
def test_need({fixtures}):
    {take}

@pytest.mark.rig_kinds("sim")
@pytest.mark.rig_needs("button0", "reset")
def test_that_fits({fixtures}):
    {take}
"""


@pytest.mark.parametrize(
    ("fixtures", "take"),
    [
        ("bench, recording", "assert bench.kind.value == 'sim'"),
        ("bench", "assert bench.kind.value == 'sim'"),
        ("bench_with", "assert bench_with().kind.value == 'sim'"),
    ],
)
def test_test_that_is_for_another_bench_is_skipped_with_the_reason(run_pytest, fixtures, take):
    done = run_pytest(MARKED.format(fixtures=fixtures, take=take), "-rs")

    assert "1 passed, 3 skipped" in done.out
    reasons = re.findall(r"^SKIPPED \[1\] \S+: (.*)$", done.out, re.MULTILINE)
    assert sorted(reasons) == [
        "bench sim has no network; the board's own network is there with --rig-bench emulator",
        "bench sim is of kind sim, and this is for kernel, board",
        "the target of bench sim is a client, and this is for a server",
    ]
