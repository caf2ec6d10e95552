"""Words on a screen that are said again and again."""

from __future__ import annotations

from rich.text import Text
from textual.widgets import Static

__all__ = ["Said"]


class Said(Static):
    """Words that are drawn, and for which room is made, only when they are others than before.

    Args:
        classes: What it is.
    """

    def __init__(self, classes: str = "") -> None:
        super().__init__(classes=classes, markup=False)
        self._before: object = None

    def say(self, text: Text) -> None:
        """Say something; nothing is taken for markup."""
        look = (text.plain, text.style, tuple(text.spans))
        if look != self._before:
            self._before = look
            self.update(text)
