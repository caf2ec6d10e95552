"""What polling takes, of late."""

from __future__ import annotations

from mtop.feed import Cost
from mtop.live.tally import Tally
from mtop.poll import Heard


def good(key: str, took: float = 0.1) -> Heard:
    return Heard(key, None, None, took, 0.0)


def bad(key: str) -> Heard:
    return Heard(key, None, "refused", 5.0, 0.0)


def test_nothing_yet() -> None:
    assert Tally(0.0).cost(0.0) == Cost(0.0, 0, None)


def test_polls_per_second_and_how_long_answers_take() -> None:
    tally = Tally(0.0)
    for second in range(1, 31):
        tally.note([good("a", 0.2), good("b", 0.4), bad("c")], float(second))
    cost = tally.cost(30.0)
    assert (cost.polls, cost.failing, round(cost.took or 0.0, 3)) == (3, 1, 0.3)


def test_at_the_start_it_counts_what_there_is() -> None:
    tally = Tally(0.0)
    tally.note([good("a")] * 4, 1.0)
    tally.note([good("a")] * 4, 2.0)
    assert tally.cost(2.0).polls == 4.0


def test_what_is_long_ago_does_not_count() -> None:
    tally = Tally(0.0)
    tally.note([good("a")] * 100, 5.0)
    tally.note([], 20.0)
    assert tally.cost(20.0) == Cost(0.0, 0, None)


def test_who_fails_until_it_answers_or_is_polled_no_more() -> None:
    tally = Tally(0.0)
    tally.note([bad("a"), bad("b"), bad("c"), good("d")], 1.0)
    tally.note([good("a")], 2.0)
    assert tally.cost(2.0).failing == 2
    tally.aim({"a", "b", "d"})
    assert tally.cost(2.0).failing == 1
