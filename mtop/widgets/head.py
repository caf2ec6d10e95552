"""The head of the screen: meters in two columns, as many lines as they need."""

from __future__ import annotations

from rich.segment import Segment
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from mtop.meters import METERS, Meter, Part, draw
from mtop.session import Session
from mtop.styles import role_style

__all__ = ["Head"]

_NARROW = 56
"""Cells below which meters stand in one column."""


class Head(Widget):
    """Shows the meters of a fleet; only a line that has changed is painted again."""

    ALLOW_SELECT = False
    DEFAULT_CSS = "Head { height: auto; width: 100%; background: $background; }"

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._lines: list[list[Part]] = []
        self._strips: dict[int, Strip] = {}
        self.cpu = 0.0

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        """Return how many lines it needs."""
        shown = len(self._shown())
        return shown if width < _NARROW else (shown + 1) // 2

    def lay_out(self) -> None:
        """Draw all anew: other meters, another theme, another size."""
        self._strips.clear()
        self._lines = self._drawn()
        self.refresh(layout=True)

    def repaint(self) -> None:
        """Draw the lines that have changed."""
        lines = self._drawn()
        for y, line in enumerate(lines):
            if y >= len(self._lines) or self._lines[y] != line:
                self._strips.pop(y, None)
                self.refresh(Region(0, y, self.size.width, 1))
        self._lines = lines

    def render_line(self, y: int) -> Strip:
        """Paint one line."""
        strip = self._strips.get(y)
        if strip is None or strip.cell_length != self.size.width:
            ground = self.visual_style.rich_style
            parts = self._lines[y] if y < len(self._lines) else []
            segments = [Segment(words, ground + role_style(self.app, role)) for words, role in parts]
            strip = self._strips[y] = Strip(segments).adjust_cell_length(self.size.width, ground)
        return strip

    def notify_style_update(self) -> None:
        """Paint all in the colours of another theme."""
        super().notify_style_update()
        self._strips.clear()

    def on_resize(self) -> None:
        """Draw for the new width."""
        self.lay_out()

    def _shown(self) -> list[tuple[Meter, str]]:
        chosen = dict(self._session.config.meters)
        modes = [(meter, chosen.get(meter.key, meter.mode)) for meter in METERS]
        return [(meter, mode) for meter, mode in modes if mode != "off"]

    def _drawn(self) -> list[list[Part]]:
        session, width = self._session, self.size.width
        shown, cost = self._shown(), session.feed.cost()
        columns = 1 if width < _NARROW else 2
        room = width // columns - 1
        cells = [
            draw(meter, mode, meter.read(session.fleet, cost, self.cpu), room, session.glyphs) for meter, mode in shown
        ]
        if columns == 1:
            return cells
        height = (len(cells) + 1) // 2
        lines = []
        for y in range(height):
            left = Strip([Segment(words) for words, _ in cells[y]]).cell_length
            right = cells[y + height] if y + height < len(cells) else []
            lines.append([*cells[y], (" " * max(1, width // 2 - left), ""), *right])
        return lines
