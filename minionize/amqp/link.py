"""One connection to RabbitMQ. What is asked of many channels at once costs one round trip.

pika's own blocking connection waits for each answer before it asks again. This one is pika's asynchronous
connection, driven by whoever calls: nothing happens between two calls, so ``linger`` must be called now and then.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from minionize.amqp.faults import NOT_FOUND, code_of, fault, reaching
from minionize.engine import EngineError, NotConnected

__all__ = ["Arrival", "Channel", "Link"]

ANSWER = 5.0
"""Seconds that the server is given for an answer."""

SLOWEST = 100_000.0
"""Bytes per second that a line carries at least."""

_LEAVING = 1.0
_SILENCE = 0.5
_OLDEST = (3, 10)


class Link:
    """One open connection.

    Args:
        url: Of the server.
        place: The same for people, without secrets.
        heartbeats: Whether the server may end the connection when nobody calls for long.

    Attributes:
        version: Of the server; () where it does not tell.
        blocked: Why the server takes nothing from us now; "" if it does.

    Raises:
        NotConnected: The server cannot be reached now.
        EngineError: It refuses us, or the URL is none.
    """

    def __init__(self, url: str, place: str, heartbeats: bool = True) -> None:
        from pika.adapters.select_connection import IOLoop

        self.place = place
        self.blocked = ""
        self._end: Any = None
        self._control: Channel | None = None
        _hush()
        self._loop = IOLoop()
        self._loop.activate_poller()
        try:
            with reaching(place):
                self._raw: Any = self._connect(_parameters(url, place, heartbeats))
        except BaseException:
            self._loop.close()
            raise
        self._raw.add_on_close_callback(self._ended)
        self._raw.add_on_connection_blocked_callback(self._is_blocked)
        self._raw.add_on_connection_unblocked_callback(self._is_unblocked)
        self.version = _version(self._raw.server_properties or {})
        if () < self.version < _OLDEST:
            self.close()
            raise EngineError(f"{place} is RabbitMQ {'.'.join(map(str, self.version))}: 3.10 or later is needed")

    def _connect(self, parameters: Any) -> Any:
        from pika.adapters.select_connection import SelectConnection

        results: list[Any] = []
        SelectConnection.create_connection([parameters], on_done=results.append, custom_ioloop=self._loop)
        while not results:
            self._step()
        if isinstance(results[0], BaseException):
            raise results[0]
        return results[0]

    def _ended(self, _: Any, why: Any) -> None:
        self._end = why

    def _is_blocked(self, _: Any, frame: Any) -> None:
        self.blocked = frame.method.reason or "it is short of memory or disk"

    def _is_unblocked(self, *_: Any) -> None:
        self.blocked = ""

    @property
    def is_open(self) -> bool:
        """Whether the connection lasts, as far as we know."""
        return self._end is None and bool(self._raw.is_open)

    # Driving.

    def _step(self) -> None:
        self._loop.poll()
        self._loop.process_timeouts()

    def linger(self, seconds: float, until: Callable[[], bool] = lambda: False) -> bool:
        """Send, hear and keep alive for some time; return whether ``until`` came true.

        Raises:
            NotConnected: The connection has ended.
        """
        late: list[bool] = []
        timer = self._loop.call_later(max(seconds, 0.0), lambda: late.append(True))
        try:
            with reaching(self.place):
                while not late and not until():
                    self._check()
                    self._step()
                self._check()
        finally:
            self._loop.remove_timeout(timer)
        return until()

    def _check(self) -> None:
        if self._end is not None:
            error = fault(self._end, self.place)
            raise (error if isinstance(error, NotConnected) else NotConnected(str(error))) from self._end

    def wait(self, until: Callable[[], bool], size: int = 0) -> None:
        """Wait for answers of the server.

        Args:
            until: Whether they are here.
            size: Bytes that are under way.

        Raises:
            NotConnected: They do not come; the connection is given up.
        """
        patience = ANSWER + size / SLOWEST
        if self.linger(patience, until):
            return
        why = f"takes nothing now: {self.blocked}" if self.blocked else f"does not answer within {patience:.0f} s"
        self.close()
        raise NotConnected(f"{self.place} {why}")

    # Channels.

    def channels(self, count: int) -> list[Channel]:
        """Open channels, as many as may be."""
        from pika.exceptions import NoFreeChannels

        opened: list[Channel] = []
        with reaching(self.place), suppress(NoFreeChannels):
            while len(opened) < count:
                opened.append(Channel(self, self._raw))
        self.wait(lambda: all(channel.answered for channel in opened))
        return opened

    def channel(self) -> Channel:
        """Open a channel."""
        for channel in self.channels(1):
            return channel
        raise EngineError(f"{self.place} allows no more channels")

    @property
    def control(self) -> Channel:
        """A channel for questions and orders; it carries no delivery."""
        if self._control is None or not self._control.is_open:
            self._control = self.channel()
        return self._control

    def sync(self) -> None:
        """Wait until the server has heard all that was said on this connection."""
        self.control.call("basic_qos", prefetch_count=0)

    def get(self, queue: str, channels: Sequence[Channel]) -> list[Arrival]:
        """Take a message by each channel; return those that came."""
        with reaching(self.place):
            for channel in channels:
                channel.ask(queue)
        self.wait(lambda: all(channel.answered for channel in channels))
        for channel in channels:
            channel.check()
        return [channel.answer for channel in channels if channel.answer is not None]

    def hold_all(self, queue: str) -> tuple[Channel, list[Arrival]]:
        """Take all that is ready; ``give_back`` ends that."""
        count = self.count(queue)
        channel, came = self.channel(), []
        if count:
            with reaching(self.place):
                tag = channel.raw.basic_consume(queue, lambda _, *words: came.append(Arrival(channel, *words)))
            # Somebody else may hold some of them.
            while self.linger(_SILENCE, _more_than(came, min(len(came), count - 1))) and len(came) < count:
                pass
            channel.call("basic_cancel", tag)
        return channel, came

    def give_back(self, queue: str, channel: Channel, number: int) -> None:
        """Give back the ``number`` messages that a channel still carries, and see them back in their queue."""
        channel.close()
        pauses = iter([0.002] * 20 + [0.02] * 25)
        while (self.count(queue) or 0) < number and (pause := next(pauses, None)):
            self.linger(pause)

    # Queues.

    def count(self, queue: str) -> int | None:
        """Tell how many messages a queue has ready; None where there is no such queue."""
        try:
            return int(self.control.call("queue_declare", queue=queue, passive=True).message_count)
        except EngineError as error:
            if code_of(error) != NOT_FOUND:
                raise
            return None

    def declare(self, queue: str, arguments: dict[str, Any]) -> None:
        """Make a durable queue, unless it is there just so."""
        self.control.call("queue_declare", queue=queue, durable=True, arguments=arguments)

    def purge(self, queue: str) -> int:
        """Throw away what a queue has ready; return how much."""
        return int(self.control.call("queue_purge", queue=queue).message_count)

    def close(self) -> None:
        """Take leave; of a server that does not answer, without its word. Idempotent."""
        if self._end is None:
            with suppress(Exception):
                self._raw.close()
                self.linger(_LEAVING if not self.blocked else 0.0, lambda: self._end is not None)
        if self._end is None:
            # There is no other way to let go of the socket.
            with suppress(Exception):
                self._raw._terminate_stream(OSError("given up"))
                self.linger(_LEAVING, lambda: self._end is not None)
        with suppress(Exception):
            self._loop.close()


class Arrival(NamedTuple):
    """A message that has come, as pika tells it."""

    channel: Channel
    method: Any
    properties: Any
    body: bytes


class Channel:
    """One channel.

    Attributes:
        raw: That of pika.
        held: How many deliveries it carries.
        answered: Whether what was asked last has been answered.
        answer: That; None if it was that there is nothing.
    """

    def __init__(self, link: Link, connection: Any) -> None:
        from pika.spec import Basic

        self._link = link
        self._why: Any = None
        self.held = 0
        self.answered = False
        self.answer: Arrival | None = None
        self.raw: Any = connection.channel(on_open_callback=self._hear)
        self.raw.add_on_close_callback(self._closed)
        self.raw.add_callback(self._hear, [Basic.GetEmpty], one_shot=False)

    def _hear(self, *_: Any) -> None:
        self.answered = True

    def _closed(self, _: Any, why: Any) -> None:
        self._why, self.answered = why, True

    def _came(self, _: Any, method: Any, properties: Any, body: bytes) -> None:
        self.answered, self.answer = True, Arrival(self, method, properties, body)

    @property
    def is_open(self) -> bool:
        """Whether it can be used: the server closes it at an error, and when a delivery is held for too long."""
        return self._why is None and bool(self.raw.is_open)

    def check(self) -> None:
        """Raise what has closed the channel."""
        if self._why is not None:
            raise fault(self._why, self._link.place) from self._why

    def ask(self, queue: str) -> None:
        """Ask for a message."""
        self.answered, self.answer = False, None
        self.raw.basic_get(queue, self._came)

    def call(self, method: str, *words: Any, **more: Any) -> Any:
        """Call a method of the server, and return its answer.

        Raises:
            EngineError: The server has closed the channel instead.
        """
        answers: list[Any] = []
        self.check()
        with reaching(self._link.place):
            getattr(self.raw, method)(*words, callback=answers.append, **more)
        self._link.wait(lambda: bool(answers) or self._why is not None)
        self.check()
        return answers[0].method

    def ack(self, tag: int) -> None:
        """Ack a delivery; ``Link.sync`` makes sure that the server hears it."""
        with reaching(self._link.place):
            self.raw.basic_ack(tag)

    def close(self) -> None:
        """Give back what it still carries."""
        if self.is_open:
            with reaching(self._link.place):
                self.raw.close()
            self._link.wait(lambda: self._why is not None)


def _parameters(url: str, place: str, heartbeats: bool) -> Any:
    from pika import URLParameters

    try:
        parameters = URLParameters(url)
    except Exception:  # it raises whatever a wrong value leads to, and its words may hold the password
        raise EngineError(
            f"RABBITMQ_URL {place}: no URL that pika takes; write amqp://USER:PASSWORD@HOST:PORT/VHOST or amqps://..., "
            "and special characters of a password as %XX"
        ) from None
    if "stack_timeout" not in url:
        parameters.stack_timeout = ANSWER
    if "socket_timeout" not in url:
        parameters.socket_timeout = ANSWER
    if not heartbeats:
        parameters.heartbeat = 0
    return parameters


def _more_than(came: list[Arrival], number: int) -> Callable[[], bool]:
    return lambda: len(came) > number


def _version(properties: Any) -> tuple[int, ...]:
    words = str(properties.get("version", "")).split(".")[:2]
    known = properties.get("product") == "RabbitMQ" and all(word.isdecimal() for word in words)
    return tuple(map(int, words)) if known else ()


def _hush() -> None:
    """Silence pika, which logs as errors what we say ourselves; not where the user wants to hear it."""
    logger = logging.getLogger("pika")
    if logger.level == logging.NOTSET:
        logger.setLevel(logging.CRITICAL)
