"""Scrollbars for terminals that show nothing but ASCII."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.screen import Screen
from textual.scrollbar import ScrollBarRender
from textual.widget import Widget

from mtop.format import Glyphs

__all__ = ["plain_scrollbars"]


class _Plain(ScrollBarRender):
    """Draws with blanks of two colours only."""

    VERTICAL_BARS: ClassVar[list[str]] = [" "] * 8
    HORIZONTAL_BARS: ClassVar[list[str]] = [" "] * 8


def plain_scrollbars(screen: Screen[Any], glyphs: Glyphs) -> None:
    """Draw those of a screen with what the terminal has."""
    if glyphs.ascii:
        for widget in screen.query("Grid, Lines, Table, VerticalScroll").results(Widget):
            widget.vertical_scrollbar.renderer = _Plain  # type: ignore[misc]
