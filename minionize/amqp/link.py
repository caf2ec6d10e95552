"""One connection to RabbitMQ. What is asked of many channels at once costs one round trip.

pika's own blocking connection waits for each answer before it asks again. This one is pika's asynchronous
connection, driven by whoever calls: nothing happens between two calls, so ``linger`` must be called now and then.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Container, Sequence
from contextlib import suppress
from itertools import groupby
from typing import Any

from minionize.amqp.channel import Arrival, Channel
from minionize.amqp.faults import NOT_FOUND, NOT_IMPLEMENTED, code_of, fault, reaching
from minionize.amqp.parameters import ANSWER, parameters
from minionize.engine import EngineError, NotConnected
from minionize.errors import NotNow

__all__ = ["Link"]

SLOWEST = 100_000.0
"""Bytes per second that a line carries at least."""

_LEAVING = 1.0
_SILENCE = 3.0
_RANGES = 10
_PREFETCH = 60_000
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
        self._is_given_up = False
        self._control: Channel | None = None
        _hush()
        self._loop = IOLoop()
        self._loop.activate_poller()
        try:
            self._raw: Any = self._connect(parameters(url, place, heartbeats))
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

    def _connect(self, wanted: Any) -> Any:
        from minionize.amqp.connection import Connection

        results: list[Any] = []
        Connection.create_connection([wanted], on_done=results.append, custom_ioloop=self._loop)
        while not results:
            self._step()
        if isinstance(results[0], BaseException):
            raise fault(results[0], self.place) from results[0]
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
        return not self._is_given_up and self._end is None and bool(self._raw.is_open)

    @property
    def most_channels(self) -> int:
        """How many channels the server allows."""
        return int(self._raw.params.channel_max) or 65_535

    # Driving.

    def _step(self) -> None:
        self._loop.poll()
        self._loop.process_timeouts()

    def linger(self, seconds: float, until: Callable[[], bool] = lambda: False) -> bool:
        """Send, hear and keep alive for some time; return whether ``until`` came true.

        Raises:
            NotConnected: The connection has ended.
        """
        self._check()
        with reaching(self.place):
            self._drive(seconds, lambda: self._end is not None or until())
        self._check()
        return until()

    def _drive(self, seconds: float, until: Callable[[], bool]) -> None:
        late: list[bool] = []
        timer = self._loop.call_later(max(seconds, 0.0), lambda: late.append(True))
        while not late and not until():
            self._step()
        if not late:
            self._loop.remove_timeout(timer)

    def _check(self) -> None:
        if self._is_given_up:
            raise NotConnected(f"{self.place} is not connected")
        if self._end is not None:
            error = fault(self._end, self.place)
            # Whatever else has ended it, a new connection may do, or tells.
            is_final = getattr(self._end, "reply_code", 0) == NOT_IMPLEMENTED
            raise (error if is_final else NotConnected(str(error))) from self._end

    def wait(self, until: Callable[[], bool], size: int = 0) -> None:
        """Wait for answers of the server.

        Args:
            until: Whether they are here.
            size: Bytes that are under way.

        Raises:
            NotNow: The server takes nothing from us now, and answers when it does again.
            NotConnected: They do not come; the connection is given up.
        """
        patience = ANSWER + size / SLOWEST
        if self.linger(patience, until):
            return
        if self.blocked:
            raise NotNow(f"{self.place} takes nothing now: {self.blocked}")
        self.close()
        raise NotConnected(f"{self.place} does not answer within {patience:.0f} s")

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

    def hold_all(self, queue: str) -> list[Arrival]:
        """Take all that is ready; ``give_back`` ends that."""
        count, came = self.count(queue), list[Arrival]()
        if not count:
            return came
        channel = self.channel()
        # Without a limit a quorum queue takes 2000 as one.
        channel.call("basic_qos", prefetch_count=min(count, _PREFETCH))
        with reaching(self.place):
            tags = [
                channel.raw.basic_consume(queue, lambda _, *words: came.append(Arrival(channel, *words)))
                for _ in range(0, count, _PREFETCH)
            ]
        # Somebody else may hold some of them.
        while self.linger(_SILENCE, _more_than(came, min(len(came), count - 1))) and len(came) < count:
            pass
        for tag in tags:
            channel.call("basic_cancel", tag)
        return came

    def give_back(self, queue: str, came: Sequence[Arrival], acked: Container[Arrival] = ()) -> None:
        """Settle what ``hold_all`` took: ack some, and give back all others.

        A server keeps what a channel settles beyond 32 messages or ranges for later, and loses it when that is closed.
        So these are ranges, and now and then they are awaited.
        """
        back = 0
        for number, (is_acked, run) in enumerate(groupby(came, acked.__contains__), 1):
            *_, last = arrivals = list(run)
            with reaching(self.place):
                (last.channel.raw.basic_ack if is_acked else last.channel.raw.basic_nack)(
                    last.method.delivery_tag, multiple=True
                )
            back += 0 if is_acked else len(arrivals)
            if number % _RANGES == 0:
                self._await(queue, back)
        self._await(queue, back)
        for arrival in came[:1]:
            arrival.channel.close()

    def _await(self, queue: str, ready: int) -> None:
        end = time.monotonic() + _SILENCE
        while (self.count(queue) or 0) < ready and time.monotonic() < end:
            self.linger(0.002)

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
        if self._is_given_up:
            return
        self._is_given_up = True
        with suppress(Exception):
            self._raw.close()
            self._drive(0.0 if self.blocked else _LEAVING, lambda: self._end is not None)
        with suppress(Exception):
            if self._end is None:
                # There is no other way to let go of the socket.
                self._raw._terminate_stream(OSError("given up"))
                self._drive(_LEAVING, lambda: self._end is not None)
        with suppress(Exception):
            self._loop.close()


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
