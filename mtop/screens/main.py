"""The main screen: what each key of ``actions.ACTIONS`` does stands here, and in its parts."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType

from mtop.actions import ACTIONS
from mtop.columns import COLUMNS
from mtop.screens.choose import ChooseScreen
from mtop.screens.keybar import bindings
from mtop.screens.moves import Moves
from mtop.screens.ordering import Ordering
from mtop.screens.scrollbars import plain_scrollbars
from mtop.screens.visits import Visits
from mtop.session import Session
from mtop.view import TREES
from mtop.widgets.grid import Grid

__all__ = ["MainScreen"]


class MainScreen(Moves, Ordering, Visits):
    """The fleet, and all keys.

    Args:
        session: What all screens share.
        filter: The filter at the start.
    """

    BINDINGS: ClassVar[list[BindingType]] = bindings(ACTIONS)

    def __init__(self, session: Session, filter: str = "") -> None:
        super().__init__(session)
        self._first_filter = filter

    def on_mount(self) -> None:
        """Begin."""
        plain_scrollbars(self, self.session.glyphs)
        self.grid.focus()
        if self._first_filter:
            self.apply_filter(self._first_filter)
        self.call_after_refresh(self.tick)

    def action_sort(self) -> None:
        """Choose the column to sort by."""
        options = [(column.key, f"{column.title:<10} {column.help}") for column in COLUMNS]

        def chosen(key: str | None) -> None:
            if key:
                self.sort_by(key)

        self.app.push_screen(ChooseScreen("Sort by", options, self.session.view.sort, self.session.glyphs), chosen)

    def sort_by(self, key: str) -> None:
        """Sort by a column; by the same one again the other way round."""
        self.session.view.frozen = False
        self.session.view.sort_by(key)
        self.tick(stay=True)

    def on_grid_head_clicked(self, event: Grid.HeadClicked) -> None:
        """Sort by the column whose title was clicked."""
        self.sort_by(event.column)

    def action_sort_left(self) -> None:
        """Sort by the column to the left."""
        self._sort_beside(-1)

    def action_sort_right(self) -> None:
        """Sort by the column to the right."""
        self._sort_beside(1)

    def _sort_beside(self, by: int) -> None:
        keys = [column.key for column in self.grid.columns]
        if not keys:
            return
        view = self.session.view
        at = keys.index(view.sort) + by if view.sort in keys else 0
        if 0 <= at < len(keys):
            self.sort_by(keys[at])

    def action_invert(self) -> None:
        """Turn the order round."""
        self.sort_by(self.session.view.sort)

    def action_freeze(self) -> None:
        """Keep the order as it is, or no more."""
        self.session.view.frozen = not self.session.view.frozen
        self.tick()

    def action_tree(self) -> None:
        """Group otherwise."""
        view = self.session.view
        view.tree = TREES[(TREES.index(view.tree) + 1) % len(TREES)]
        view.shut.clear()
        self.tick(stay=True)
        self.grid.lay_out()

    def action_expand(self) -> None:
        """Open the group."""
        self._shut(False)

    def action_collapse(self) -> None:
        """Shut the group."""
        self._shut(True)

    def action_expand_all(self) -> None:
        """Open all groups, or shut them where all are open."""
        view = self.session.view
        names = {each.group.name for each in self.grid.lines if each.group is not None}
        view.shut = set() if view.shut & names else names
        self.tick(stay=True)

    def _shut(self, shut: bool) -> None:
        """Open or shut the group that the cursor is in; then it is on the group."""
        at = self.grid.cursor
        lines = self.grid.lines
        while at >= 0 and at < len(lines) and lines[at].group is None:
            at -= 1
        if at < 0 or at >= len(lines):
            return
        group = lines[at].group
        if group is not None:
            (self.session.view.shut.add if shut else self.session.view.shut.discard)(group.name)
            self.grid.go(at)
            self.tick()
