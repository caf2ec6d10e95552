from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from textual.geometry import Region
from textual.pilot import Pilot

from mtop.app import Mtop
from mtop.config import THEMES, Config, load, save
from mtop.model.events import Event
from mtop.model.fleet import Fleet
from mtop.screens.main import MainScreen
from mtop.screens.minion import MinionScreen
from mtop.themes import ROLES, Palette
from mtop.widgets.grid import Grid
from mtop.widgets.head import Head
from tests.mtop.app.playing import THREE, grid_of, ids, main_of, play, text_of, under_cursor
from tests.mtop.screens.house import HOSTILE, NEVER, NOW, FakeFeed, fleet_of

SIZES = [(200, 60), (80, 24), (60, 20)]
MANY = [{"id": f"m{number}-1-x", "host": f"n{number % 3}"} for number in range(100)]


async def _toasted(pilot: Pilot[int]) -> None:
    for _ in range(5):
        await pilot.pause(0.02)


# The mouse.


def test_a_click_on_a_title_sorts_and_again_the_other_way_round() -> None:
    async def story(pilot: Pilot[int], app: Mtop) -> None:
        x = text_of(app).splitlines()[4].index("HOST")
        for falls in (False, True):
            await pilot.click(Grid, offset=(x, 0))
            assert (app.session.view.sort, app.session.view.falls) == ("host", falls)

    play(story)


def test_a_click_puts_the_cursor_there_and_two_look_into_it() -> None:
    async def story(pilot: Pilot[int], app: Mtop) -> None:
        await pilot.click(Grid, offset=(5, 2))
        assert under_cursor(app) == "bee-1-x"
        await pilot.click(Grid, offset=(5, 15))
        assert under_cursor(app) == "bee-1-x", "there is no line"
        await pilot.click(Grid, offset=(5, 3), times=2)
        await pilot.pause()
        assert isinstance(app.screen, MinionScreen)

    play(story)


def test_the_wheel_moves_what_is_seen_and_not_the_cursor() -> None:
    async def story(pilot: Pilot[int], app: Mtop) -> None:
        grid = grid_of(app)
        await pilot._post_mouse_events([_Down], Grid, offset=(5, 5))
        assert "m3-1-x" in text_of(app).splitlines()[5]
        assert (grid.cursor, "m0-1-x" in text_of(app)) == (0, False)
        await pilot._post_mouse_events([_Up], Grid, offset=(5, 5))
        assert "m0-1-x" in text_of(app).splitlines()[5]

    from textual.events import MouseScrollDown as _Down
    from textual.events import MouseScrollUp as _Up

    play(story, *MANY)


def test_a_click_on_the_key_bar_is_its_key() -> None:
    async def story(pilot: Pilot[int], app: Mtop) -> None:
        line = text_of(app).splitlines()[-1]
        await pilot.click("KeyBar", offset=(line.index("Tree"), 0))
        await pilot.pause()
        assert app.session.view.tree == "host"

    play(story)


# What is painted.


def test_only_what_has_changed_is_painted_again() -> None:
    async def story(pilot: Pilot[int], app: Mtop) -> None:
        grid = grid_of(app)
        painted: list[Region] = []
        refresh = grid.refresh

        def noted(*regions: Region, **more: Any) -> Any:
            painted.extend(regions)
            return refresh(*regions, **more)

        grid.refresh = noted  # type: ignore[method-assign]
        main_of(app).tick()
        assert painted == [], "nothing has changed"
        fleet = app.session.fleet
        fleet.answered("bee-1-x", {**fleet.minions["bee-1-x"].said, "busy": 1}, NOW, 0.1)
        fleet.advance(NOW, 0.0)
        main_of(app).tick()
        assert [region.y for region in painted] == [2]
        painted.clear()
        await pilot.press("down")
        assert sorted(region.y for region in painted) == [1, 2], "where the cursor was, and where it is"

    play(story)


def test_what_minions_send_is_never_obeyed() -> None:
    changes = dict.fromkeys(("host", "user", "queue", "command", "engine", "version"), HOSTILE)

    async def story(pilot: Pilot[int], app: Mtop) -> None:
        shown = text_of(app)
        assert "\x1b" not in shown
        assert "\\x1b[31mred" in shown
        assert all(len(line) <= 200 for line in shown.splitlines())
        await pilot.press("t")
        assert "\x1b" not in text_of(app)
        app._toast([Event(0.0, HOSTILE, "error", True)])
        await _toasted(pilot)
        assert "[bold]" in text_of(app), "no markup"

    play(story, {"id": "ant-1-x", "labels": {"job": HOSTILE}, **changes}, size=(200, 20))


def test_with_nobody_in_sight_it_says_where_it_looked_and_how_to_start_one() -> None:
    feed = FakeFeed()
    feed.place = "the registry /home/me/minions"

    async def story(pilot: Pilot[int], app: Mtop) -> None:
        assert "No minion in sight" in text_of(app)
        assert "Looked in the registry /home/me/minions" in text_of(app)
        assert "| minionize" in text_of(app)
        for key in (
            "enter",
            "space",
            "c",
            "T",
            "p",
            "X",
            "y",
            "t",
            "end",
            "plus",
            "minus",
            "asterisk",
            "greater_than_sign",
        ):
            await pilot.press(key)
        assert isinstance(app.screen, MainScreen)

    play(story, fleet=Fleet("user", NOW), feed=feed)


def test_what_does_not_work_is_said() -> None:
    class Troubled(FakeFeed):
        def troubles(self) -> list[str]:
            return ["registry /x cannot be read: Permission denied"]

    async def story(pilot: Pilot[int], app: Mtop) -> None:
        assert "cannot be read: Permission denied" in text_of(app)

    play(story, feed=Troubled())


def test_toasts_for_what_is_loud_and_no_flood_of_them() -> None:
    async def story(pilot: Pilot[int], app: Mtop) -> None:
        app._toast([Event(0.0, f"minion {number} is lost", "error", True) for number in range(50)])
        await _toasted(pilot)
        assert len(app._notifications) == 4
        assert "47 more" in text_of(app)

    play(story)


@pytest.mark.parametrize("size", SIZES)
def test_all_sizes_have_meters_a_grid_and_keys(size: tuple[int, int]) -> None:
    async def story(pilot: Pilot[int], app: Mtop) -> None:
        lines = text_of(app).splitlines()
        assert lines[0].startswith("Done/s")
        assert lines[-1].startswith("F1Help F2Setup F3Search")
        assert all(len(line) <= size[0] for line in lines)
        shown = [column.key for column in grid_of(app).columns]
        assert {"id", "state", "done", "failed"} <= set(shown)
        assert sum("m1" in line for line in lines) >= 5

    play(story, *MANY, size=size)


@pytest.mark.parametrize("width", [60, 80, 119, 140, 200])
def test_no_column_is_cut_by_the_scroll_bar(width: int) -> None:
    async def story(pilot: Pilot[int], app: Mtop) -> None:
        titles = next(line for line in text_of(app).splitlines() if "STATE" in line)
        last = grid_of(app).columns[-1].title
        assert titles.rstrip().removesuffix("▲").rstrip().endswith(last)

    play(story, *MANY, size=(width, 20))


def test_a_tiny_screen_is_no_end() -> None:
    async def story(pilot: Pilot[int], app: Mtop) -> None:
        for size in ((1, 1), (10, 3), (300, 2), (120, 24)):
            await pilot.resize_terminal(*size)
            await pilot.press("down")
        assert len(ids(app)) == 3

    play(story)


# Themes.


def test_themes_know_all_roles() -> None:
    for name in THEMES:
        palette = Palette(name)
        for role in ROLES:
            palette(role)
    assert not Palette("htop")("no role")


def test_lost_is_never_told_by_colour_alone() -> None:
    for theme in THEMES:

        async def story(pilot: Pilot[int], app: Mtop) -> None:
            assert "lost 2" in text_of(app)
            assert "lost≈" in text_of(app)

        play(story, {"id": "ant-1-x", "age": 500.0}, config=Config(delay=NEVER, theme=theme))


@pytest.mark.parametrize("how", ["no_color", "theme"])
def test_without_colours_there_are_none(how: str) -> None:
    async def story(pilot: Pilot[int], app: Mtop) -> None:
        grounds = {
            (segment.style.color, segment.style.bgcolor)
            for widget in (grid_of(app), main_of(app).query_one(Head))
            for y in range(widget.size.height)
            for segment in widget.render_line(y)
            if segment.style is not None and not segment.style.reverse
        }
        assert len(grounds) == 1, "one ink on one ground"
        ink, ground = grounds.pop()
        assert ink != ground, "and it can be read"

    no_color = how == "no_color"
    play(story, no_color=no_color, config=Config(delay=NEVER, theme="htop" if no_color else "monochrome"))


def test_who_wants_no_colours_gets_the_inks_of_the_terminal() -> None:
    async def story(pilot: Pilot[int], app: Mtop) -> None:
        for keys in ((), ("enter", "5"), ("escape", "d"), ("escape", "f2"), ("escape", "ctrl+p")):
            await pilot.press(*keys)
            await pilot.pause()
            styles = {each.style for strip in app.screen._compositor.render_strips(app.size) for each in strip}
            coloured = [style for style in styles if style is not None and (style.color or style.bgcolor)]
            assert coloured == [], keys
            assert any(style is not None and style.reverse for style in styles), "the cursor is seen"

    play(story, no_color=True)


def test_ascii_is_ascii() -> None:
    async def story(pilot: Pilot[int], app: Mtop) -> None:
        for key in ("t", "Z", "F", "f6", "escape", "f3", "x", "escape", "y", "d", "escape", "f2", "escape", "ctrl+p"):
            await pilot.press(key)
            await pilot.pause()
            assert text_of(app).isascii(), [char for char in text_of(app) if not char.isascii()]

    play(story, {"id": "ant-1-x", "host": "日本", "age": 40.0}, *THREE, ascii=True)


def test_another_set_up_is_shown_at_once_and_kept(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))

    async def story(pilot: Pilot[int], app: Mtop) -> None:
        config = Config(columns=("id", "version"), meters=(("slots", "off"),), theme="light", delay=NEVER)
        main_of(app).post_message(MainScreen.Configured(config, app.session.config))
        await pilot.pause()
        assert [column.key for column in grid_of(app).columns] == ["id", "version"]
        assert "Slots  " not in text_of(app)
        assert app.theme == "mtop-light"
        assert "version" in (tmp_path / "mtop/config.toml").read_text()

    play(story)


def test_time_goes_on_without_the_user() -> None:
    class Growing(FakeFeed):
        def tell(self, fleet: Fleet) -> None:
            self.now += 1.0
            for minion in list(fleet):
                fleet.answered(minion.key, {**minion.said, "slots": 7}, self.now, 0.1)

    async def story(pilot: Pilot[int], app: Mtop) -> None:
        for _ in range(100):
            await pilot.pause(0.02)
            if "2/7" in text_of(app):
                return
        raise AssertionError(text_of(app))

    play(story, feed=Growing(), fleet=fleet_of(*THREE), config=Config(delay=0.1))


def test_who_was_stopped_listens_first() -> None:
    async def story(pilot: Pilot[int], app: Mtop) -> None:
        feed.now += 500.0
        app._ticked = app._drawn = -2.0 * NEVER
        states = []
        for _ in range(2):
            await app.tick()
            states.append(app.session.fleet.minions["ant-1-x"].state)
            app._listens_until = 0.0
        assert states == ["running", "lost"]

    feed = FakeFeed()
    play(story, feed=feed)


def test_what_only_the_command_line_said_is_not_kept(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    save(Config(theme="light", tree="host"), {"XDG_CONFIG_HOME": str(tmp_path)})

    async def story(pilot: Pilot[int], app: Mtop) -> None:
        await pilot.press("f2", "right", "down", "space", "f10")
        await pilot.pause()

    said = Config(delay=NEVER, theme="monochrome", sort="done")
    shown = play(story, config=said).session.config
    kept, notes = load({"XDG_CONFIG_HOME": str(tmp_path)})
    assert notes == []
    assert (kept.delay, kept.theme, kept.sort, kept.tree) == (Config().delay, "light", "id", "host")
    assert kept.columns == shown.columns != Config().columns


def test_a_set_up_is_shown_while_it_is_chosen_and_taken_back_by_esc(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))

    async def story(pilot: Pilot[int], app: Mtop) -> None:
        await pilot.press("f2", "right", "down", "space")
        await pilot.pause()
        tried = app.session.config.columns
        await pilot.press("escape")
        await pilot.pause()
        assert tried != Config().columns
        assert app.session.config.columns == Config().columns
        assert not (tmp_path / "mtop").exists()

    play(story)


def test_a_fault_of_mtop_tells_where_and_no_values() -> None:
    async def story(pilot: Pilot[int], app: Mtop) -> None:
        token = "-".join(("hush", "hush"))
        try:
            raise ValueError("boom")
        except ValueError:
            app._fatal_error()
        app.console.file = told = StringIO()
        app.console.print(*app._exit_renderables)
        app._exit_renderables.clear()
        assert "boom" in told.getvalue()
        assert "test_screen.py" in told.getvalue()
        assert token not in told.getvalue()

    play(story)
