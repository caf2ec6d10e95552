"""``--replay FILE``: a fleet as it was recorded."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from minionize.stats.wire import FailuresWire, OutputWire, TaskWire
from mtop.feed import Unanswered
from mtop.model.fleet import Fleet
from mtop.model.minion import Minion
from mtop.recording.codecs import Damaged
from mtop.recording.file import Recording
from mtop.recording.lines import Line
from mtop.recording.played import Played
from mtop.recording.rows import Bad
from mtop.recording.stage import Stage

__all__ = ["ReplayFeed"]

_MANY = 2_000
"""Minions, above which histories are not made anew for the whole minute: that would take seconds."""

_NONE = "a recording holds no params, so neither runs nor failures can be looked into"


class ReplayFeed(Played):
    """Plays a recording. Its lines are read as they are wanted.

    Args:
        path: The file.
        clock: The time of now.

    Raises:
        SettingsError: It is no recording, or cannot be read.
    """

    def __init__(self, path: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._recording = Recording(path)
        super().__init__(self._recording.length, clock)
        self.place = path
        self.user = self._recording.header["user"]
        self._stage = Stage()
        self._damage = ""
        self._open(0)

    def wall(self) -> float:
        """Return the time of day of what is shown."""
        known = self._stage.wall
        return known + self.position - self._stage.at if known else self._recording.header["started"] + self.position

    def troubles(self) -> list[str]:
        """Return what is wrong with the file."""
        troubles = [f"parts of {self.place} are left out: {self._damage}"] if self._damage else []
        if self._recording.torn:
            troubles.append(f"{self.place} ends in the middle: mtop was killed, or the disk was full")
        return troubles

    async def tasks(self, minion: Minion) -> list[TaskWire]:
        """Return nothing: runs are not recorded."""
        raise Unanswered(_NONE)

    async def failures(self, minion: Minion) -> FailuresWire:
        """Return nothing: failures are not recorded."""
        raise Unanswered(_NONE)

    async def output(self, minion: Minion, task: str) -> OutputWire:
        """Return nothing: output is not recorded."""
        raise Unanswered(_NONE)

    # How it was at a time.

    def _renew(self) -> None:
        self._stage.renew()

    def _show(self, fleet: Fleet, at: float) -> None:
        self._play(at)
        self._back = 60.0 if len(self._stage) <= _MANY else 15.0
        try:
            gone, changed = self._stage.changed()
        except Bad as error:
            self._skip(error)
            return
        fleet.forget(gone, at)
        for name, said, signs in changed:
            minion = fleet.minions.get(name)
            if minion is None:
                minion = fleet.minions[name] = Minion(name, said, at, self.place)
            minion.recall(said, signs)

    def _glance(self, fleet: Fleet, at: float) -> None:
        self._play(at)
        try:
            for name, rates, signs in self._stage.glances():
                minion = fleet.minions.get(name)
                if minion is None:
                    # One that has come since then is told in whole, and so are all.
                    self._show(fleet, at)
                    return
                minion.recall({**minion.said, "rates": rates}, signs)
        except Bad as error:
            self._skip(error)

    def _play(self, at: float) -> None:
        """Apply the lines up to a time. What is not needed for it is not read."""
        if at < self._stage.at or self._segment(at) > self._number:
            self._open(self._segment(at))
        for line in self._until(at):
            try:
                self._stage.apply(line)
            except Bad as error:
                self._skip(error)

    def _segment(self, at: float) -> int:
        """Return the last segment that begins before a time."""
        segments = self._recording.segments
        return max(number for number, segment in enumerate(segments) if not number or segment.at <= at)

    def _open(self, number: int) -> None:
        self._number = number
        self._lines = self._recording.lines(number)
        self._next: Line | None = None

    def _until(self, at: float) -> Iterator[Line]:
        while (line := self._next or self._read()) is not None:
            if line["t"] > at:
                self._next = line
                return
            self._next = None
            yield line

    def _read(self) -> Line | None:
        while True:
            try:
                line = next(self._lines, None)
            except Damaged as error:
                line = None
                self._note(error)
            if line is not None:
                return line
            if self._number + 1 == len(self._recording.segments):
                return None
            self._open(self._number + 1)

    def _skip(self, error: Bad) -> None:
        """Give up this segment: what follows in it is of no use."""
        self._note(error)
        self._stage.clear()
        self._lines, self._next = iter(()), None

    def _note(self, error: Exception) -> None:
        if not (self._recording.torn and self._number + 1 == len(self._recording.segments)):
            self._damage = str(error)
