"""Choose one of several, as with F6 and F9 of htop: a list at the left."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.events import Key
from textual.screen import ModalScreen
from textual.widgets import Static

from mtop.actions import Action
from mtop.format import Glyphs, width
from mtop.screens.keybar import KeyBar
from mtop.screens.scrollbars import plain_scrollbars
from mtop.screens.table import Head, Table
from mtop.screens.texts import clean
from mtop.styles import line

__all__ = ["ChooseScreen"]

_LEAST, _MOST = 18, 60


class ChooseScreen(ModalScreen[str]):
    """A list to choose from; the answer is a key, or None.

    Args:
        title: What is chosen.
        options: Key and words of each.
        current: The key that holds now; None for none.
        glyphs: What the terminal can draw.
    """

    KEYS = (
        Action("choose", ("enter",), "choose this one", "choose", "Choose"),
        Action("cancel", ("escape", "f10"), "choose nothing", "other", "Cancel"),
    )
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,f10,ctrl+c", "cancel", "cancel", show=False)]
    DEFAULT_CSS = """
    ChooseScreen { align: left top; background: transparent; }
    ChooseScreen > .list { height: 1fr; max-width: 100%; background: $background; border-right: solid $accent; }
    ChooseScreen.-ascii > .list { border-right: ascii $accent; }
    ChooseScreen .title { height: 1; width: 100%; }
    """

    def __init__(
        self, title: str, options: Sequence[tuple[str, str]], current: str | None = None, glyphs: Glyphs | None = None
    ) -> None:
        self.glyphs = glyphs or Glyphs()
        super().__init__(classes="-ascii" if self.glyphs.ascii else None)
        self._title, self._current = title, current
        self._options = [(key, clean(words, self.glyphs)) for key, words in options]

    def compose(self) -> ComposeResult:
        """Make its parts."""
        widest = max((width(words) for _, words in self._options), default=0)
        with Vertical(classes="list") as box:
            yield Static(classes="title", markup=False)
            yield Table((Head("", 8, grows=True),), self.glyphs, header=False, one_click=True)
        box.styles.width = min(_MOST, max(_LEAST, widest + 5, width(self._title) + 2))
        yield KeyBar(self.KEYS)

    def on_mount(self) -> None:
        """Fill the list; the cursor is on what holds now."""
        self.query_one(".title", Static).update(line(self.app, (self._title.ljust(_MOST), "head")))
        mark = self.glyphs("▸", ">")
        rows = {key: ((f"{mark if key == self._current else ' '} {words}", ""),) for key, words in self._options}
        plain_scrollbars(self, self.glyphs)
        self.query_one(Table).show(rows, rows.__getitem__)
        self.query_one(Table).go(self._current)

    def on_key(self, event: Key) -> None:
        """Go to the next one that begins with the letter that was typed."""
        char = event.character
        if char is None or not char.isprintable() or char == " ":
            return
        event.stop()
        table = self.query_one(Table)
        count = len(self._options)
        for step in range(1, count + 1):
            row = (table.cursor + step) % count
            if self._options[row][1].casefold().startswith(char.casefold()):
                table.move(row)
                return

    def on_table_opened(self, event: Table.Opened) -> None:
        """This one."""
        self.dismiss(event.key)

    def action_cancel(self) -> None:
        """None of them."""
        self.dismiss(None)
