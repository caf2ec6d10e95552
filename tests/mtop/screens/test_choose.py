from __future__ import annotations

import pytest
from textual.pilot import Pilot

from mtop.format import Glyphs
from mtop.screens.choose import ChooseScreen
from mtop.screens.table import Table
from tests.mtop.screens.house import HOSTILE, House, settle, show

OPTIONS = [("id", "ID"), ("host", "HOST"), ("done", "DONE"), ("dead", "DEAD"), ("rate", "RATE/s")]


def test_the_cursor_is_on_what_holds_now() -> None:
    async def story(pilot: Pilot[None], app: House) -> None:
        assert app.screen.query_one(Table).key == "done"
        assert "▸ DONE" in app.text
        assert app.text.startswith("Sort by")

    show(ChooseScreen("Sort by", OPTIONS, "done"), story)


@pytest.mark.parametrize("current", [None, "nothing"])
def test_nothing_need_hold_now(current: str | None) -> None:
    async def story(pilot: Pilot[None], app: House) -> None:
        assert app.screen.query_one(Table).key == "id"
        await pilot.press("enter")
        await settle(pilot)

    assert show(ChooseScreen("Sort by", OPTIONS, current), story).answers == ["id"]


@pytest.mark.parametrize(
    ("keys", "answer"),
    [
        ("enter", "done"),
        ("up enter", "host"),
        ("end enter", "rate"),
        ("r enter", "rate"),
        ("d enter", "dead"),
        ("d d enter", "done"),
        ("H enter", "host"),
        ("q enter", "done"),
        ("escape", None),
        ("f10", None),
    ],
)
def test_keys_and_first_letters_choose(keys: str, answer: str | None) -> None:
    async def story(pilot: Pilot[None], app: House) -> None:
        for key in keys.split():
            await pilot.press(key)
        await settle(pilot)

    assert show(ChooseScreen("Sort by", OPTIONS, "done"), story).answers == [answer]


def test_one_click_chooses() -> None:
    async def story(pilot: Pilot[None], app: House) -> None:
        await pilot.click(Table, offset=(4, 1))
        await settle(pilot)

    assert show(ChooseScreen("Sort by", OPTIONS, "done"), story).answers == ["host"]


def test_a_long_list_scrolls_to_what_holds_now() -> None:
    async def story(pilot: Pilot[None], app: House) -> None:
        assert "> number 80" in app.text

    options = [(str(number), f"number {number}") for number in range(100)]
    show(ChooseScreen("Sort by", options, "80", Glyphs(ascii=True)), story, (60, 20))


@pytest.mark.parametrize("options", [[], [("x", HOSTILE), ("y", HOSTILE * 50)]])
def test_odd_options_break_nothing(options: list[tuple[str, str]]) -> None:
    async def story(pilot: Pilot[None], app: House) -> None:
        await pilot.press("z", "down", "enter")
        await settle(pilot)
        assert "\x1b" not in app.text
        if options:
            assert app.answers == ["y"]
        else:
            assert app.answers == []

    show(ChooseScreen("Sort by", options), story)
