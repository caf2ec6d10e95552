"""The numbers that a minion must have had at some time, from the runs that it has left behind."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import accumulate

from minionize.stats.histogram import BOUNDS, SHOWN, quantile
from minionize.stats.wire import Counters, InFlight, Latency, Rated, State, StatsWire
from mtop.model.blank import nothing_said
from mtop.recording.runs import CODES, Ran, Runs

__all__ = ["Past"]

_WINDOW = 60.0
"""Seconds over which rates are taken: what runs in batch jobs takes long."""

_SHOWN = [BOUNDS.index(bound) for bound in SHOWN]


class Past:
    """One minion.

    Args:
        runs: All runs.
        ran: The minion.
    """

    def __init__(self, runs: Runs, ran: Ran) -> None:
        self._runs, self._ran = runs, ran
        self._blank = nothing_said(ran.name, ran.host)
        self._blank["labels"] = ran.labels
        self._blank["slots"] = sum(slot.number > 0 for slot in ran.slots)
        self._blank["started"] = ran.began
        self._ends: list[int] | None = None
        self._counters, self._latency = self._blank["counters"], self._blank["latency"]

    def at(self, wall: float) -> StatsWire:
        """Return its numbers at a time, in Unix seconds; after its end those of its end."""
        runs, ran = self._runs, self._ran
        wall = min(wall, ran.ended)
        ends = self._ended(wall)
        if ends != self._ends:
            self._ends, self._counters, self._latency = ends, self._count(ends), self._measure(ends)
        under_way = self.under_way(wall, ends)
        busy = len(under_way)
        counters: Counters = {**self._counters}
        counters["received"] += busy
        counters["redelivered"] += sum(CODES[runs.codes[run]].redelivered for run in under_way)
        oldest = max((wall - runs.started[run] for run in under_way), default=None)
        state: State = "running" if busy else "idle" if wall < ran.ended else "stopped"
        slots = self._blank["slots"]
        return {
            **self._blank, "state": state, "why": f"{busy} of {slots} slots are busy",
            "uptime": max(0.0, wall - ran.began), "busy": busy, "counters": counters,
            "rates": self._rates(wall, ends), "latency": self._latency,
            "in_flight": InFlight(count=busy, oldest=oldest),
        }  # fmt: skip

    def rates(self, wall: float) -> Rated:
        """Return only how fast it was."""
        return self._rates(wall, self._ended(wall))

    def _ended(self, wall: float) -> list[int]:
        """Return for each slot the number of the first run that had not ended."""
        ended = self._runs.ended
        return [bisect_right(ended, wall, slot.first, slot.last) for slot in self._ran.slots]

    def under_way(self, wall: float, ends: Sequence[int] | None = None) -> list[int]:
        """Return the numbers of the runs that were under way, one in each slot at most."""
        runs, slots = self._runs, self._ran.slots
        ends = self._ended(wall) if ends is None else ends
        return [next for slot, next in zip(slots, ends, strict=True) if next < slot.last and runs.started[next] <= wall]

    def _count(self, ends: Sequence[int]) -> Counters:
        pairs = zip(self._ran.slots, ends, strict=True)
        return _counters(self._runs.codes[slot.first : end] for slot, end in pairs)

    def _measure(self, ends: Sequence[int]) -> Latency:
        runs = self._runs
        found: Counter[int] = Counter()
        total = 0.0
        for slot, end in zip(self._ran.slots, ends, strict=True):
            # What never ran has no slot.
            if slot.number:
                found.update(runs.buckets[slot.first : end])
                total += sum(runs.ended[slot.first : end]) - sum(runs.started[slot.first : end])
        counts = [found[bucket] for bucket in range(len(BOUNDS) + 1)]
        below = list(accumulate(counts))
        buckets: list[tuple[float | None, int]] = [(BOUNDS[index], below[index]) for index in _SHOWN]
        p50, p95, p99 = (quantile(counts, share) for share in (0.5, 0.95, 0.99))
        return Latency(
            count=below[-1], sum=max(0.0, total), p50=p50, p95=p95, p99=p99, buckets=[*buckets, (None, below[-1])]
        )

    def _rates(self, wall: float, ends: Sequence[int]) -> Rated:
        runs = self._runs
        window = max(1.0, min(_WINDOW, wall - self._ran.began))
        lately = (
            runs.codes[bisect_right(runs.ended, wall - window, slot.first, end) : end]
            for slot, end in zip(self._ran.slots, ends, strict=True)
        )
        counted = _counters(lately)
        failed = counted["failed"] + counted["timed_out"]
        return Rated(
            window=_WINDOW, succeeded=counted["succeeded"] / window, failed=failed / window,
            redelivered=counted["redelivered"] / window,
        )  # fmt: skip


def _counters(codes: Iterable[bytearray]) -> Counters:
    found: Counter[int] = Counter()
    for some in codes:
        found.update(some)
    counters = nothing_said("")["counters"]
    for code, number in found.items():
        outcome, settled, redelivered = CODES[code]
        counters[outcome] += number  # type: ignore[literal-required]
        counters["received"] += number
        counters["redelivered"] += number * redelivered
        counters["dead"] += number * (settled == "dead")
        # What was preempted or could not start is given back without a charge.
        counters["retried"] += number * (settled == "nack" and outcome in ("failed", "timed_out"))
    return counters
