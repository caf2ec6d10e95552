"""Moving, searching, filtering and tagging in the grid of the main screen."""

from __future__ import annotations

from mtop.filters import FilterError, parse
from mtop.screens.fleet import FleetScreen
from mtop.widgets.prompt import Prompt

__all__ = ["Moves"]


class Moves(FleetScreen):
    """A part of the main screen."""

    # Moving.

    def action_up(self) -> None:
        """Line up."""
        self.grid.move(-1)

    def action_down(self) -> None:
        """Line down."""
        self.grid.move(1)

    def action_page_up(self) -> None:
        """Page up."""
        self.grid.move(-self.grid.page)

    def action_page_down(self) -> None:
        """Page down."""
        self.grid.move(self.grid.page)

    def action_top(self) -> None:
        """First line."""
        self.grid.go(0)

    def action_bottom(self) -> None:
        """Last line."""
        self.grid.go(len(self.grid.lines) - 1)

    def action_left(self) -> None:
        """Show columns to the left."""
        self.grid.shift(-1)

    def action_right(self) -> None:
        """Show columns to the right."""
        self.grid.shift(1)

    def action_follow(self) -> None:
        """Keep the cursor on its minion, or no more."""
        self.grid.follows = not self.grid.follows
        self.show_notice()

    # Searching and filtering.

    def action_search(self) -> None:
        """Ask what to search for."""
        self.query_one(Prompt).open("search", "Search:")

    def action_filter(self) -> None:
        """Ask what to show."""
        self.query_one(Prompt).open("filter", "Filter:", self.filter)

    def on_prompt_typed(self, event: Prompt.Typed) -> None:
        """Search or filter by what has been typed until now."""
        prompt = self.query_one(Prompt)
        if event.kind == "search":
            self._seek(event.text, event.entered)
        elif not self.apply_filter(event.text, prompt):
            return
        elif event.entered:
            self._shut_prompt()

    def _seek(self, text: str, again: bool, forward: bool = True) -> None:
        wanted = text.strip().lower()
        found = not wanted or (bool(self.grid.lines) and self.grid.seek(wanted, forward, again))
        if not wanted:
            self.grid.sought = ""
            self.grid.repaint()
        self.query_one(Prompt).trouble("" if found else "not found")

    def on_prompt_again(self, event: Prompt.Again) -> None:
        """Go to the next one that is found."""
        if self.query_one(Prompt).kind == "search":
            self._seek(self.grid.sought, True, event.forward)

    def on_prompt_left(self, event: Prompt.Left) -> None:
        """Search no more; show all again."""
        if event.kind == "filter":
            self.apply_filter("")
        self.grid.sought = ""
        self._shut_prompt()

    def _shut_prompt(self) -> None:
        self.query_one(Prompt).shut()
        self.set_focus(self.grid)
        self.tick()

    def apply_filter(self, text: str, prompt: Prompt | None = None) -> bool:
        """Show only what a filter keeps; tell whether it could be understood."""
        try:
            keep = parse(text) if text.strip() else None
        except FilterError as error:
            if prompt is not None:
                prompt.trouble(str(error))
            return False
        if prompt is not None:
            prompt.trouble("")
        self.filter, self.session.view.keep = text.strip(), keep
        self.show_lines(stay=True)
        self.show_notice()
        return True

    # Tagging.

    def action_tag(self) -> None:
        """Tag or untag the line, and go to the next."""
        current = self.grid.current
        if current is not None:
            self._toggle({minion.key for minion in current.minions})
            self.grid.move(1)

    def action_tag_group(self) -> None:
        """Tag or untag all of the group, or where there are no groups, of the host."""
        at, lines = self.grid.cursor, self.grid.lines
        if at >= len(lines):
            return
        if self.session.view.tree == "flat":
            minion = lines[at].minion
            host = minion.said["host"] if minion is not None else ""
            self._toggle({each.key for line in lines for each in line.minions if each.said["host"] == host})
            return
        while at > 0 and lines[at].group is None:
            at -= 1
        self._toggle({minion.key for minion in lines[at].minions})

    def action_tag_all(self) -> None:
        """Tag all that are shown."""
        self.session.tagged |= {minion.key for line in self.grid.lines for minion in line.minions}
        self._tagged()

    def action_untag(self) -> None:
        """Tag none."""
        self.session.tagged.clear()
        self._tagged()

    def _toggle(self, keys: set[str]) -> None:
        if keys <= self.session.tagged:
            self.session.tagged -= keys
        else:
            self.session.tagged |= keys
        self._tagged()

    def _tagged(self) -> None:
        self.grid.repaint()
        self.show_notice()
