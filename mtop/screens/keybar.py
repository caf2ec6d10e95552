"""The last line of a screen: what its keys do. A click does the same."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.events import Click
from textual.widget import Widget

from mtop.actions import Action, shown_key
from mtop.styles import role_style

__all__ = ["BACK", "HELP", "KeyBar", "bindings"]

HELP = Action("keys", ("f1", "question_mark", "h"), "the keys of this screen", "other", "Help")
BACK = Action("back", ("escape", "q", "f10"), "back", "other", "Back")


def bindings(actions: Sequence[Action]) -> list[BindingType]:
    """Bind the keys of actions."""
    return [Binding(",".join(action.keys), action.name, action.help, show=False) for action in actions]


class KeyBar(Widget):
    """One line of keys, as many as there is room for.

    Args:
        actions: Those that have a word for it, in order.
    """

    DEFAULT_CSS = """
    KeyBar { dock: bottom; height: 1; width: 100%; background: $background; }
    """
    ALLOW_SELECT = False

    def __init__(self, actions: Sequence[Action] = ()) -> None:
        super().__init__()
        self._actions = actions
        self._ends: list[tuple[int, str]] = []

    def show(self, actions: Sequence[Action]) -> None:
        """Show these instead."""
        if list(actions) != list(self._actions):
            self._actions = actions
            self.refresh()

    def render(self) -> Text:
        """Draw it, and remember where each key stands."""
        key, word = role_style(self.app, "key"), role_style(self.app, "cursor")
        text = Text(no_wrap=True, end="")
        self._ends = []
        for action in self._actions:
            if not action.bar:
                continue
            name = shown_key(action.keys[0])
            if len(text) + len(name) + len(action.bar) + 1 > self.size.width:
                break
            text.append(name, key).append(action.bar, word).append(" ")
            self._ends.append((len(text), action.keys[0]))
        return text

    def on_click(self, event: Click) -> None:
        """Press the key that was clicked."""
        for end, key in self._ends:
            if event.x < end:
                event.stop()
                self.app.simulate_key(key)
                return
