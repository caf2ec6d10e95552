"""The picture on the main screen: meters, what must be known, grid, key bar. All that keys do is added to it."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.screen import Screen
from textual.widgets import Static

from mtop.actions import ACTIONS, Action
from mtop.feed import Player
from mtop.screens.keybar import KeyBar
from mtop.session import Session
from mtop.styles import line
from mtop.widgets.grid import Grid
from mtop.widgets.head import Head
from mtop.widgets.prompt import Prompt

__all__ = ["FleetScreen"]


class FleetScreen(Screen[None]):
    """Shows a fleet; every tick of the app calls ``tick``.

    Args:
        session: What all screens share.

    Attributes:
        ACTIONS: What its keys do.
        filter: The filter that holds; "" for none.
    """

    ACTIONS: ClassVar[tuple[Action, ...]] = ACTIONS
    DEFAULT_CSS = """
    FleetScreen { background: $background; overflow: hidden; }
    FleetScreen > #notice { height: auto; width: 100%; background: $background; display: none; }
    FleetScreen > #notice.-said { display: block; }
    FleetScreen.-asking > KeyBar { display: none; }
    """

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self.filter = ""
        self._noticed = ""

    def compose(self) -> ComposeResult:
        """Make its parts."""
        yield Head(self.session)
        yield Static(id="notice", markup=False)
        yield Grid(self.session)
        yield Prompt()
        yield KeyBar([action for action in self.ACTIONS if action.bar])

    @property
    def grid(self) -> Grid:
        """Return the grid."""
        return self.query_one(Grid)

    @property
    def head(self) -> Head:
        """Return the meters."""
        return self.query_one(Head)

    # The picture.

    def tick(self, stay: bool = False) -> None:
        """Show the fleet as it is now; ``stay`` as in ``show_lines``."""
        if not self.is_attached or self.app.screen is not self or not self.is_mounted:
            return
        self.show_lines(stay)
        self.head.repaint()
        self.show_notice()

    def show_lines(self, stay: bool = False) -> None:
        """Show the lines of the view as it is now.

        Args:
            stay: Whether the cursor stays on its minion: the user has asked for other lines, or another order.
        """
        self.grid.show(self.session.view.lines(self.session.fleet), stay)

    def on_screen_resume(self) -> None:
        """Be up to date when it is seen again."""
        self.call_after_refresh(self.tick)

    def show_notice(self) -> None:
        """Say what must be known: nobody in sight, a filter that hides some, what does not work."""
        session = self.session
        parts: list[tuple[str, str]] = []
        if isinstance(session.feed, Player):
            parts.append((f"{session.feed.status(session.glyphs)}  ", "title"))
        if self.filter:
            parts += [("Filter: ", "title"), (self.filter, "accent")]
            parts.append((f"  {len(self.grid.lines)} of {len(session.fleet)}  ", "dim"))
        if session.tagged:
            parts.append((f"{len(session.tagged)} tagged  ", "tagged"))
        if session.view.frozen:
            parts.append(("order frozen (Z)  ", "warn"))
        if self.grid.follows:
            parts.append(("following (F)  ", "warn"))
        if session.readonly:
            parts.append(("read-only  ", "dim"))
        lines = [line(self.app, *parts)] if parts else []
        lines += [line(self.app, (session.glyphs.text(words), "bad")) for words in session.feed.troubles()[:3]]
        if not len(session.fleet):
            lines += [line(self.app, part) for part in self.nobody()]
        notice = self.query_one("#notice", Static)
        shown = "\n".join(each.plain for each in lines)
        notice.set_class(bool(lines), "-said")
        if shown != self._noticed:
            self._noticed = shown
            notice.update(Text("\n").join(lines))

    def nobody(self) -> list[tuple[str, str]]:
        """Say where was looked, and how to start a minion."""
        return [
            ("No minion in sight.", "title"),
            (f"Looked in {self.session.glyphs.text(self.session.feed.place)}", ""),
            ("Start one:", ""),
            ("    seq 100 | minionize sh -c 'sleep 1; echo $1' sh", "accent"),
            ("or look elsewhere: mtop -r dir:PATH, mtop -r redis://HOST, mtop http://HOST:PORT; mtop --demo 50", ""),
        ]
