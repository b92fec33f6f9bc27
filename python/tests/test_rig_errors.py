"""An error of the rig's between two presses, which ends no wait, ends what presses many times."""

from collections.abc import Callable

import pytest

from wwep_rig import RigError, TargetFailed, _core, accept_latency, open_bench
from wwep_rig.bench import Bench
from wwep_rig.shortest_press import attempts_on
from wwep_rig.soak import Plan, Soak


@pytest.fixture
def bench(environment):
    with open_bench(environment=environment) as opened:
        opened.target.start()
        yield opened


def soaking(bench: Bench) -> Callable[[], object]:
    soak = Soak(bench, Plan(10, ("button0",), "sim", None, "ideal", 1))
    return lambda: soak.press(0)


def accepting(bench: Bench) -> Callable[[], object]:
    return lambda: accept_latency(
        bench, "button0", "press_to_led_ms", below_ms=60_000, presses_max=1
    )


def searching(bench: Bench) -> Callable[[], object]:
    attempt = attempts_on(bench, "button0", 20.0)
    return lambda: attempt(0.05)


def test_wait_in_vain_while_the_rig_errs_is_no_verdict_on_the_target(bench):
    window = bench.record()
    bench.note("something to look at")

    def errs(event: _core.Event) -> bool:
        if "something" in event.text:
            bench.note_error("the wire broke")
        return False

    with pytest.raises(RigError, match="^the wire broke$"):
        window.wait_for(errs, "the end of time", timeout_s=0.1)
    with pytest.raises(TargetFailed):  # that error is over
        window.wait_for(lambda event: False, "the end of time", timeout_s=0.01)


@pytest.mark.parametrize("pressing", [soaking, accepting, searching])
def test_rig_error_between_two_presses_ends_a_long_run(bench, pressing):
    press = pressing(bench)
    press()

    bench._core.note_error("the recording ends here")

    with pytest.raises(RigError, match="^the recording ends here$"):
        press()
    press()  # it was told
