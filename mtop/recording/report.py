"""``--replay`` of records: the fleet that must have been there, from what its runs have left behind."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator

from minionize.errors import SettingsError
from minionize.stats.wire import FailuresWire, OutputWire, StatsWire, TaskWire
from mtop.feed import Unanswered
from mtop.model.fleet import Fleet
from mtop.model.minion import Minion, Signs
from mtop.recording.evidence import Evidence
from mtop.recording.past import Past
from mtop.recording.played import Played
from mtop.recording.runs import Ran, Runs
from mtop.recording.sources import sources_of

__all__ = ["ReportFeed"]

_EVERY = 10.0


class ReportFeed(Played):
    """Plays records: the directory of the json reporter, or what ``--results`` has written.

    A minion is there from its first run on, and has left after its last one. What it used, its queue and its command
    are not known.

    Args:
        place: The directory, or the file.
        clock: The time of now.

    Raises:
        SettingsError: There are no records, or they cannot be read.
    """

    def __init__(self, place: str, clock: Callable[[], float] = time.monotonic) -> None:
        sources = sources_of(place)
        self._runs = runs = Runs(sources)
        if not runs.minions:
            raise SettingsError(f"{place} holds no records; minions write them with --reporter json, or --results FILE")
        self._began = runs.minions[0].began
        # A little more, so that at its end the last run has ended.
        super().__init__(max(ran.ended for ran in runs.minions) - self._began + 0.01, clock)
        self.place = place
        self._evidence = Evidence(runs, sources)
        self._pasts = {ran.name: (ran, Past(runs, ran)) for ran in runs.minions}
        self._over: set[str] = set()

    def wall(self) -> float:
        """Return the time of day of what is shown."""
        return self._began + self.position

    async def tasks(self, minion: Minion) -> list[TaskWire]:
        """Return what ran in a minion."""
        return await asyncio.to_thread(self._evidence.tasks, self._past(minion)[1], self.wall())

    async def failures(self, minion: Minion) -> FailuresWire:
        """Return the failures of a minion up to now."""
        return await asyncio.to_thread(self._evidence.failures, self._past(minion)[0], self.wall())

    async def output(self, minion: Minion, task: str) -> OutputWire:
        """Return what a run has written by its end, where it was captured."""
        return await asyncio.to_thread(self._evidence.output, self._past(minion)[1], self.wall(), task)

    def _past(self, minion: Minion) -> tuple[Ran, Past]:
        found = self._pasts.get(minion.key)
        if found is None:
            raise Unanswered("there are no records of it")
        return found

    # How it was at a time.

    def _renew(self) -> None:
        self._over = set()

    def _show(self, fleet: Fleet, at: float) -> None:
        begun = set()
        for ran, past in self._begun(at):
            begun.add(ran.name)
            if ran.name not in self._over:
                self._recall(fleet, ran, past.at(self._began + at), at)
                if self._began + at >= ran.ended:
                    self._over.add(ran.name)
        fleet.forget(fleet.minions.keys() - begun, at)

    def _glance(self, fleet: Fleet, at: float) -> None:
        for ran, past in self._begun(at):
            if ran.name not in self._over:
                wall, minion = self._began + at, fleet.minions.get(ran.name)
                said = past.at(wall) if minion is None else {**minion.said, "rates": past.rates(wall)}
                self._recall(fleet, ran, said, at)

    def _begun(self, at: float) -> Iterator[tuple[Ran, Past]]:
        """Yield the minions that are there at a time."""
        for pair in self._pasts.values():
            if pair[0].began > self._began + at:
                # They are in the order in which they began.
                return
            yield pair

    def _recall(self, fleet: Fleet, ran: Ran, said: StatsWire, at: float) -> None:
        minion = fleet.minions.get(ran.name)
        if minion is None:
            minion = fleet.minions[ran.name] = Minion(ran.name, said, at, self.place)
        left = self._began + at >= ran.ended
        heard = ran.ended - self._began if left else at
        minion.recall(said, Signs("final" if left else "http", _EVERY, left, False, heard, heard))
