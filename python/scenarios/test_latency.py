"""How long a press takes to show, where the bench file sets a budget for it."""

import pytest


@pytest.mark.parametrize("button", ["button0", "button1"])
def test_presses_keep_the_latency_budgets_of_the_bench_file(bench, recording, button):
    """Each of several presses, not their average."""
    if button not in bench.buttons:
        pytest.skip(f"bench {bench.name} has no {button}")
    budgets = bench.config.budgets
    if budgets.press_to_led_ms is None and budgets.press_to_frame_ms is None:
        pytest.skip("the bench file sets no press_to_led_ms and no press_to_frame_ms")

    for _ in range(10):
        bench.expect_latencies(bench.press(button))
