from __future__ import annotations

from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Button

from mtop.model.minion import Minion
from mtop.screens.confirm import ConfirmScreen
from tests.mtop.screens.house import House, fleet_of, session_of, settle, show


def asked(*minions: dict[str, Any], **more: Any) -> ConfirmScreen:
    """A question about a fleet."""
    fleet = fleet_of(*minions)
    return ConfirmScreen(session_of(fleet), "Drain", list(fleet), **more)


def test_it_says_who_is_meant_and_who_is_left_out_and_why() -> None:
    meant: list[dict[str, Any]] = [{"host": f"nancy-{number % 2}"} for number in range(6)]
    left_out: list[dict[str, Any]] = [{"user": "bob"}, {"user": "bob"}, {"token": None}, {"age": 500.0, "host": "x"}]

    async def story(pilot: Pilot[None], app: House) -> None:
        for words in (
            "Drain: 6 minions on 2 hosts?",
            "This cannot be taken back.",
            "host-1-a  nancy-0, running",
            "and 2 more",
            "Left out: 2, it belongs to bob",
            "Left out: 1, its token is not known",
            "Left out: 1, it is lost",
        ):
            assert words in app.text
        assert "host-5-a" not in app.text

    show(asked(*meant, *left_out, detail="This cannot be taken back."), story)


@pytest.mark.parametrize(
    ("keys", "answer"),
    [
        ("enter", False),
        ("escape", False),
        ("n", False),
        ("right left enter", False),
        ("y", True),
        ("right enter", True),
        ("tab enter", True),
        ("down space", False),
    ],
)
def test_enter_alone_never_says_yes(keys: str, answer: bool) -> None:
    async def story(pilot: Pilot[None], app: House) -> None:
        for key in keys.split():
            await pilot.press(key)
        await settle(pilot)
        if keys == "down space":
            await pilot.press("escape")
            await settle(pilot)

    assert show(asked({}), story).answers == [answer]


@pytest.mark.parametrize(("button", "answer"), [("#ok", True), ("#cancel", False)])
def test_buttons_can_be_clicked(button: str, answer: bool) -> None:
    async def story(pilot: Pilot[None], app: House) -> None:
        await pilot.click(button)
        await settle(pilot)

    assert show(asked({}), story).answers == [answer]


@pytest.mark.parametrize(
    ("keys", "sure"),
    [
        ("y", False),
        ("right enter", False),
        ("1 0 enter", False),
        ("1 1 1 enter", False),
        ("1 x 1", True),
        ("1 1", True),
        ("1 1 0 backspace", True),
    ],
)
def test_above_ten_the_number_must_be_typed(keys: str, sure: bool) -> None:
    async def story(pilot: Pilot[None], app: House) -> None:
        assert "Type 11 to do so" in app.text
        for key in keys.split():
            await pilot.press(key)
        await settle(pilot)
        assert app.answers == []
        assert app.screen.query_one("#ok", Button).disabled is not sure
        await pilot.click("#ok")
        await settle(pilot)
        assert app.answers == ([True] if sure else [])

    show(asked(*({} for _ in range(11))), story)


def test_enter_behind_the_number_goes_to_ok_and_the_next_one_says_yes() -> None:
    async def story(pilot: Pilot[None], app: House) -> None:
        await pilot.press("1", "1", "enter")
        await settle(pilot)
        assert app.answers == []
        await pilot.press("enter")
        await settle(pilot)

    assert show(asked(*({} for _ in range(11))), story).answers == [True]


def test_ten_need_no_number() -> None:
    async def story(pilot: Pilot[None], app: House) -> None:
        assert "Type" not in app.text
        await pilot.press("y")
        await settle(pilot)

    assert show(asked(*({} for _ in range(10))), story).answers == [True]


def test_where_nobody_can_be_told_there_is_nothing_to_say_yes_to() -> None:
    async def story(pilot: Pilot[None], app: House) -> None:
        assert "Drain: there is nobody to tell." in app.text
        assert not app.screen.query("#ok")
        await pilot.press("y", "enter")
        await settle(pilot)

    assert show(asked({"user": "bob"}), story).answers == [False]


def test_a_purge_means_those_that_have_ended() -> None:
    def why_not(minion: Minion) -> str | None:
        return None if minion.ended else f"it is {minion.state}"

    async def story(pilot: Pilot[None], app: House) -> None:
        assert "1 minion?" in app.text
        assert "host-1-a  host, lost" in app.text
        assert "Left out: 1, it is running" in app.text

    show(asked({"age": 500.0}, {}, why_not=why_not), story)


@pytest.mark.parametrize("size", [(80, 24), (60, 20), (40, 12)])
def test_buttons_are_seen_however_small_the_terminal_is(size: tuple[int, int]) -> None:
    minions: list[dict[str, Any]] = [{"user": f"user{number}"} for number in range(20)] + [{} for _ in range(20)]

    async def story(pilot: Pilot[None], app: House) -> None:
        assert "[ Cancel ]" in app.text
        assert "[ OK ]" in app.text
        assert "Type 20" in app.text

    show(asked(*minions, detail="word " * 100), story, size)
