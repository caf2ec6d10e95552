from __future__ import annotations

from datetime import datetime

import pytest

from minionize.status.filters import Filter, moment
from tests.status.making import NOON, run

RUNS = [run(started=0, host="a-1"), run("failed", started=10, host="a-2"), run(started=20, host="b-1")]


@pytest.mark.parametrize(
    ("chosen", "kept"),
    [
        (Filter(), [0, 1, 2]),
        (Filter(since=NOON + 11), [1, 2]),
        (Filter(until=NOON + 11), [0]),
        (Filter(hosts=("a-*",)), [0, 1]),
        (Filter(hosts=("a-1", "b-?")), [0, 2]),
        (Filter(hosts=("a",)), []),
        (Filter(outcomes=("failed", "timed_out")), [1]),
        (Filter(hosts=("a-*",), outcomes=("succeeded",)), [0]),
    ],
)
def test_filter(chosen: Filter, kept: list[int]) -> None:
    assert list(chosen.kept(RUNS)) == [RUNS[index] for index in kept]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("90", NOON - 90),
        ("10m", NOON - 600),
        ("1.5h", NOON - 5400),
        ("2d", NOON - 172800),
        ("1795000000", 1795000000.0),
        ("2026-11-22T14:30", datetime(2026, 11, 22, 14, 30).timestamp()),
        ("2026-11-22", datetime(2026, 11, 22).timestamp()),
        ("2026-11-22T14:30+00:00", 1795357800.0),
        ("00:30", datetime.fromtimestamp(NOON).replace(hour=0, minute=30, second=0, microsecond=0).timestamp()),
    ],
)
def test_moment(words: str, expected: float) -> None:
    assert moment(words, NOON) == expected


@pytest.mark.parametrize("words", ["", "soon", "25:00", "-5", "2026-13-01", "nan", "inf"])
def test_no_moment(words: str) -> None:
    with pytest.raises(ValueError, match="is no time"):
        moment(words, NOON)
