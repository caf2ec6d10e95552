"""Set-up: which columns, how the meters are drawn, colours, delay."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.events import Resize

from mtop.actions import Action
from mtop.columns import Column, by_key, fitting
from mtop.config import THEMES, Config
from mtop.format import fit
from mtop.meters import METERS
from mtop.screens.draft import Draft
from mtop.screens.keybar import HELP, bindings
from mtop.screens.page import Page
from mtop.screens.said import Said
from mtop.screens.table import Cell, Head, Table
from mtop.session import Session
from mtop.widgets.row import GUTTER

__all__ = ["SetupScreen"]

_PARTS = ("Columns", "Meters", "Theme", "Delay")
_THEMES = {
    "htop": "as htop looks: black background",
    "light": "for terminals with a light background",
    "colour-blind": "blue and orange, with signs",
    "monochrome": "no colours",
}


class SetupScreen(Page[Config]):
    """What the user sees, to change; the answer is the new set-up, or None.

    Args:
        session: What all screens share.
        preview: Shows a set-up at once, for as long as it is being changed.
    """

    KEYS = (
        Action("change", ("space",), "show it or not; choose it", "choose", "Change"),
        Action("move(-1)", ("f7", "plus", "shift+up"), "move the column up; the mode before", "choose", "Up"),
        Action("move(1)", ("f8", "minus", "shift+down"), "move the column down; the next mode", "choose", "Down"),
        Action("defaults", ("D",), "the columns as they were at first", "choose", "Defaults"),
        Action("done", ("f10",), "keep all this", "other", "Done"),
        Action("back", ("escape", "q"), "leave all as it was", "other", "Cancel"),
        Action("left", ("left",), "to the list at the left", "move"),
        Action("right", ("right", "tab"), "to the list at the right", "move"),
    )
    BINDINGS: ClassVar[list[BindingType]] = bindings(KEYS)
    DEFAULT_CSS = """
    SetupScreen > Horizontal { height: 1fr; margin-top: 1; }
    SetupScreen #parts { width: 12; margin-right: 2; }
    SetupScreen .preview { height: auto; margin-top: 1; }
    """

    def __init__(self, session: Session, preview: Callable[[Config], None] | None = None) -> None:
        super().__init__(session)
        self._draft = Draft(session.config)
        self._preview = preview
        self._before = session.config

    def body(self) -> ComposeResult:
        """Make its parts."""
        with Horizontal():
            yield Table((Head("SET-UP", 8, grows=True),), self.session.glyphs, id="parts")
            yield Table(
                (Head("", 17), Head("", 8, 1, grows=True)),
                self.session.glyphs,
                header=False,
                one_click=True,
                id="items",
            )
        yield Said("preview")

    def on_mount(self) -> None:
        """Show the first part."""
        self.head(self.line(("Set-up", "title"), "  F10 keeps it, Esc leaves all as it was"))
        self._parts.show(_PARTS, lambda part: ((part, ""),))
        self.set_focus(self._parts)

    def on_resize(self, event: Resize) -> None:
        """Tell anew what fits."""
        self._show()

    @property
    def _parts(self) -> Table:
        return self.query_one("#parts", Table)

    @property
    def _items(self) -> Table:
        return self.query_one("#items", Table)

    @property
    def _part(self) -> str:
        return self._parts.key or _PARTS[0]

    # What is shown.

    def _show(self) -> None:
        rows = {"Columns": self._columns, "Meters": self._meters, "Theme": self._themes, "Delay": self._delays}
        cells = rows[self._part]()
        self._items.show(cells, cells.__getitem__)
        self.query_one(".preview", Said).say(self._titles() if self._part == "Columns" else Text())

    def _mark(self, on: bool, one_of: bool = False) -> str:
        left, right = "()" if one_of else "[]"
        return f"{left}{('*' if one_of else 'x') if on else ' '}{right}"

    def _columns(self) -> dict[str, tuple[Cell, ...]]:
        columns, draft = by_key(), self._draft
        room = {column.key for column in self._fitting()}
        rows: dict[str, tuple[Cell, ...]] = {}
        for key in draft.order:
            on = key in draft.chosen
            note = "" if not on or key in room else "no room here: "
            title = f"{self._mark(on)} {columns[key].title}"
            rows[key] = (title, "" if on else "dim"), (note + columns[key].help, "warn" if note else "dim")
        return rows

    def _meters(self) -> dict[str, tuple[Cell, ...]]:
        drawn = [(meter, f"{meter.title:<10}{self._draft.mode(meter.key):>6}") for meter in METERS]
        return {meter.key: ((words, ""), (meter.help, "dim")) for meter, words in drawn}

    def _themes(self) -> dict[str, tuple[Cell, ...]]:
        now = self._draft.config.theme
        return {
            name: ((f"{self._mark(name == now, True)} {name}", ""), (_THEMES.get(name, ""), "dim")) for name in THEMES
        }

    def _delays(self) -> dict[str, tuple[Cell, ...]]:
        now = self._draft.config.delay
        words = "between two polls of a minion, and two pictures"
        return {
            str(delay): ((f"{self._mark(delay == now, True)} {delay:g} s", ""), (words if delay == now else "", "dim"))
            for delay in self._draft.delays
        }

    def _fitting(self) -> list[Column]:
        """Return the columns for which the grid has room."""
        columns = by_key()
        return fitting([columns[key] for key in self._draft.config.columns], self.size.width - GUTTER)

    def _titles(self) -> Text:
        """Draw the line of titles as the grid will have it."""
        shown = [fit(column.title, column.width, column.right) for column in self._fitting()]
        words = " " * GUTTER + " ".join(shown)
        return self.line((words[: self.size.width].ljust(self.size.width), "head"))

    # What is changed.

    def on_table_moved(self, event: Table.Moved) -> None:
        """Show the part under the cursor."""
        if event.table is self._parts:
            self._show()
            self._items.action_first()

    def on_table_opened(self, event: Table.Opened) -> None:
        """Go into the part, or change the item."""
        if event.table is self._parts:
            self.set_focus(self._items)
        else:
            self.action_change()

    def action_change(self) -> None:
        """Change what is under the cursor."""
        key, part = self._items.key, self._part
        if self.focused is self._parts or key is None:
            self.set_focus(self._items)
        elif part == "Columns":
            self._draft.toggle(key)
        elif part == "Meters":
            self._draft.step_mode(key, 1)
        elif part == "Theme":
            self._draft.set_theme(key)
        else:
            self._draft.set_delay(float(key))
        self._changed()

    def action_move(self, by: int) -> None:
        """Move the column under the cursor, or draw the meter in another way."""
        key = self._items.key
        if key is None or self.focused is self._parts:
            return
        if self._part == "Columns":
            self._draft.move(key, by)
        elif self._part == "Meters":
            self._draft.step_mode(key, by)
        self._changed()

    def action_defaults(self) -> None:
        """Show the columns as they were at first."""
        self._draft.reset_columns()
        self._changed()

    def _changed(self) -> None:
        if self._preview is not None:
            self._preview(self._draft.config)
            for table in self.query(Table):
                table.refresh()
        self._show()

    # Going.

    def action_left(self) -> None:
        """Go to the parts."""
        self.set_focus(self._parts)

    def action_right(self) -> None:
        """Go to the items."""
        self.set_focus(self._items)

    def offered(self) -> list[Action]:
        """Return what its keys do."""
        return [HELP, *self.KEYS]

    def action_done(self) -> None:
        """Keep it."""
        self.dismiss(self._draft.config)

    def action_back(self) -> None:
        """Leave all as it was."""
        if self._preview is not None:
            self._preview(self._before)
        self.dismiss(None)
