from __future__ import annotations

import pytest
from textual.pilot import Pilot

from mtop.actions import ACTIONS, shown_key
from mtop.columns import COLUMNS
from mtop.screens.help import HelpScreen
from mtop.screens.lines import Lines
from tests.mtop.screens.house import House, fleet_of, session_of, settle, show


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (200, 60)])
def test_every_key_state_and_column_is_explained(size: tuple[int, int]) -> None:
    async def story(pilot: Pilot[None], app: House) -> None:
        lines = app.screen.query_one(Lines).plain
        whole = " ".join(" ".join(lines).split())
        for action in ACTIONS:
            if size[0] < 200:
                keys = " ".join(map(shown_key, action.keys))
                assert any(line.split() == f"{keys} {action.help}".split() for line in lines), action.name
        for state in ["starting", "running", "idle", "paused", "draining", "stopped", "stale", "lost", "unknown"]:
            assert any(f" {state}  " in line for line in lines)
        for column in COLUMNS:
            assert f"({column.key})" in whole

    show(HelpScreen(session_of(fleet_of({}))), story, size)


def test_wide_terminals_have_all_of_it_beside_each_other() -> None:
    async def story(pilot: Pilot[None], app: House) -> None:
        assert len(app.screen.query_one(Lines).plain) < 60
        await pilot.resize_terminal(80, 24)
        await settle(pilot)
        assert len(app.screen.query_one(Lines).plain) > 60

    show(HelpScreen(session_of(fleet_of({}))), story, (200, 60))


def test_it_scrolls_it_searches_and_leads_back() -> None:
    async def story(pilot: Pilot[None], app: House) -> None:
        first = app.text
        await pilot.press("pagedown")
        await settle(pilot)
        assert app.text != first
        await pilot.press("slash", *"version of")
        await settle(pilot)
        assert "VERSION  version of minionize" in app.text
        await pilot.press("escape", "escape")
        await settle(pilot)

    assert show(HelpScreen(session_of(fleet_of({}))), story).answers == [None]


def test_orders_are_said_not_to_be_there_for_who_may_not_give_them() -> None:
    async def story(pilot: Pilot[None], app: House) -> None:
        lines = app.screen.query_one(Lines).plain
        noted = [line for line in lines if "(not with --readonly)" in line]
        assert len(noted) == sum(action.controls for action in ACTIONS)

    show(HelpScreen(session_of(fleet_of({}), readonly=True)), story)


def test_a_terminal_with_nothing_but_ascii_shows_ascii() -> None:
    async def story(pilot: Pilot[None], app: House) -> None:
        assert "\n".join(app.screen.query_one(Lines).plain).isascii()

    show(HelpScreen(session_of(fleet_of({}), ascii=True)), story)
