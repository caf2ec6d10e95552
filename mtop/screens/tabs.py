"""A line of tabs to click on."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual.events import Click
from textual.message import Message
from textual.widget import Widget

from mtop.styles import role_style

__all__ = ["Tabs"]


class Tabs(Widget):
    """Numbered tabs; the open one stands in brackets.

    Args:
        names: Their names, in order.
    """

    DEFAULT_CSS = """
    Tabs { height: 1; width: 100%; background: $background; }
    """
    ALLOW_SELECT = False

    class Clicked(Message):
        """A tab was clicked.

        Attributes:
            number: Which one, from 0.
        """

        def __init__(self, number: int) -> None:
            super().__init__()
            self.number = number

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__()
        self._names, self._open = list(names), 0
        self._ends: list[int] = []

    def open(self, number: int) -> None:
        """Show that this one is open."""
        self._open = number
        self.refresh()

    def render(self) -> Text:
        """Draw them, and remember where each stands."""
        text = Text(no_wrap=True, end="")
        self._ends = []
        for number, name in enumerate(self._names):
            here = number == self._open
            left = "[" if here else "" if number == self._open + 1 else " "
            right = "]" if here else ""
            text.append(f"{left}{number + 1} {name}{right}", role_style(self.app, "cursor" if here else ""))
            self._ends.append(len(text))
        return text

    def on_click(self, event: Click) -> None:
        """Tell which one was clicked."""
        event.stop()
        for number, end in enumerate(self._ends):
            if event.x < end:
                self.post_message(self.Clicked(number))
                return
