"""Engine on a subscription of a Pulsar topic: any number of minions that reach the server.

A message is asked for when a slot is free: the client library's own queue would keep messages from other minions. The
server counts neither attempts nor crashes as we do, so what is to come again counted, or later, is put anew, with the
counts in its properties; then the old message is acked.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from typing import Any
from uuid import uuid4

from minionize.engine import Backlog, DeadLetter, Delivery, Engine, EngineError, Features, Holder, NotConnected
from minionize.message import ID, TYPE, Codec, batches, decoder_setting
from minionize.notice import notice
from minionize.pulsarclient.admin import Admin, full_name
from minionize.pulsarclient.hold import Held, Hold
from minionize.pulsarclient.inbox import Arrival, Inbox, Line
from minionize.pulsarclient.link import Access, Link, brief_link
from minionize.pulsarclient.message import Message
from minionize.pulsarclient.outbox import Outbox
from minionize.setting import Setting, text
from minionize.task import Param

_BLINK = 2.0
"""Seconds for which a settlement waits for the client library to reconnect."""

_PEEKED = 1000
_FIRST, _QUIET = 2.0, 0.5
"""Seconds for which a look waits for its first message, then for each more: nobody tells whether there is one."""

_BATCH = 8_000_000
"""Bytes of dead params that are made ready again at a time."""

_MOST_PEEKED = 190_000
"""A server lets the minions of a subscription hold 200,000 messages at a time."""


def _url(value: Any) -> str:
    url = text(value)
    if not url.startswith(("pulsar://", "pulsar+ssl://")) or "@" in url:
        raise ValueError("must be pulsar://HOST:PORT or pulsar+ssl://HOST:PORT")
    return url


def _topic(value: Any) -> str:
    topic = text(value)
    if "://" in topic and not topic.startswith("persistent://"):
        raise ValueError("must be NAME or persistent://TENANT/NAMESPACE/NAME: other topics keep nothing")
    return topic


def _subscription(value: Any) -> str:
    subscription = text(value)
    if "/" in subscription:
        raise ValueError("must be a name without /: the topic of the dead is named after it")
    return subscription


def _admin(value: Any) -> str:
    url = text(value)
    if url and not url.startswith(("http://", "https://")):
        raise ValueError("must be http://HOST:PORT or https://HOST:PORT")
    return url


class PulsarEngine(Engine):
    """Takes params from a shared subscription."""

    name = "pulsar"
    client = "pulsar"
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
        crashes=False,
        browse=False,
        ack="the ack is on its way; it is sent within 0.1 s",
        renewal="heartbeats of the connection",
        redelivery="any minion: at once, or after a minute when the machine is gone",
    )
    settings = (
        Setting(
            key="connection",
            env="PULSAR_CONNECTION",
            parse=_url,
            default="pulsar://localhost:6650",
            help="The server: pulsar://HOST:PORT, or pulsar+ssl://...",
            metavar="URL",
        ),
        Setting(
            key="topic",
            env="PULSAR_TOPIC",
            parse=_topic,
            default=None,
            help="The topic: NAME, or persistent://TENANT/NAMESPACE/NAME.",
            metavar="NAME",
            mandatory=True,
        ),
        Setting(
            key="subscription",
            env="PULSAR_SUBSCRIPTION",
            parse=_subscription,
            default="minions",
            help="The subscription that the minions share.",
            metavar="NAME",
        ),
        decoder_setting("PULSAR_DECODER"),
        Setting(
            key="admin",
            env="PULSAR_ADMIN",
            parse=_admin,
            default="",
            help="Its REST interface, for the backlog: http://HOST:8080; without it the backlog is not known.",
            metavar="URL",
        ),
        Setting(
            key="token",
            env="PULSAR_TOKEN",
            parse=text,
            default="",
            help="A token, or file:PATH of one, where the server wants one.",
            metavar="TOKEN",
            secret=True,
        ),
        Setting(
            key="ca",
            env="PULSAR_CA",
            parse=text,
            default="",
            help="PEM file of the CA that has signed the server's certificate, where it is none of the known ones.",
            metavar="PATH",
        ),
    )

    def __init__(self, **values: Any) -> None:
        """Take the settings; connects to nothing."""
        super().__init__(**values)
        config = {key: str(value) for key, value in self.config.items()}
        self._topic, self._subscription = config["topic"], config["subscription"]
        self._dead = f"{self._topic}-{self._subscription}-DLQ"
        self._codec = Codec(config["decoder"])
        self._access = Access(config["connection"], config["token"], config["ca"])
        self._admin = Admin(config["admin"], self._access)
        self._link: Link | None = None
        self._inbox: Inbox | None = None
        self._outbox: Outbox | None = None
        self._hold = Hold(self._subscription)

    @property
    def queue_name(self) -> str:
        """Server, topic and subscription."""
        return f"{self._access.place} {full_name(self._topic).partition('://')[2]} {self._subscription}"

    # Coming and going.

    def open(self) -> None:
        """Connect and subscribe, making the subscription if it is missing."""
        self.visit()
        try:
            link = self._connected()
            if self._admin.knows_subscription(self._topic, self._subscription) is False:
                notice(
                    "pulsar",
                    "made subscription %s of topic %s: it begins with the oldest message that the topic has kept",
                    self._subscription,
                    self._topic,
                )
            self._inbox = Inbox(link, link.partitions(self._topic), self._subscription, self.minion)
            link.declare(self._dead, self._subscription)
            self._inbox.recall(len(self._hold))
        except BaseException:
            self.close()
            raise

    def visit(self) -> None:
        """Connect, and see whether the topic can be had."""
        self.close()
        self._link = Link(self._access)
        try:
            self._link.partitions(self._topic)
        except BaseException:
            self.close()
            raise

    def declare(self) -> None:
        """Make the subscription, and that of the dead."""
        with brief_link(self._access) as link:
            self._declare(link)

    def _declare(self, link: Link) -> None:
        link.declare(self._topic, self._subscription)
        link.declare(self._dead, self._subscription)

    def close(self) -> None:
        """Disconnect; the server gives what is held to others, or to us again."""
        inbox, self._inbox = self._inbox, None
        link, self._link = self._link, None
        self._outbox = None
        if inbox is not None:
            inbox.close()
        if link is not None:
            link.close()

    def _connected(self) -> Link:
        if self._link is None:
            raise NotConnected(f"{self._access.place} is not connected")
        return self._link

    def _reached(self, patience: float = 0.0) -> Inbox:
        """Return what receives, connected; only for a while the client library may be reconnecting."""
        if self._inbox is None:
            raise NotConnected(f"{self._access.place} is not connected")
        if self._inbox.has_returned(patience):
            self._inbox.recall(len(self._hold))
        return self._inbox

    def _mailer(self) -> Outbox:
        self._outbox = self._outbox or Outbox(self._connected())
        return self._outbox

    # Receiving.

    def receive(self, max_messages: int, timeout: float) -> list[Delivery]:
        """Take up to ``max_messages`` params."""
        inbox, end = self._reached(), time.monotonic() + timeout
        if max_messages <= 0:
            inbox.unshift([(line, came) for line, came in inbox.shift(_PEEKED) if not self._hold.knows(line, came)])
            time.sleep(max(0.0, timeout))
            return []
        while True:
            came = inbox.take(max_messages, max(0.0, end - time.monotonic()))
            taken = self._admit_all(came)
            if taken or time.monotonic() >= end:
                return taken

    def _admit_all(self, came: Sequence[Arrival]) -> list[Delivery]:
        taken: list[Delivery] = []
        try:
            for line, message in came:
                taken += self._admit(line, message)
        except BaseException:
            # Nobody hears of these: when they come again they must not seem to run here.
            for each in taken:
                self._hold.forget(each.receipt)
            raise
        return taken

    def _admit(self, line: Line, message: Message) -> Iterator[Delivery]:
        if self._hold.knows(line, message):
            return
        if message.batch > 1:
            self._break_up(line, message)
            return
        receipt = self._hold.admit(line, message)
        yield Delivery(
            param=self._codec.decode(message.body, message.content_type),
            id=message.id,
            attempt=message.attempts + 1,
            redelivered=message.redelivered,
            receipt=receipt,
        )

    def _break_up(self, line: Line, first: Message) -> None:
        """Put the messages of a batch anew, one by one: the server would hand them out only together."""
        outbox = self._mailer()
        for each in self._connected().batch(line.topic, first):
            if each.is_for(self._subscription):
                outbox.publish(self._topic, each.body, each.put_back(self._subscription, None), like=each)
        outbox.confirm()
        self._hold.drop(line, first)

    # Settling.

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        """Settle as done."""
        self._hold.finish(self._reached(_BLINK), _unsettled(deliveries))

    def nack(self, deliveries: Sequence[Delivery], delay: float = 0.0, charge: bool = True) -> None:
        """Give back; put anew what is to be counted or to come later."""
        inbox, receipts = self._reached(_BLINK), _unsettled(deliveries)
        if not charge and delay <= 0:
            self._hold.give_back(inbox, receipts)
            return
        outbox = self._mailer()
        for held in _missing(receipts):
            message = held.message
            properties = message.put_back(self._subscription, message.attempts + charge)
            outbox.publish(self._topic, message.body, properties, delay, message, held)
        outbox.confirm()
        self._hold.finish(inbox, receipts)

    def dead_letter(self, deliveries: Sequence[Delivery], reason: str, evidence: Sequence[Mapping[str, Any]]) -> None:
        """Give up: the dead-letter topic has confirmed it before the topic is told."""
        inbox, outbox = self._reached(_BLINK), self._mailer()
        proof = {delivery.id: each for delivery, each in zip(deliveries, evidence, strict=True)}
        receipts = _unsettled(deliveries)
        for held in _missing(receipts):
            body, properties = held.message.buried(reason, proof[held.message.id])
            outbox.publish(self._dead, body, properties, like=held.message, held=held)
        outbox.confirm()
        self._hold.finish(inbox, receipts)

    # Looking and caring.

    def backlog(self) -> Backlog | None:
        """Ask the REST interface, where it is known."""
        return self._admin.backlog(self._topic, self._subscription, self._dead)

    def holders(self) -> list[Holder] | None:
        """Ask the REST interface, where it is known."""
        return self._admin.holders(self._topic, self._subscription)

    def put(self, params: Iterable[Param]) -> int:
        """Put params as they come; the server has confirmed what is counted."""
        with brief_link(self._access) as link:
            self._declare(link)
            outbox = Outbox(link)
            try:
                for param in params:
                    body, content_type = self._codec.encode(param)
                    told = {TYPE: content_type} if content_type else {}
                    outbox.publish(self._topic, body, {ID: uuid4().hex, **told})
                outbox.confirm()
            except EngineError as error:
                with suppress(EngineError):
                    outbox.confirm()
                raise type(error)(f"{error}; {outbox.put} were put") from error
        return outbox.put

    def peek(self, limit: int | None = None) -> Iterator[Param]:
        """Yield ready params: as another consumer, which leaves at the end, so that they go to others."""
        link, shown = self._connected(), 0
        with closing(Inbox(link, link.partitions(self._topic), self._subscription, "")) as inbox:
            while limit is None or shown < limit:
                most = _PEEKED if limit is None else min(_PEEKED, limit - shown)
                came = inbox.take(most, _QUIET if shown else _FIRST)
                for line, message in came:
                    for each in link.batch(line.topic, message) if message.batch > 1 else (message,):
                        if each.is_for(self._subscription) and (limit is None or shown < limit):
                            shown += 1
                            yield self._codec.decode(each.body, each.content_type)
                if not came:
                    break
        if shown >= _MOST_PEEKED:
            raise EngineError(f"{self.queue_name}: the server shows no more than 200,000 params at a time")

    def dead(self) -> Iterator[DeadLetter]:
        """Yield the dead params."""
        link = self._connected()
        with closing(link.lone_consumer(self._dead, self._subscription)) as consumer:
            for message in link.all(consumer, self._dead):
                yield message.letter(self._codec)

    def requeue(self, ids: Iterable[str]) -> int:
        """Make dead params ready again; each is put before it leaves the dead."""
        wanted, count = Counter(ids), 0
        if not wanted:
            return 0
        link = self._connected()
        with closing(link.lone_consumer(self._dead, self._subscription)) as consumer:
            # Batch by batch: should the connection be lost, few have been put and are still dead.
            for batch in batches(link.all(consumer, self._dead), lambda each: len(each.body), _BATCH):
                count += self._revive(consumer, batch, wanted)
        return count

    def _revive(self, consumer: Any, batch: Sequence[Message], wanted: Counter[str]) -> int:
        """Make those ready again that are wanted, each of which is then wanted once less; return how many."""
        outbox, found = self._mailer(), []
        for message in batch:
            id, body, properties = message.revived(self._subscription)
            if wanted[id] > 0:
                wanted[id] -= 1
                found.append(message.raw)
                outbox.publish(self._topic, body, properties, like=message)
        outbox.confirm()
        for raw in found:
            consumer.acknowledge(raw)
        return len(found)


def _unsettled(deliveries: Sequence[Delivery]) -> list[Held]:
    return [delivery.receipt for delivery in deliveries if not delivery.receipt.settled]


def _missing(receipts: Sequence[Held]) -> list[Held]:
    """Return those in place of which nothing has been put yet, as far as we know."""
    return [held for held in receipts if not held.anew]
