from __future__ import annotations

from collections.abc import Sequence

import pytest
from textual.app import ComposeResult
from textual.pilot import Pilot
from textual.screen import Screen

from mtop.format import Glyphs
from mtop.screens.table import Cell, Head, Table, widths
from tests.mtop.screens.house import House, Story, show

HEADS = (Head("NAME", 8, grows=True), Head("AGE", 4, 1, True), Head("PID", 5, 2, True))


class Scene(Screen[None]):
    """Nothing but a table."""

    def __init__(self, one_click: bool = False) -> None:
        super().__init__()
        self.table = Table(HEADS, Glyphs(), one_click=one_click)
        self.asked: list[str] = []
        self.messages: list[str] = []

    def compose(self) -> ComposeResult:
        yield self.table

    def fill(self, *keys: str, note: str = "") -> None:
        def cells(key: str) -> Sequence[Cell]:
            self.asked.append(key)
            return (f"{key}{note}", ""), ("1s", "dim"), ("42", "bad")

        self.table.show(keys, cells)

    def on_table_opened(self, event: Table.Opened) -> None:
        self.messages.append(f"opened {event.key}")

    def on_table_moved(self, event: Table.Moved) -> None:
        self.messages.append(f"moved {event.key}")


def played(scene: Scene, story: Story, size: tuple[int, int] = (40, 8)) -> House:
    return show(scene, story, size)


def many(number: int) -> list[str]:
    return [f"row{each}" for each in range(number)]


@pytest.mark.parametrize(
    ("cells", "expected"), [(40, [29, 4, 5]), (19, [8, 4, 5]), (18, [13, 4, 0]), (12, [12, 0, 0]), (3, [3, 0, 0])]
)
def test_columns_that_do_not_fit_are_left_out(cells: int, expected: list[int]) -> None:
    assert widths(HEADS, cells) == expected


def test_it_asks_only_for_rows_that_are_seen() -> None:
    scene = Scene()

    async def story(pilot: Pilot[None], app: House) -> None:
        scene.fill(*many(10_000))
        await pilot.pause()
        scene.asked.clear()
        scene.fill(*many(10_000), note="!")
        await pilot.pause()
        assert set(scene.asked) == set(many(7))
        assert "row6!" in app.text
        assert "row7" not in app.text

    played(scene, story)


def test_the_cursor_stays_on_its_row_wherever_that_goes() -> None:
    scene = Scene()

    async def story(pilot: Pilot[None], app: House) -> None:
        scene.fill("a", "b", "c")
        await pilot.press("down")
        stands = [scene.table.key]
        for keys in ("new a c b", "new a c", "", "x"):
            scene.fill(*keys.split())
            await pilot.pause()
            stands.append(scene.table.key)
        assert stands == ["b", "b", "c", None, "x"]
        assert scene.messages == ["moved a", "moved b", "moved c", "moved x"]

    played(scene, story)


def test_keys_move_the_cursor_and_the_view_goes_along() -> None:
    scene = Scene()

    async def story(pilot: Pilot[None], app: House) -> None:
        scene.fill(*many(100))
        await pilot.pause()
        for key, row in (("down", 1), ("pagedown", 7), ("up", 6), ("end", 99), ("pageup", 93), ("home", 0), ("up", 0)):
            await pilot.press(key)
            assert scene.table.key == f"row{row}"
            assert f"row{row} " in app.text
            assert app.text.startswith("NAME")

    played(scene, story)


def test_the_view_stays_where_the_wheel_has_put_it() -> None:
    scene = Scene()

    async def story(pilot: Pilot[None], app: House) -> None:
        scene.fill(*many(100))
        await pilot.pause()
        scene.table.scroll_to(y=50, animate=False, immediate=True)
        scene.fill("first", *many(100))
        await pilot.pause()
        assert scene.table.key == "row0"
        assert "row50" in app.text

    played(scene, story)


@pytest.mark.parametrize("one_click", [False, True])
def test_a_click_goes_to_a_row_and_opens_it_if_that_is_enough(one_click: bool) -> None:
    scene = Scene(one_click)

    async def story(pilot: Pilot[None], app: House) -> None:
        scene.fill("a", "b", "c")
        await pilot.pause()
        await pilot.click(Table, offset=(3, 2))
        assert scene.table.key == "b"
        assert scene.messages[-1] == ("opened b" if one_click else "moved b")
        await pilot.click(Table, offset=(3, 0))
        await pilot.click(Table, offset=(3, 6))
        assert scene.table.key == "b"
        if not one_click:
            await pilot.click(Table, offset=(3, 3), times=2)
            assert scene.messages[-1] == "opened c"

    played(scene, story)


def test_enter_opens_the_row_and_an_empty_table_opens_nothing() -> None:
    scene = Scene()

    async def story(pilot: Pilot[None], app: House) -> None:
        await pilot.press("enter")
        assert scene.messages == []
        scene.fill("a")
        await pilot.press("enter")
        assert scene.messages[-1] == "opened a"

    played(scene, story)


def test_only_lines_that_have_changed_are_drawn_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene()

    async def story(pilot: Pilot[None], app: House) -> None:
        scene.fill(*many(5))
        await pilot.pause()
        drawn: list[int] = []
        render = Table.render_line

        def counted(table: Table, y: int) -> object:
            drawn.append(y)
            return render(table, y)

        monkeypatch.setattr(Table, "render_line", counted)
        scene.fill(*many(5))
        await pilot.pause()
        assert drawn == []
        await pilot.press("down")
        await pilot.pause()
        assert sorted(set(drawn)) == [1, 2]

    played(scene, story)


def test_it_fits_anew_when_the_terminal_changes() -> None:
    scene = Scene()

    async def story(pilot: Pilot[None], app: House) -> None:
        scene.fill("a")
        await pilot.pause()
        assert "PID" in app.text
        await pilot.resize_terminal(16, 8)
        await pilot.pause()
        assert "PID" not in app.text
        assert "NAME" in app.text

    played(scene, story)
