"""A line to type into, above the key bar, while something is sought."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, Label

__all__ = ["Find"]


class Find(Horizontal):
    """Asks what to look for; there only while it is needed.

    Args:
        label: What stands before it.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "shut", "end the search", show=False),
        Binding("f3,down", "again", "the next one", show=False),
    ]
    DEFAULT_CSS = """
    Find { dock: bottom; height: 1; display: none; margin-bottom: 1; background: $background; }
    Find.-open { display: block; }
    Find Label { width: auto; padding-right: 1; text-style: bold; }
    Find Input { width: 1fr; background: $background; }
    Find Input:focus { background-tint: $background 0%; }
    """

    class Sought(Message):
        """What is sought has changed.

        Attributes:
            words: What; "" for nothing any more.
            again: Whether the next one is wanted.
        """

        def __init__(self, words: str, again: bool = False) -> None:
            super().__init__()
            self.words, self.again = words, again

    def __init__(self, label: str) -> None:
        super().__init__()
        self._label = label
        self._before: Widget | None = None

    def compose(self) -> ComposeResult:
        """Make its parts."""
        yield Label(self._label, markup=False)
        words = Input(compact=True, select_on_focus=False)
        words.cursor_blink = False
        yield words

    def open(self) -> None:
        """Let the user type."""
        if not self.has_class("-open"):
            self._before = self.screen.focused
        self.add_class("-open")
        # At once: what is typed next is for this line.
        self.screen.set_focus(self.query_one(Input))

    def action_shut(self) -> None:
        """Go away, and seek nothing any more."""
        self.remove_class("-open")
        self.query_one(Input).value = ""
        self.screen.set_focus(self._before)
        self.post_message(self.Sought(""))

    def action_again(self) -> None:
        """Go on to the next one."""
        self.post_message(self.Sought(self.query_one(Input).value, again=True))

    def on_input_changed(self, event: Input.Changed) -> None:
        """Seek while it is typed."""
        event.stop()
        self.post_message(self.Sought(event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Go on to the next one."""
        event.stop()
        self.action_again()
