from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minionize.stats.wire import State
from mtop.demo.course import Course, Wave

WAVES = st.builds(Wave, st.floats(0.0, 0.6), st.floats(20.0, 300.0), st.floats(0.0, 6.3))
STATES = st.sampled_from(["running", "paused", "idle"])
TURNS = st.lists(st.tuples(st.floats(0.01, 200.0), STATES, st.integers(1, 20)), max_size=6)


@given(WAVES, st.floats(-10_000.0, 10_000.0))
def test_a_wave_can_be_turned_round(wave: Wave, x: float) -> None:
    assert wave.when(wave.at(x)) == pytest.approx(x, abs=1e-3)


@given(WAVES, st.floats(0.5, 200.0), TURNS, st.integers(0, 1), st.integers(0, 2))
def test_whatever_it_is_told_runs_only_end_and_come(
    wave: Wave, seconds: float, turns: list[tuple[float, State, int]], stuck: int, spare: int
) -> None:
    course = Course(wave, seconds, stuck, -100.0, spare)
    course.turn(-50.0, "running", 4)
    ended, received, at = 0, 0, -50.0
    for pause, state, slots in [*turns, (100.0, "running", 3)]:
        for part in range(5):
            stands = course.standing(at + pause * part / 5)
            # What runs in a slot that is taken away finishes first.
            assert 0 <= stands.busy <= (stands.slots if stands.state == "running" else 20)
            assert stands.ended >= ended
            assert stands.ended + stands.busy >= received
            assert stands.busy or not stands.oldest
            ended, received = stands.ended, stands.ended + stands.busy
        at += pause
        course.turn(at, state, slots)


def test_the_past_does_not_change() -> None:
    course = Course(Wave(0.3, 60.0, 1.0), 5.0)
    course.turn(0.0, "running", 8)
    before = [course.standing(float(x)) for x in range(50)]
    course.turn(60.0, "paused")
    assert [course.standing(float(x)) for x in range(50)] == before


def test_who_drains_finishes_what_runs_and_leaves() -> None:
    course = Course(Wave(0.3, 60.0, 1.0), 5.0)
    course.turn(0.0, "running", 8)
    assert course.left_at() == float("inf")
    course.turn(60.0, "draining")
    taken = course.standing(60.0).ended + 8
    left = course.left_at()
    assert 60.0 < left <= 66.0
    assert course.standing(left - 0.1).state == "draining"
    stands = course.standing(left)
    assert (stands.state, stands.busy, stands.ended) == ("stopped", 0, taken)


def test_who_pauses_finishes_what_runs_and_goes_on_where_it_was() -> None:
    course = Course(Wave(0.0, 60.0, 0.0), 5.0)
    course.turn(0.0, "running", 2)
    course.turn(60.0, "paused")
    stands = course.standing(600.0)
    assert (stands.state, stands.busy, stands.ended) == ("paused", 0, course.standing(60.0).ended + 2)
    course.turn(600.0, "running")
    assert course.standing(605.0).ended == stands.ended + 2


@pytest.mark.parametrize("number", [1, 7, 100])
def test_it_is_known_when_a_run_ended(number: int) -> None:
    course = Course(Wave(0.4, 60.0, 1.0), 5.0)
    course.turn(-10.0, "running", 3)
    at = course.when(number)
    assert course.ended(at - 0.01) == number - 1
    assert course.ended(at + 0.01) == number


def test_a_run_that_hangs_only_grows_older() -> None:
    course = Course(Wave(0.0, 60.0, 0.0), 5.0, stuck=1, stuck_since=-500.0)
    course.turn(-600.0, "running", 2)
    assert course.standing(10.0).oldest == 510.0
    course.turn(10.0, "draining")
    assert course.standing(1_000.0).busy == 1
    assert course.left_at() == float("inf")
