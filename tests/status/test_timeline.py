from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minionize.status.run import OUTCOMES
from minionize.status.timeline import Timeline
from tests.status.making import NOON

SPANS = st.tuples(
    st.sampled_from(range(len(OUTCOMES))), st.floats(0, 1e5, allow_nan=False), st.floats(0, 1e4, allow_nan=False)
)


def filled(spans: list[tuple[int, float, float]], limit: int) -> Timeline:
    timeline = Timeline(limit)
    for outcome, start, seconds in spans:
        timeline.add(outcome, NOON + start, NOON + start + seconds)
    return timeline


@given(st.lists(SPANS, min_size=1, max_size=60), st.integers(4, 64), st.integers(1, 50))
def test_nothing_is_lost_however_wide_the_steps_are(
    spans: list[tuple[int, float, float]], limit: int, steps: int
) -> None:
    series = filled(spans, limit).series(steps)
    assert series is not None
    assert len(series.in_flight) <= steps
    assert sum(map(sum, series.ended.values())) == len(spans)
    for index, name in enumerate(OUTCOMES):
        assert sum(series.ended[name]) == sum(outcome == index for outcome, _, _ in spans)
    seconds = sum(each for _, _, each in spans)
    assert sum(series.in_flight) * series.step == pytest.approx(seconds, rel=1e-3, abs=1e-3 * len(spans) * series.step)


@given(st.lists(SPANS, min_size=1, max_size=40), st.integers(2, 40))
def test_in_flight_is_what_each_run_adds(spans: list[tuple[int, float, float]], steps: int) -> None:
    series = filled(spans, 10_000).series(steps)
    assert series is not None
    for number, value in enumerate(series.in_flight):
        low = series.start + number * series.step
        high = low + series.step
        overlaps = (min(high, NOON + start + seconds) - max(low, NOON + start) for _, start, seconds in spans)
        expected = sum(max(0.0, overlap) for overlap in overlaps) / series.step
        assert value == pytest.approx(expected, abs=1e-3)


def test_order_does_not_matter() -> None:
    spans = [(0, 5.0 * number, 3.0) for number in range(300)]
    assert filled(spans, 32).series(10) == filled(spans[:1] + spans[:0:-1], 32).series(10)


def test_steps_are_even_and_ends_stand_where_they_were() -> None:
    series = filled([(0, 0.0, 10.0), (1, 64.0, 0.5)], 1000).series(8)
    assert series is not None
    starts = [series.start + number * series.step for number in range(len(series.in_flight))]
    assert all(b - a == series.step for a, b in pairwise(starts))
    (failed,) = [at for at, count in zip(starts, series.ended["failed"], strict=True) if count]
    assert failed <= NOON + 64.5 < failed + series.step


def test_few_cells_are_kept() -> None:
    timeline = filled([(0, float(number), 1.0) for number in range(10_000)], 64)
    assert len(timeline._cells) <= 64


def test_nothing_is_nothing() -> None:
    assert Timeline(8).series(10) is None
