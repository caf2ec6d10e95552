"""The last values of a number, one for each step of time."""

from __future__ import annotations

from array import array

__all__ = ["CELLS", "History"]

CELLS = 12
"""How many values of a minion are remembered."""

STEP = 5.0
"""Seconds between two of them."""


class History:
    """A ring. What is not known yet is not there.

    Args:
        length: So many values at most.
        now: The time.
        step: Seconds between two values.
    """

    __slots__ = ("_due", "_length", "_step", "_values")

    def __init__(self, length: int, now: float, step: float = STEP) -> None:
        self._length, self._step = length, step
        self._due = now
        self._values = array("f")

    def note(self, value: float, now: float) -> None:
        """Remember a value if it is time; the last one is the present one."""
        values = self._values
        if not values or now >= self._due:
            values.append(value)
            if len(values) > self._length:
                del values[0]
            self._due = now + self._step
        else:
            values[-1] = value

    def values(self) -> list[float]:
        """Return what is remembered, the oldest first."""
        return self._values.tolist()
