from __future__ import annotations

from typing import Any

import pytest
from textual.pilot import Pilot

from minionize.testing.announcements import TOKEN
from mtop.orders import kill, requeue
from mtop.screens.confirm import ConfirmScreen
from mtop.screens.minion import MinionScreen
from mtop.screens.table import Table
from tests.mtop.screens.house import NOW, FakeFeed, House, fleet_of, run, session_of, settle, show

LATENCY = {"count": 40, "sum": 20.0, "p50": 0.4, "p95": 1.0, "p99": 2.0, "buckets": [(0.5, 30), (1.0, 38), (None, 40)]}


def a_feed(*ages: float) -> FakeFeed:
    """A minion in which runs are under way, by their ages."""
    feed = FakeFeed()
    feed.runs["host-1-a"] = [run(str(number), age=age, slot=number) for number, age in enumerate(ages, 1)]
    return feed


def test_what_runs_is_shown_the_oldest_first_and_stragglers_are_marked_by_a_word() -> None:
    session = session_of(fleet_of({"latency": LATENCY}), a_feed(0.5, 3.5, 2.0))

    async def story(pilot: Pilot[None], app: House) -> None:
        rows = app.screen.query_one(Table).plain
        assert [(row[3], row[4], row[7]) for row in rows] == [
            ("3.5s", "straggler", "param-2"),
            ("2s", "running", "param-3"),
            ("500ms", "running", "param-1"),
        ]
        assert "host-1-a  user@host  running  slots 2/2" in app.text
        assert "runs ./a.out {}" in app.text

    show(MinionScreen(session, "host-1-a"), story)


def test_nobody_straggles_where_too_few_runs_have_ended_to_tell() -> None:
    session = session_of(fleet_of({"latency": {**LATENCY, "count": 3}}), a_feed(500.0))

    async def story(pilot: Pilot[None], app: House) -> None:
        assert "running" in app.screen.query_one(Table).plain[0]

    show(MinionScreen(session, "host-1-a"), story)


def test_ages_go_on_between_two_answers() -> None:
    feed = a_feed(2.0)
    session = session_of(fleet_of({}), feed)

    async def story(pilot: Pilot[None], app: House) -> None:
        feed.hangs.add("host-1-a")
        feed.now += 5
        app.tick()
        await settle(pilot)
        assert app.screen.query_one(Table).plain[0][3] == "7s"

    show(MinionScreen(session, "host-1-a"), story)


@pytest.mark.parametrize(
    ("task", "attempt"),
    [
        ({"attempt": 3, "redelivered": True}, "3"),
        ({"attempt": None, "redelivered": True}, ">1"),
        ({"attempt": None, "redelivered": None}, "-"),
    ],
)
def test_what_the_queue_cannot_tell_of_attempts_is_not_made_up(task: dict[str, Any], attempt: str) -> None:
    feed = FakeFeed()
    feed.runs["host-1-a"] = [run(**task)]

    async def story(pilot: Pilot[None], app: House) -> None:
        assert app.screen.query_one(Table).plain[0][2] == attempt

    show(MinionScreen(session_of(fleet_of({}), feed), "host-1-a"), story)


def test_params_of_a_lost_minion_are_lost_and_never_running() -> None:
    feed = a_feed(2.0, 3.0)
    fleet = fleet_of({})

    async def story(pilot: Pilot[None], app: House) -> None:
        assert [row[4] for row in app.screen.query_one(Table).plain] == ["running", "running"]
        fleet.advance(NOW + 500, 0.0)
        feed.now += 500
        asked = list(feed.asked)
        app.tick()
        await settle(pilot)
        assert [row[4] for row in app.screen.query_one(Table).plain] == ["lost", "lost"]
        assert "The minion is lost: 2 params in flight there are lost too; nobody runs them now." in app.text
        assert "running" not in app.text
        assert "slots 0/2" in app.text
        assert feed.asked == asked

    show(MinionScreen(session_of(fleet, feed), "host-1-a"), story, (100, 24))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"age": 500.0, "host": "nancy"}, "The minion is lost: 2 params in flight there are lost too"),
        ({"left": 1.0, "state": "stopped", "url": None}, "The minion has stopped: nothing runs."),
        ({"user": "bob"}, "2 params in flight; which ones is not known: it belongs to bob."),
        ({"token": None}, "2 params in flight; which ones is not known: its token is not known."),
        ({"url": None}, "which ones is not known: it has no stats server (--no-server)."),
    ],
)
def test_who_cannot_be_asked_is_not_asked_and_it_is_said_why(changes: dict[str, Any], words: str) -> None:
    feed = a_feed(1.0)

    async def story(pilot: Pilot[None], app: House) -> None:
        for key in "123456":
            await pilot.press(key)
            await settle(pilot)
        await pilot.press("1")
        await settle(pilot)
        assert words in app.text
        assert feed.asked == []

    show(MinionScreen(session_of(fleet_of(changes), feed), "host-1-a"), story, (100, 24))


def test_a_minion_that_gives_no_answer_is_said_to_and_what_was_known_stays() -> None:
    feed = a_feed(1.0)

    async def story(pilot: Pilot[None], app: House) -> None:
        feed.silent["host-1-a"] = "connection refused"
        feed.now += 4
        app.tick()
        await settle(pilot)
        assert "connection refused (what stands here is 4s old)" in app.text
        assert "param-1" in app.text
        del feed.silent["host-1-a"]
        app.tick()
        await settle(pilot)
        assert "refused" not in app.text

    show(MinionScreen(session_of(fleet_of({}), feed), "host-1-a"), story)


def test_a_minion_that_hangs_is_asked_once_and_holds_nothing_up() -> None:
    feed = a_feed(1.0)
    feed.hangs.add("host-1-a")

    async def story(pilot: Pilot[None], app: House) -> None:
        for _ in range(5):
            feed.now += 1
            app.tick()
            await settle(pilot)
        assert feed.asked == ["tasks host-1-a"]
        assert "no answer yet, after 5s" in app.text
        for key in "23456":
            await pilot.press(key)
            app.tick()
            await settle(pilot)
        assert sorted(feed.asked) == ["failures host-1-a", "tasks host-1-a"]
        await pilot.press("q")
        await settle(pilot)
        assert app.answers == [None]
        assert feed.under_way == 0

    show(MinionScreen(session_of(fleet_of({}), feed), "host-1-a"), story)


def test_a_minion_that_vanishes_is_said_to_have() -> None:
    fleet = fleet_of({})
    feed = a_feed(1.0)

    async def story(pilot: Pilot[None], app: House) -> None:
        fleet.forget(["host-1-a"], NOW)
        asked = len(feed.asked)
        for key in "123456":
            await pilot.press(key)
            await settle(pilot)
            assert "no more in the fleet" in app.text
        assert len(feed.asked) == asked

    show(MinionScreen(session_of(fleet, feed), "host-1-a"), story, (120, 24))


def test_a_key_that_stands_for_no_minion_is_no_error() -> None:
    async def story(pilot: Pilot[None], app: House) -> None:
        for key in "123456":
            await pilot.press(key)
        await settle(pilot)
        assert "There is no minion nobody in the fleet." in app.text

    show(MinionScreen(session_of(fleet_of({})), "nobody"), story)


def opened(app: House) -> str:
    """The open tab."""
    return app.text.partition("[")[2].partition("]")[0]


def test_tabs_open_by_number_by_arrows_and_by_clicks() -> None:
    async def story(pilot: Pilot[None], app: House) -> None:
        for key, name in (("5", "5 Info"), ("right", "6 Events"), ("right", "1 In flight"), ("left", "6 Events")):
            await pilot.press(key)
            await settle(pilot)
            assert opened(app) == name
        for x, name in ((3, "1 In flight"), (15, "2 Failures"), (26, "3 Output"), (54, "6 Events")):
            await pilot.click("Tabs", offset=(x, 0))
            await settle(pilot)
            assert opened(app) == name
        await pilot.click("Tabs", offset=(78, 0))
        assert opened(app) == "6 Events"

    show(MinionScreen(session_of(fleet_of({})), "host-1-a"), story)


@pytest.mark.parametrize(("key", "order"), [("K", kill("a/b")), ("f9", kill("a/b")), ("R", requeue("a/b"))])
def test_a_run_is_ended_after_a_question(key: str, order: object) -> None:
    feed = FakeFeed()
    feed.runs["host-1-a"] = [run("other"), run("a/b", age=9.0)]
    session = session_of(fleet_of({}), feed)

    async def story(pilot: Pilot[None], app: House) -> None:
        await pilot.press(key)
        await settle(pilot)
        assert isinstance(app.screen, ConfirmScreen)
        assert "param-a/b" in app.text
        await pilot.press("enter")
        await settle(pilot)
        assert feed.orders == []
        await pilot.press(key, "right", "enter")
        await settle(pilot)
        assert feed.orders == [("host-1-a", order)]
        await pilot.press("6")
        await settle(pilot)
        assert "param-a/b: done, host-1-a does it" in app.text

    show(MinionScreen(session, "host-1-a"), story, (120, 24))


def test_what_a_minion_says_to_that_is_said_whatever_it_is() -> None:
    feed = a_feed(1.0)
    session = session_of(fleet_of({}), feed)

    async def story(pilot: Pilot[None], app: House) -> None:
        await pilot.press("K")
        feed.silent["host-1-a"] = "[bold]no\x1b[31m"
        await pilot.press("y")
        await settle(pilot)
        (event,) = [each for each in session.fleet.events.of("host-1-a") if each.severity == "warning"]
        assert event.what.endswith("kill param-1: failed, [bold]no\x1b[31m")
        assert "[bold]no\\x1b[31m" in app.text

    show(MinionScreen(session, "host-1-a"), story, (120, 24))


@pytest.mark.parametrize("how", ["readonly", "recording"])
def test_who_may_not_order_is_not_offered_to(how: str) -> None:
    feed = a_feed(1.0)
    feed.live = how != "recording"
    session = session_of(fleet_of({}), feed, readonly=how == "readonly")

    async def story(pilot: Pilot[None], app: House) -> None:
        assert "Kill" not in app.text
        assert "Output" in app.text
        for key in ("K", "R"):
            await pilot.press(key)
            await settle(pilot)
        assert not isinstance(app.screen, ConfirmScreen)
        assert feed.orders == []

    show(MinionScreen(session, "host-1-a"), story)


@pytest.mark.parametrize("how", ["enter", "o", "click"])
def test_the_output_of_a_run_is_one_key_or_two_clicks_away(how: str) -> None:
    feed = a_feed(5.0, 1.0)
    feed.written["2"] = {"id": "2", "stdout": "hello\n", "stderr": None}

    async def story(pilot: Pilot[None], app: House) -> None:
        if how == "click":
            await pilot.click(Table, offset=(5, 2), times=2)
        else:
            await pilot.press("down", how)
        await settle(pilot)
        assert opened(app) == "3 Output"
        assert "hello" in app.text
        assert "output 2 host-1-a" in feed.asked

    show(MinionScreen(session_of(fleet_of({}), feed), "host-1-a"), story)


def test_troubles_are_told_above_all_tabs() -> None:
    fleet = fleet_of({"why": "the disk is full"})
    minion = fleet.minions["host-1-a"]
    fleet.unanswered("host-1-a", "connection refused", NOW)
    fleet.advance(NOW, 0.0)
    minion.suspect = "80% of its runs fail (1% elsewhere), 7 x as fast"

    async def story(pilot: Pilot[None], app: House) -> None:
        assert "running (the disk is full)" in app.text
        assert "Its server does not answer: connection refused; these numbers are its heartbeat's, 1s old" in app.text
        assert "Is host a black hole? 80% of its runs fail (1% elsewhere), 7 x as fast" in app.text
        assert TOKEN not in app.text

    show(MinionScreen(session_of(fleet), "host-1-a"), story, (120, 24))


def test_an_answer_that_comes_when_the_user_has_left_is_no_fault() -> None:
    feed = a_feed(0.5)
    feed.written["1"] = {"id": "1", "stdout": "out", "stderr": ""}
    session = session_of(fleet_of({}), feed)
    screen = MinionScreen(session, "host-1-a")

    async def story(pilot: Pilot[None], app: House) -> None:
        for tab in "123":
            await pilot.press(tab)
            await settle(pilot)
        askings = [screen._tasks, *(pane._asking for pane in screen._panes[1:3])]  # type: ignore[attr-defined]
        assert all(asking.answer is not None for asking in askings)
        await app.pop_screen()
        screen.tick_here()
        for asking in askings:
            asking._tell()

    show(screen, story)
