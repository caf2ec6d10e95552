"""The grid: a line for each minion. It paints what is seen, and again only the lines that have changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.binding import BindingType
from textual.events import Click, MouseScrollDown, MouseScrollUp, Resize
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from mtop.columns import Column, by_key, fitting
from mtop.format import width
from mtop.meters import Part
from mtop.session import Session
from mtop.styles import role_style
from mtop.view import Line
from mtop.widgets.row import GUTTER, head_parts, line_parts, line_text

__all__ = ["Grid"]

_WHEEL = 3
_FIXED = ("state", "via", "rate")
_LOOKED_AT = 1000
_MOST = 40
"""Cells that a text is given before others have what they need."""


class Grid(ScrollView, can_focus=True, inherit_bindings=False):
    """Shows the lines of a view, with a cursor.

    Attributes:
        lines: All of them.
        cursor: Which one the cursor is on.
        follows: Whether the cursor stays on its minion, wherever that goes.
        sought: Lines in whose texts this stands are marked.
    """

    BINDINGS: ClassVar[list[BindingType]] = []
    ALLOW_SELECT = False
    DEFAULT_CSS = """
    Grid { height: 1fr; background: $background; scrollbar-size: 1 1; overflow-x: hidden;
        scrollbar-gutter: stable; }
    """

    class Opened(Message):
        """A line was clicked that the cursor was on already, or twice."""

    class HeadClicked(Message):
        """The title of a column was clicked.

        Attributes:
            column: Its name.
        """

        def __init__(self, column: str) -> None:
            super().__init__()
            self.column = column

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._known = dict(by_key())
        self.lines: list[Line] = []
        self.cursor = 0
        self.follows = False
        self.sought = ""
        self._key = ""
        self._shift = self._sized = 0
        self._columns: list[Column] = []
        self._widths: list[int] = []
        self._painted: dict[int, tuple[list[Part], int]] = {}
        self._strips: dict[int, Strip] = {}
        self._inks: dict[tuple[str, int], Style] = {}

    # What it shows.

    @property
    def current(self) -> Line | None:
        """Return the line that the cursor is on."""
        return self.lines[self.cursor] if self.cursor < len(self.lines) else None

    @property
    def columns(self) -> list[Column]:
        """Return the columns that are seen."""
        return self._columns

    @property
    def page(self) -> int:
        """Return how many lines are seen at a time."""
        return max(1, self.size.height - 1)

    def show(self, lines: list[Line], stay: bool = False) -> None:
        """Show these lines; what looks as before is not painted again.

        Args:
            lines: All of them.
            stay: Whether the cursor stays on its minion, wherever that is now: the user has asked for another order.
        """
        before, self.lines = len(self.lines), lines
        if (self.follows or stay) and self._key:
            self.cursor = next((at for at, line in enumerate(lines) if line.key == self._key), self.cursor)
        self.cursor = min(self.cursor, max(0, len(lines) - 1))
        self._key = self.current.key if self.current is not None else ""
        if len(lines) != before:
            self._measure()
        if (not before and lines) or len(lines) > 2 * self._sized:
            self.lay_out()
        if self.follows or stay:
            self._reveal()
        self.repaint()

    def lay_out(self) -> None:
        """Choose the columns anew, and paint all."""
        wanted = [self._known[key] for key in self._session.config.columns if key in self._known]
        self._sized = len(self.lines)
        room = self.scrollable_size.width - GUTTER
        self._shift = min(self._shift, max(0, len(wanted) - 2))
        if self._shift:
            wanted = wanted[:1] + wanted[1 + self._shift :]
            self._columns = _in_order(wanted, room)
        else:
            self._columns = fitting(wanted, room)
        self._widths = _stretched(self._columns, room, self._needed())
        self._measure()
        self._painted.clear()
        self._strips.clear()
        self._inks.clear()
        self.refresh()

    def repaint(self) -> None:
        """Paint the lines that have changed."""
        top = int(self.scroll_offset.y)
        for y in range(self.size.height):
            content = self._content(y, top)
            if self._painted.get(y) != content:
                self._painted[y] = content
                self._strips.pop(y, None)
                self.refresh(Region(0, y, self.size.width, 1))

    def copied(self) -> str:
        """Return the text of the line that the cursor is on."""
        line = self.current
        return "" if line is None else line_text(line, self._columns, self._known, self._session.glyphs)

    def render_line(self, y: int) -> Strip:
        """Paint one line of the screen."""
        content = self._painted.get(y)
        if content is None:
            content = self._painted[y] = self._content(y, int(self.scroll_offset.y))
            self._strips.pop(y, None)
        strip = self._strips.get(y)
        if strip is None:
            strip = self._strips[y] = self._strip(content)
        return strip

    def _content(self, y: int, top: int) -> tuple[list[Part], int]:
        """Return what stands in a line of the screen, and how it is lit: 0 plainly, 1 by the cursor, 2 as found."""
        view, glyphs = self._session.view, self._session.glyphs
        if y == 0:
            return head_parts(self._columns, self._widths, view.sort, view.falls, glyphs), 3
        at = top + y - 1
        if at >= len(self.lines):
            return [], 0
        line = self.lines[at]
        tagged = bool(line.minions) and all(minion.key in self._session.tagged for minion in line.minions)
        parts = line_parts(line, self._columns, self._widths, self._known, glyphs, tagged, view.tree != "flat")
        if at == self.cursor:
            return parts, 1
        found = bool(self.sought) and self.sought in "".join(words for words, _ in parts).lower()
        return parts, 2 if found else 0

    def _strip(self, content: tuple[list[Part], int]) -> Strip:
        parts, lit = content
        segments = [Segment(words, self._ink(role, lit)) for words, role in parts]
        return Strip(segments).adjust_cell_length(self.scrollable_size.width, self._ink("", lit))

    def _ink(self, role: str, lit: int) -> Style:
        """Return how a role looks on a line that is lit so."""
        found = self._inks.get((role, lit))
        if found is None:
            whole = {1: "cursor", 2: "match", 3: "head"}.get(lit, "")
            base = self.visual_style.rich_style + role_style(self.app, whole)
            # Under the cursor one colour for all: contrast first.
            over = Style(bold=role == "tagged") if lit == 1 else role_style(self.app, role)
            found = self._inks[role, lit] = base + over
        return found

    def _needed(self) -> dict[str, int]:
        """Return how wide texts are, by column, as far as is worth the room."""
        texts = [column for column in self._columns if not column.right and column.key not in _FIXED]
        some = [line.minion for line in self.lines[:_LOOKED_AT] if line.minion is not None]
        tree = 2 if self._session.view.tree != "flat" else 0
        needed = {}
        for column in texts:
            longest = max((width(column.show(column.value(minion))) for minion in some), default=0)
            needed[column.key] = min(_MOST, longest + (tree if column.key == "id" else 0))
        return needed

    def _measure(self) -> None:
        self.virtual_size = Size(self.scrollable_size.width, len(self.lines) + 1)

    # The cursor.

    def move(self, by: int) -> None:
        """Move the cursor."""
        self.go(self.cursor + by)

    def go(self, at: int) -> None:
        """Put the cursor on a line."""
        self.cursor = max(0, min(at, len(self.lines) - 1))
        self._key = self.current.key if self.current is not None else ""
        self._reveal()
        self.repaint()

    def shift(self, by: int) -> None:
        """Show columns that there is no room for: to the right or to the left."""
        before = self._shift
        self._shift = max(0, self._shift + by)
        if self._shift != before:
            self.lay_out()

    def seek(self, text: str, forward: bool, beside: bool) -> bool:
        """Put the cursor on the next line in which a text stands; tell whether there is one.

        Args:
            text: In lower case.
            forward: Whether to look below the cursor first.
            beside: Whether the cursor's own line does not count.
        """
        self.sought = text
        number = len(self.lines)
        for step in range(1 if beside else 0, number + 1 if beside else number):
            at = (self.cursor + (step if forward else -step)) % number
            if text in self._words(self.lines[at]):
                self.go(at)
                return True
        self.repaint()
        return False

    def _words(self, line: Line) -> str:
        values = line.values(self._known)
        name = line.group.name if line.group is not None else ""
        return " ".join(
            [name, *(str(values(key)) for key in ("id", "host", "job", "user", "state", "queue", "command"))]
        ).lower()

    def _reveal(self) -> None:
        top = int(self.scroll_offset.y)
        if self.cursor < top:
            self._scroll(self.cursor)
        elif self.cursor >= top + self.page:
            self._scroll(self.cursor - self.page + 1)

    def _scroll(self, top: int) -> None:
        self.scroll_to(y=max(0, top), animate=False, immediate=True, force=True)

    # What happens to it.

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Paint what has come into sight."""
        super().watch_scroll_y(old_value, new_value)
        if round(old_value) != round(new_value):
            self.repaint()

    def on_resize(self, event: Resize) -> None:
        """Choose the columns for the new size."""
        self.lay_out()
        self._reveal()

    def notify_style_update(self) -> None:
        """Paint all in the colours of another theme."""
        super().notify_style_update()
        self._strips.clear()
        self._inks.clear()

    def on_mouse_scroll_down(self, event: MouseScrollDown) -> None:
        """Move what is seen, not the cursor."""
        event.stop()
        event.prevent_default()
        self._scroll(min(int(self.scroll_offset.y) + _WHEEL, max(0, len(self.lines) - self.page)))

    def on_mouse_scroll_up(self, event: MouseScrollUp) -> None:
        """Move what is seen, not the cursor."""
        event.stop()
        event.prevent_default()
        self._scroll(int(self.scroll_offset.y) - _WHEEL)

    def on_click(self, event: Click) -> None:
        """Sort by the column whose title was clicked; put the cursor on a line; open the one that it is on."""
        event.stop()
        if event.y == 0:
            column = self.column_at(event.x)
            if column is not None:
                self.post_message(self.HeadClicked(column.key))
            return
        at = int(self.scroll_offset.y) + event.y - 1
        if at >= len(self.lines):
            return
        opens = event.chain == 2 and at == self.cursor
        self.go(at)
        if opens:
            self.post_message(self.Opened())

    def column_at(self, x: int) -> Column | None:
        """Return the column at a cell of the screen."""
        end = GUTTER
        for column, cells in zip(self._columns, self._widths, strict=True):
            end += cells + 1
            if x < end:
                return column
        return None


def _in_order(columns: Sequence[Column], room: int) -> list[Column]:
    """Return as many as there is room for, from the left."""
    chosen: list[Column] = []
    for column in columns:
        room -= column.width + 1
        if room < -1 and chosen:
            break
        chosen.append(column)
    return chosen


def _stretched(columns: Sequence[Column], room: int, needed: Mapping[str, int]) -> list[int]:
    """Give the room that is left to the texts that need it; what is still left to the last one."""
    widths = [column.width for column in columns]
    left = room - sum(widths) - len(widths) + 1
    for at, column in enumerate(columns):
        more = max(0, min(left, needed.get(column.key, 0) - column.width))
        widths[at] += more
        left -= more
    if left > 0 and columns and columns[-1].key in needed:
        widths[-1] += left
    return widths
