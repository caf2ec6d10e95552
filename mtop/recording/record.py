"""``--record FILE``: writes down what the fleet hears, while it is shown."""

from __future__ import annotations

import queue
import threading
from collections.abc import Sequence
from typing import NamedTuple

from minionize.stats.wire import FailuresWire, OutputWire, TaskWire
from minionize.version import __version__
from mtop.feed import Cost, Feed
from mtop.model.fleet import Fleet
from mtop.model.minion import Minion
from mtop.orders import Order
from mtop.recording.lines import LARGEST, Seen, Written, header_line
from mtop.recording.sink import Sink

__all__ = ["RecordingFeed"]

_WHOLE_EVERY = 60.0
_FLUSH_EVERY = 4.0
_OFTEN = 0.9
"""Seconds between two lines: a screen asks its feed more often than anything changes."""

_WAITING = 30
_END = 0.8


class _Told(NamedTuple):
    now: float
    wall: float
    fleet: list[Seen]


class RecordingFeed(Feed):
    """Another feed, of which all that it tells is recorded.

    Only what mtop shows is written: neither tokens nor URLs nor params. A disk that is slow or full holds up nothing:
    the file is written by a thread.

    Args:
        feed: The other feed.
        path: The file. It must be new; zstd if its name ends in .zst, else gzip.

    Attributes:
        size: Bytes that have been written.

    Raises:
        SettingsError: The file is not new, or cannot be written.
    """

    def __init__(self, feed: Feed, path: str) -> None:
        self._feed, self._path = feed, path
        self.place, self.user, self.live = feed.place, feed.user, feed.live
        self._writer = _Writer(Sink(path, header_line(__version__, feed.wall(), feed.user)))
        self._told: queue.Queue[_Told | None] = queue.Queue(_WAITING)
        self._thread = threading.Thread(target=self._write, name="mtop-record", daemon=True)
        self._stopped: str | None = None
        self._left_out = 0
        self._due = 0.0

    @property
    def size(self) -> int:
        """Bytes that have been written."""
        return self._writer.size

    @property
    def waiting(self) -> int:
        """How often something was told that is not written yet."""
        return self._told.unfinished_tasks

    def start(self) -> None:
        """Begin to listen, and to write."""
        self._thread.start()
        self._feed.start()

    def tell(self, fleet: Fleet) -> None:
        """Tell the fleet, and remember what it knows then."""
        self._feed.tell(fleet)
        now = self._feed.clock()
        if self._stopped is not None or 0 <= self._due - now < _OFTEN:
            return
        self._due = now + _OFTEN
        seen = [Seen(minion.key, minion.said, minion.signs()) for minion in fleet]
        try:
            self._told.put_nowait(_Told(now, self._feed.wall(), seen))
        except queue.Full:
            self._left_out += 1

    def close(self) -> None:
        """End, after what was told has been written, if the disk is fast enough."""
        self._feed.close()
        if self._thread.is_alive():
            # What does not fit in is waited for no longer than this takes.
            try:
                self._told.put(None, timeout=_END / 2)
            except queue.Full:
                return
            self._thread.join(_END)
        elif self._thread.ident is None:
            self._writer.close()

    def _write(self) -> None:
        try:
            while (told := self._next()) is not None:
                self._writer.write(told)
                self._told.task_done()
            self._writer.close()
        except (OSError, ValueError) as error:
            self._stopped = getattr(error, "strerror", None) or str(error)
            self._writer.drop()
            while self._told.unfinished_tasks:
                self._told.task_done()

    def _next(self) -> _Told | None:
        """Wait for what is told; what was written meanwhile is not kept back."""
        while True:
            try:
                return self._told.get(timeout=_FLUSH_EVERY)
            except queue.Empty:
                self._writer.flush()

    def troubles(self) -> list[str]:
        """Return what does not work, the recording too."""
        troubles = self._feed.troubles()
        if self._stopped is not None:
            troubles = [*troubles, f"recording to {self._path} has stopped: {self._stopped}"]
        elif self._left_out:
            troubles = [*troubles, f"recording to {self._path} is too slow: {self._left_out} times were left out"]
        return troubles

    # All else is the other feed's.

    def clock(self) -> float:
        """Return its time."""
        return self._feed.clock()

    def wall(self) -> float:
        """Return its time of day."""
        return self._feed.wall()

    def wind(self, fleet: Fleet) -> bool:
        """Tell whether its time was wound back."""
        return self._feed.wind(fleet)

    def set_interval(self, seconds: float) -> None:
        """Ask every minion so often."""
        self._feed.set_interval(seconds)

    def cost(self) -> Cost:
        """Return what it takes."""
        return self._feed.cost()

    def purge(self, minions: Sequence[Minion]) -> None:
        """Remove these from where they are announced."""
        self._feed.purge(minions)

    async def tasks(self, minion: Minion) -> list[TaskWire]:
        """Return what runs in a minion."""
        return await self._feed.tasks(minion)

    async def failures(self, minion: Minion) -> FailuresWire:
        """Return the last failures of a minion."""
        return await self._feed.failures(minion)

    async def output(self, minion: Minion, task: str) -> OutputWire:
        """Return the end of what a run has written."""
        return await self._feed.output(minion, task)

    async def order(self, minion: Minion, order: Order) -> str:
        """Have a minion do something."""
        return await self._feed.order(minion, order)


class _Writer:
    """Writes lines, whole ones now and then, and keeps nothing back for long. Of one thread."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._written: Written | None = None
        self._start = self._last = self._whole_at = self._flush_at = 0.0

    @property
    def size(self) -> int:
        return self._sink.size

    def write(self, told: _Told) -> None:
        now = told.now
        if self._written is None:
            self._written = Written(now)
            self._start = self._last = self._whole_at = self._flush_at = now
        if now < self._last:
            # Of a replay that was wound back: a recording only goes forward.
            return
        self._last = now
        whole = now >= self._whole_at
        line = self._written.line(now, told.wall, told.fleet, whole)
        if whole:
            self._sink.begin(now - self._start)
            self._whole_at = now + _WHOLE_EVERY
        if line is not None:
            self._put(line)
        if now >= self._flush_at:
            self._flush_at = now + _FLUSH_EVERY
            self.flush()

    def _put(self, line: bytes) -> None:
        if len(line) > LARGEST:
            raise ValueError(f"{len(line)} bytes at once are too many: show fewer minions")
        self._sink.write(line)

    def flush(self) -> None:
        self._sink.flush()

    def close(self) -> None:
        self._sink.close()

    def drop(self) -> None:
        self._sink.drop()
