"""Reads places again and again, each time only what is new, and sums up."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from minionize.errors import SettingsError
from minionize.status.answer import STEPS, Read, answer
from minionize.status.filters import Filter
from minionize.status.readers.files import Replaced
from minionize.status.readers.places import Places
from minionize.status.summary import Summary
from minionize.status.wire import Status

__all__ = ["Session"]

_ATTEMPTS = 3


class Session:
    """What was read so far.

    Args:
        places: Directories and files.
        chosen: Which runs are counted.
        say: Told what the user should know, a line each.
        progress: Told how many bytes of how many were read.
    """

    def __init__(
        self,
        places: Sequence[str],
        chosen: Filter,
        say: Callable[[str], None],
        progress: Callable[[int, int], None] = lambda read, size: None,
    ) -> None:
        self._named, self._filter, self._say, self._progress = places, chosen, say, progress
        self._begin()

    def _begin(self) -> None:
        self._places: Places | None = None
        self._summary = Summary()
        self._left_out = 0
        self._bytes = 0

    def status(self, as_of: float, steps: int = STEPS) -> Status:
        """Read what is new and sum up all.

        Args:
            as_of: Unix seconds, for the answer.
            steps: How many steps the timeline may have.

        Raises:
            NoRecordsError: A place is not there, or there is no record in any of them.
            SettingsError: A place cannot be read.
        """
        for _ in range(_ATTEMPTS):
            try:
                return self._read(as_of, steps)
            except Replaced:
                self._begin()
        raise SettingsError(f"{', '.join(self._named)}: the files are replaced while they are read; try again")

    def _read(self, as_of: float, steps: int) -> Status:
        if self._places is None:
            self._places = Places(self._named, self._say)
        places, summary = self._places, self._summary
        size = places.size()
        for batch in places.read():
            kept = self._filter.kept(batch.runs)
            self._left_out += len(batch.runs) - len(kept)
            summary.add(kept)
            self._bytes += batch.size
            self._progress(self._bytes, size)
        if not summary.minions and not self._left_out:
            raise places.nothing()
        read = Read(as_of, places.places, places.files, self._left_out, places.passed_over)
        return answer(summary, read, steps)
