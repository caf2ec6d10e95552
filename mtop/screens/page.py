"""What all whole screens have in common: a head, a body, a key bar, and a timer that brings them up to date."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, TypeVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import Screen

from mtop.actions import Action
from mtop.format import safe
from mtop.screens.asking import is_here
from mtop.screens.dialog import KeysScreen
from mtop.screens.find import Find
from mtop.screens.keybar import BACK, HELP, KeyBar, bindings
from mtop.screens.lines import Lines
from mtop.screens.said import Said
from mtop.screens.scrollbars import plain_scrollbars
from mtop.screens.texts import clean
from mtop.session import Session
from mtop.styles import line

__all__ = ["FIND", "Page"]

T = TypeVar("T")
FIND = Action("find", ("f3", "slash"), "search what is shown; Enter: the next one", "choose", "Search")


class Page(Screen[T]):
    """A screen that the user opens from another, and leaves again.

    Args:
        session: What all screens share.

    Attributes:
        KEYS: What its keys do, beside F1 and Esc.
        seeks: What stands before the words that are sought.
    """

    KEYS: ClassVar[tuple[Action, ...]] = ()
    BINDINGS: ClassVar[list[BindingType]] = bindings((HELP, BACK))
    DEFAULT_CSS = """
    Page { background: $background; overflow: hidden; }
    Page > .head {
        height: auto; width: 100%; background: $background; text-wrap: nowrap; text-overflow: ellipsis;
    }
    Page.-ascii > .head { text-overflow: clip; }
    """
    seeks: ClassVar[str] = "Search:"

    def __init__(self, session: Session) -> None:
        super().__init__(classes="-ascii" if session.glyphs.ascii else None)
        self.session = session

    def compose(self) -> ComposeResult:
        """Make its parts."""
        yield Said("head")
        yield from self.body()
        yield Find(self.seeks)
        yield KeyBar(self.offered())

    def body(self) -> ComposeResult:
        """Make what stands between the head and the key bar."""
        yield from ()

    def on_mount(self) -> None:
        """Begin."""
        plain_scrollbars(self, self.session.glyphs)
        self.set_interval(self.session.config.delay, self._timed)
        self.call_after_refresh(self.tick_here)

    def on_screen_resume(self) -> None:
        """Be up to date when it is seen again."""
        if self.is_mounted:
            self.tick()

    def _timed(self) -> None:
        """Bring it up to date, unless another screen hides it."""
        stack = self.app.screen_stack
        if self in stack and all(each.is_modal for each in stack[stack.index(self) + 1 :]):
            self.tick()

    def tick(self) -> None:
        """Bring it up to date."""

    def tick_here(self) -> None:
        """Bring it up to date, unless the user has left it meanwhile."""
        if is_here(self):
            self.tick()

    # Words.

    def words(self, text: object, most: int = 500) -> str:
        """Make what comes from a minion one harmless line."""
        return clean(text, self.session.glyphs, most)

    def line(self, *parts: str | tuple[str, str]) -> Text:
        """Write a line of parts, each with its role."""
        return line(self.app, *parts)

    def head(self, *lines: Text) -> None:
        """Write the head."""
        self.query_one(".head", Said).say(Text("\n", end="").join(lines))

    def say(self, words: str) -> None:
        """Say something in a corner for a while."""
        self.app.notify(safe(words), markup=False)

    # Keys.

    def offered(self) -> Sequence[Action]:
        """Return what its keys do at present."""
        return [HELP, *self.KEYS, BACK]

    def action_keys(self) -> None:
        """Show its keys."""
        self.app.push_screen(KeysScreen(self.session.glyphs, self.offered()))

    def action_back(self) -> None:
        """Go back."""
        self.dismiss()

    # Searching.

    def sought_in(self) -> Lines | None:
        """Return in what is searched."""
        return next(iter(self.query(Lines)), None)

    def action_find(self) -> None:
        """Ask what to look for."""
        self.query_one(Find).open()

    def on_find_sought(self, event: Find.Sought) -> None:
        """Look for it."""
        lines = self.sought_in()
        if lines is None:
            return
        if event.again:
            lines.seek_next()
        else:
            lines.seek(event.words)
