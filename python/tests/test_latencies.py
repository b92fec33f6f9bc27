"""Percentiles and their table."""

import pytest

from wwep_rig.latencies import Latencies, distributions, percentile, table


def trip(led_ms: float | None) -> Latencies:
    return Latencies(led_ms, None, None, None, 0.0)


@pytest.mark.parametrize(
    ("percent", "expected"), [(0, 1.0), (50, 50.0), (95, 95.0), (99, 99.0), (100, 100.0)]
)
def test_percentile_is_the_nearest_rank(percent, expected):
    assert percentile([float(number) for number in range(1, 101)], percent) == expected


def test_percentiles_of_one_value_are_that_value():
    (row,) = distributions([trip(7.0)])

    assert (row.count, row.min_ms, row.p50_ms, row.p99_ms, row.max_ms) == (1, 7.0, 7.0, 7.0, 7.0)


def test_parts_that_did_not_happen_do_not_count():
    (row,) = distributions([trip(1.0), trip(None), trip(3.0)])

    assert row.key == "press_to_led_ms"
    assert (row.count, row.min_ms, row.max_ms) == (2, 1.0, 3.0)


def test_no_trips_have_no_distribution():
    assert distributions([]) == []


def test_table_has_a_line_for_each_latency():
    lines = table(distributions([trip(1.25)]))

    assert len(lines) == 2
    assert lines[1].split()[-1] == "1.250"
