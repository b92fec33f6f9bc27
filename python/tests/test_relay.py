"""A bad network: what it does to one request."""

import time

import pytest

from wwep_rig import open_bench

WRITE, ACCEPTED = "W0FAC0B1234", "A0FAC0B1234"


@pytest.fixture(scope="module")
def bench(environment):
    """A bench whose target does not run."""
    with open_bench(environment=environment) as opened:
        yield opened


@pytest.mark.parametrize(
    ("network", "takes_s", "text"),
    [
        ({"delay_s": 0.1}, 0.2, "delay=0.1s"),
        ({"bytes_per_s": 200.0}, 22 / 200, "bytes_per_s=200"),
        ({"stall_after": 11, "stall_s": 0.4}, 0.4, "stall_after=11 stall=0.4s"),
        ({"stall_after": 13, "stall_s": 0.3, "delay_s": 0.1}, 0.5, "delay=0.1s stall_after=13"),
        ({}, 0.0, "as it is"),
    ],
    ids=str,
)
def test_request_takes_as_long_as_the_network_makes_it(bench, network, takes_s, text):
    window = bench.record()
    began_s = time.monotonic()
    with bench.bad_network(**network):
        assert bench.server.ask(WRITE, timeout_s=20) == ACCEPTED
        took_s = time.monotonic() - began_s

    assert took_s >= takes_s
    assert [each for each in window.events if f"network {text}" in each.text]
    assert bench.server.ask(WRITE, timeout_s=20) == ACCEPTED
    assert len(window.connections) == 2


def test_end_of_the_block_ends_what_is_on_its_way(bench):
    window = bench.record()
    began_s = time.monotonic()
    with bench.bad_network(stall_after=0, stall_s=600):
        with pytest.raises(Exception, match="asked the bench's own server"):
            bench.server.ask(WRITE, timeout_s=0.2)

    assert time.monotonic() - began_s < 60
    assert bench.wait_until_idle(timeout_s=20)
    assert window.frames == ()


@pytest.mark.parametrize(
    "words",
    [
        {"delay_s": -1.0},
        {"delay_s": float("inf")},
        {"stall_after": 5},
        {"loss": 1.1},
        {"duplicate": -0.1},
        {"reorder": 0.5},
    ],
    ids=str,
)
def test_network_that_cannot_be_is_refused(bench, words):
    with pytest.raises(ValueError, match="network|stall|probability|delay_s"):
        bench.bad_network(**words)
