"""All runs of a report, as arrays: some thirty bytes for each. What they have printed stays in the files."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from minionize.announcement import uncollected
from minionize.errors import SettingsError
from minionize.stats.histogram import BOUNDS
from mtop.recording.sources import OUTCOMES, SETTLED, Brief, Source

__all__ = ["CODES", "Code", "Ran", "Runs", "Slot"]

_MOST = 200_000


class Code(NamedTuple):
    """How a run ended: what a byte stands for."""

    outcome: str
    settled: str
    redelivered: bool


CODES = tuple(Code(outcome, settled, again) for again in (False, True) for settled in SETTLED for outcome in OUTCOMES)


class Slot(NamedTuple):
    """A slot of a minion: its number, the first of its runs, and the one behind its last, sorted by their ends."""

    number: int
    first: int
    last: int


class Ran:
    """One minion, by what it has run.

    Attributes:
        name: Its id.
        host: Where it ran.
        labels: Its labels.
        slots: Its slots.
        began, ended: When its first run began, when its last one ended, in Unix seconds.
    """

    __slots__ = ("began", "ended", "host", "labels", "name", "slots")

    def __init__(self, name: str, host: str, labels: dict[str, str]) -> None:
        self.name, self.host, self.labels = name, host, labels
        self.slots: list[Slot] = []
        self.began, self.ended = float("inf"), 0.0


class Runs:
    """Reads all records of some files.

    Attributes:
        minions: The minions, as they began.
        started, ended: When each run did, in Unix seconds.
        codes: How each ended: number in CODES.
        buckets: How long each took: number of its bucket in ``minionize.stats.histogram``.
        files, places: In which source it stands, and where.

    Raises:
        SettingsError: There is no record, or a file cannot be read, or there are too many minions.
    """

    def __init__(self, sources: Sequence[Source]) -> None:
        self.started, self.ended = array("d"), array("d")
        self.codes, self.buckets = bytearray(), bytearray()
        self.files, self.places = array("I"), array("q")
        self._slots: dict[tuple[str, int], int] = {}
        self._group = array("I")
        found: dict[str, Ran] = {}
        with uncollected():
            for number, source in enumerate(sources):
                self._read(number, source, found)
            self._sort(found)
        self.minions = sorted(found.values(), key=lambda ran: (ran.began, ran.name))

    def __len__(self) -> int:
        return len(self.started)

    def _read(self, number: int, source: Source, found: dict[str, Ran]) -> None:
        codes = {code: index for index, code in enumerate(CODES)}
        try:
            for at, brief in source.briefs():
                self._add(brief, codes[brief.outcome, brief.settled, brief.redelivered is True], found)  # type: ignore[index]
                self.files.append(number)
                self.places.append(at)
        except OSError as error:
            raise SettingsError(f"--replay {source.path}: {error.strerror or error}") from None

    def _add(self, brief: Brief, code: int, found: dict[str, Ran]) -> None:
        ran = found.get(brief.minion)
        if ran is None:
            ran = found[brief.minion] = Ran(brief.minion, brief.host, brief.labels or {})
        started, ended = brief.started, max(brief.started, brief.ended)
        ran.began, ran.ended = min(ran.began, started), max(ran.ended, ended)
        self._group.append(self._slots.setdefault((brief.minion, brief.slot), len(self._slots)))
        self.started.append(started)
        self.ended.append(ended)
        self.codes.append(code)
        self.buckets.append(bisect_left(BOUNDS, ended - started))

    def _sort(self, found: dict[str, Ran]) -> None:
        """Sort by slots, and in these by ends: as they mostly stand in the files."""
        if len(self._slots) > _MOST:
            raise SettingsError(f"these records are of {len(self._slots)} slots, more than {_MOST}: give fewer files")
        counts = [0] * len(self._slots)
        for group in self._group:
            counts[group] += 1
        bounds = [0]
        for count in counts:
            bounds.append(bounds[-1] + count)
        order = self._order(bounds)
        for (name, slot), group in self._slots.items():
            found[name].slots.append(Slot(slot, bounds[group], bounds[group + 1]))
        self._arrange(order)
        self._group = array("I")

    def _order(self, bounds: Sequence[int]) -> array[int]:
        free = list(bounds)
        order = array("I", bytes(4 * len(self._group)))
        for run, group in enumerate(self._group):
            order[free[group]] = run
            free[group] += 1
        ends = self.ended
        for first, last in pairwise(bounds):
            runs = order[first:last].tolist()
            if any(ends[before] > ends[after] for before, after in pairwise(runs)):
                order[first:last] = array("I", sorted(runs, key=ends.__getitem__))
        return order

    def _arrange(self, order: Iterable[int]) -> None:
        self.started = array("d", map(self.started.__getitem__, order))
        self.ended = array("d", map(self.ended.__getitem__, order))
        self.codes = bytearray(map(self.codes.__getitem__, order))
        self.buckets = bytearray(map(self.buckets.__getitem__, order))
        self.files = array("I", map(self.files.__getitem__, order))
        self.places = array("q", map(self.places.__getitem__, order))
