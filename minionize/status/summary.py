"""Counts runs, one after the other, and keeps none. Pure: no files, no clock."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable

from minionize.stats.histogram import BOUNDS
from minionize.status.causes import Causes
from minionize.status.run import FAILURES, OUTCOMES, Run
from minionize.status.timeline import Timeline

__all__ = ["Summary", "Tally"]

_MINIONS = 50_000
_HOSTS = 2_000
_OTHERS = "(others)"
_INDEX = {name: index for index, name in enumerate(OUTCOMES)}
_CELLS = 2_048
_HOST_CELLS = 128


class Tally:
    """What one minion did.

    Attributes:
        minion, host, job: Who and where; "" and None where that is not known.
        counts, seconds: For each outcome, how many runs and how long they took together.
        first, last: Unix seconds of its first start and its last end.
        slots: The highest slot that was used.
    """

    __slots__ = ("counts", "first", "host", "job", "last", "minion", "seconds", "slots")

    def __init__(self, minion: str, host: str, job: str | None) -> None:
        self.minion, self.host, self.job = minion, host, job
        self.counts = [0] * len(OUTCOMES)
        self.seconds = [0.0] * len(OUTCOMES)
        self.first, self.last = float("inf"), 0.0
        self.slots = 1


class Summary:
    """All that is known of a sweep.

    Attributes:
        minions: By their ids; beyond many, further ones are counted as one.
        timeline: Of all runs.
        hosts: A coarser one for each host.
        durations: For each outcome, how many runs there were in each bucket of ``BOUNDS``.
        longest: Seconds of the longest run.
        causes: Of the failures.
        settled: How many deliveries were settled how.
    """

    def __init__(self) -> None:
        self.minions: dict[str, Tally] = {}
        self.timeline = Timeline(_CELLS)
        self.hosts: dict[str, Timeline] = {}
        self.durations = [[0] * (len(BOUNDS) + 1) for _ in OUTCOMES]
        self.longest = 0.0
        self.causes = Causes()
        self.settled: dict[str, int] = {"ack": 0, "nack": 0, "dead": 0}

    @property
    def records(self) -> int:
        """How many runs were counted."""
        return sum(sum(tally.counts) for tally in self.minions.values())

    def add(self, runs: Iterable[Run]) -> None:
        """Count some runs."""
        minions, hosts, timeline, settled = self.minions, self.hosts, self.timeline.add, self.settled
        for run in runs:
            index, started, ended = _INDEX[run.outcome], run.started, run.ended
            if ended < started:
                # A clock was set back meanwhile.
                ended = run.ended = started
            seconds = ended - started
            tally = minions.get(run.minion) or self._tally(run)
            tally.counts[index] += 1
            tally.seconds[index] += seconds
            if started < tally.first:
                tally.first = started
            if ended > tally.last:
                tally.last = ended
            if run.slot > tally.slots:
                tally.slots = run.slot
            self.durations[index][bisect_left(BOUNDS, seconds)] += 1
            if seconds > self.longest:
                self.longest = seconds
            timeline(index, started, ended)
            (hosts.get(tally.host) or self._host(tally.host)).add(index, started, ended)
            if run.settled in settled:
                settled[run.settled] += 1
            if index and run.outcome in FAILURES:
                self.causes.add(run, seconds)

    def _tally(self, run: Run) -> Tally:
        if len(self.minions) >= _MINIONS:
            return self.minions.setdefault(_OTHERS, Tally(_OTHERS, _OTHERS, None))
        host = run.host if run.host in self.hosts or len(self.hosts) < _HOSTS else _OTHERS
        job = run.job or (run.labels.job if run.labels else None)
        return self.minions.setdefault(run.minion, Tally(run.minion, host, job))

    def _host(self, name: str) -> Timeline:
        return self.hosts.setdefault(name, Timeline(_HOST_CELLS))
