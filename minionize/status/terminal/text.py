"""The summary as text: all of it, or as much as fits on one screen."""

from __future__ import annotations

from collections.abc import Callable

from minionize.status.terminal import sections
from minionize.status.terminal.canvas import Canvas
from minionize.status.wire import Status

__all__ = ["text"]

_PLOT = 12
_MOST = 20


def text(status: Status, canvas: Canvas) -> str:
    """Write the summary.

    Args:
        status: What to write.
        canvas: Where. With a height, what does not fit is left out: the most telling parts come first.
    """
    lines = sections.head(status, canvas)
    if not status["records"]:
        return canvas.finished(lines)
    cramped = canvas.height is not None and canvas.height < 40
    most, plot = (5, 7) if cramped else (_MOST, _PLOT)
    failures, plots = lambda: sections.failures(status, canvas, most), lambda: sections.plots(status, canvas, plot)
    parts: list[Callable[[], list[str]]] = [
        lambda: sections.outcomes(status, canvas),
        *((plots, failures) if cramped else (failures, plots)),
        lambda: sections.durations(status, canvas),
        lambda: sections.groups(status["hosts"], "host", canvas, most),
        lambda: sections.groups(status["jobs"], "job", canvas, most) if _has_jobs(status) else [],
        lambda: sections.minions(status, canvas, most),
    ]
    for part in parts:
        more = part()
        if more and (canvas.height is None or len(lines) + len(more) + 1 <= canvas.height):
            lines += ["", *more]
    return canvas.finished(lines)


def _has_jobs(status: Status) -> bool:
    return any(job["name"] is not None for job in status["jobs"])
