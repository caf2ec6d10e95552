"""What all tabs of a minion have in common."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widget import Widget

from mtop.actions import Action
from mtop.model.minion import Minion
from mtop.screens.lines import Lines
from mtop.screens.said import Said
from mtop.screens.texts import clean
from mtop.session import Session
from mtop.styles import line

__all__ = ["Pane"]


class Pane(Vertical):
    """One tab.

    Args:
        session: What all screens share.

    Attributes:
        KEYS: What its keys do, wherever the focus is.
        minion: The minion, as it was last seen.
    """

    KEYS: ClassVar[tuple[Action, ...]] = ()
    DEFAULT_CSS = """
    Pane { height: 1fr; background: $background; }
    Pane > .notice { height: auto; display: none; }
    Pane > .notice.-said { display: block; }
    """

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self.minion: Minion | None = None

    def compose(self) -> ComposeResult:
        """Make its parts."""
        yield Said("notice")
        yield from self.body()

    def body(self) -> ComposeResult:
        """Make what stands below the notice."""
        yield Lines()

    def look(self, minion: Minion) -> None:
        """Bring it up to date, and ask the minion for what is not known."""
        self.minion = minion
        self.draw(minion)

    def draw(self, minion: Minion) -> None:
        """Show what is known now."""

    def target(self) -> Widget | None:
        """Return what takes the keys."""
        return next((each for each in self.query("Table, Lines").results(Widget) if each.display), None)

    def sought_in(self) -> Lines | None:
        """Return in what is searched."""
        shown = [each for each in self.query(Lines) if each.display]
        return next((each for each in shown if each.has_focus), shown[0] if shown else None)

    def notice(self, words: str, role: str = "warn") -> None:
        """Say above all else what must be known; "" for nothing."""
        place = self.query_one(".notice", Said)
        place.set_class(bool(words), "-said")
        text = self.line((self.words(words), role))
        text.no_wrap = False
        place.say(text)

    def words(self, text: object, most: int = 500) -> str:
        """Make what comes from a minion one harmless line."""
        return clean(text, self.session.glyphs, most)

    def line(self, *parts: str | tuple[str, str]) -> Text:
        """Write a line of parts, each with its role."""
        return line(self.app, *parts)
