from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.pilot import Pilot

from mtop.columns import COLUMNS, DEFAULT
from mtop.config import Config
from mtop.meters import METERS, MODES
from mtop.screens.draft import Draft
from mtop.screens.setup import SetupScreen
from mtop.screens.table import Table
from tests.mtop.screens.house import House, fleet_of, session_of, settle, show

KEYS = [column.key for column in COLUMNS]


# The draft.


@given(st.lists(st.sampled_from(KEYS), unique=True, min_size=1), st.data())
def test_columns_are_only_moved_and_toggled_never_lost(columns: list[str], data: st.DataObject) -> None:
    draft = Draft(Config(columns=tuple(columns)))
    assert draft.config.columns == tuple(columns)
    for _ in range(data.draw(st.integers(0, 9))):
        key = data.draw(st.sampled_from(KEYS))
        if data.draw(st.booleans()):
            draft.toggle(key)
        else:
            draft.move(key, data.draw(st.sampled_from([-1, 1])))
        assert sorted(draft.order) == sorted(KEYS)
        assert draft.config.columns
        assert set(draft.config.columns) == draft.chosen


def test_a_column_is_moved_and_stops_at_both_ends() -> None:
    draft = Draft(Config(columns=("id", "host", "state")))
    draft.move("state", -1)
    assert draft.config.columns == ("id", "state", "host")
    draft.move("id", -1)
    assert draft.order[0] == "id"
    for _ in range(100):
        draft.move("id", 1)
    assert draft.order[-1] == "id"


def test_the_last_column_stays() -> None:
    draft = Draft(Config(columns=("id",)))
    draft.toggle("id")
    assert draft.config.columns == ("id",)


def test_a_meter_goes_through_all_modes() -> None:
    draft = Draft(Config())
    meter = METERS[0]
    assert draft.mode(meter.key) == meter.mode
    seen = [meter.mode]
    for _ in MODES:
        draft.step_mode(meter.key, 1)
        seen.append(draft.mode(meter.key))
    assert set(seen) == set(MODES)
    assert seen[0] == seen[-1]
    assert draft.config.meters == ((meter.key, meter.mode),)


def test_a_delay_of_ones_own_can_be_kept() -> None:
    draft = Draft(Config(delay=3.7))
    assert 3.7 in draft.delays
    draft.set_delay(1.0)
    assert draft.config.delay == 1.0


def test_what_is_not_set_up_here_stays() -> None:
    config = Config(sort="rate", falls=True, tree="host", theme="light")
    draft = Draft(config)
    draft.set_theme("monochrome")
    assert draft.config == replace(config, theme="monochrome")


# The screen.


def setup(config: Config) -> SetupScreen:
    session = session_of(fleet_of({}))
    session.config = config
    return SetupScreen(session)


def chosen(keys: str, config: Config, size: tuple[int, int] = (80, 24)) -> Config | None:
    """What a user has set up with these keys."""

    async def story(pilot: Pilot[None], app: House) -> None:
        for key in keys.split():
            await pilot.press(key)
            await pilot.pause()
        await settle(pilot)

    (answer,) = show(setup(config), story, size).answers
    assert answer is None or isinstance(answer, Config)
    return answer


BEFORE = Config(columns=("id", "host", "state", "done"), delay=1.0)


@pytest.mark.parametrize("size", [(80, 24), (60, 20)])
@pytest.mark.parametrize(
    ("keys", "columns"),
    [
        ("f10", "id host state done"),
        ("right down space f10", "id state done"),
        ("enter down enter f10", "id state done"),
        ("tab down f8 f10", "id state host done"),
        ("right down minus f10", "id state host done"),
        ("right down shift+down shift+down f10", "id state done host"),
        ("right down down f7 f10", "id state host done"),
        ("right down down plus plus f10", "state id host done"),
        ("right down down shift+up f10", "id state host done"),
        ("f8 space f10", "id host state done"),
    ],
)
def test_columns_are_chosen_and_put_in_order(keys: str, columns: str, size: tuple[int, int]) -> None:
    assert chosen(keys, BEFORE, size) == replace(BEFORE, columns=tuple(columns.split()))


def test_columns_can_be_made_as_they_were_at_first() -> None:
    assert chosen("right D f10", BEFORE) == replace(BEFORE, columns=DEFAULT)


@pytest.mark.parametrize("keys", ["escape", "right down space escape", "right space q"])
def test_who_leaves_changes_nothing(keys: str) -> None:
    assert chosen(keys, BEFORE) is None


@pytest.mark.parametrize(
    ("keys", "after"),
    [
        ("down right space f10", {"meters": (("done", "off"),)}),
        ("down right minus f10", {"meters": (("done", "off"),)}),
        ("down right plus f10", {"meters": (("done", "text"),)}),
        ("down down right down space f10", {"theme": "light"}),
        ("down down enter down enter f10", {"theme": "light"}),
        ("end right end space f10", {"delay": 30.0}),
    ],
)
def test_meters_theme_and_delay_are_chosen(keys: str, after: dict[str, object]) -> None:
    assert chosen(keys, BEFORE) == replace(BEFORE, **after)  # type: ignore[arg-type]


def test_the_mouse_does_all_of_it() -> None:
    async def story(pilot: Pilot[None], app: House) -> None:
        await pilot.click("#items", offset=(3, 1))
        await settle(pilot)
        await pilot.click("#parts", offset=(3, 3))
        await settle(pilot)
        await pilot.click("#items", offset=(3, 3))
        await settle(pilot)
        x = app.text.splitlines()[-1].index("F10") + 1
        await pilot.click("KeyBar", offset=(x, 0))
        await settle(pilot)

    after = replace(BEFORE, columns=("id", "state", "done"), theme="monochrome")
    assert show(setup(BEFORE), story).answers == [after]


def test_columns_for_which_there_is_no_room_are_said_to_have_none() -> None:
    async def story(pilot: Pilot[None], app: House) -> None:
        notes = {row[0][4:]: row[1] for row in app.screen.query_one("#items", Table).plain}
        assert notes["QUEUE"].startswith("no room here: ")
        assert notes["ID"].startswith("id of the minion")
        await pilot.resize_terminal(300, 30)
        await settle(pilot)
        assert "no room here" not in app.text
        assert app.text.splitlines()[-2].split()[:3] == ["ID", "HOST", "JOB"]

    show(setup(Config()), story)


def test_what_is_changed_can_be_seen_at_once_and_is_taken_back() -> None:
    seen: list[str] = []
    session = session_of(fleet_of({}))

    async def story(pilot: Pilot[None], app: House) -> None:
        await pilot.press("down", "down", "right", "down", "space", "down", "space", "escape")
        await settle(pilot)

    show(SetupScreen(session, lambda config: seen.append(config.theme)), story)
    assert seen == ["light", "colour-blind", "htop"]
