"""Takes colours away, for users who want none: all is drawn in the terminal's own ink on its own ground."""

from __future__ import annotations

from functools import lru_cache

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter

__all__ = ["Uncoloured"]

_BRIGHT = 0.5


@lru_cache(1024)
def _uncoloured(style: Style) -> Style:
    """Return a style without colours; a bright ground, as a scroll bar has, becomes ink and ground reversed."""
    ground = style.bgcolor
    bare = style.without_color
    if ground is None or ground.is_default or Color.from_rich_color(ground).brightness < _BRIGHT:
        return bare
    return bare + Style(reverse=not style.reverse)


class Uncoloured(LineFilter):
    """Leaves bold, dim, underlined and reversed."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Take the colours of a line away."""
        return [
            Segment(text, None if style is None else _uncoloured(style), control) for text, style, control in segments
        ]
