"""What is done to each line before it is written, also to what Textual draws by itself: toasts, borders, palette."""

from __future__ import annotations

from functools import lru_cache

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter

__all__ = ["Plain", "Uncoloured"]

_BRIGHT = 0.5

_PLAIN = str.maketrans("▌▐│┃█▀▄▔▁─━…•", "||||#-_-_--.*")


@lru_cache(1024)
def _uncoloured(style: Style) -> Style:
    """Return a style without colours; a bright ground, as a scroll bar has, becomes ink and ground reversed."""
    ground = style.bgcolor
    bare = style.without_color
    if ground is None or ground.is_default or Color.from_rich_color(ground).brightness < _BRIGHT:
        return bare
    return bare + Style(reverse=not style.reverse)


def _plain(text: str) -> str:
    """Return as wide a text in ASCII."""
    if text.isascii():
        return text
    return "".join(char if char.isascii() else "?" * cell_len(char) for char in text.translate(_PLAIN))


class Uncoloured(LineFilter):
    """Takes colours away: all is in the terminal's own ink on its own ground, bold, dim, underlined or reversed."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Change a line."""
        return [
            Segment(text, None if style is None else _uncoloured(style), control) for text, style, control in segments
        ]


class Plain(LineFilter):
    """Leaves nothing but ASCII. What mtop draws is so by itself."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Change a line."""
        return [Segment(_plain(text), style, control) for text, style, control in segments]
