"""What stands before a screen until it is answered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, TypeVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from mtop.actions import Action, shown_key
from mtop.format import Glyphs
from mtop.screens.lines import Lines
from mtop.screens.scrollbars import plain_scrollbars
from mtop.styles import line

__all__ = ["Dialog", "KeysScreen"]

T = TypeVar("T")


class Dialog(ModalScreen[T]):
    """A box in the middle.

    Args:
        glyphs: What the terminal can draw.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,ctrl+c", "cancel", "cancel", show=False)]
    DEFAULT_CSS = """
    Dialog { align: center middle; background: transparent; }
    Dialog > .box {
        width: 76; max-width: 100%; height: auto; max-height: 100%;
        border: round $accent; background: $background; padding: 0 1;
    }
    Dialog.-ascii > .box { border: ascii $accent; }
    Dialog .box > Static { height: auto; }
    """

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__(classes="-ascii" if glyphs.ascii else None)
        self.glyphs = glyphs

    def on_mount(self) -> None:
        """Draw with what the terminal has."""
        plain_scrollbars(self, self.glyphs)

    def action_cancel(self) -> None:
        """Leave all as it is."""
        self.dismiss(None)


class KeysScreen(Dialog[None]):
    """The keys of a screen.

    Args:
        glyphs: What the terminal can draw.
        actions: What they do.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,f1,f10,h,question_mark,enter", "cancel", "back", show=False),
    ]
    DEFAULT_CSS = """
    KeysScreen Lines { height: auto; max-height: 100%; }
    """

    def __init__(self, glyphs: Glyphs, actions: Sequence[Action]) -> None:
        super().__init__(glyphs)
        self._actions = actions

    def compose(self) -> ComposeResult:
        """Make its parts."""
        with Vertical(classes="box"):
            yield Lines(hang=20)

    def on_mount(self) -> None:
        """Write them."""
        lines = [line(self.app, ("Keys of this screen", "accent")), line(self.app, "")]
        for action in self._actions:
            keys = " ".join(map(shown_key, action.keys))
            lines.append(line(self.app, (f"{keys:>18}", "key"), f"  {action.help}"))
        lines += [line(self.app, ""), line(self.app, ("Esc leads back", "dim"))]
        self.query_one(Lines).show(lines)
