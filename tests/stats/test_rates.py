"""Rates over a window, by a clock that the test holds."""

from __future__ import annotations

import pytest

from minionize.stats import COUNTERS, Rates
from minionize.stats.rates import LONGEST


def counters(succeeded: int = 0, failed: int = 0, timed_out: int = 0, redelivered: int = 0) -> dict[str, int]:
    found = dict.fromkeys(COUNTERS, 0)
    found.update(succeeded=succeeded, failed=failed, timed_out=timed_out, redelivered=redelivered)
    return found


def test_a_steady_rate_is_told_for_each_window() -> None:
    rates = Rates(0.0)
    for second in range(1, 1000):
        rates.sample(float(second), counters(7 * second, second, second, 3 * second))
    for window in (1.0, 10.0, 300.0):
        found = rates.over(window, 1000.0, counters(7000, 1000, 1000, 3000))
        assert found["window"] == window
        assert found["succeeded"] == pytest.approx(7.0)
        assert found["failed"] == pytest.approx(2.0), "time-outs are failures"
        assert found["redelivered"] == pytest.approx(3.0)


def test_what_is_long_ago_does_not_count() -> None:
    rates = Rates(0.0)
    rates.sample(1.0, counters(1000))
    rates.sample(20.0, counters(1000))
    assert rates.over(10.0, 30.0, counters(1000))["succeeded"] == 0.0
    assert rates.over(300.0, 30.0, counters(1000))["succeeded"] == pytest.approx(1000 / 30)


def test_a_young_minion_is_rated_over_its_life() -> None:
    assert Rates(5.0).over(10.0, 7.0, counters(8))["succeeded"] == pytest.approx(4.0)


def test_memory_is_bounded() -> None:
    rates = Rates(0.0)
    for tenth in range(100_000):
        rates.sample(tenth / 10, counters(tenth))
    assert len(rates._ring) <= LONGEST + 2
