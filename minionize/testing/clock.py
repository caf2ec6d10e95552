"""A clock that stands still until it is told how much time has passed."""

from __future__ import annotations


class ManualClock:
    """Call it for the time in seconds; ``advance`` lets time pass at no cost.

    Attributes:
        now: The time, in seconds.
    """

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        """Return the time."""
        return self.now

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds
