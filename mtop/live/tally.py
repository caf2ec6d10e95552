"""What polling takes, of late."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from mtop.feed import Cost
from mtop.poll import Heard

__all__ = ["Tally"]

_WINDOW = 10.0
"""Seconds that count as "of late"."""


class Tally:
    """Counts outcomes of polls.

    Args:
        now: The time.
    """

    def __init__(self, now: float) -> None:
        self._began = now
        # When, how many polls, how many answers, and how long these took.
        self._past: deque[tuple[float, int, int, float]] = deque()
        self._failing: set[str] = set()

    def note(self, heard: Iterable[Heard], now: float) -> None:
        """Count what was heard since the last time."""
        polls = answers = 0
        took = 0.0
        for each in heard:
            polls += 1
            if each.trouble is None:
                self._failing.discard(each.key)
                answers += 1
                took += each.took
            else:
                self._failing.add(each.key)
        self._past.append((now, polls, answers, took))
        while self._past[0][0] <= now - _WINDOW:
            self._past.popleft()

    def aim(self, keys: Iterable[str]) -> None:
        """Leave out what is polled no more."""
        self._failing.intersection_update(keys)

    def cost(self, now: float) -> Cost:
        """Return what it takes."""
        seconds = max(1.0, min(_WINDOW, now - self._began))
        polls, answers, took = (sum(each[index] for each in self._past) for index in (1, 2, 3))
        return Cost(polls / seconds, len(self._failing), took / answers if answers else None)
