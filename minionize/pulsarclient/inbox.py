"""Messages that come when they are asked for, and no others.

A consumer without a queue of its own gets a message for each ask. An ask cannot be taken back: what comes when nobody
waits any more is given back to the server, which hands it to somebody else.

Batches spoil that: each comes as a whole, and where several messages were asked for, the server guesses how many
batches make so many. What is too much the client library throws away, while the server thinks that we hold it. So
several are asked for at a time only while all come alone.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from minionize.engine import EngineError, NotConnected
from minionize.pulsarclient.faults import OK, reaching
from minionize.pulsarclient.link import Link
from minionize.pulsarclient.message import Message

__all__ = ["Arrival", "Inbox", "Line"]

_GAP = 0.01
"""Seconds without a message after which a queue counts as empty, for now."""

_LINGER = 0.5
"""Seconds for which what comes late is kept, in case that it is asked for again."""

_SILENCE = 2.0
"""Seconds for which the client library may be reconnecting before anybody hears of it."""

_STALE = 60.0
"""Seconds without a message after which a consumer is replaced: should an ask be lost, nobody would hear of it."""

_MOST = 20_000
"""Messages that one consumer gets: the server allows it 50,000 that are not settled."""


class Line:
    """One consumer, of one topic or partition.

    Attributes:
        topic: What it consumes from.
        inbox: Where its messages come in.
        asked: How many messages were asked for and have not come.
        held: How many of those that were taken from the inbox are not settled.
        worn: Whether it is not to be asked any more.
    """

    def __init__(self, topic: str, consumer: Any, inbox: Inbox) -> None:
        self.topic, self._consumer, self.inbox = topic, consumer, inbox
        # The class of consumers that everybody knows can only wait for a message.
        self._receive: Any = getattr(consumer._consumer, "receive_async", None)
        if self._receive is None:
            raise EngineError("pulsar-client 3.9 or later is needed: pip install -U minionize[pulsar]")
        self.asked = self.held = self._came = 0
        self.worn = False
        self._last = ("", 0)
        self._news = time.monotonic()

    @property
    def is_stale(self) -> bool:
        """Whether it was asked, and nothing has come for long."""
        return self.asked > 0 and time.monotonic() - self._news > _STALE

    def ask(self) -> None:
        """Ask for one more."""
        self._receive(self._hear)

    def _hear(self, result: Any, raw: Any) -> None:
        """Hear of the server; a thread of the client library calls this."""
        if result.name == OK:
            self.inbox.hear(self, Message(raw))

    def is_news(self, message: Message) -> bool:
        """Tell whether a message that has come begins something: a batch comes as a whole, and its first stands for it.

        The server counts what the client library throws away as well: a consumer to which that may have happened gets
        nothing for its next asks.
        """
        self._news = time.monotonic()
        (position, index), self._last = self._last, (message.position, message.index)
        self._came += 1
        self.worn = self.worn or message.batch > 1 or self._came >= _MOST
        return message.position != position or message.index <= index

    @property
    def is_connected(self) -> bool:
        """Whether it reaches the server now."""
        return bool(self._consumer.is_connected())

    def acknowledge(self, message: Message) -> None:
        """Ack a message, and all others of its batch; it is sent within 0.1 s."""
        import pulsar

        at = message.raw.message_id()
        whole = pulsar.MessageId(at.partition(), at.ledger_id(), at.entry_id(), -1)
        with reaching(self.topic):
            self._consumer.acknowledge(whole)

    def give_back(self, message: Message) -> None:
        """Have the server deliver a message again; it is told within 0.2 s."""
        self._consumer.negative_acknowledge(message.raw)

    def close(self) -> None:
        """Leave; what is not acked goes to others."""
        with suppress(EngineError), reaching(self.topic):
            self._consumer.close()


Arrival = tuple[Line, Message]


class Inbox:
    """All consumers of a topic.

    Args:
        link: Connection to the server.
        topics: Partitions of the topic, or itself.
        subscription: Name of the subscription.
        name: Of the consumers, for who looks at the server.
    """

    def __init__(self, link: Link, topics: Sequence[str], subscription: str, name: str) -> None:
        self._link, self._subscription, self._name = link, subscription, name
        self._changed = threading.Condition()
        self._came: deque[Arrival] = deque()
        self._until = 0.0
        self._away: float | None = None
        self._worn: list[Line] = []
        self._turn = 0
        self._has_news = self._has_batches = False
        self._lines: list[Line] = []
        try:
            for topic in topics:
                self._lines.append(self._line(topic))
        except BaseException:
            self.close()
            raise

    def _line(self, topic: str) -> Line:
        return Line(topic, self._link.consumer(topic, self._subscription, self._name), self)

    def close(self) -> None:
        """Leave."""
        self._until = 0.0
        for line in (*self._lines, *self._worn):
            line.close()
        self._lines, self._worn = [], []

    def has_returned(self, patience: float = 0.0) -> bool:
        """See whether the server is reached, or wait a while until it is; tell whether it was away.

        Raises:
            NotConnected: It is not reached, and was not for too long.
        """
        end = time.monotonic() + patience
        while not all(line.is_connected for line in self._lines):
            now = time.monotonic()
            self._away = self._away or now
            if now - self._away > _SILENCE or (patience and now > end):
                raise NotConnected(f"{self._link.place}: the connection is lost")
            if not patience:
                return False
            time.sleep(_GAP)
        away, self._away = self._away, None
        return away is not None

    def line_of(self, topic: str) -> Line:
        """Return the consumer of a topic that is in use."""
        return next(line for line in self._lines if line.topic == topic)

    # Receiving.

    def take(self, most: int, timeout: float) -> list[Arrival]:
        """Take up to ``most`` messages, what came late first; wait for the first one."""
        end = time.monotonic() + timeout
        self._until = float("inf")
        taken: list[Arrival] = []
        quiet = False
        while len(taken) < most:
            self._ask(most - len(taken), several=self._has_news and not self._has_batches, everywhere=quiet)
            left = end - time.monotonic()
            waits = not taken and all(line.asked for line in self._lines)
            quiet = not self._wait(left if waits else min(_GAP, left) if not taken else _GAP)
            if quiet and (taken or time.monotonic() >= end):
                break
            taken += self.shift(most - len(taken))
        self._until = time.monotonic() + _LINGER
        return taken

    def recall(self, count: int) -> None:
        """Ask for what we held when the connection was lost: the server hands that out first."""
        self._until = time.monotonic() + _LINGER
        self._ask(count, several=True)

    def shift(self, most: int) -> list[Arrival]:
        """Take what has come, without waiting."""
        with self._changed:
            arrivals = [self._came.popleft() for _ in range(min(most, len(self._came)))]
            for line, _ in arrivals:
                line.held += 1
        return arrivals

    def unshift(self, arrivals: Sequence[Arrival]) -> None:
        """Keep what has come and is not wanted now; for a while, then it goes back."""
        late = time.monotonic() > self._until
        with self._changed:
            for line, _ in arrivals:
                line.held -= 1
            self._came.extendleft(reversed(arrivals))
            unwanted = list(self._came) if late else []
            if late:
                self._came.clear()
        for line, message in unwanted:
            line.give_back(message)

    def hear(self, line: Line, message: Message) -> None:
        """Hear of a message; a thread of the client library calls this."""
        with self._changed:
            line.asked -= 1
            self._has_news, self._has_batches = True, self._has_batches or message.batch > 1
            if not line.is_news(message):
                return
            late = time.monotonic() > self._until
            if not late:
                self._came.append((line, message))
                self._changed.notify()
        if late:
            line.give_back(message)

    def _wait(self, seconds: float) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: bool(self._came), max(0.0, seconds))

    # Asking.

    def _ask(self, wanted: int, several: bool, everywhere: bool = False) -> None:
        """See to it that so many messages are asked for, in turn from all partitions.

        Args:
            wanted: How many.
            several: Whether more than one of them may be asked of a partition.
            everywhere: Whether every partition is asked, be it for more than is wanted: the others had nothing.
        """
        self._replace_worn()
        asks = []
        with self._changed:
            for _ in range(wanted - len(self._came) - sum(line.asked for line in self._lines)):
                self._turn = (self._turn + 1) % len(self._lines)
                line = self._lines[self._turn]
                if several or not line.asked:
                    line.asked += 1
                    asks.append(line)
            for line in self._lines if everywhere else ():
                if not line.asked:
                    line.asked += 1
                    asks.append(line)
        for line in asks:
            line.ask()

    def _replace_worn(self) -> None:
        with self._changed:
            worn = [line for line in self._lines if line.worn or (line.is_stale and not self._worn)]
            busy = {id(line) for line, _ in self._came}
            idle = [line for line in self._worn if not line.held and id(line) not in busy]
        for line in worn:
            self._lines[self._lines.index(line)] = self._line(line.topic)
            self._worn.append(line)
        for line in idle:
            self._worn.remove(line)
            line.close()
