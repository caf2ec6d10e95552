"""What has happened in the fleet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType

from mtop.actions import Action
from mtop.format import Glyphs
from mtop.model.events import Event
from mtop.screens.find import Find
from mtop.screens.keybar import bindings
from mtop.screens.lines import Lines
from mtop.screens.page import Page
from mtop.screens.texts import clean, clock_time, date_time, plural
from mtop.session import Session
from mtop.styles import line

if TYPE_CHECKING:
    from rich.text import Text
    from textual.app import App

__all__ = ["LogScreen", "event_line"]

_WIDE = 100
_WORDS = {"information": ("info", "dim"), "warning": ("WARNING", "warn"), "error": ("ERROR", "bad")}


def event_line(app: App[Any], event: Event, glyphs: Glyphs) -> Text:
    """Write an event; the day too where there is room."""
    word, role = _WORDS[event.severity]
    when = ((clock_time if app.size.width < _WIDE else date_time)(event.at), "dim")
    return line(app, when, " ", (f"{word:<8}", role), " ", (clean(event.what, glyphs), "" if role == "dim" else role))


class LogScreen(Page[None]):
    """All events, the newest last.

    Args:
        session: What all screens share.
    """

    KEYS = (
        Action("find", ("f4", "backslash", "f3", "slash"), "show only events with these words", "choose", "Filter"),
    )
    BINDINGS: ClassVar[list[BindingType]] = bindings(KEYS)
    seeks = "Filter:"

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._wanted = ""
        self._shown: tuple[object, ...] = ()

    def body(self) -> ComposeResult:
        """Make its parts."""
        yield Lines(follows=True, hang=18)

    def tick(self) -> None:
        """Show what is new."""
        events = list(self.session.fleet.events)
        now = (len(events), events[-1:], self._wanted, self.app.theme)
        if now == self._shown:
            return
        self._shown = now
        wanted = self._wanted.casefold()
        shown = [event for event in events if wanted in event.what.casefold()]
        some = f", {len(shown)} shown with " if wanted else ""
        self.head(self.line(("What has happened", "title"), f"  {plural(len(events), 'event')}{some}", self._wanted))
        self.query_one(Lines).show(event_line(self.app, event, self.session.glyphs) for event in shown)

    def on_find_sought(self, event: Find.Sought) -> None:
        """Show only events with these words."""
        event.prevent_default()
        if event.words != self._wanted:
            self._wanted = event.words
            self.tick()
