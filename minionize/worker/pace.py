"""How many params to have at hand, and when to slow down. Pure, but for the clock that is given."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

# Hold params for so many seconds of work ahead: enough to hide a queue's latency, soon used up.
_AHEAD = 0.25
_AHEAD_MAX = 256

# A run that fails faster than this, in seconds, has hardly begun.
BLINK = 0.1
_SLOW_FIRST = 0.1
_SLOW_FACTOR = 1.5
_SLOW_MAX = 10.0

_BACKOFF_FIRST = 0.1
_BACKOFF_MAX = 30.0


def jitter() -> float:
    """Return a random number, 0 or more and below 1; the module ``random`` would cost more to import than this."""
    return int.from_bytes(os.urandom(4), "little") / 2**32


def backoffs() -> Iterator[float]:
    """Yield how long to wait before each further attempt, in seconds: longer and longer, never two minions in step."""
    delay = _BACKOFF_FIRST
    while True:
        yield delay * (0.5 + jitter())
        delay = min(delay * 2, _BACKOFF_MAX)


class Ahead:
    """Tells how many params to prefetch: none for long ones, many for short ones, never unbounded."""

    def __init__(self) -> None:
        self._average: float | None = None

    def ran(self, duration: float) -> None:
        """Learn how long a run took, in seconds."""
        average = self._average
        self._average = duration if average is None else average + 0.1 * (duration - average)

    def stuck(self, seconds: float) -> None:
        """Learn that all slots have been busy for so long: what runs now takes at least that time."""
        self._average = max(self._average or 0.0, seconds)

    def number(self, slots: int) -> int:
        """Return how many params to hold beside those that run."""
        if self._average is None:
            return 0
        return min(_AHEAD_MAX, int(slots * _AHEAD / max(self._average, 1e-6)))


class SlowDown:
    """Slows a minion down whose runs all fail at once: a broken node must not burn the queue.

    Attributes:
        until: When the next run may start, by the clock; 0.0: at any time.
    """

    def __init__(self, after: int, clock: Callable[[], float], say: Callable[[str], None]) -> None:
        """Begin unhindered.

        Args:
            after: How many quick failures in a row slow it down; 0: none ever do.
            clock: Seconds, monotonic.
            say: Tells the user.
        """
        self._after, self._clock, self._say = after, clock, say
        self._streak = 0
        self._delay = 0.0
        self.until = 0.0

    def ended(self, failed: bool, duration: float) -> None:
        """Learn how a run ended."""
        if not failed or duration > BLINK:
            if self._delay:
                self._say("a run did not fail at once: back to full speed")
            self._streak, self._delay, self.until = 0, 0.0, 0.0
            return
        self._streak += 1
        if not self._after or self._streak < self._after:
            return
        if not self._delay:
            self._say(
                f"the last {self._streak} runs all failed within {BLINK:g} s each; slowing down, so that this minion "
                "does not burn the queue (is something broken here? --slow-down 0 turns this off)"
            )
        self._delay = min(self._delay * _SLOW_FACTOR, _SLOW_MAX) if self._delay else _SLOW_FIRST
        self.until = self._clock() + self._delay

    @property
    def active(self) -> bool:
        """Whether the minion is being slowed down."""
        return self._delay > 0.0

    def waits(self) -> bool:
        """Tell whether the next run must wait."""
        return self.until > 0.0 and self._clock() < self.until
