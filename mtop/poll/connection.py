"""The connection to one minion: opened when it is asked, kept for the next time, never waited for."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from errno import EINPROGRESS
from selectors import EVENT_READ, EVENT_WRITE
from typing import TYPE_CHECKING, Protocol, TypeAlias

from mtop.poll.exchange import Answer, Exchange, Question
from mtop.poll.names import Names
from mtop.poll.trouble import TORN, Trouble, trouble_of
from mtop.poll.where import Where

if TYPE_CHECKING:
    from mtop.poll.tls import Context, Secure

__all__ = ["Connection", "Holder", "Outcome"]

Outcome: TypeAlias = "Answer | Trouble"
"""How a poll ends."""

_PIECE = 65_536
_ADDRESSES = 4
"""Addresses of a host that are tried within one poll."""


class Holder(Protocol):
    """What a connection needs of those that hold it.

    Attributes:
        names: Addresses of hosts.
        received: Bytes, of all connections.
    """

    names: Names
    received: int

    def watch(self, connection: Connection, fd: int, before: int, events: int) -> None:
        """Call its ``ready`` at these events, no longer at those before; 0 for none."""

    def make_room(self) -> None:
        """See to it that one more file can be opened."""

    def tls(self) -> Context:
        """Return how certificates are checked."""

    def finished(self, connection: Connection, outcome: Outcome) -> None:
        """A poll has ended."""


class Connection:
    """Asks one minion, one poll at a time. Nothing here raises: what goes wrong is the outcome of the poll.

    Attributes:
        key: Whose it is.
        question: What is asked there.
        turn: The number of the poll under way; 0 for none.
        since: When it began.
    """

    __slots__ = (
        "_events",
        "_exchange",
        "_fd",
        "_holder",
        "_next",
        "_others",
        "_reused",
        "_sock",
        "_step",
        "_unsent",
        "_where",
        "key",
        "question",
        "since",
        "turn",
    )

    def __init__(self, key: str, where: Where, holder: Holder) -> None:
        self.key = key
        self.question = Question(where.head)
        self.turn = 0
        self.since = 0.0
        self._where = where
        self._holder = holder
        self._sock: socket.socket | Secure | None = None
        self._exchange: Exchange | None = None
        self._step: Callable[[], Outcome | None] = self._rest
        self._events = 0
        self._unsent = b""
        self._reused = False
        self._fd = -1
        self._next = 0
        self._others: int | None = None

    @property
    def is_open(self) -> bool:
        """Whether there is a connection already."""
        return self._sock is not None

    def ask(self, turn: int, now: float) -> None:
        """Begin a poll."""
        self.turn, self.since = turn, now
        self._reused = self._sock is not None
        self._others = None
        self._go(self._send if self._reused else self._open)

    def ready(self) -> None:
        """Go on: one of the events has come that were waited for."""
        self._go(self._step)

    def found(self) -> None:
        """Go on: the host was looked up."""
        if self.turn and self._sock is None:
            self._go(self._open)

    def expire(self, timeout: float) -> None:
        """End the poll: it has taken too long."""
        within = f"within {timeout:g} s"
        if self._sock is None:
            self._finish(Trouble(f"cannot be found {within}: no name server answers"))
        elif self._step == self._connected:
            self._doubt()
            self._finish(Trouble(f"cannot be connected to {within}: its host is down, or a firewall is between"))
        else:
            self._finish(Trouble(f"does not answer {within}"))

    def close(self) -> None:
        """Let go. A poll under way has no outcome any more."""
        self.turn = 0
        self._hang_up()

    def _go(self, step: Callable[[], Outcome | None]) -> None:
        try:
            outcome = step()
        except BlockingIOError:
            return
        except Exception as error:  # a border: whatever happens here concerns this minion only
            outcome = self._failed(error)
        if outcome is not None:
            self._finish(outcome)

    def _failed(self, error: Exception) -> Outcome | None:
        """Try it otherwise where that may help; else return the outcome."""
        if not self.turn:
            self._hang_up()
            return None
        begun = self._exchange is not None and self._exchange.begun
        if self._reused and not begun:
            # The minion ends a connection that rests: at the very moment of a question it is nobody's fault.
            self._reused = False
        elif self._exchange is None and self._others and isinstance(error, OSError):
            self._others -= 1
            self._next += 1
        else:
            if self._exchange is None:
                self._doubt()
            return Trouble(TORN) if begun and isinstance(error, ConnectionError) else trouble_of(error)
        self._hang_up()
        self._go(self._open)
        return None

    def _doubt(self) -> None:
        """Nobody is there: the next poll takes another address, which may be a new one."""
        self._next += 1
        self._holder.names.doubt(self._where.host, self._where.port)

    def _finish(self, outcome: Outcome) -> None:
        self.turn = 0
        if isinstance(outcome, Trouble) or self._exchange is None or not self._exchange.reusable:
            self._hang_up()
        else:
            self._step = self._rest
        self._holder.finished(self, outcome)

    def _hang_up(self) -> None:
        self._step = self._rest
        self._exchange = None
        sock, self._sock = self._sock, None
        if sock is not None:
            self._watch(0)
            sock.close()

    def _watch(self, events: int) -> None:
        if events != self._events:
            self._holder.watch(self, self._fd, self._events, events)
            self._events = events

    # The steps of a poll.

    def _open(self) -> None:
        addresses = self._holder.names.find(self._where.host, self._where.port, self.found)
        if addresses is None:
            return
        if self._others is None:
            self._others = min(len(addresses), _ADDRESSES) - 1
        family, place = addresses[self._next % len(addresses)]
        self._holder.make_room()
        sock = self._sock = socket.socket(family, socket.SOCK_STREAM)
        self._fd = sock.fileno()
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        error = sock.connect_ex(place)
        if error not in (0, EINPROGRESS):
            raise OSError(error, os.strerror(error))
        self._step = self._connected
        self._watch(EVENT_WRITE)

    def _connected(self) -> None:
        sock = self._sock
        assert isinstance(sock, socket.socket)
        error = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            raise OSError(error, os.strerror(error))
        if self._where.tls:
            # Its descriptor is the same.
            self._sock = self._holder.tls().wrap(sock, self._where.host)
            self._step = self._shake
            self._shake()
        else:
            self._exchange = Exchange()
            self._send()

    def _shake(self) -> None:
        sock = self._sock
        assert sock is not None
        assert not isinstance(sock, socket.socket)
        events = sock.shake()
        if events:
            self._watch(events)
        else:
            self._exchange = Exchange()
            self._send()

    def _send(self) -> None:
        sock, exchange = self._sock, self._exchange
        assert sock is not None
        assert exchange is not None
        self._unsent = self.question.ask(self.since)
        exchange.begin(self.question.conditional)
        self._step = self._send_on
        self._send_on()

    def _send_on(self) -> None:
        sock = self._sock
        assert sock is not None
        try:
            sent = sock.send(self._unsent)
        except BlockingIOError:
            sent = 0
        if sent < len(self._unsent):
            self._unsent = self._unsent[sent:]
            self._watch(EVENT_WRITE)
        else:
            self._step = self._receive
            self._watch(EVENT_READ)

    def _receive(self) -> Answer | None:
        sock, exchange = self._sock, self._exchange
        assert sock is not None
        assert exchange is not None
        data = sock.recv(_PIECE)
        self._holder.received += len(data)
        return exchange.feed(data) if data else exchange.end()

    def _rest(self) -> None:
        """Nothing was asked: whatever comes is the end of the connection."""
        if self._sock is not None:
            self._sock.recv(_PIECE)
            self._hang_up()
