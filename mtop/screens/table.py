"""A table that is filled again and again. It asks only for cells that are seen, and draws only what has changed.

Textual's DataTable works out every cell: at 1,000 rows and one picture per second it takes most of a core.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.events import Click, Resize
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from mtop.format import Glyphs, fit
from mtop.styles import role_style

__all__ = ["Cell", "Head", "Table", "widths"]


@dataclass(frozen=True, slots=True)
class Head:
    """One column.

    Attributes:
        title: What stands above it.
        width: Cells.
        rank: Columns of the highest rank are left out first where it is narrow; those of 0 never.
        right: Whether it stands at the right.
        grows: Whether it takes what is left; one does.
    """

    title: str
    width: int
    rank: int = 0
    right: bool = False
    grows: bool = False


Cell: TypeAlias = tuple[str, str]
"""Harmless words, and their role."""

Cells: TypeAlias = Callable[[str], Sequence[Cell]]
"""Tells the cells of a row by its key, one for each head."""


def widths(heads: Sequence[Head], cells: int) -> list[int]:
    """Return how wide each column is; 0 for those that are left out."""
    chosen = [head.width for head in heads]
    for number in sorted(range(len(heads)), key=lambda number: -heads[number].rank):
        if sum(chosen) + sum(1 for width in chosen if width) - 1 <= cells or not heads[number].rank:
            break
        chosen[number] = 0
    spare = cells - sum(chosen) - sum(1 for width in chosen if width) + 1
    return [max(1, width + spare) if width and head.grows else width for head, width in zip(heads, chosen, strict=True)]


class Table(ScrollView, inherit_bindings=False, can_focus=True):
    """A table with a cursor that stays on its row, wherever that goes.

    Args:
        heads: Its columns.
        glyphs: What the terminal can draw.
        header: Whether titles are shown.
        one_click: Whether one click opens a row; otherwise two.
        id: Its name.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "open", show=False),
        Binding("up", "line(-1)", "line up", show=False),
        Binding("down", "line(1)", "line down", show=False),
        Binding("pageup", "page(-1)", "page up", show=False),
        Binding("pagedown", "page(1)", "page down", show=False),
        Binding("home", "first", "first line", show=False),
        Binding("end", "last", "last line", show=False),
    ]
    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {"table--blurred"}
    DEFAULT_CSS = """
    Table {
        height: 1fr; background: $background; color: $foreground;
        overflow-x: hidden; overflow-y: auto; scrollbar-gutter: stable; scrollbar-size-vertical: 1;
    }
    Table > .table--blurred { background: $surface; text-style: bold; }
    """

    class Opened(Message):
        """A row was opened.

        Attributes:
            table: Which table.
            key: The row's.
        """

        def __init__(self, table: Table, key: str) -> None:
            super().__init__()
            self.table, self.key = table, key

        @property
        def control(self) -> Table:
            """The table."""
            return self.table

    class Moved(Opened):
        """The cursor is on another row."""

    def __init__(
        self,
        heads: Sequence[Head],
        glyphs: Glyphs,
        *,
        header: bool = True,
        one_click: bool = False,
        id: str | None = None,
    ) -> None:
        super().__init__(id=id)
        self._heads, self._glyphs, self._one_click = heads, glyphs, one_click
        self._top = int(header)
        self._keys: list[str] = []
        self._cells: Cells = lambda key: ()
        self._widths: list[int] = []
        self._drawn: dict[int, object] = {}
        self.cursor = 0

    @property
    def key(self) -> str | None:
        """The key of the row on which the cursor is; None where there is none."""
        return self._keys[self.cursor] if self.cursor < len(self._keys) else None

    @property
    def plain(self) -> list[list[str]]:
        """What it holds, as words."""
        return [[words for words, _ in self._cells(key)] for key in self._keys]

    def show(self, keys: Iterable[str], cells: Cells) -> None:
        """Show these rows. The cursor stays on its row, wherever that stands now."""
        at, count, seen = self.key, len(self._keys), self._is_seen(self.cursor)
        self._keys, self._cells = list(keys), cells
        if len(self._keys) != count:
            self.virtual_size = Size(self.size.width, len(self._keys) + self._top)
        if self.key != at:
            row = self._keys.index(at) if at in self._keys else min(self.cursor, max(0, len(self._keys) - 1))
            self.move(row, follow=seen)
            if self.key is not None and self.key != at:
                self.post_message(self.Moved(self, self.key))
        self._repaint()

    def _repaint(self) -> None:
        """Draw anew the lines that are seen and have changed."""
        for y in range(self._top, self.size.height):
            if self._look(y) != self._drawn.get(y):
                self.refresh(Region(0, y, self.size.width, 1))

    def _look(self, y: int) -> object:
        """Return all by which a line looks as it does."""
        row = y - self._top + self.scroll_offset.y
        if not 0 <= row < len(self._keys):
            return None
        return self._cells(self._keys[row]), row == self.cursor and (1 + self.has_focus)

    def on_resize(self, event: Resize) -> None:
        """Choose the columns that fit."""
        self._widths = widths(self._heads, self.scrollable_content_region.width)
        self._into_view()
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Draw one line."""
        width, ground = self.size.width, self.rich_style
        look = self._drawn[y] = self._look(y) if y >= self._top else None
        if y < self._top:
            cells: Sequence[Cell] = [(head.title, "") for head in self._heads]
            style: Style | None = role_style(self.app, "head")
        elif not isinstance(look, tuple):
            return Strip.blank(width, ground)
        else:
            cells, cursor = look
            style = self._cursor_style(bool(cursor - 1)) if cursor else None
        return Strip(self._segments(cells, ground, style)).extend_cell_length(width, ground + (style or Style()))

    def _cursor_style(self, focused: bool) -> Style:
        return role_style(self.app, "cursor") if focused else self.get_component_rich_style("table--blurred")

    def _segments(self, cells: Sequence[Cell], ground: Style, style: Style | None) -> list[Segment]:
        """Write cells; in one style, or each by its role."""
        segments = []
        for head, width, (words, role) in zip(self._heads, self._widths, cells, strict=False):
            if width:
                fitted = fit(words, width, head.right, self._glyphs("…", "..."))
                dressed = ground + (role_style(self.app, role) if style is None else style)
                segments += [Segment(fitted, dressed), Segment(" ", dressed if style else ground)]
        return segments

    # Moving. Nothing slides.

    def move(self, row: int, follow: bool = True) -> None:
        """Put the cursor on a row.

        Args:
            row: Which one; the nearest one that there is.
            follow: Whether it must be seen.
        """
        row = max(0, min(row, len(self._keys) - 1))
        if row != self.cursor:
            self.cursor = row
            self._repaint()
        if follow:
            self._into_view()

    def go(self, key: str | None) -> None:
        """Put the cursor on a row, if it is there."""
        if key in self._keys:
            self._moved_to(self._keys.index(key))

    def _is_seen(self, row: int) -> bool:
        return 0 <= row - self.scroll_offset.y < self.size.height - self._top

    def _into_view(self) -> None:
        room, top = self.size.height - self._top, self.scroll_offset.y
        wanted = min(self.cursor, max(top, self.cursor - room + 1))
        if room > 0 and wanted != top:
            self.scroll_to(y=wanted, animate=False, immediate=True, force=True)

    def _moved_to(self, row: int) -> None:
        before = self.key
        self.move(row)
        if self.key is not None and self.key != before:
            self.post_message(self.Moved(self, self.key))

    def action_line(self, by: int) -> None:
        """Move by a line."""
        self._moved_to(self.cursor + by)

    def action_page(self, by: int) -> None:
        """Move by a page."""
        self._moved_to(self.cursor + by * max(1, self.size.height - self._top - 1))

    def action_first(self) -> None:
        """Move to the first line."""
        self._moved_to(0)

    def action_last(self) -> None:
        """Move to the last line."""
        self._moved_to(len(self._keys) - 1)

    def action_open(self) -> None:
        """Open the row."""
        if (key := self.key) is not None:
            self.post_message(self.Opened(self, key))

    def on_click(self, event: Click) -> None:
        """Go to the row that was clicked, and open it if that is enough."""
        row = event.y - self._top + self.scroll_offset.y
        if event.y >= self._top and row < len(self._keys):
            self._moved_to(row)
            if self._one_click or event.chain == 2:
                self.action_open()
