"""Pipes that bring the output of runs: made once for a slot, used by one run after the other.

Making, watching and closing two pipes for each run would cost as much as all the rest of our work for it.
The price: a process that left its group, and so outlives its run, keeps writing to the slot's pipe, as it
would to xargs' stdout. After a run that had to be ended by force, the slot gets new pipes.
"""

from __future__ import annotations

import os
import select
from collections.abc import Callable
from fcntl import F_SETFL, fcntl

from minionize.events import Events

_CHUNK = 65536
# What a process that writes for ever can add at the end of a run: 64 MiB.
_ROUNDS = 1024

Feed = Callable[[bytes], None]


class Pipe:
    """One pipe.

    Attributes:
        end: The descriptor that a process writes to.
        feed: Takes what is written; None drops it.
    """

    __slots__ = ("_events", "_fd", "end", "feed")

    def __init__(self, events: Events) -> None:
        self._events = events
        self._fd, self.end = os.pipe2(os.O_CLOEXEC)
        fcntl(self._fd, F_SETFL, os.O_NONBLOCK)
        self.feed: Feed | None = None
        events.watch(self._fd, self._read)

    def _read(self) -> bool:
        """Feed one piece; False if there is none."""
        try:
            data = os.read(self._fd, _CHUNK)
        except BlockingIOError:
            return False
        if self.feed is not None:
            self.feed(data)
        return bool(data)

    def fileno(self) -> int:
        """Return the descriptor that is read."""
        return self._fd

    def drain(self) -> None:
        """Feed all that was written until now, within a bound."""
        for _ in range(_ROUNDS):
            if not self._read():
                break

    def close(self) -> None:
        """Close both ends."""
        self._events.close_fd(self._fd)
        os.close(self.end)


class Pipes:
    """The two pipes of a slot.

    Attributes:
        out: For what becomes stdout.
        err: For what becomes stderr.
    """

    __slots__ = ("_poll", "err", "out")

    def __init__(self, events: Events) -> None:
        self.out, self.err = Pipe(events), Pipe(events)
        self._poll = select.poll()
        self._poll.register(self.out.fileno(), select.POLLIN)
        self._poll.register(self.err.fileno(), select.POLLIN)

    def feed(self, out: Feed | None, err: Feed | None) -> None:
        """Say who takes what is written from now on."""
        self.out.feed, self.err.feed = out, err

    def drain(self) -> None:
        """Feed all that was written until now, within a bound; then feed nobody."""
        if self._poll.poll(0):
            self.out.drain()
            self.err.drain()
        self.out.feed = self.err.feed = None

    def close(self) -> None:
        """Close both."""
        self.out.close()
        self.err.close()
