from __future__ import annotations

from typing import Any

import pytest
from textual.pilot import Pilot

from mtop.actions import ACTIONS, REPLAY, Action, replaying, shown_key
from mtop.app import Mtop
from mtop.orders import DRAIN, PAUSE, REQUEUE_DEAD, RESUME, slots
from mtop.screens.answers import AnswersScreen
from mtop.screens.choose import ChooseScreen
from mtop.screens.confirm import ConfirmScreen
from mtop.screens.failures import FailuresScreen
from mtop.screens.help import HelpScreen
from mtop.screens.log import LogScreen
from mtop.screens.main import MainScreen
from mtop.screens.minion import MinionScreen
from mtop.screens.replay import ReplayScreen
from mtop.screens.setup import SetupScreen
from tests.mtop.app.playing import THREE, grid_of, ids, main_of, play, text_of, under_cursor
from tests.mtop.screens.house import FakeFeed

MANY = [{"id": f"m{number}-1-x", "host": f"n{number % 3}"} for number in range(100)]


# The table.


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)
def test_every_key_does_something(action: Action) -> None:
    assert callable(getattr(MainScreen, f"action_{action.name}"))
    assert action.help
    assert shown_key(action.keys[0])


@pytest.mark.parametrize("action", replaying(), ids=lambda action: action.name)
def test_every_key_does_something_in_a_recording(action: Action) -> None:
    assert callable(getattr(ReplayScreen, f"action_{action.name}"))
    assert not action.controls


@pytest.mark.parametrize("actions", [ACTIONS, replaying()], ids=["live", "replay"])
def test_no_key_does_two_things(actions: tuple[Action, ...]) -> None:
    keys = [key for action in actions for key in action.keys]
    assert len(keys) == len(set(keys))
    assert set(REPLAY) <= set(replaying())


def test_f_keys_have_twins() -> None:
    twins = [action for action in ACTIONS if any(key[0] == "f" and key[1:].isdigit() for key in action.keys)]
    assert len(twins) == 10
    assert all(any(not key[1:].isdigit() for key in action.keys) for action in twins)


def test_every_key_is_bound() -> None:
    async def story(pilot: Pilot[int], app: Mtop) -> None:
        bound = main_of(app)._bindings.key_to_bindings
        for action in ACTIONS:
            assert all(bound[key][0].action == action.name for key in action.keys)

    play(story)


# Moving.


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        ("down", 1), ("down down up", 1), ("up", 0), ("end", 99), ("end home", 0), ("end down", 99), ("pagedown", 18),
        ("pagedown pageup", 0), ("down pageup", 0),
    ],
)  # fmt: skip
def test_moving(keys: str, line: int) -> None:
    async def story(pilot: Pilot[int], app: Mtop) -> None:
        await pilot.press(*keys.split())
        assert grid_of(app).cursor == line
        assert f"m{line}-1-x" in text_of(app), "the cursor is in sight"

    play(story, *MANY)


def test_columns_that_have_no_room_are_reached_sideways() -> None:
    async def story(pilot: Pilot[int], app: Mtop) -> None:
        first = [column.key for column in grid_of(app).columns]
        assert "version" not in first
        for _ in range(30):
            await pilot.press("right")
        assert grid_of(app).columns[0].key == "id"
        assert "version" in [column.key for column in grid_of(app).columns]
        for _ in range(30):
            await pilot.press("left")
        assert [column.key for column in grid_of(app).columns] == first

    play(story, size=(60, 20))


def test_follow_keeps_the_cursor_on_its_minion() -> None:
    async def story(pilot: Pilot[int], app: Mtop) -> None:
        session = app.session
        await pilot.press("F", "down")
        assert under_cursor(app) == "bee-1-x"
        session.fleet.forget(["ant-1-x"], session.fleet.now)
        main_of(app).tick()
        assert under_cursor(app) == "bee-1-x"
        await pilot.press("F")
        session.fleet.forget(["bee-1-x"], session.fleet.now)
        main_of(app).tick()
        assert under_cursor(app) == "cat-1-x"

    play(story)


# Sorting and grouping.


def test_sorting_beside_and_the_other_way_round() -> None:
    async def story(pilot: Pilot[int], app: Mtop) -> None:
        view = app.session.view
        await pilot.press("greater_than_sign")
        assert view.sort == "host"
        await pilot.press("less_than_sign")
        assert (view.sort, view.falls) == ("id", False)
        await pilot.press("I")
        assert view.falls
        assert ids(app) == ["cat-1-x", "bee-1-x", "ant-1-x"]
        await pilot.press("less_than_sign")
        assert view.sort == "id", "there is none to the left"

    play(story)


def test_sorting_by_the_menu() -> None:
    async def story(pilot: Pilot[int], app: Mtop) -> None:
        await pilot.press("f6")
        assert isinstance(app.screen, ChooseScreen)
        await pilot.press("b", "enter")
        await pilot.pause()
        assert app.session.view.sort == "busy"
        assert ids(app) == ["ant-1-x", "bee-1-x", "cat-1-x"]
        await pilot.press("full_stop", "escape")
        assert app.session.view.sort == "busy"

    play(story)


def test_the_cursor_stays_on_its_minion_when_the_order_is_another() -> None:
    async def story(pilot: Pilot[int], app: Mtop) -> None:
        await pilot.press("I")
        assert under_cursor(app) == "ant-1-x"
        assert grid_of(app).cursor == 2
        await pilot.press("t")
        assert under_cursor(app) == "ant-1-x"

    play(story)


def test_freezing() -> None:
    async def story(pilot: Pilot[int], app: Mtop) -> None:
        await pilot.press("Z")
        assert app.session.view.frozen
        assert "order frozen" in text_of(app)
        await pilot.press("Z")
        assert not app.session.view.frozen

    play(story)


def test_trees() -> None:
    async def story(pilot: Pilot[int], app: Mtop) -> None:
        await pilot.press("f5")
        assert ids(app) == ["group:n1", "ant-1-x", "bee-1-x", "group:n2", "cat-1-x"]
        await pilot.press("minus")
        assert ids(app) == ["group:n1", "group:n2", "cat-1-x"]
        assert under_cursor(app) == "group:n1"
        await pilot.press("plus")
        assert len(ids(app)) == 5
        await pilot.press("asterisk")
        assert ids(app) == ["group:n1", "group:n2"]
        await pilot.press("asterisk")
        assert len(ids(app)) == 5
        await pilot.press("home", "enter")
        assert ids(app) == ["group:n1", "group:n2", "cat-1-x"]
        for tree in ("job", "queue", "flat"):
            await pilot.press("t")
            assert app.session.view.tree == tree
        assert ids(app) == ["ant-1-x", "bee-1-x", "cat-1-x"]

    play(story)


# Searching and filtering.


def test_searching_goes_to_what_is_found_and_on() -> None:
    async def story(pilot: Pilot[int], app: Mtop) -> None:
        await pilot.press("f3", *"m5")
        assert under_cursor(app) == "m5-1-x"
        await pilot.press("enter")
        assert under_cursor(app) == "m50-1-x"
        await pilot.press("f3")
        assert under_cursor(app) == "m51-1-x"
        await pilot.press("up")
        assert under_cursor(app) == "m50-1-x"
        await pilot.press("z")
        assert "not found" in text_of(app)
        assert len(ids(app)) == 100, "a search hides nothing"
        await pilot.press("escape", "down")
        assert under_cursor(app) == "m51-1-x"

    play(story, *MANY)


def test_a_filter_holds_until_it_is_taken_away() -> None:
    async def story(pilot: Pilot[int], app: Mtop) -> None:
        await pilot.press("f4", *"n2", "enter")
        assert ids(app) == ["cat-1-x"]
        assert "Filter: n2  1 of 3" in text_of(app)
        await pilot.press("backslash")
        assert "n2" in text_of(app)
        await pilot.press("escape")
        assert len(ids(app)) == 3
        assert "Filter:" not in text_of(app)

    play(story)


def test_a_filter_that_cannot_be_understood_is_told_and_the_former_holds() -> None:
    async def story(pilot: Pilot[int], app: Mtop) -> None:
        await pilot.press("f4", *"busy=", "enter")
        assert "character" in text_of(app)
        await pilot.press(*"1", "enter")
        assert ids(app) == ["cat-1-x"]

    play(story)


def test_a_filter_of_the_command_line() -> None:
    async def story(pilot: Pilot[int], app: Mtop) -> None:
        assert ids(app) == ["cat-1-x"]

    play(story, filter="busy=1")


# Tagging, and what tagged minions are told.


def test_tagging() -> None:
    async def story(pilot: Pilot[int], app: Mtop) -> None:
        tagged = app.session.tagged
        await pilot.press("space")
        assert (tagged, under_cursor(app)) == ({"ant-1-x"}, "bee-1-x")
        assert "1 tagged" in text_of(app)
        await pilot.press("up", "space")
        assert app.session.tagged == set()
        await pilot.press("home", "c")
        assert app.session.tagged == {"ant-1-x", "bee-1-x"}, "all of its host"
        await pilot.press("T")
        assert len(app.session.tagged) == 3
        await pilot.press("U")
        assert app.session.tagged == set()
        await pilot.press("t", "end", "c")
        assert app.session.tagged == {"cat-1-x"}, "all of its group"

    play(story)


ORDERS = [
    ("p", PAUSE), ("r", RESUME), ("d", DRAIN), ("D", REQUEUE_DEAD), ("f8", slots(3)), ("f7", slots(1)),
    ("right_square_bracket", slots(3)), ("left_square_bracket", slots(1)),
]  # fmt: skip


@pytest.mark.parametrize(("key", "order"), ORDERS, ids=[key for key, _ in ORDERS])
def test_who_is_under_the_cursor_is_told_once_it_is_confirmed(key: str, order: Any) -> None:
    feed = FakeFeed()

    async def story(pilot: Pilot[int], app: Mtop) -> None:
        await pilot.press(key)
        seen = [type(app.screen)]
        await pilot.press("enter")
        await pilot.pause()
        assert feed.orders == [], "Cancel has the focus"
        await pilot.press(key, "y")
        await pilot.pause()
        await pilot.pause()
        seen.append(type(app.screen))
        assert feed.orders == [("ant-1-x", order)]
        assert "ant-1-x does it" in text_of(app)
        await pilot.press("escape")
        seen.append(type(app.screen))
        assert seen == [ConfirmScreen, AnswersScreen, MainScreen]

    play(story, feed=feed)


def test_all_that_are_tagged_are_told() -> None:
    feed = FakeFeed()

    async def story(pilot: Pilot[int], app: Mtop) -> None:
        await pilot.press("T", "p", "y")
        await pilot.pause()
        await pilot.pause()
        assert sorted(key for key, _ in feed.orders) == ["ant-1-x", "bee-1-x", "cat-1-x"]

    play(story, feed=feed)


def test_one_minion_of_a_queue_is_enough_to_requeue_its_dead_params() -> None:
    feed = FakeFeed()

    async def story(pilot: Pilot[int], app: Mtop) -> None:
        await pilot.press("T", "D", "y")
        await pilot.pause()
        await pilot.pause()
        assert len(feed.orders) == 2

    play(story, *THREE[:2], {"id": "cat-1-x", "queue": "other"}, feed=feed)


def test_the_menu_of_orders() -> None:
    feed = FakeFeed()

    async def story(pilot: Pilot[int], app: Mtop) -> None:
        await pilot.press("f9", "d", "enter")
        await pilot.pause()
        assert isinstance(app.screen, ConfirmScreen)
        await pilot.press("escape", "k", "escape")
        assert isinstance(app.screen, MainScreen)
        assert feed.orders == []

    play(story, feed=feed)


@pytest.mark.parametrize(
    "key", [key for action in ACTIONS if action.controls and action.name != "order" for key in action.keys]
)
def test_read_only_gives_no_order(key: str) -> None:
    async def story(pilot: Pilot[int], app: Mtop) -> None:
        await pilot.press(key)
        await pilot.pause()
        assert isinstance(app.screen, MainScreen)
        assert "read-only" in text_of(app)

    play(story, *THREE, {"id": "dog-1-x", "left": 1.0}, readonly=True)


def test_a_minion_of_somebody_else_is_not_told() -> None:
    feed = FakeFeed()

    async def story(pilot: Pilot[int], app: Mtop) -> None:
        await pilot.press("p", "y")
        await pilot.pause()
        await pilot.pause()
        assert feed.orders == []
        assert "belongs to eve" in text_of(app)

    play(story, {"id": "ant-1-x", "user": "eve"}, feed=feed)


def test_purging_removes_who_is_no_more() -> None:
    class Purging(FakeFeed):
        purged: list[str]

        def purge(self, minions: Any) -> None:
            self.purged = [minion.key for minion in minions]

    feed = Purging()

    async def story(pilot: Pilot[int], app: Mtop) -> None:
        await pilot.press("X", "y")
        await pilot.pause()
        assert feed.purged == ["dog-1-x", "eel-1-x"]
        assert ids(app) == ["ant-1-x", "bee-1-x", "cat-1-x"]
        await pilot.press("X")
        await pilot.pause()
        assert isinstance(app.screen, MainScreen), "there is nobody to purge"

    play(story, *THREE, {"id": "dog-1-x", "left": 1.0}, {"id": "eel-1-x", "age": 500.0}, feed=feed)


# Other screens, and what can be taken away.


@pytest.mark.parametrize(
    ("key", "screen"),
    [
        ("f1", HelpScreen), ("question_mark", HelpScreen), ("h", HelpScreen), ("f2", SetupScreen), ("S", SetupScreen),
        ("enter", MinionScreen), ("g", FailuresScreen), ("l", LogScreen),
    ],
)  # fmt: skip
def test_there_and_back(key: str, screen: type[Any]) -> None:
    async def story(pilot: Pilot[int], app: Mtop) -> None:
        await pilot.press(key)
        await pilot.pause()
        assert isinstance(app.screen, screen)
        await pilot.press("escape")
        await pilot.pause()
        assert isinstance(app.screen, MainScreen)

    play(story)


def test_copying_a_line() -> None:
    async def story(pilot: Pilot[int], app: Mtop) -> None:
        await pilot.press("y")
        assert app.clipboard.startswith("ant-1-x\tn1\t")
        assert "\n" not in app.clipboard

    play(story)


def test_saving_the_screen(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    async def story(pilot: Pilot[int], app: Mtop) -> None:
        await pilot.press("ctrl+s")
        (picture,) = tmp_path.glob("mtop-*.svg")
        assert "ant-1-x" in picture.read_text()

    play(story)


def test_the_palette_lists_all_that_keys_do() -> None:
    async def story(pilot: Pilot[int], app: Mtop) -> None:
        titles = [command.title for command in app.get_system_commands(app.screen)]
        assert len(titles) >= len(ACTIONS)
        await pilot.press("ctrl+p")
        await pilot.pause()
        assert type(app.screen).__name__ == "CommandPalette"

    play(story)


@pytest.mark.parametrize(
    "keys",
    ["q", "f10", "ctrl+c", "enter ctrl+c", "d ctrl+c ctrl+c", "f6 ctrl+c ctrl+c", "f1 ctrl+c", "f4 escape ctrl+c"],
)
def test_leaving(keys: str) -> None:
    async def story(pilot: Pilot[int], app: Mtop) -> None:
        assert not app._exit
        await pilot.press(*keys.split())
        assert app._exit

    assert play(story).return_code in (0, None)


def test_drawing_anew_changes_nothing() -> None:
    async def story(pilot: Pilot[int], app: Mtop) -> None:
        before = text_of(app)
        await pilot.press("ctrl+l")
        await pilot.pause()
        assert text_of(app) == before

    play(story)


def test_what_a_filter_hides_is_not_purged() -> None:
    async def story(pilot: Pilot[int], app: Mtop) -> None:
        await pilot.press("f4", *"eel", "enter", "X", "y")
        await pilot.pause()
        await pilot.press("f4", "escape")
        assert ids(app) == ["ant-1-x", "bee-1-x", "cat-1-x", "dog-1-x"]

    play(story, *THREE, {"id": "dog-1-x", "left": 1.0}, {"id": "eel-1-x", "age": 500.0})
