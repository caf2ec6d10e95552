"""What happened when: starts and ends, counted in cells of time that widen as the time does. Pure.

How many runs were in flight follows exactly from the sums of the starts and of the ends in each cell. So a run costs
two cells however long it took, and no run has to be kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from minionize.status.run import OUTCOMES

__all__ = ["Series", "Timeline"]

_FINEST = 8.0  # cells per second
_ENDS = len(OUTCOMES)
_STARTED, _STARTS, _ENDED = _ENDS, _ENDS + 1, _ENDS + 2


class Series(NamedTuple):
    """A timeline in even steps.

    Attributes:
        start: Unix seconds at which the first step begins.
        step: Seconds of each.
        ended: For each outcome and each step, how many runs ended.
        in_flight: For each step, how many were in flight, on average.
    """

    start: float
    step: float
    ended: dict[str, list[int]]
    in_flight: list[float]


class Timeline:
    """Counts runs by the time.

    Args:
        limit: How many cells are kept at most. The cells are doubled in width when there are more.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._scale = _FINEST
        self._cells: dict[int, list[float]] = {}
        # Sums of Unix times would lose their digits.
        self._origin = 0.0

    def add(self, outcome: int, started: float, ended: float) -> None:
        """Count one run, by the index of its outcome."""
        cells = self._cells
        if not cells:
            self._origin = started
        scale = self._scale
        number = int(started * scale)
        cell = cells.get(number)
        if cell is None:
            cell = cells[number] = [0.0] * (_ENDED + 1)
        cell[_STARTED] += 1.0
        cell[_STARTS] += started - self._origin
        number = int(ended * scale)
        cell = cells.get(number)
        if cell is None:
            cell = cells[number] = [0.0] * (_ENDED + 1)
        cell[outcome] += 1.0
        cell[_ENDED] += ended - self._origin
        if len(cells) > self._limit:
            while len(self._cells) > self._limit // 2:
                self._cells, self._scale = _doubled(self._cells), self._scale / 2

    def series(self, steps: int) -> Series | None:
        """Return it in so many even steps or fewer; None where nothing was counted."""
        if not self._cells:
            return None
        cells, scale = self._cells, self._scale
        while max(cells) - min(cells) >= steps:
            cells, scale = _doubled(cells), scale / 2
        first, last = min(cells), max(cells)
        empty = [0.0] * (_ENDED + 1)
        dense = [cells.get(number, empty) for number in range(first, last + 1)]
        start, step = first / scale, 1.0 / scale
        ended = {name: [int(cell[index]) for cell in dense] for index, name in enumerate(OUTCOMES)}
        return Series(start, step, ended, list(self._in_flight(dense, start, step)))

    def _in_flight(self, dense: list[list[float]], start: float, step: float) -> Iterator[float]:
        running = 0.0
        for index, cell in enumerate(dense):
            until = start + (index + 1) * step - self._origin
            starts, ends = cell[_STARTED], sum(cell[:_ENDS])
            # Who was there before fills the cell; who came fills what follows; who left does not.
            busy = running * step + (starts * until - cell[_STARTS]) - (ends * until - cell[_ENDED])
            running += starts - ends
            yield max(0.0, round(busy / step, 6))


def _doubled(cells: dict[int, list[float]]) -> dict[int, list[float]]:
    """Make one cell of two neighbours each."""
    merged: dict[int, list[float]] = {}
    for number, cell in cells.items():
        there = merged.get(number >> 1)
        merged[number >> 1] = cell.copy() if there is None else [a + b for a, b in zip(there, cell, strict=True)]
    return merged
