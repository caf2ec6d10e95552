from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.text import Text
from textual.app import ComposeResult
from textual.pilot import Pilot
from textual.screen import Screen

from mtop.screens.lines import Lines, fold
from tests.mtop.screens.house import House, show


class Scene(Screen[None]):
    """Nothing but lines."""

    def __init__(self, follows: bool = False) -> None:
        super().__init__()
        self.lines = Lines(follows=follows)

    def compose(self) -> ComposeResult:
        yield self.lines

    def fill(self, count: int, note: str = "") -> None:
        self.lines.show([Text(f"line {number}{note}") for number in range(count)])


@given(
    st.text(st.characters(exclude_categories=["C", "M", "Z"]) | st.just(" ")), st.integers(2, 30), st.integers(0, 40)
)
def test_folding_loses_nothing_and_fits(words: str, width: int, hang: int) -> None:
    rows = fold(Text(words), width, hang)
    moved = hang if hang < width // 2 else 0
    assert all(row.cell_len <= width for row in rows)
    assert "".join([rows[0].plain, *(row.plain[moved:] for row in rows[1:])]) == words


@pytest.mark.parametrize(
    ("words", "rows"),
    [
        ("short", ["short"]),
        ("one two three", ["one two ", "three"]),
        ("0123456789abcdef", ["0123456789", "abcdef"]),
        ("日本日本日本", ["日本日本日", "本"]),
    ],
)
def test_lines_are_folded_at_blanks_where_there_are_any(words: str, rows: list[str]) -> None:
    assert [row.plain for row in fold(Text(words), 10)] == rows


def test_who_follows_sees_the_end_until_he_reads_further_up() -> None:
    scene = Scene(follows=True)

    async def story(pilot: Pilot[None], app: House) -> None:
        scene.fill(50)
        await pilot.pause()
        assert "line 49" in app.text
        scene.fill(60)
        await pilot.pause()
        assert "line 59" in app.text
        await pilot.press("pageup")
        await pilot.pause()
        seen = app.text
        scene.fill(70)
        await pilot.pause()
        assert app.text.splitlines()[:5] == seen.splitlines()[:5]
        await pilot.press("end")
        await pilot.pause()
        scene.fill(80)
        await pilot.pause()
        assert "line 79" in app.text

    show(scene, story, (40, 10))


def test_keys_move() -> None:
    scene = Scene()

    async def story(pilot: Pilot[None], app: House) -> None:
        scene.fill(100)
        await pilot.pause()
        for key, top in (("down", 1), ("pagedown", 10), ("up", 9), ("end", 90), ("pageup", 81), ("home", 0)):
            await pilot.press(key)
            await pilot.pause()
            assert app.text.startswith(f"line {top} "[:-1])

    show(scene, story, (40, 10))


def test_what_is_sought_is_found_and_marked_whatever_its_case() -> None:
    scene = Scene()

    async def story(pilot: Pilot[None], app: House) -> None:
        scene.fill(100)
        await pilot.pause()
        assert scene.lines.seek("LINE 5") == 11
        await pilot.pause()
        assert app.text.startswith(("line 5 ", "line 5\n"))
        scene.lines.seek_next()
        await pilot.pause()
        assert app.text.startswith(("line 50 ", "line 50\n"))
        marked = [segment.text for segment in scene.lines.render_line(0) if segment.style and segment.style.reverse]
        assert marked == ["line 5"]
        assert scene.lines.seek("[") == 0
        assert scene.lines.seek("") == 0

    show(scene, story, (40, 10))


def test_only_lines_that_have_changed_are_drawn_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene()

    async def story(pilot: Pilot[None], app: House) -> None:
        scene.fill(5)
        await pilot.pause()
        drawn: list[int] = []
        render = Lines.render_line

        def counted(lines: Lines, y: int) -> object:
            drawn.append(y)
            return render(lines, y)

        monkeypatch.setattr(Lines, "render_line", counted)
        scene.fill(5)
        await pilot.pause()
        assert drawn == []
        scene.lines.show([Text(f"line {number}{'!' * (number == 3)}") for number in range(5)])
        await pilot.pause()
        assert set(drawn) == {3}

    show(scene, story, (40, 10))


def test_text_can_be_selected_with_the_mouse() -> None:
    scene = Scene()

    async def story(pilot: Pilot[None], app: House) -> None:
        scene.fill(5)
        await pilot.pause()
        await pilot.mouse_down(Lines, offset=(0, 1))
        await pilot.hover(Lines, offset=(3, 2))
        await pilot.mouse_up(Lines, offset=(3, 2))
        await pilot.pause()
        assert scene.get_selected_text() == "line 1\nline"

    show(scene, story, (40, 10))
