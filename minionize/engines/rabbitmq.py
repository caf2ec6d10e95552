"""Engine on a RabbitMQ queue: any number of minions that reach the server.

Each delivery in flight has a channel of its own, for a server that finds a delivery held for too long closes its
channel with all that it carries. A param is asked for when a slot is free (``basic.get``): with a consumer the server
would send the next one before anybody wants it. What is given back is put anew, with its counts in headers, for the
server counts whatever comes back to it natively; so that count tells crashes, and nothing else.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from minionize.amqp.channel import Arrival
from minionize.amqp.faults import most_bytes
from minionize.amqp.hold import Held, Hold
from minionize.amqp.link import Link
from minionize.amqp.message import Message, fresh
from minionize.amqp.outbox import Outbox
from minionize.amqp.places import Places
from minionize.engine import Backlog, DeadLetter, Delivery, Engine, EngineError, Features, NotConnected
from minionize.errors import NotNow, SettingsError
from minionize.message import Codec, decoder_setting
from minionize.setting import Setting, text
from minionize.task import Param
from minionize.urls import shown

_FIRST_PAUSE, _LAST_PAUSE = 0.01, 0.25
_PEEKED = 100
_LONGEST_NAME = 240
_LOOK_EVERY = 60.0
_CHECK_EVERY = 0.2


def _name(value: Any) -> str:
    name = text(value)
    if len(name.encode()) > _LONGEST_NAME or name.startswith("amq."):
        raise ValueError(f"must be the name of a queue: {_LONGEST_NAME} bytes at most, not beginning with amq.")
    return name


class RabbitmqEngine(Engine):
    """Takes params from a quorum queue, or from any other one that is there."""

    name = "rabbitmq"
    client = "pika"
    features = Features(
        lease="connection",
        attempts=True,
        nack_delay=True,
        dead_letter=True,
        backlog="estimate",
        finite=False,
        shared=True,
        fenced=False,
        ordered=False,
        browse=False,
        ack="the server has received the ack",
        renewal="heartbeats of the connection",
        redelivery="any minion: at once, or after two missed heartbeats when the machine is gone",
    )
    settings = (
        Setting(
            key="url",
            env="RABBITMQ_URL",
            parse=text,
            default="amqp://localhost:5672/",
            help="The server: amqp://USER:PASSWORD@HOST:PORT/VHOST, or amqps://...",
            metavar="URL",
            secret=True,
        ),
        Setting(
            key="queue",
            env="RABBITMQ_QUEUE",
            parse=_name,
            default=None,
            help="The queue.",
            metavar="NAME",
            mandatory=True,
        ),
        Setting(
            key="dead_queue",
            env="RABBITMQ_DEAD_QUEUE",
            parse=_name,
            default="",
            help="The queue of dead params; by default the queue's name and .dead.",
            metavar="NAME",
        ),
        decoder_setting("RABBITMQ_DECODER"),
    )

    def __init__(self, **values: Any) -> None:
        """Take the settings; connects to nothing."""
        super().__init__(**values)
        self._url, self._place = str(self.config["url"]), shown(str(self.config["url"]))
        self._queue = str(self.config["queue"])
        self._dead = str(self.config["dead_queue"] or f"{self._queue}.dead")
        if self._dead == self._queue:
            raise SettingsError("engine rabbitmq: RABBITMQ_DEAD_QUEUE must be named unlike RABBITMQ_QUEUE")
        self._codec = Codec(str(self.config["decoder"]))
        self._places = Places(self._queue, self._dead)
        self._link: Link | None = None
        self._mailer: Outbox | None = None
        self._hold = Hold()
        self._pause = _FIRST_PAUSE
        self._looked = self._checked = 0.0
        self._largest = math.inf  # bytes that the server takes as one message; it tells when it refuses one

    @property
    def queue_name(self) -> str:
        """Server, virtual host and queue."""
        return f"{self._place.rstrip('/')}/{self._queue}"

    # Coming and going.

    def open(self) -> None:
        """Connect, and make the queue if it is missing."""
        self._connect()
        with self._closing_on_errors():
            self._places.open(self._connected())
            self._regain(self._connected())

    def visit(self) -> None:
        """Connect; makes nothing."""
        self._connect()
        with self._closing_on_errors():
            self._ready()

    def declare(self) -> None:
        """Make the queue and that of the dead."""
        with self._brief_link() as link:
            self._places.declare(link)

    def _connect(self) -> None:
        self.close()
        self._link = Link(self._url, self._place)
        self._pause, self._looked = _FIRST_PAUSE, 0.0

    @contextmanager
    def _closing_on_errors(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Disconnect; the server gives what is held to others, or to us again."""
        mailer, self._mailer = self._mailer, None
        link, self._link = self._link, None
        if mailer is not None:
            mailer.link.close()
        if link is not None:
            link.close()
        self._hold.disconnect()

    def _connected(self) -> Link:
        if self._link is None or not self._link.is_open:
            raise NotConnected(f"{self._place} is not connected")
        return self._link

    def _outbox(self) -> Outbox:
        self._connected()
        if self._mailer is None or not self._mailer.is_open:
            if self._mailer is not None:
                self._mailer.link.close()
            self._mailer = Outbox(Link(self._url, self._place))
        return self._mailer

    @contextmanager
    def _brief_link(self) -> Iterator[Link]:
        link = Link(self._url, self._place, heartbeats=False)
        try:
            yield link
        finally:
            link.close()

    # Receiving.

    def receive(self, max_messages: int, timeout: float) -> list[Delivery]:
        """Take up to ``max_messages`` params; without any, look again at growing intervals."""
        link, end = self._connected(), time.monotonic() + timeout
        if self._mailer is not None and self._mailer.link.is_open:
            with suppress(NotConnected):
                self._mailer.flush()
        if time.monotonic() >= self._checked + _CHECK_EVERY:
            self._regain(link)
        if max_messages <= 0:
            link.linger(timeout)
            return []
        while True:
            taken = self._take(link, max_messages)
            left = end - time.monotonic()
            if taken or left <= 0.0:
                self._pause = _FIRST_PAUSE if taken else self._pause
                return taken
            link.linger(min(left, self._pause))
            self._pause = min(2 * self._pause, _LAST_PAUSE)

    def _regain(self, link: Link) -> None:
        """Take again what the server has taken back while it runs here: it is the first in the queue, for a moment."""
        self._checked = time.monotonic()
        if missing := self._hold.missing():
            self._put_back(self._take(link, missing))

    def _put_back(self, taken: Sequence[Delivery]) -> None:
        """Put anew what was never handed on."""
        try:
            self.nack(taken, charge=False)
        except BaseException as error:
            for held in _unsettled(taken):
                self._hold.forget(held)
            if isinstance(error, NotNow):
                # Only a new connection makes the server give back what nobody knows of.
                raise NotConnected(str(error)) from error
            raise

    def _ready(self) -> int:
        count = self._connected().count(self._queue)
        if count is None:
            raise EngineError(
                f"{self._place} has no queue {self._queue}: minion-queue fill makes it, and so does a minion"
            )
        return count

    def _take(self, link: Link, most: int) -> list[Delivery]:
        return [
            Delivery(
                param=self._codec.decode(held.message.body, held.message.content_type),
                id=held.id,
                attempt=held.message.attempts + 1,
                redelivered=held.message.redelivered,
                receipt=held,
                crashes=held.message.crashes,
            )
            for held in self._hold.take(link, self._queue, most)
        ]

    # Settling.

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        """Settle as done."""
        self._hold.finish(self._connected(), _unsettled(deliveries))

    def nack(self, deliveries: Sequence[Delivery], delay: float = 0.0, charge: bool = True) -> None:
        """Put anew, with the counts in headers; what was lost the server has given back already."""
        link, receipts = self._connected(), _unsettled(deliveries)
        back = [held for held in receipts if held.is_ours or held.anew]
        if back:
            queue = self._places.delayed(link, delay) if delay > 0 else self._queue
            self._replace(
                queue, {held: (held.message.body, held.message.put_back(held.id, charge, delay)) for held in back}
            )
        for held in receipts:
            if not held.settled:
                self._hold.forget(held)

    def dead_letter(self, deliveries: Sequence[Delivery], reason: str, evidence: Sequence[Mapping[str, Any]]) -> None:
        """Give up: the queue of the dead has confirmed it before the queue is told."""
        proof = {d.id: e for d, e in zip(deliveries, evidence, strict=True)}
        receipts = _unsettled(deliveries)

        def bury() -> None:
            self._replace(
                self._dead,
                {held: held.message.buried(held.id, reason, proof[held.id], self._largest) for held in receipts},
            )

        try:
            bury()
        except EngineError as error:
            largest = most_bytes(error)
            if largest is None or largest >= self._largest:
                raise
            self._largest = largest
            bury()

    def _replace(self, queue: str, messages: Mapping[Held, tuple[bytes, Any]]) -> None:
        """Put messages in place of what is held, which is then acked; what is there already is not put again."""
        link = self._connected()
        missing = [held for held in messages if not held.anew]
        if missing:
            outbox = self._outbox()
            for held in missing:
                # A server that took nothing for a while must not get it twice.
                if held.sent is not outbox:
                    outbox.publish(queue, *messages[held], held)
            outbox.confirm()
        self._hold.finish(link, list(messages))

    # Looking and caring.

    def backlog(self) -> Backlog:
        """Count what waits; how much is in flight the server does not tell minions."""
        link, now = self._connected(), time.monotonic()
        ready = self._ready()
        anew = not self._looked or now - self._looked > _LOOK_EVERY
        delayed = sum(link.count(queue) or 0 for queue in self._places.delays(link, anew))
        self._looked = now if anew else self._looked
        dead = link.count(self._dead) or 0
        return Backlog(ready + delayed, None, dead, exact=False, as_of=time.time(), delayed=delayed)

    def put(self, params: Iterable[Param]) -> int:
        """Put params as they come; the server has confirmed what is counted."""
        with self._brief_link() as link:
            self._places.declare(link)
            outbox = Outbox(link)
            try:
                outbox.knock()
                for param in params:
                    body, content_type = self._codec.encode(param)
                    outbox.publish(self._queue, body, fresh(content_type))
                    outbox.flush()
                outbox.confirm()
            except EngineError as error:
                if not isinstance(error, NotNow):
                    with suppress(EngineError):
                        outbox.confirm()
                raise type(error)(f"{error}; {outbox.put} were put") from error
        return outbox.put

    def peek(self, limit: int | None = None) -> Iterator[Param]:
        """Take ready params, a few at a time, and put them anew uncharged: they go to the end of the queue."""
        link, left = self._connected(), self._ready()
        left = left if limit is None else min(left, limit)
        while left > 0 and (taken := self._take(link, min(left, _PEEKED))):
            left -= len(taken)
            self._put_back(taken)
            yield from [delivery.param for delivery in taken]

    def dead(self) -> Iterator[DeadLetter]:
        """Yield the dead params: all are taken for a moment, and given back."""
        link = self._connected()
        came = link.hold_all(self._dead)
        link.give_back(self._dead, came)
        for arrival in came:
            yield Message(arrival).letter(self._codec)

    def requeue(self, ids: Iterable[str]) -> int:
        """Make dead params ready again; each is put before it leaves the dead."""
        wanted, found = Counter(ids), dict[Arrival, Held]()
        if not wanted:
            return 0
        link, outbox = self._connected(), self._outbox()
        came = link.hold_all(self._dead)
        try:
            for arrival in came:
                message = Message(arrival)
                id, body, properties = message.revived()
                if wanted[id] > 0:
                    wanted[id] -= 1
                    found[arrival] = Held(message, id, arrival.channel, arrival.method.delivery_tag)
                    outbox.publish(self._queue, body, properties, found[arrival])
            outbox.confirm()
        except BaseException:
            put = {arrival for arrival, held in found.items() if held.anew}
            with suppress(EngineError):
                link.give_back(self._dead, came, acked=put)
            raise
        link.give_back(self._dead, came, acked=found)
        return len(found)

    def purge(self) -> int:
        """Throw away what is ready, delayed or not."""
        link = self._connected()
        self._ready()
        return sum(link.purge(queue) for queue in (self._queue, *self._places.delays(link, anew=True)))


def _unsettled(deliveries: Sequence[Delivery]) -> list[Held]:
    return [delivery.receipt for delivery in deliveries if not delivery.receipt.settled]
