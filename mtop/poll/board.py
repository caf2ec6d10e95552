"""All connections of one thread: which of them are ready, which have waited too long, which must make room."""

from __future__ import annotations

import socket
from collections import OrderedDict, deque
from collections.abc import Callable
from contextlib import suppress
from selectors import EVENT_READ, DefaultSelector
from typing import TYPE_CHECKING

from mtop.poll.connection import Connection, Outcome
from mtop.poll.names import LookUp, Names

if TYPE_CHECKING:
    from mtop.poll.tls import Context

__all__ = ["Board"]


class Board:
    """Holds connections. One thread calls it, except for ``ring``.

    Args:
        timeout: Seconds that a poll may take.
        finished: Called with every outcome of a poll.
        clock: Time, in seconds.
        look_up: Stands for ``socket.getaddrinfo``.

    Attributes:
        most: Connections that may be open, and polls that may be under way.
        in_flight: Polls under way.
        names: Addresses of hosts.
        received: Bytes, of all answers.
    """

    def __init__(
        self,
        timeout: float,
        finished: Callable[[Connection, Outcome], None],
        clock: Callable[[], float],
        look_up: LookUp = socket.getaddrinfo,
    ) -> None:
        self.most = 1
        self.in_flight = self.received = 0
        self._timeout = timeout
        self._finished = finished
        self._clock = clock
        self._selector = DefaultSelector()
        self._hears, self._bell = socket.socketpair()
        for each in (self._hears, self._bell):
            each.setblocking(False)
        self._selector.register(self._hears, EVENT_READ)
        # The least recently used come first.
        self._open: OrderedDict[Connection, None] = OrderedDict()
        self._deadlines: deque[tuple[float, int, Connection]] = deque()
        self._turns = 0
        self._context: Context | None = None
        self.names = Names(self.ring, clock, look_up)

    @property
    def open(self) -> int:
        """How many connections are open."""
        return len(self._open)

    def ask(self, connection: Connection, now: float) -> None:
        """Begin a poll."""
        self._turns += 1
        self.in_flight += 1
        self._deadlines.append((now + self._timeout, self._turns, connection))
        if connection.is_open:
            self._open.move_to_end(connection)
        connection.ask(self._turns, now)

    def drop(self, connection: Connection) -> None:
        """Close a connection. If it is asked, there will be no outcome."""
        self.in_flight -= connection.turn != 0
        connection.close()

    def turn(self, wait: float | None) -> None:
        """Go on with all that is ready; wait for it as long as that, or without end."""
        if self._deadlines:
            left = max(0.0, self._deadlines[0][0] - self._clock())
            wait = left if wait is None else min(wait, left)
        for key, _ in self._selector.select(wait):
            if key.data is None:
                self._listen()
            else:
                key.data.ready()
        # Last: who has taken too long is asked again, so that there is something else to wait for.
        self._expire(self._clock())

    def ring(self) -> None:
        """Let ``turn`` return soon, from any thread."""
        # Full: it rings already. Closed: nobody is there any more.
        with suppress(OSError):
            self._bell.send(b"!")

    def close(self) -> None:
        """Close everything."""
        self.names.close()
        for connection in list(self._open):
            self.drop(connection)
        self._deadlines.clear()
        self._selector.close()
        self._hears.close()
        self._bell.close()

    def _listen(self) -> None:
        with suppress(BlockingIOError):
            while self._hears.recv(4096):
                pass
        self.names.arrived()

    def _expire(self, now: float) -> None:
        """End what has taken too long; forget what has ended in time."""
        while self._deadlines:
            deadline, turn, connection = self._deadlines[0]
            if connection.turn == turn:
                if deadline > now:
                    return
                connection.expire(self._timeout)
            self._deadlines.popleft()

    # What connections need.

    def watch(self, connection: Connection, fd: int, before: int, events: int) -> None:
        """Call the connection's ``ready`` at these events."""
        if not before:
            self._selector.register(fd, events, connection)
            self._open[connection] = None
        elif events:
            self._selector.modify(fd, events, connection)
        else:
            self._selector.unregister(fd)
            del self._open[connection]

    def make_room(self) -> None:
        """Close the connection that was not used for the longest time, if too many are open."""
        if len(self._open) >= self.most:
            for connection in self._open:
                if not connection.turn:
                    connection.close()
                    return

    def tls(self) -> Context:
        """Return how certificates are checked."""
        if self._context is None:
            from mtop.poll.tls import Context

            self._context = Context()
        return self._context

    def finished(self, connection: Connection, outcome: Outcome) -> None:
        """Count, and pass on."""
        self.in_flight -= 1
        self._finished(connection, outcome)
