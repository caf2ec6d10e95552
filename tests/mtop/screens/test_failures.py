from __future__ import annotations

import pytest
from textual.pilot import Pilot

from mtop.screens.failures import FailuresScreen
from mtop.screens.lines import Lines
from mtop.screens.table import Table
from tests.mtop.screens.house import FakeFeed, House, failure, failures, fleet_of, session_of, settle, show

WIDE = (140, 30)


def test_causes_are_counted_over_the_fleet() -> None:
    feed, fleet = FakeFeed(), fleet_of({"host": "a"}, {"host": "b"}, {"host": "b"})
    feed.failed["host-1-a"] = failures(failure("1", "timed out"), failure("2"))
    feed.failed["host-2-a"] = failures(failure("3"), failure("4"))

    async def story(pilot: Pilot[None], app: House) -> None:
        assert app.screen.query_one(Table).plain == [
            ["3", "exit code 3: no such file", "2 hosts", "2", "1m01s", "1m01s"],
            ["1", "timed out", "a", "1", "1m01s", "1m01s"],
        ]
        assert "4 of 2 causes  asked 3 of 3, 0s ago" in app.text
        feed.now += 9
        app.tick()
        await settle(pilot)
        assert "asked 3 of 3, 9s ago" in app.text
        assert app.screen.query_one(Table).plain[0][5] == "1m10s"

    show(FailuresScreen(session_of(fleet, feed)), story, WIDE)


def test_only_minions_in_which_something_failed_are_asked_and_only_once() -> None:
    feed = FakeFeed()
    fleet = fleet_of({}, {})
    counters = fleet.minions["host-2-a"].said["counters"]
    counters["failed"] = counters["timed_out"] = counters["could_not_start"] = 0

    async def story(pilot: Pilot[None], app: House) -> None:
        for _ in range(3):
            feed.now += 60
            app.tick()
            await settle(pilot)
        assert feed.asked == ["failures host-1-a"]
        for key in ("r", "f5"):
            await pilot.press(key)
            await settle(pilot)
        assert len(feed.asked) == 3

    show(FailuresScreen(session_of(fleet, feed)), story)


def test_who_does_not_tell_is_counted_and_it_is_said_why() -> None:
    feed = FakeFeed()
    fleet = fleet_of({}, {"user": "bob"}, {"user": "bob"}, {"age": 500.0}, {})
    feed.silent["host-5-a"] = "HTTP 500 \x1b[2J[bold]"
    feed.failed["host-1-a"] = failures(failure())

    async def story(pilot: Pilot[None], app: House) -> None:
        assert "asked 2 of 2" in app.text
        assert "2 minions with failures did not tell: it belongs to bob" in app.text
        assert "1 minion with failures did not tell: it is lost" in app.text
        assert "1 minion with failures did not tell: HTTP 500 \\x1b[2J[bold]" in app.text
        assert len(app.screen.query_one(Table).plain) == 1
        assert {each.split()[1] for each in feed.asked} == {"host-1-a", "host-5-a"}

    show(FailuresScreen(session_of(fleet, feed)), story, WIDE)


def test_a_hanging_minion_holds_up_no_other_and_what_came_is_shown() -> None:
    feed, fleet = FakeFeed(), fleet_of(*({} for _ in range(100)))
    feed.hangs = {"host-1-a", "host-50-a"}
    for minion in fleet:
        feed.failed[minion.key] = failures(failure())

    async def story(pilot: Pilot[None], app: House) -> None:
        await settle(pilot)
        app.tick()
        await settle(pilot)
        assert "asked 98 of 100 ..." in app.text
        assert app.screen.query_one(Table).plain[0][0] == "98"
        assert feed.most_under_way <= 32
        await pilot.press("r")
        await settle(pilot)
        assert feed.under_way == 2
        await pilot.press("escape")
        await settle(pilot)
        assert app.answers == [None]
        assert feed.under_way == 0

    show(FailuresScreen(session_of(fleet, feed)), story, WIDE)


@pytest.mark.parametrize(("failed", "words"), [(True, "Nobody told why."), (False, "No run has failed.")])
def test_where_nothing_is_known_it_is_said(failed: bool, words: str) -> None:
    fleet = fleet_of({"user": "bob"})
    if not failed:
        counters = fleet.minions["host-1-a"].said["counters"]
        counters["failed"] = counters["timed_out"] = 0

    async def story(pilot: Pilot[None], app: House) -> None:
        assert words in app.text

    show(FailuresScreen(session_of(fleet)), story)


@pytest.mark.parametrize("how", ["enter", "click"])
def test_samples_lead_to_their_evidence_and_to_their_minion(how: str) -> None:
    feed, fleet = FakeFeed(), fleet_of({"host": "a"}, {"host": "b"})
    feed.failed["host-1-a"] = failures(failure("1", at=1_700_001_100.0, stderr="older"))
    feed.failed["host-2-a"] = failures(failure("2", at=1_700_001_200.0, stderr="newer"))

    async def story(pilot: Pilot[None], app: House) -> None:
        async def opened(row: int) -> None:
            if how == "enter":
                await pilot.press("enter")
            else:
                await pilot.click(Table, offset=(20, row), times=2)
            await settle(pilot)

        await opened(1)
        assert type(app.screen).__name__ == "CauseScreen"
        assert "2 failures in 2 minions on 2 hosts; 2 samples" in app.text
        assert "  newer" in app.text
        await pilot.press("down")
        await settle(pilot)
        assert "  older" in app.text
        await opened(2)
        assert type(app.screen).__name__ == "MinionScreen"
        assert "host-1-a" in app.text
        for _ in range(3):
            await pilot.press("escape")
            await settle(pilot)
        assert app.answers == [None]

    show(FailuresScreen(session_of(fleet, feed)), story, WIDE)


def test_of_a_sample_that_the_minion_has_forgotten_the_id_is_shown() -> None:
    feed, fleet = FakeFeed(), fleet_of({})
    cause = {"cause": "x", "count": 1, "first": 0.0, "last": 0.0, "samples": ["the-id"]}
    feed.failed["host-1-a"] = failures(causes=[cause], total=1)  # type: ignore[list-item]

    async def story(pilot: Pilot[None], app: House) -> None:
        await pilot.press("enter")
        await settle(pilot)
        assert "param id  the-id" in app.text
        assert "only its last failures are kept whole" in "\n".join(app.screen.query_one(Lines).plain)

    show(FailuresScreen(session_of(fleet, feed)), story, WIDE)
