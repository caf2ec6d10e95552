from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from textual.pilot import Pilot

from mtop.orders import DRAIN
from mtop.screens.answers import AnswersScreen
from mtop.screens.dialog import KeysScreen
from mtop.screens.failures import FailuresScreen
from mtop.screens.help import HelpScreen
from mtop.screens.keybar import KeyBar
from mtop.screens.log import LogScreen
from mtop.screens.minion import MinionScreen
from mtop.screens.page import Page
from mtop.screens.setup import SetupScreen
from mtop.session import Session
from tests.mtop.screens.house import House, fleet_of, session_of, settle, show

PAGES: list[Callable[[Session], Page[Any]]] = [
    lambda session: MinionScreen(session, "host-1-a"),
    FailuresScreen,
    HelpScreen,
    LogScreen,
    SetupScreen,
    lambda session: AnswersScreen(session, "drain", DRAIN, list(session.fleet)),
]
IDS = ["minion", "failures", "help", "log", "setup", "answers"]


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_every_page_tells_its_keys_and_leads_back(page: Callable[[Session], Page[Any]]) -> None:
    async def story(pilot: Pilot[None], app: House) -> None:
        screen = app.screen
        assert isinstance(screen, Page)
        for key in ("f1", "question_mark", "h"):
            await pilot.press(key)
            await settle(pilot)
            assert "Keys of this screen" in app.text
            for action in screen.offered():
                assert action.help in app.text
            await pilot.press("escape")
            await settle(pilot)
            assert app.screen is screen
        await pilot.press("escape")
        await settle(pilot)
        assert app.answers == [None]

    show(page(session_of(fleet_of({}))), story, (100, 30))


@pytest.mark.parametrize("key", ["escape", "q", "f10"])
def test_three_keys_lead_back(key: str) -> None:
    async def story(pilot: Pilot[None], app: House) -> None:
        await pilot.press(key)
        await settle(pilot)

    assert show(LogScreen(session_of(fleet_of({}))), story).answers == [None]


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_every_key_of_a_page_does_something_that_is_there(page: Callable[[Session], Page[Any]]) -> None:
    async def story(pilot: Pilot[None], app: House) -> None:
        screen = app.screen
        assert isinstance(screen, Page)
        pane = getattr(screen, "_panes", [screen])
        for action in screen.offered():
            name = action.name.partition("(")[0]
            assert any(hasattr(each, f"action_{name}") for each in (screen, *pane)), action.name
            for key in action.keys:
                assert key in screen._bindings.key_to_bindings, key

    show(page(session_of(fleet_of({}))), story)


def test_a_click_on_the_key_bar_presses_the_key() -> None:
    async def story(pilot: Pilot[None], app: House) -> None:
        bar = app.text.splitlines()[-1]
        await pilot.click(KeyBar, offset=(bar.index("Help"), 0))
        await settle(pilot)
        assert isinstance(app.screen, KeysScreen)
        await pilot.press("escape")
        await settle(pilot)
        await pilot.click(KeyBar, offset=(79, 0))
        await settle(pilot)
        assert app.answers == []
        await pilot.click(KeyBar, offset=(bar.index("Back") + 3, 0))
        await settle(pilot)
        assert app.answers == [None]

    show(LogScreen(session_of(fleet_of({}))), story)


def test_keys_for_which_there_is_no_room_are_left_out_of_the_bar_as_a_whole() -> None:
    async def story(pilot: Pilot[None], app: House) -> None:
        assert app.text.splitlines()[-1] == "F1Help EnterOutput"

    show(MinionScreen(session_of(fleet_of({})), "host-1-a"), story, (20, 12))


def test_a_page_that_another_one_hides_asks_nobody() -> None:
    session = session_of(fleet_of({}))
    ticks: list[object] = []

    async def story(pilot: Pilot[None], app: House) -> None:
        screen = app.screen
        assert isinstance(screen, Page)
        screen.tick = lambda: ticks.append(screen)  # type: ignore[method-assign]
        screen._timed()
        assert len(ticks) == 1
        await pilot.press("f1")
        await settle(pilot)
        screen._timed()
        assert len(ticks) == 2, "it is seen behind a dialog"
        app.push_screen(HelpScreen(session))
        await settle(pilot)
        screen._timed()
        assert len(ticks) == 2

    show(MinionScreen(session, "host-1-a"), story)
