"""Pipes that bring the output of runs: made once for a slot, used by one run after the other.

Making, watching and closing two pipes for each run would cost as much as all the rest of our work for it.
The price: a process that left its group, and so outlives its run, keeps writing to the slot's pipe, as it
would to xargs' stdout. After a run that had to be ended by force, the slot gets new pipes.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from fcntl import F_SETFL, fcntl

from minionize.events import Events

_CHUNK = 65536
# What a process that writes for ever can add at the end of a run: 64 MiB.
_ROUNDS = 1024


class Pipe:
    """One pipe.

    Attributes:
        end: The descriptor that a process writes to.
        feed: Takes what is written; None drops it.
    """

    __slots__ = ("_events", "_fd", "_wrote", "end", "feed")

    def __init__(self, events: Events) -> None:
        self._events = events
        self._fd, self.end = os.pipe2(os.O_CLOEXEC)
        fcntl(self._fd, F_SETFL, os.O_NONBLOCK)
        self.feed: Callable[[bytes], None] | None = None
        self._wrote = False
        events.watch(self._fd, self._read)

    def _read(self) -> bool:
        """Feed one piece; False if there is none."""
        try:
            data = os.read(self._fd, _CHUNK)
        except BlockingIOError:
            return False
        self._wrote = True
        if self.feed is not None:
            self.feed(data)
        return bool(data)

    def drain(self) -> None:
        """Feed all that was written until now, within a bound; then feed nobody.

        To be called where ``Events`` has just reported what there was (``watch_last``): of a pipe that was
        not even mentioned, nothing needs to be read.
        """
        for _ in range(_ROUNDS if self._wrote else 0):
            if not self._read():
                break
        self._wrote = False
        self.feed = None

    def close(self) -> None:
        """Close both ends."""
        self._events.close_fd(self._fd)
        os.close(self.end)
