"""What is drawn with one character for each value or share: bars, sparklines, lifetimes. Pure."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["bar", "lifetime", "sparkline"]

_EIGHTHS = " ▏▎▍▌▋▊▉"
_HEIGHTS = "▁▂▃▄▅▆▇█"


def bar(share: float, width: int) -> str:
    """Draw a share of a whole; what is there at all is seen."""
    cells = share * width
    full = int(cells)
    rest = _EIGHTHS[int((cells - full) * 8)].strip()
    return "█" * full + rest if full or rest or not share else "▏"


def sparkline(values: Sequence[float], width: int, highest: float) -> str:
    """Draw values as heights.

    Args:
        values: They are averaged to fit.
        width: Columns.
        highest: The value of the full height.
    """
    if not values or highest <= 0:
        return ""
    width = min(width, len(values))
    drawn = ""
    for column in range(width):
        low, high = column * len(values) // width, (column + 1) * len(values) // width
        value = sum(values[low:high]) / (high - low)
        drawn += _HEIGHTS[min(7, int(value / highest * 8))] if value > 0 else " "
    return drawn


def lifetime(first: float, last: float, start: float, end: float, width: int) -> str:
    """Draw from when to when something lived.

    Args:
        first: When it began.
        last: When it ended.
        start: What the left edge stands for.
        end: What the right edge stands for.
        width: Columns.
    """
    span = max(end - start, 1e-9)
    begin = min(width - 1, int((first - start) / span * width))
    until = min(width, max(begin + 1, round((last - start) / span * width)))
    return " " * begin + "█" * (until - begin)
