"""Quantiles are near the truth, buckets are cumulative."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minionize.stats import Histogram
from minionize.stats.histogram import BOUNDS, SHOWN

DURATIONS = st.lists(st.floats(1.01e-5, 8e5), min_size=1, max_size=200)


def filled(durations: list[float]) -> Histogram:
    histogram = Histogram()
    for each in durations:
        histogram.add(each)
    return histogram


def test_what_is_sent_are_true_bounds() -> None:
    assert list(BOUNDS) == sorted(set(BOUNDS))
    assert set(SHOWN) <= set(BOUNDS)
    assert max(high / low for low, high in pairwise(BOUNDS)) < 1.15


def test_nothing_has_no_quantile() -> None:
    assert Histogram().quantiles(0.5, 0.99) == [None, None]
    assert Histogram().buckets()[-1] == (None, 0)


@given(DURATIONS, st.sampled_from([0.5, 0.95, 0.99]))
def test_a_quantile_is_off_by_less_than_its_bucket(durations: list[float], share: float) -> None:
    (found,) = filled(durations).quantiles(share)
    ordered = sorted(durations)
    rank = share * len(ordered)
    exact = ordered[max(0, min(len(ordered) - 1, int(rank if rank % 1 else rank - 1)))]
    assert found is not None
    assert exact / 1.15 <= found <= exact * 1.15


@given(st.lists(st.floats(0.0, 1e7), max_size=100))
def test_buckets_are_cumulative_and_complete(durations: list[float]) -> None:
    buckets = filled(durations).buckets()
    assert [bound for bound, _ in buckets] == [*SHOWN, None]
    for bound, count in buckets:
        assert count == sum(1 for each in durations if bound is None or each <= bound)


def test_sum_and_count() -> None:
    histogram = filled([0.5, 1.5, 100.0])
    assert histogram.count == 3
    assert histogram.sum == pytest.approx(102.0)
