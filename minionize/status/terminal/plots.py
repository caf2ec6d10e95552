"""Lines over time, drawn by plotext."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime

from minionize.status.terminal.canvas import Canvas, plain

__all__ = ["beside", "lines_over_time", "nice_ticks"]

_COLOURS = {"succeeded": "green", "failed": "red", "preempted": "magenta", "in flight": "cyan"}
_LABEL = 19  # columns for a time below the plot


def lines_over_time(
    canvas: Canvas, width: int, height: int, start: float, step: float, lines: Mapping[str, Sequence[float]]
) -> list[str]:
    """Draw some lines in one plot.

    Args:
        canvas: What can be shown.
        width: Columns of the plot.
        height: Its rows.
        start: Unix seconds of the first value.
        step: Seconds between values.
        lines: What to draw, by its name.
    """
    import plotext

    plotext.clear_figure()
    plotext.limit_size(False, False)
    plotext.theme("clear")
    plotext.plotsize(width, height)
    number = max(map(len, lines.values()))
    for name, values in lines.items():
        plotext.plot(
            range(len(values)), list(values), marker="*" if canvas.ascii else "hd", color=_COLOURS.get(name, "default")
        )
    ticks = nice_ticks(max(max(values) for values in lines.values()), max(2, height // 3))
    plotext.ylim(0, ticks[-1])
    plotext.yticks(ticks, [f"{tick:,g}" for tick in ticks])
    times = _times(number, max(2, width // _LABEL))
    plotext.xticks(times, [_label(start + (at + 0.5) * step, number * step) for at in times])
    plotext.xaxes(True, False)
    plotext.yaxes(True, False)
    drawn = str(plotext.build()).rstrip("\n")
    return (drawn if canvas.colour else plain(drawn)).split("\n")


def beside(left: Sequence[str], right: Sequence[str], width: int) -> list[str]:
    """Put two drawings side by side.

    Args:
        left: The lines of one.
        right: The lines of the other.
        width: Columns of the left one, the gap included.
    """
    rows = []
    for index in range(max(len(left), len(right))):
        first = left[index] if index < len(left) else ""
        second = right[index] if index < len(right) else ""
        rows.append(first + " " * (width - len(plain(first))) + second)
    return rows


def nice_ticks(highest: float, number: int) -> list[float]:
    """Return round values from 0 to ``highest`` or a little more, about so many."""
    if highest <= 0:
        return [0.0, 1.0]
    rough = highest / number
    power = 10.0 ** math.floor(math.log10(rough))
    step = next((factor * power for factor in (1, 2, 2.5, 5) if factor * power >= rough * (1 - 1e-9)), 10 * power)
    return [float(f"{index * step:.6g}") for index in range(math.ceil(highest / step - 1e-9) + 1)]


def _times(number: int, labels: int) -> list[int]:
    """Choose where times stand."""
    labels = min(labels, number, 6)
    return sorted({round(index * (number - 1) / max(1, labels - 1)) for index in range(labels)})


def _label(moment: float, span: float) -> str:
    at = datetime.fromtimestamp(moment)
    if span < 5:
        return f"{at:%H:%M:%S}.{at.microsecond // 100_000}"
    return f"{at:%m-%d %H:%M}" if span >= 86400 else f"{at:%H:%M:%S}"
