"""The line to type into: what to search, what to show."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Label

__all__ = ["Prompt"]


class Prompt(Horizontal):
    """Stands in the place of the key bar while something is typed.

    Attributes:
        kind: What is asked for: "search" or "filter".
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", show=False),
        Binding("f3", "again", show=False, priority=True),
        Binding("down", "again", show=False, priority=True),
        Binding("up", "again(False)", show=False, priority=True),
    ]
    DEFAULT_CSS = """
    Prompt { dock: bottom; height: 1; display: none; background: $background; }
    Prompt.-open { display: block; }
    Prompt Label { width: auto; padding-right: 1; text-style: bold; }
    Prompt #trouble { width: auto; max-width: 60%; padding-left: 1; color: $error; text-style: none; }
    Prompt Input { width: 1fr; background: $background; }
    Prompt Input:focus { background-tint: $background 0%; }
    """

    class Typed(Message):
        """The text has changed, or Enter was pressed.

        Attributes:
            kind: What was asked for.
            text: All of it.
            entered: Whether it is complete.
        """

        def __init__(self, kind: str, text: str, entered: bool) -> None:
            super().__init__()
            self.kind, self.text, self.entered = kind, text, entered

    class Again(Message):
        """The next one is wanted, or the one before."""

        def __init__(self, forward: bool) -> None:
            super().__init__()
            self.forward = forward

    class Left(Message):
        """Esc was pressed."""

        def __init__(self, kind: str) -> None:
            super().__init__()
            self.kind = kind

    def __init__(self) -> None:
        super().__init__()
        self.kind = ""

    def compose(self) -> ComposeResult:
        """Make its parts."""
        yield Label("", id="label", markup=False)
        words = Input(compact=True, select_on_focus=False)
        words.cursor_blink = False
        yield words
        yield Label("", id="trouble", markup=False)

    def open(self, kind: str, label: str, text: str = "") -> None:
        """Let the user type."""
        self.kind = kind
        self.query_one("#label", Label).update(label)
        self.trouble("")
        self.add_class("-open")
        self.screen.add_class("-asking")
        words = self.query_one(Input)
        with words.prevent(Input.Changed):
            words.value = text
        words.cursor_position = len(text)
        # At once: what is typed next is for this line.
        self.screen.set_focus(words)

    def shut(self) -> None:
        """Go away."""
        self.remove_class("-open")
        self.screen.remove_class("-asking")

    def trouble(self, words: str) -> None:
        """Say what is wrong with the text."""
        self.query_one("#trouble", Label).update(words)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Hand the text on while it is typed."""
        event.stop()
        self.post_message(self.Typed(self.kind, event.value, False))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Hand it on complete."""
        event.stop()
        self.post_message(self.Typed(self.kind, event.value, True))

    def action_again(self, forward: bool = True) -> None:
        """Go on to the next one."""
        self.post_message(self.Again(forward))

    def action_leave(self) -> None:
        """Say that nothing is asked for any more."""
        self.post_message(self.Left(self.kind))
