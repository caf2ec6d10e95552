"""A table that is filled again and again: columns as fit, rows by key, and a cursor that stays on its row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from rich.style import Style
from rich.text import Text
from textual.binding import Binding, BindingType
from textual.coordinate import Coordinate
from textual.events import Click, Resize
from textual.message import Message
from textual.widgets import DataTable

from mtop.format import Glyphs, fit
from mtop.screens.styles import role_style

__all__ = ["Cell", "Head", "Row", "Table"]

_FEW = 64
"""Rows that are taken away one by one; of more, all are made anew."""


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

Row: TypeAlias = tuple[str, Sequence[Cell]]
"""What tells it apart, and its cells, one for each head."""


def widths(heads: Sequence[Head], cells: int) -> list[int]:
    """Return how wide each column is; 0 for those that are left out."""
    chosen = [head.width for head in heads]
    for number in sorted(range(len(heads)), key=lambda number: -heads[number].rank):
        if sum(chosen) + sum(1 for width in chosen if width) - 1 <= cells or not heads[number].rank:
            break
        chosen[number] = 0
    used = sum(chosen) + sum(1 for width in chosen if width) - 1
    spare = cells - used
    return [width + spare if width and head.grows else width for head, width in zip(heads, chosen, strict=True)]


class Table(DataTable[Text], inherit_bindings=False):
    """A table.

    Args:
        heads: Its columns.
        glyphs: What the terminal can draw.
        header: Whether titles are shown.
        one_click: Whether one click opens a row; otherwise two.
        id: Its name.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select_cursor", "open", show=False),
        Binding("up", "cursor_up", "line up", show=False),
        Binding("down", "cursor_down", "line down", show=False),
        Binding("pageup", "page_up", "page up", show=False),
        Binding("pagedown", "page_down", "page down", show=False),
        Binding("home", "scroll_top", "first line", show=False),
        Binding("end", "scroll_bottom", "last line", show=False),
    ]
    DEFAULT_CSS = """
    Table {
        height: 1fr; background: $background; color: $foreground;
        overflow-x: hidden; overflow-y: auto; scrollbar-gutter: stable; scrollbar-size-vertical: 1;
    }
    Table:focus { background-tint: $background 0%; }
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
        super().__init__(show_header=header, show_row_labels=False, cursor_type="row", cell_padding=0, id=id)
        self.cursor_foreground_priority, self.cursor_background_priority = "css", "css"
        self._heads, self._glyphs, self._one_click = heads, glyphs, one_click
        self._widths: list[int] = []
        self._shown: list[Row] = []

    @property
    def key(self) -> str | None:
        """The key of the row on which the cursor is; None where there is none."""
        return self._shown[self.cursor_row][0] if self.cursor_row < len(self._shown) else None

    @property
    def plain(self) -> list[list[str]]:
        """What it holds, as words."""
        return [[words for words, _ in cells] for _, cells in self._shown]

    def show(self, rows: Sequence[Row]) -> None:
        """Show these rows. The cursor stays on its row, wherever that stands now."""
        at, before, self._shown = self.key, self._shown, list(rows)
        if not self._widths:
            return
        with self.prevent(self.Moved):
            self._fill(before)
            row = next((number for number, (key, _) in enumerate(rows) if key == at), self.cursor_row)
            row = max(0, min(row, len(rows) - 1))
            if row != self.cursor_row:
                self.move_cursor(row=row)
        if rows and at != self.key:
            self.post_message(self.Moved(self, rows[row][0]))

    def _fill(self, before: Sequence[Row]) -> None:
        gone = len(before) - len(self._shown)
        if gone > _FEW:
            self.clear()
            before = ()
        else:
            for _ in range(gone):
                self.remove_row(self.ordered_rows[-1].key)
        for number, row in enumerate(self._shown):
            if number >= len(before):
                self.add_row(*self._texts(row))
            elif row[1] != before[number][1]:
                self._change(number, row)

    def _change(self, number: int, row: Row) -> None:
        for column, text in enumerate(self._texts(row)):
            self.update_cell_at(Coordinate(number, column), text)

    def _texts(self, row: Row) -> list[Text]:
        drawn = zip(self._heads, self._widths, row[1], strict=True)
        return [self._text(words, role, width, head.right) for head, width, (words, role) in drawn if width]

    def _text(self, words: str, role: str, width: int, right: bool) -> Text:
        fitted = fit(words, width, right, self._glyphs("…", "..."))
        return Text(f"{fitted} ", role_style(self.app, role), no_wrap=True, end="")

    def on_resize(self, event: Resize) -> None:
        """Choose the columns that fit."""
        found = widths(self._heads, self.scrollable_content_region.width)
        if found != self._widths:
            self._widths = found
            self.restyle()

    def restyle(self) -> None:
        """Draw all anew, as when the theme has changed."""
        at = self.cursor_row
        self.clear(columns=True)
        for head, width in zip(self._heads, self._widths, strict=True):
            if width:
                self.add_column(self._text(head.title, "head", width, head.right), width=width + 1)
        for row in self._shown:
            self.add_row(*self._texts(row))
        self.move_cursor(row=at)

    def get_component_rich_style(self, *names: str, partial: bool = False, default: Style | None = None) -> Style:
        """Return the style of one of its parts; the cursor has its role while keys go here."""
        style = super().get_component_rich_style(*names, partial=partial, default=default)
        return style + role_style(self.app, "cursor") if names == ("datatable--cursor",) and self.has_focus else style

    def watch_cursor_coordinate(self, old: Coordinate, new: Coordinate) -> None:
        """Tell on which row the cursor is."""
        super().watch_cursor_coordinate(old, new)
        if old.row != new.row and (key := self.key) is not None:
            self.post_message(self.Moved(self, key))

    def action_select_cursor(self) -> None:
        """Open the row."""
        if (key := self.key) is not None:
            self.post_message(self.Opened(self, key))

    def on_click(self, event: Click) -> None:
        """Open the row that was clicked, if that is enough."""
        row = event.style.meta.get("row", -1)
        if 0 <= row < len(self._shown) and (self._one_click or event.chain == 2):
            self.post_message(self.Opened(self, self._shown[row][0]))
