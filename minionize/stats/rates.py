"""How fast a minion is: its counters as they were a while ago, beside those of now."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import NamedTuple

LONGEST = 300.0
"""Seconds that are remembered."""

RATED = ("succeeded", "failed", "redelivered")
"""The counters whose rate is sent."""

_STEP = 1.0


class _Sample(NamedTuple):
    at: float
    values: tuple[int, ...]


class Rates:
    """Remembers the counters of the last five minutes, once a second at most.

    Nothing is done for a run: who wants rates calls ``sample`` now and then. Times are by any one clock that only
    goes forward.
    """

    def __init__(self, now: float) -> None:
        """Begin to count at ``now``, with nothing done."""
        self._ring: deque[_Sample] = deque([_Sample(now, (0,) * len(RATED))])

    def sample(self, now: float, counters: Mapping[str, int]) -> None:
        """Remember the counters as they are now."""
        ring = self._ring
        if now - ring[-1].at < _STEP:
            return
        ring.append(_Sample(now, _rated(counters)))
        while len(ring) > 2 and now - ring[1].at >= LONGEST:
            ring.popleft()

    def over(self, window: float, now: float, counters: Mapping[str, int]) -> dict[str, float]:
        """Return the rates per second over the last ``window`` seconds, or over the whole life where that is shorter.

        Args:
            window: Seconds, up to LONGEST.
            now: The time.
            counters: As they are now.
        """
        then = self._before(now - window)
        seconds = max(now - then.at, 1e-3)
        rates = (max(0, new - old) / seconds for new, old in zip(_rated(counters), then.values, strict=True))
        return {"window": window, **dict(zip(RATED, rates, strict=True))}

    def _before(self, when: float) -> _Sample:
        """Find the last sample that is so old; the first one where none is."""
        ring = list(self._ring)
        for sample in reversed(ring):
            if sample.at <= when:
                return sample
        return ring[0]


def _rated(counters: Mapping[str, int]) -> tuple[int, ...]:
    values = dict(counters)
    values["failed"] = values.get("failed", 0) + values.get("timed_out", 0)
    return tuple(values[name] for name in RATED)
