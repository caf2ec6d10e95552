"""What has happened to a minion, as far as mtop has seen."""

from __future__ import annotations

from textual.app import ComposeResult

from mtop.model.minion import Minion
from mtop.screens.lines import Lines
from mtop.screens.log import event_line
from mtop.screens.panes.pane import Pane

__all__ = ["Happened"]


class Happened(Pane):
    """Events, the newest last."""

    def body(self) -> ComposeResult:
        """Make its parts."""
        yield Lines(follows=True, hang=18)

    def draw(self, minion: Minion) -> None:
        """Show them."""
        events = self.session.fleet.events.of(minion.key)
        self.query_one(Lines).show(event_line(self.app, event, self.session.glyphs) for event in events)
        self.notice("" if events else "Nothing has happened since mtop was started.", "dim")
