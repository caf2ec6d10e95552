"""Tables that fit: columns are left out from the right until the rest is narrow enough. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from minionize.status.terminal.canvas import Canvas, plain

__all__ = ["Column", "table"]

_GAP = "  "
_LEAST = 8


class Column(NamedTuple):
    """One column.

    Attributes:
        head: Its heading.
        cells: What stands in it; may be coloured.
        left: Its cells are texts, not numbers.
        rank: The higher, the sooner it is left out where there is no room; 0 stays.
        grows: It takes the room that is left, and its texts are cut to fit.
    """

    head: str
    cells: Sequence[str]
    left: bool = False
    rank: int = 0
    grows: bool = False

    @property
    def width(self) -> int:
        """The columns of the screen that it takes."""
        return max(len(self.head), *(len(plain(cell)) for cell in self.cells), 0) if self.cells else len(self.head)


def table(canvas: Canvas, columns: Sequence[Column], least: int = 12) -> list[str]:
    """Draw a table.

    Args:
        canvas: Where.
        columns: What is in it. Columns of nothing but empty cells are left out.
        least: What a column that grows should have; others are left out for it.
    """
    shown = [column for column in columns if any(column.cells)]
    while (room := canvas.width - _needed(shown)) < least and max(column.rank for column in shown):
        shown.remove(max(shown, key=lambda column: column.rank))
    room = max(room, _LEAST)
    fitted = []
    for column in shown:
        width = min(column.width, room) if column.grows else column.width
        cells = [canvas.cut(cell, width) for cell in column.cells] if column.grows else column.cells
        fitted.append([_padded(cell, width, column.left) for cell in (canvas.paint("dim", column.head), *cells)])
    return [_GAP.join(row).rstrip() for row in zip(*fitted, strict=True)]


def _needed(columns: Sequence[Column]) -> int:
    return sum(column.width for column in columns if not column.grows) + len(_GAP) * (len(columns) - 1)


def _padded(cell: str, width: int, left: bool) -> str:
    padding = " " * (width - len(plain(cell)))
    return cell + padding if left else padding + cell
