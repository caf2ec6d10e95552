"""When each target is due, by a clock that is handed in."""

from __future__ import annotations

import random
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtop.poll.schedule import Schedule

WIDE = 0.02
"""What is due within so many seconds is handed out together."""


def no_jitter() -> float:
    return 0.0


def keys(count: int, name: str = "") -> list[str]:
    return [f"{name}{number}" for number in range(count)]


class Run:
    """A poller without a network: polls take no time, and are good unless said otherwise."""

    def __init__(self, interval: float = 1.0, jitter: Callable[[], float] = no_jitter, now: float = 5_000.0) -> None:
        self.now = now
        self.schedule = Schedule(interval, jitter)
        self.bad: set[str] = set()
        self.polled: list[tuple[float, str]] = []

    def until(self, end: float, late: float = 0.0) -> list[tuple[float, str]]:
        """Poll until then; the loop wakes up too late each time. Return what was polled, and when."""
        start = len(self.polled)
        while True:
            wait = self.schedule.wait(self.now)
            if wait is None or self.now + wait + late > end:
                self.now = end
                return self.polled[start:]
            self.now += wait + late
            for key in self.schedule.due(self.now, 10**6):
                self.polled.append((self.now, key))
                self.schedule.done(key, key not in self.bad, self.now)

    def times(self, key: str) -> list[float]:
        return [when for when, each in self.polled if each == key]


def gaps(times: list[float]) -> list[float]:
    return [after - before for before, after in pairwise(times)]


def densest(times: list[float], width: float) -> int:
    """The most polls within so many seconds."""
    return max(bisect_left(times, start + width) - number for number, start in enumerate(times))


@given(st.integers(1, 300), st.floats(0.1, 60.0))
def test_each_is_polled_once_an_interval(count: int, interval: float) -> None:
    run = Run(interval)
    run.schedule.add(keys(count), run.now)
    run.until(5_000.0 + interval * 2)
    counts = Counter(key for _, key in run.until(5_000.0 + interval * 12))
    assert len(counts) == count
    assert set(counts.values()) <= {9, 10, 11}


@given(st.integers(50, 600), st.integers(0, 10**6))
def test_polls_are_spread_whoever_comes_and_goes(count: int, seed: int) -> None:
    run, chance = Run(), random.Random(seed)
    run.schedule.add(keys(count), run.now)
    for key in chance.sample(keys(count), count // 3):
        run.schedule.remove(key)
    run.schedule.add(keys(count // 3, "new "), run.now)
    run.until(5_003.0)
    polls = [when for when, _ in run.until(5_005.0)]
    assert densest(polls, 0.1) <= 0.25 * len(run.schedule) + 10


def test_whoever_stays_keeps_its_time() -> None:
    run = Run()
    run.schedule.add(keys(20), run.now)
    run.until(5_002.0)
    before = {key: when % 1.0 for when, key in run.until(5_003.0)}
    for key in keys(20)[::2]:
        run.schedule.remove(key)
    run.schedule.add(keys(500, "new "), run.now)
    run.until(5_004.0)
    after = {key: when % 1.0 for when, key in run.until(5_005.0)}
    assert after.keys() & before.keys() == set(keys(20)[1::2])
    assert all(abs(after[key] - before[key]) <= WIDE + 1e-6 for key in keys(20)[1::2])


@pytest.mark.parametrize(("count", "seconds"), [(5, 0.01), (1_000, 1.0), (10_000, 1.0)])
def test_the_first_polls_are_soon_but_not_all_at_once(count: int, seconds: float) -> None:
    run = Run()
    run.schedule.add(keys(count), run.now)
    first: dict[str, float] = {}
    for when, key in run.until(5_000.0 + seconds):
        first.setdefault(key, when - 5_000.0)
    assert len(first) == count
    assert sum(when < seconds / 2 for when in first.values()) <= 0.6 * count + 5


def test_who_fails_is_asked_ever_more_rarely() -> None:
    run = Run()
    run.schedule.add(["a"], run.now)
    run.bad.add("a")
    run.until(5_200.0)
    assert gaps(run.times("a")) == pytest.approx([1, 2, 4, 8, 16, 30, 30, 30, 30, 30], abs=WIDE)


def test_who_answers_again_is_asked_as_before() -> None:
    run = Run()
    run.schedule.add(["a"], run.now)
    run.bad.add("a")
    run.until(5_020.0)
    run.bad.clear()
    assert gaps([when for when, _ in run.until(5_041.5)])[1:] == pytest.approx([1] * 9, abs=WIDE)


def test_those_that_fail_together_come_back_apart() -> None:
    run = Run(jitter=random.Random(1).random)
    run.schedule.add(keys(300), run.now)
    run.bad.update(keys(300))
    polls = [when for when, _ in run.until(5_120.0) if when > 5_060.0]
    assert densest(polls, 1.0) <= 60, "300 every 30 seconds are 10 a second"


@pytest.mark.parametrize("interval", [0.5, 10.0, 120.0])
def test_patience_has_an_end_and_never_makes_haste(interval: float) -> None:
    run = Run(interval)
    run.schedule.add(["a"], run.now)
    run.bad.add("a")
    run.until(5_000.0 + 1_000 * interval)
    assert max(gaps(run.times("a"))) == pytest.approx(max(30.0, interval), abs=WIDE)
    assert min(gaps(run.times("a"))) >= interval - WIDE


def test_no_target_is_handed_out_twice() -> None:
    schedule = Schedule(1.0, no_jitter)
    schedule.add(["a"], 0.0)
    assert schedule.due(10.0, 9) == ["a"]
    schedule.add(["a"], 10.0)
    schedule.set_interval(0.1, 10.0)
    assert schedule.due(100.0, 9) == []
    assert schedule.wait(100.0) is None
    schedule.done("a", True, 100.0)
    schedule.done("a", True, 100.0)
    assert schedule.due(110.0, 9) == ["a"]


def test_a_loop_that_is_late_skips() -> None:
    run = Run(interval=1.0)
    run.schedule.add(keys(10), run.now)
    run.until(5_020.0, late=3.7)
    for key in keys(10):
        assert min(gaps(run.times(key))) >= 0.5 - WIDE
    assert run.schedule.late >= 40


def test_a_loop_that_is_in_time_is_not_late() -> None:
    run = Run()
    run.schedule.add(keys(10), run.now)
    run.until(5_020.0, late=0.1)
    assert run.schedule.late == 0


def test_no_more_are_handed_out_than_are_asked_for() -> None:
    schedule = Schedule(1.0, no_jitter)
    schedule.add(keys(10), 0.0)
    first = schedule.due(1.0, 4)
    assert len(first) == 4
    assert schedule.due(1.0, 0) == schedule.due(1.0, -1) == []
    assert sorted([*first, *schedule.due(1.0, 10)]) == keys(10)


@pytest.mark.parametrize(("before", "after"), [(1.0, 10.0), (60.0, 1.0)])
def test_another_interval_spreads_all_anew(before: float, after: float) -> None:
    run = Run(before)
    run.schedule.add(keys(200), run.now)
    run.until(5_000.0 + before * 2)
    run.schedule.set_interval(after, run.now)
    assert run.schedule.interval == after
    polls = run.until(run.now + after)
    assert len({key for _, key in polls}) == 200
    assert densest([when for when, _ in polls], after / 10) <= 40


def test_who_fails_waits_no_longer_than_the_new_interval_demands() -> None:
    run = Run(30.0)
    run.schedule.add(["a"], run.now)
    run.bad.add("a")
    run.until(5_050.0)
    run.schedule.set_interval(0.1, run.now)
    assert run.schedule.wait(run.now) == pytest.approx(0.2)


def test_what_is_removed_is_forgotten_even_while_it_is_asked() -> None:
    schedule = Schedule(1.0, no_jitter)
    schedule.add(["a", "b"], 0.0)
    assert len(schedule.due(1.0, 9)) == 2
    schedule.remove("a")
    schedule.remove("never there")
    schedule.done("a", True, 1.0)
    assert len(schedule) == 1
    assert schedule.wait(1.0) is None
    schedule.add(["a"], 1.0)
    assert schedule.due(2.0, 9) == ["a"]


def test_a_crowd_that_comes_and_goes_leaves_nothing_behind() -> None:
    schedule = Schedule(30.0, no_jitter)
    for turn in range(50):
        schedule.add(keys(100, f"{turn} "), float(turn))
        for key in keys(100, f"{turn} "):
            schedule.remove(key)
    assert len(schedule) == 0
    assert len(schedule._heap) <= 64
    assert schedule.wait(50.0) is None
