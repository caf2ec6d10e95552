"""Text of many lines to scroll in, folded to the width. Lines are drawn when they are seen and have changed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from rich.cells import get_character_cell_size
from rich.style import Style
from rich.text import Text
from textual.binding import Binding, BindingType
from textual.events import Resize
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip

from mtop.styles import role_style

__all__ = ["Lines", "fold"]


def fold(text: Text, width: int, hang: int = 0) -> list[Text]:
    """Fold a line so that it fits, at a blank where there is one.

    Args:
        text: One line.
        width: Cells.
        hang: By how much all but the first line are moved to the right.
    """
    if text.cell_len <= width or width < 1:
        return [text]
    hang = hang if hang < width // 2 else 0
    offsets = _offsets(text.plain, width, width - hang)
    first, *rest = text.divide(offsets)
    return [first, *(_moved(piece, hang) for piece in rest)]


def _offsets(plain: str, first: int, others: int) -> list[int]:
    """Return where to cut."""
    found: list[int] = []
    start = blank = cells = 0
    room = first
    for index, char in enumerate(plain):
        cells += get_character_cell_size(char)
        if cells > room:
            cut = blank if blank - start > room // 2 else index
            found.append(cut)
            start, room = cut, others
            cells = sum(map(get_character_cell_size, plain[cut : index + 1]))
        if char == " ":
            blank = index + 1
    return found


def _moved(text: Text, cells: int) -> Text:
    return Text(" " * cells, no_wrap=True, end="").append_text(text) if cells else text


def _look(text: Text) -> tuple[str, object, list[object]]:
    """Return all that makes two lines look the same."""
    return text.plain, text.style, list(text.spans)


class Lines(ScrollView, inherit_bindings=False, can_focus=True):
    """Lines of text.

    Args:
        follows: Whether it stays at the end, once there, when lines come.
        hang: By how much what is folded is moved to the right.
        id: Its name.
    """

    ALLOW_SELECT = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "line(-1)", "line up", show=False),
        Binding("down", "line(1)", "line down", show=False),
        Binding("pageup", "page(-1)", "page up", show=False),
        Binding("pagedown,space", "page(1)", "page down", show=False),
        Binding("home", "first", "first line", show=False),
        Binding("end", "last", "last line", show=False),
    ]
    DEFAULT_CSS = """
    Lines {
        height: 1fr; background: $background; color: $foreground;
        overflow-x: hidden; overflow-y: auto; scrollbar-gutter: stable; scrollbar-size-vertical: 1;
    }
    """

    def __init__(self, *, follows: bool = False, hang: int = 0, id: str | None = None) -> None:
        super().__init__(id=id)
        self._follows, self._hang = follows, hang
        self._at_end = True
        self._lines: list[Text] = []
        self._rows: list[Text] = []
        self._sought = ""
        self._found: list[int] = []

    @property
    def plain(self) -> list[str]:
        """What it holds, unfolded."""
        return [line.plain for line in self._lines]

    def show(self, lines: Iterable[Text]) -> None:
        """Show these instead of what was there. Who reads further up is left there."""
        self._lines = list(lines)
        self._fold()

    def on_resize(self, event: Resize) -> None:
        """Fold anew."""
        self._fold()

    def _fold(self) -> None:
        width = self.scrollable_content_region.width
        rows = [row for line in self._lines for row in fold(line, width, self._hang)]
        self._marked(rows)
        before, self._rows = self._rows, rows
        if len(rows) != len(before):
            self.virtual_size = Size(width, len(rows))
        if self._follows and self._at_end:
            self.scroll_end(animate=False, immediate=True, force=True, x_axis=False)
        self._repaint(before, rows)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Remember whether the end is seen."""
        super().watch_scroll_y(old_value, new_value)
        self._at_end = new_value >= self.max_scroll_y

    def _repaint(self, before: Sequence[Text], rows: Sequence[Text]) -> None:
        """Draw anew which lines of those that are seen have changed."""
        top = self.scroll_offset.y
        for y in range(self.size.height):
            old, new = (each[top + y] if top + y < len(each) else None for each in (before, rows))
            if old is not new and (old is None or new is None or _look(old) != _look(new)):
                self.refresh(Region(0, y, self.size.width, 1))

    def render_line(self, y: int) -> Strip:
        """Draw one line."""
        number, width = self.scroll_offset.y + y, self.size.width
        if number >= len(self._rows):
            return Strip.blank(width, self.rich_style)
        row = self._selected(number, self._rows[number])
        strip = Strip(row.render(self.app.console)).crop_extend(0, width, None).apply_style(self.rich_style)
        return strip.apply_offsets(0, number)

    # Searching.

    def seek(self, words: str) -> int:
        """Mark what is sought, and go to where it stands next; return how many lines hold it."""
        self._sought = words
        self._fold()
        self.refresh()
        if self._found:
            self._go(next((row for row in self._found if row >= self.scroll_offset.y), self._found[0]))
        return len(self._found)

    def seek_next(self) -> None:
        """Go on to where it stands next; after the last, to the first."""
        if self._found:
            self._go(next((row for row in self._found if row > self.scroll_offset.y), self._found[0]))

    def _marked(self, rows: list[Text]) -> None:
        self._found = []
        sought = self._sought.casefold()
        if not sought:
            return
        style = role_style(self.app, "match") + Style(reverse=True, bold=True)
        for number, row in enumerate(rows):
            if sought in row.plain.casefold():
                self._found.append(number)
                rows[number] = marked = row.copy()
                marked.highlight_words([self._sought], style, case_sensitive=False)

    def _go(self, row: int) -> None:
        self.scroll_to(y=row, animate=False, immediate=True, force=True)

    # Selecting with the mouse.

    def get_selection(self, selection: Selection) -> tuple[str, str]:
        """Return the selected text, and what stands behind it."""
        return selection.extract("\n".join(row.plain for row in self._rows)), "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        """Show what is selected."""
        self.refresh()

    def _selected(self, number: int, row: Text) -> Text:
        span = self.text_selection.get_span(number) if self.text_selection is not None else None
        if span is None:
            return row
        start, end = span
        chosen = row.copy()
        chosen.stylize(self.screen.get_component_rich_style("screen--selection"), start, len(row) if end == -1 else end)
        return chosen

    # Moving. Nothing slides.

    def action_line(self, by: int) -> None:
        """Move by a line."""
        self.scroll_relative(y=by, animate=False)

    def action_page(self, by: int) -> None:
        """Move by a page."""
        self.scroll_relative(y=by * max(1, self.size.height - 1), animate=False)

    def action_first(self) -> None:
        """Move to the start."""
        self.scroll_to(y=0, animate=False)

    def action_last(self) -> None:
        """Move to the end."""
        self.scroll_end(animate=False, x_axis=False)
