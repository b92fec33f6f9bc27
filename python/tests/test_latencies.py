"""Percentiles and their table."""

import math

from wwep_rig.latencies import Latencies, as_value, distributions, table


def trip(led_ms: float | None) -> Latencies:
    return Latencies(led_ms, None, None, None, 0.0)


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
    lines = table(distributions([trip(1.25)]), with_interval=True)

    assert len(lines) == 2
    # One value is below the 99th percentile one time in a hundred, and says nothing from above.
    assert lines[1].split()[-2:] == ["1.250", "1.250..?"]


def test_misses_count_as_later_than_anything():
    (row,) = distributions([trip(1.0)] * 97 + [trip(None)] * 3, {"press_to_led_ms": 3})

    assert (row.count, row.missed, row.p95_ms, row.p99_ms) == (97, 3, 1.0, math.inf)
    assert row.p99_between.high == math.inf
    cells = table([row], with_interval=True)[1].split()
    assert cells[3:5] == ["97", "3"] and cells[8] == "?" and cells[-1] == "1.000..?"
    value = as_value(row, {"press_to_led_ms": 0.5})
    assert value["p99_ms"] is None and value["p50_between_ms"] == [1.0, 1.0]
    assert value["missed"] == 3 and value["rig_floor_ms"] == 0.5
