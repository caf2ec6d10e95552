from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from mtop.acts import Answer, Orders, at_once, change_slots, give, within
from mtop.feed import Unanswered
from mtop.model.fleet import Fleet
from mtop.model.minion import Minion
from mtop.orders import DRAIN, Order, slots
from tests.mtop.screens.house import FakeFeed, fleet_of


def told(feed: FakeFeed, fleet: Fleet, orders: Orders = DRAIN, **more: Any) -> dict[str, tuple[str, str]]:
    """Give an order to all of a fleet; return verdict and words of each."""
    answers: list[Answer] = []
    asyncio.run(give(feed, fleet, orders, list(fleet), answers.append, **more))
    assert len(answers) == len({answer.minion.key for answer in answers})
    return {answer.minion.key: (answer.verdict, answer.words) for answer in answers}


def test_each_minion_answers_for_itself() -> None:
    feed = FakeFeed()
    feed.silent["host-2-a"] = "409: it is draining"
    answers = told(feed, fleet_of({}, {}, {}))
    assert answers["host-1-a"] == ("done", "host-1-a does it")
    assert answers["host-2-a"] == ("failed", "409: it is draining")
    assert answers["host-3-a"][0] == "done"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"token": None}, "its token is not known"),
        ({"user": "bob"}, "it belongs to bob"),
        ({"url": None}, "it has no stats server (--no-server)"),
        ({"age": 500.0}, "it is lost"),
    ],
)
def test_nothing_is_sent_where_it_must_not_be(changes: dict[str, Any], why: str) -> None:
    feed = FakeFeed()
    assert told(feed, fleet_of(changes)) == {"host-1-a": ("not sent", why)}
    assert not feed.asked


def test_whether_it_may_be_sent_is_looked_at_when_its_turn_comes() -> None:
    feed, fleet = FakeFeed(), fleet_of({}, {}, {})
    first, second, third = fleet
    answers: list[Answer] = []

    def answered(answer: Answer) -> None:
        answers.append(answer)
        second.token = None
        fleet.minions.pop(third.key, None)

    asyncio.run(give(feed, fleet, DRAIN, [first, second, third], answered, most=1))
    assert [answer.verdict for answer in answers] == ["done", "not sent", "not sent"]
    assert answers[2].words == "it is no more in the fleet"
    assert [key for key, _ in feed.orders] == [first.key]


def test_a_recording_takes_no_orders() -> None:
    feed = FakeFeed()
    feed.live = False
    assert told(feed, fleet_of({}))["host-1-a"][0] == "not sent"
    assert not feed.orders


def test_one_that_hangs_does_not_hold_up_the_others_and_is_not_waited_for_for_ever() -> None:
    feed = FakeFeed()
    feed.hangs.add("host-1-a")
    answers = told(feed, fleet_of({}, {}, {}), most=2, patience=0.05)
    assert answers["host-1-a"] == ("failed", "no answer within 0.05 s")
    assert answers["host-2-a"][0] == answers["host-3-a"][0] == "done"


def test_no_more_are_told_at_the_same_time_than_is_allowed() -> None:
    feed = FakeFeed()
    assert len(told(feed, fleet_of(*({} for _ in range(100))), most=7)) == 100
    assert feed.most_under_way == 7


def test_an_order_can_depend_on_the_minion() -> None:
    feed = FakeFeed()
    answers = told(feed, fleet_of({"slots": 1}, {"slots": 4}), change_slots(-1))
    assert answers["host-1-a"] == ("not sent", "there is nothing to change")
    assert feed.orders == [("host-2-a", slots(3))]


@pytest.mark.parametrize(
    ("before", "by", "after"), [(1, 1, 2), (1, -1, None), (2, -5, 1), (10_000, 1, None), (9_999, 5, 10_000)]
)
def test_slots_stay_within_what_a_minion_takes(before: int, by: int, after: int | None) -> None:
    minion = next(iter(fleet_of({"slots": before})))
    assert change_slots(by)(minion) == (None if after is None else slots(after))


def test_what_is_stopped_is_stopped() -> None:
    feed, fleet = FakeFeed(), fleet_of({}, {}, {})
    feed.hangs = {minion.key for minion in fleet}

    async def stopped() -> None:
        giving = asyncio.create_task(give(feed, fleet, DRAIN, list(fleet), lambda answer: None, most=1))
        await asyncio.sleep(0.01)
        giving.cancel()
        await asyncio.wait([giving])

    asyncio.run(stopped())
    assert feed.asked == ["drain host-1-a"]
    assert feed.under_way == 0


def test_at_once_with_nobody_does_nothing() -> None:
    async def never(minion: Minion) -> None:
        raise AssertionError(minion)

    asyncio.run(at_once([], never))


def test_within_hands_on_what_is_answered() -> None:
    async def answer() -> Order:
        return DRAIN

    async def refuse() -> Order:
        raise Unanswered("no")

    def ask(what: Callable[[], Any]) -> Order:
        async def asked() -> Order:
            return await within(1.0, what())

        return asyncio.run(asked())

    assert ask(answer) is DRAIN
    with pytest.raises(Unanswered, match=r"^no$"):
        ask(refuse)
