from __future__ import annotations

import pytest
from textual.pilot import Pilot

from mtop.acts import change_slots
from mtop.orders import DRAIN, slots
from mtop.screens.answers import AnswersScreen
from mtop.screens.table import Table
from tests.mtop.screens.house import FakeFeed, House, fleet_of, session_of, settle, show


def test_each_answer_is_shown_what_went_wrong_first() -> None:
    feed, fleet = FakeFeed(), fleet_of({}, {}, {"user": "bob"})
    feed.silent["host-2-a"] = "409 [bold]\x1b[2J"
    session = session_of(fleet, feed)

    async def story(pilot: Pilot[None], app: House) -> None:
        assert "drain  3 minions:  1 done  1 FAILED  1 not sent" in app.text
        assert [row[0::2] for row in app.screen.query_one(Table).plain] == [
            ["host-2-a", "FAILED"],
            ["host-3-a", "not sent"],
            ["host-1-a", "done"],
        ]
        assert "409 [bold]\\x1b[2J" in app.text
        assert app.screen.query_one(Table).key == "host-2-a", "what went wrong is seen without a key"
        assert [(event.severity, event.minion) for event in session.fleet.events if "drain" in event.what] == [
            ("warning", "host-3-a"),
            ("information", "host-1-a"),
            ("warning", "host-2-a"),
        ]
        await pilot.press("escape")
        await settle(pilot)
        assert app.answers == [None]

    show(AnswersScreen(session, "drain", DRAIN, list(fleet)), story)


def test_answers_are_shown_as_they_come_and_who_leaves_stops_the_rest() -> None:
    feed, fleet = FakeFeed(), fleet_of(*({} for _ in range(100)))
    feed.hangs = {f"host-{number}-a" for number in range(1, 33)} - {"host-5-a"}

    async def story(pilot: Pilot[None], app: House) -> None:
        app.tick()
        await settle(pilot)
        assert "69 done" in app.text
        assert "31 waiting" in app.text
        assert "Stop" in app.text
        await pilot.press("escape")
        await settle(pilot)
        assert "31 not told" in app.text
        assert app.answers == []
        assert feed.under_way == 0
        assert len(feed.orders) == 69
        await pilot.press("escape")
        await settle(pilot)
        assert app.answers == [None]

    show(AnswersScreen(session_of(fleet, feed), "drain", DRAIN, list(fleet)), story)


def test_no_more_are_told_once_it_is_stopped() -> None:
    feed, fleet = FakeFeed(), fleet_of(*({} for _ in range(100)))
    feed.hangs = {minion.key for minion in fleet}

    async def story(pilot: Pilot[None], app: House) -> None:
        await pilot.press("s")
        await settle(pilot)
        assert "100 not told" in app.text
        assert len(feed.asked) == 32

    show(AnswersScreen(session_of(fleet, feed), "drain", DRAIN, list(fleet)), story)


def test_each_can_be_told_something_of_its_own() -> None:
    feed, fleet = FakeFeed(), fleet_of({"slots": 1}, {"slots": 7})

    async def story(pilot: Pilot[None], app: House) -> None:
        assert feed.orders == [("host-1-a", slots(2)), ("host-2-a", slots(8))]

    show(AnswersScreen(session_of(fleet, feed), "slots +1", change_slots(1), list(fleet)), story)


@pytest.mark.parametrize("how", ["readonly", "recording"])
def test_nothing_is_sent_by_who_may_not(how: str) -> None:
    feed, fleet = FakeFeed(), fleet_of({}, {})
    feed.live = how != "recording"

    async def story(pilot: Pilot[None], app: House) -> None:
        assert "2 not sent" in app.text
        assert feed.asked == []

    show(AnswersScreen(session_of(fleet, feed, readonly=how == "readonly"), "drain", DRAIN, list(fleet)), story)
