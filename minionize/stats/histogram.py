"""How long runs took: a histogram from which quantiles are read. One thread adds, any may look."""

from __future__ import annotations

from bisect import bisect_left

_MANTISSAS = (
    1.0, 1.12, 1.25, 1.4, 1.6, 1.8, 2.0, 2.24, 2.5, 2.8, 3.15, 3.55, 4.0, 4.5, 5.0, 5.6, 6.3, 7.1, 8.0, 9.0,
)  # fmt: skip
_DECADES = range(-5, 6)

BOUNDS: tuple[float, ...] = tuple(float(f"{each}e{decade}") for decade in _DECADES for each in _MANTISSAS)
"""Upper bounds of the buckets in seconds, ten microseconds to ten days, about 12 % apart (ISO 3, R20)."""

SHOWN: tuple[float, ...] = tuple(float(f"{each}e{decade}") for decade in _DECADES[2:] for each in (1.0, 2.5, 5.0))
"""The few of them that are sent and scraped: from a millisecond."""


class Histogram:
    """Counts durations by bucket. A quantile is off by less than the width of its bucket, mostly by much less."""

    def __init__(self) -> None:
        self._counts = [0] * (len(BOUNDS) + 1)
        self.sum = 0.0

    def add(self, seconds: float) -> None:
        """Count one run."""
        self._counts[bisect_left(BOUNDS, seconds)] += 1
        self.sum += seconds

    def copy(self) -> Histogram:
        """Return one that does not change any more."""
        other = Histogram()
        other._counts, other.sum = self._counts.copy(), self.sum
        return other

    @property
    def count(self) -> int:
        """How many runs there were."""
        return sum(self._counts)

    def quantiles(self, *shares: float) -> list[float | None]:
        """Return the durations, in seconds, below which these shares of all runs lie; None where there was no run.

        Args:
            shares: Such as 0.5 for the median.
        """
        counts = self._counts.copy()
        return [quantile(counts, share) for share in shares]

    def buckets(self) -> list[tuple[float | None, int]]:
        """Return for each bound of SHOWN how many runs took no longer; at last (None, all of them)."""
        counts = self._counts.copy()
        shown: list[tuple[float | None, int]] = []
        total = 0
        wanted = iter((*SHOWN, None))
        bound = next(wanted)
        for upper, number in zip((*BOUNDS, None), counts, strict=True):
            total += number
            if upper == bound:
                shown.append((bound, total))
                bound = next(wanted, None)
        return shown


def quantile(counts: list[int], share: float) -> float | None:
    """Read a quantile from the counts of all buckets, evenly spread within a bucket."""
    total = sum(counts)
    if not total:
        return None
    rank, below = share * total, 0
    for index, number in enumerate(counts):
        if number and below + number >= rank:
            low = BOUNDS[index - 1] if index else 0.0
            high = BOUNDS[index] if index < len(BOUNDS) else low
            return low + (high - low) * max(0.0, rank - below) / number
        below += number
    return BOUNDS[-1]
