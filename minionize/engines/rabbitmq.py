"""Engine on a RabbitMQ queue: any number of minions that reach the server.

Each delivery in flight has a channel of its own, for a server that finds a delivery held for too long closes its
channel with all that it carries. A param is asked for when a slot is free (``basic.get``): with a consumer the server
would send the next one before anybody wants it. What is given back is put anew, with its counts in headers, for the
server counts whatever comes back to it natively; so that count tells crashes, and nothing else.
"""

from __future__ import annotations

import time
from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from minionize.amqp.link import Arrival, Channel, Link
from minionize.amqp.message import Message, fresh
from minionize.amqp.outbox import Outbox
from minionize.amqp.places import Places
from minionize.engine import Backlog, DeadLetter, Delivery, Engine, EngineError, Features, NotConnected
from minionize.message import Codec, Dead, decoder_setting
from minionize.setting import Setting, text
from minionize.task import Param
from minionize.urls import shown

_CHANNELS = 1000
_REMEMBERED = 10_000
_FIRST_PAUSE, _LAST_PAUSE = 0.01, 0.25
_PEEKED = 100
_LOOK_EVERY = 60.0


class _Held:
    """A delivery in our hands: the receipt.

    Attributes:
        message: What was delivered.
        id: Id of its param.
        channel: What it came by.
        tag: Its number there.
        settled: Whether we were told what becomes of it.
    """

    __slots__ = ("channel", "id", "message", "settled", "tag")

    def __init__(self, message: Message, id: str, channel: Channel, tag: int) -> None:
        self.message, self.id, self.channel, self.tag = message, id, channel, tag
        self.settled = False


class RabbitmqEngine(Engine):
    """Takes params from a quorum queue, or from any other one that is there."""

    name = "rabbitmq"
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
            parse=text,
            default=None,
            help="The queue.",
            metavar="NAME",
            mandatory=True,
        ),
        Setting(
            key="dead_queue",
            env="RABBITMQ_DEAD_QUEUE",
            parse=text,
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
        self._codec = Codec(str(self.config["decoder"]))
        self._places = Places(self._queue, self._dead)
        self._link: Link | None = None
        self._mailer: Outbox | None = None
        self._channels: list[Channel] = []
        self._held: dict[str, _Held] = {}
        self._done: OrderedDict[str, None] = OrderedDict()
        self._pause = _FIRST_PAUSE
        self._looked = 0.0

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
        self._channels.clear()

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
        if max_messages <= 0:
            link.linger(timeout)
            return []
        while True:
            link.linger(0.0)
            taken = self._take(link, max_messages)
            left = end - time.monotonic()
            if taken or left <= 0.0:
                self._pause = _FIRST_PAUSE if taken else self._pause
                return taken
            link.linger(min(left, self._pause))
            self._pause = min(2 * self._pause, _LAST_PAUSE)

    def _ready(self) -> int:
        count = self._connected().count(self._queue)
        if count is None:
            raise EngineError(
                f"{self._place} has no queue {self._queue}: minion-queue fill makes it, and so does a minion"
            )
        return count

    def _take(self, link: Link, most: int) -> list[Delivery]:
        """Take what is ready now."""
        ready = link.count(self._queue)
        if ready is None:
            raise NotConnected(f"{self._place}: queue {self._queue} is gone")
        taken: list[Delivery] = []
        while (wanted := min(most, ready) - len(taken)) > 0:
            channels = self._free(link, wanted)
            came = link.get(self._queue, channels)
            taken += [delivery for delivery in map(self._admit, came) if delivery is not None]
            if len(came) < len(channels):
                break
        return taken

    def _free(self, link: Link, count: int) -> list[Channel]:
        """Find channels that carry nothing; when there are no more to be had, those that carry least."""
        self._channels = [channel for channel in self._channels if channel.is_open]
        free = [channel for channel in self._channels if not channel.held][:count]
        missing = min(count - len(free), _CHANNELS - len(self._channels))
        if missing > 0:
            opened = link.channels(missing)
            self._channels += opened
            free += opened
        return free or sorted(self._channels, key=lambda channel: channel.held)[:count]

    def _admit(self, arrival: Arrival) -> Delivery | None:
        """Make a delivery; None of what we still hold, or have been told to ack, before the connection was lost."""
        message = Message(arrival.method, arrival.properties, arrival.body)
        channel, tag, id = arrival.channel, arrival.method.delivery_tag, message.id
        if message.again and message.copy in self._done:
            if not message.ours:
                del self._done[message.copy]
            channel.ack(tag)
            return None
        held = self._held.get(id)
        channel.held += 1
        if held is not None and message.again and not held.channel.is_open and held.message.copy == message.copy:
            held.channel, held.tag = channel, tag
            return None
        while id in self._held:
            # Of another producer: messages that do not differ are params all the same.
            id += "~"
        receipt = self._held[id] = _Held(message, id, channel, tag)
        return Delivery(
            param=self._codec.decode(message.body, message.content_type),
            id=id,
            attempt=message.attempts + 1,
            redelivered=message.redelivered,
            receipt=receipt,
            crashes=message.crashes,
        )

    # Settling.

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        """Settle as done; what the server gives us again is acked when it comes."""
        link = self._connected()
        self._finish(link, self._unsettled(deliveries))

    @staticmethod
    def _unsettled(deliveries: Sequence[Delivery]) -> list[_Held]:
        return [delivery.receipt for delivery in deliveries if not delivery.receipt.settled]

    def _finish(self, link: Link, receipts: Sequence[_Held]) -> None:
        """Let messages go: they are done, or have been put elsewhere."""
        for held in receipts:
            is_open = held.channel.is_open
            # A message of others may have a twin: it is remembered only where it must come again.
            if held.message.ours or not is_open:
                self._remember(held.message.copy)
            self._forget(held)
            if is_open:
                held.channel.ack(held.tag)
        if receipts:
            link.sync()

    def _remember(self, copy: str) -> None:
        self._done[copy] = None
        while len(self._done) > _REMEMBERED:
            self._done.popitem(last=False)

    def _forget(self, held: _Held) -> None:
        held.settled = True
        held.channel.held -= 1
        self._held.pop(held.id, None)

    def nack(self, deliveries: Sequence[Delivery], delay: float = 0.0, charge: bool = True) -> None:
        """Put anew, with the counts in headers; what was lost the server has given back already."""
        link, receipts = self._connected(), self._unsettled(deliveries)
        back = [held for held in receipts if held.channel.is_open]
        if back:
            outbox = self._outbox()
            queue = self._places.delayed(link, delay) if delay > 0 else self._queue
            for held in back:
                outbox.publish(queue, held.message.body, held.message.put_back(held.id, charge, delay))
            outbox.confirm()
            self._finish(link, back)
        for held in receipts:
            if not held.settled:
                self._forget(held)

    def dead_letter(self, deliveries: Sequence[Delivery], reason: str, evidence: Sequence[Mapping[str, Any]]) -> None:
        """Give up: the queue of the dead has confirmed it before the queue is told."""
        link, proof = self._connected(), {d.id: e for d, e in zip(deliveries, evidence, strict=True)}
        receipts = self._unsettled(deliveries)
        if receipts:
            outbox = self._outbox()
            for held in receipts:
                message = held.message
                dead = Dead.now(held.id, message.body, message.content_type, reason, proof[held.id])
                outbox.publish(self._dead, dead.encode(), message.of_the_dead(held.id))
            outbox.confirm()
            self._finish(link, receipts)

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
                for param in params:
                    body, content_type = self._codec.encode(param)
                    outbox.publish(self._queue, body, fresh(content_type))
                    outbox.flush()
                outbox.confirm()
            except EngineError as error:
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
            self.nack(taken, charge=False)
            yield from [delivery.param for delivery in taken]

    def dead(self) -> Iterator[DeadLetter]:
        """Yield the dead params: all are taken for a moment, and given back."""
        link = self._connected()
        channel, came = link.hold_all(self._dead)
        link.give_back(self._dead, channel, len(came))
        for arrival in came:
            yield Message(*arrival[1:]).letter(self._codec)

    def requeue(self, ids: Iterable[str]) -> int:
        """Make dead params ready again; each is put before it leaves the dead."""
        wanted, found = Counter(ids), []
        if not wanted:
            return 0
        link = self._connected()
        channel, came = link.hold_all(self._dead)
        for arrival in came:
            id, body, properties = Message(*arrival[1:]).revived()
            if wanted[id] > 0:
                wanted[id] -= 1
                found.append(arrival.method.delivery_tag)
                self._outbox().publish(self._queue, body, properties)
        if found:
            self._outbox().confirm()
        for tag in found:
            channel.ack(tag)
        link.give_back(self._dead, channel, len(came) - len(found))
        return len(found)

    def purge(self) -> int:
        """Throw away what is ready, delayed or not."""
        link = self._connected()
        self._ready()
        return sum(link.purge(queue) for queue in (self._queue, *self._places.delays(link, anew=True)))
