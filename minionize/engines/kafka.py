"""Engine on a Kafka topic: minions are a consumer group, and note beside its offsets what is done."""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any
from weakref import WeakValueDictionary

from minionize.engine import Backlog, DeadLetter, Delivery, Engine, EngineError, Features, LeaseLost, NotConnected
from minionize.kafkaclient.client import ANSWER, Client, properties
from minionize.kafkaclient.graveyard import Grave, Graveyard
from minionize.kafkaclient.member import Member
from minionize.kafkaclient.offsets import committed, offsets
from minionize.kafkaclient.progress import FRESH, LENT, RUNNING, SEEN, Changes, Entry, Mark, Progress, Record
from minionize.kafkaclient.topics import Message, Outbox, create, scan
from minionize.message import FOR, ID, TYPE, Codec, Dead, batches, decoder_setting
from minionize.notice import notice
from minionize.setting import Setting, text
from minionize.task import Param

_RUNS = (RUNNING, LENT)
_BATCH = 8_000_000  # bytes of dead params that are made ready again at a time
_KEPT = {"retention.ms": "-1"}  # a param that waits must not vanish


class KafkaEngine(Engine):
    """Takes params from a topic, as a member of a consumer group."""

    name = "kafka"
    client = "confluent_kafka"
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
        spread=False,
        ack="an offset is committed; what is done beyond it stands in its metadata",
        renewal="heartbeats of the client, in a thread of its own",
        redelivery="the minion that gets the partition, after `session.timeout.ms` (15 s)",
    )
    settings = (
        Setting(
            key="bootstrap",
            env="KAFKA_BOOTSTRAP",
            parse=text,
            default="localhost:9092",
            help="The brokers to ask first, HOST:PORT, separated by commas.",
            metavar="HOST:PORT",
        ),
        Setting(key="topic", env="KAFKA_TOPIC", parse=text, default=None, help="The topic.", mandatory=True),
        Setting(
            key="group",
            env="KAFKA_GROUP",
            parse=text,
            default="minions",
            help="The consumer group: all minions of one group share the params, each group gets them all.",
        ),
        decoder_setting("KAFKA_DECODER"),
        Setting(
            key="config",
            env="KAFKA_CONFIG",
            parse=text,
            default="",
            help="A file with properties of librdkafka, key=value lines: security.protocol, sasl.*, ssl.*, ...",
            metavar="FILE",
        ),
    )

    def __init__(self, **values: Any) -> None:
        """Take the settings; connects to nothing."""
        super().__init__(**values)
        self._codec = Codec(self.config["decoder"])
        self._group = str(self.config["group"])
        self._made: Client | None = None
        self._member: Member | None = None
        self._outbox: Outbox | None = None
        self._looker: Any = None
        self._graves: Graveyard | None = None
        self._by_id: WeakValueDictionary[str, Entry] = WeakValueDictionary()
        self._is_open = self._parked = self._warned = False

    @property
    def queue_name(self) -> str:
        """Brokers, topic and group."""
        return f"{self.config['bootstrap']} {self.config['topic']} {self._group}"

    # Coming and going.

    @property
    def _client(self) -> Client:
        if self._made is None:
            more = properties(str(self.config["config"] or ""))
            bootstrap, topic = str(self.config["bootstrap"]), str(self.config["topic"])
            self._made = Client(bootstrap, topic, self._group, more, self.minion)
        return self._made

    def open(self) -> None:
        """Join the group. After NotConnected we still are its member, if the brokers think so too."""
        if self._is_open:
            return
        with self._reaching("join the group"):
            if self._member:
                self._member.resume()
            member = self._member = self._member or Member(self._client, self._read, partial(notice, "kafka"))
            numbers = self._client.known(member.consumer, lambda: member.listen(0, 0.0))
            if not member.joined:
                member.join(ANSWER)
        self._is_open, self._parked = True, False
        if not self._warned:
            self._warned = True
            notice(
                "kafka",
                "%s: %d at most of the minions of group %s can work at the same time, for so many are its partitions",
                self._client,
                len(numbers),
                self._group,
            )
            try:
                self._client.partitions(member.consumer, lambda: member.listen(0, 0.0), self._graveyard.topic)
            except NotConnected:
                pass  # it will be seen
            except EngineError as error:
                notice("kafka", "%s; until then a param that fails for good stops this minion", error)

    def visit(self) -> None:
        """Connect without joining the group."""
        with self._reaching("look"):
            consumer = self._looker = self._looker or self._client.consumer()
            self._client.known(consumer, lambda: consumer.poll(0))

    def declare(self) -> None:
        """Create the topic, with as many partitions as the brokers think right."""
        create(self._client, self._client.topic, -1, _KEPT)

    def close(self) -> None:
        """Leave the group; others go on with what is not settled.

        After NotConnected the membership is kept, and with it what is held: ``open`` comes back to it, while a stranger
        would have all partitions shared out anew, and who we were would be waited for.
        """
        self._is_open, parked, self._parked = False, self._parked, False
        looker, self._looker = self._looker, None
        if looker is not None:
            looker.close()
        if parked:
            return
        self._outbox = None
        if self._member is not None:
            member, self._member = self._member, None
            member.leave()
        if self._made is not None:
            self._made.close()

    def _connected(self) -> Member:
        if self._member is None or not self._is_open:
            raise NotConnected(f"Kafka topic {self.config['topic']} is not open")
        return self._member

    @contextmanager
    def _reaching(self, what: str) -> Iterator[None]:
        try:
            with self._client.reaching(what):
                yield
        except NotConnected:
            self._parked = True
            raise

    # Receiving.

    def _read(self, message: Any) -> Record | None:
        headers = {key: (value or b"").decode("utf-8", "surrogateescape") for key, value in message.headers() or ()}
        if (headers.get(FOR) or self._group) != self._group:
            return None
        id = headers.get(ID) or f"{message.partition()}-{message.offset()}"
        return Record(id, message.value() or b"", headers.get(TYPE, ""), message.timestamp()[1])

    def receive(self, max_messages: int, timeout: float) -> list[Delivery]:
        """Take up to ``max_messages`` params; 0 keeps the membership alive."""
        member = self._connected()
        with self._reaching("receive"):
            taken = member.take(max_messages, timeout)
            if self._client.down and not taken:
                self._client.check(member.consumer, lambda: member.listen(0, 0.0), patience=1.0)
        return [self._deliver(entry) for entry in taken]

    def _deliver(self, entry: Entry) -> Delivery:
        record, mark = entry.record, entry.mark
        assert record is not None
        param = self._codec.decode(record.body, record.content_type)
        id = record.id
        # Messages that others have given one id are params all the same.
        while (other := self._by_id.get(id)) is not None and other.held and other is not entry:
            id += "~"
        self._by_id[id] = entry
        attempt = 1 + mark.failed + mark.crashed
        seen = attempt > 1 or mark.state != FRESH
        return Delivery(param, id, attempt, seen, None, entry, mark.crashed)

    # Settling.

    def _change(self, what: str, changes: Changes) -> set[Entry]:
        with self._reaching(what):
            return self._connected().change(changes) if changes else set()

    @staticmethod
    def _tell_lost(deliveries: Sequence[Delivery], lost: set[Entry]) -> None:
        if lost:
            raise LeaseLost([each for each in deliveries if each.receipt in lost])

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        """Settle as done."""
        self._tell_lost(deliveries, self._change("ack", dict.fromkeys(each.receipt for each in deliveries)))

    def nack(self, deliveries: Sequence[Delivery], delay: float = 0.0, charge: bool = True) -> None:
        """Give back: this minion delivers it again, or whoever gets the partition."""
        due = time.time() + delay if delay > 0.0 else 0.0
        # Counted from the delivery: the mark may be that of a try whose answer was lost.
        marks = {each.receipt: _given_back(each, charge, due) for each in deliveries}
        lost = self._change("nack", marks)
        self._connected().give_back(marks.keys() - lost)
        self._tell_lost(deliveries, lost)

    def dead_letter(self, deliveries: Sequence[Delivery], reason: str, evidence: Sequence[Mapping[str, Any]]) -> None:
        """Give up: written to the topic of the dead, then done."""
        lost = self._connected().lost(each.receipt for each in deliveries)
        dead = {
            each.receipt: Dead.now(each.id, each.receipt.record.body, each.receipt.record.content_type, reason, proof)
            for each, proof in zip(deliveries, evidence, strict=True)
            if each.receipt not in lost
        }
        with self._reaching("dead-letter"):
            if dead:
                self._graveyard.bury(self._sender(), dead)
        self.ack(deliveries)

    def started(self, deliveries: Sequence[Delivery]) -> None:
        """Write down that runs begin: if we die they have crashed."""
        self._change("begin", {each.receipt: each.receipt.mark._replace(state=RUNNING) for each in deliveries})

    def extend(self, deliveries: Sequence[Delivery]) -> list[Delivery]:
        """Keep the membership; return what went to others."""
        if not deliveries:
            return []
        member = self._connected()
        with self._reaching("keep the membership"):
            member.take(0, 0.0)
        lost = member.lost(each.receipt for each in deliveries)
        return [each for each in deliveries if each.receipt in lost]

    # Looking and caring.

    def _look(self) -> tuple[dict[int, Progress], dict[int, int]]:
        """Return what is done of all partitions, and their ends."""
        if self._looker is None:
            self.visit()
        # What a member asks has to wait while the group is being shared out.
        consumer, member = self._looker, self._member if self._is_open else None
        with self._reaching("look"):
            numbers = self._client.known(consumer, lambda: consumer.poll(0))
            ours = {number: part for number, part in member.parts.items() if number in numbers} if member else {}
            found = committed(consumer, self._client.topic, [number for number in numbers if number not in ours])
            return {**found, **ours}, offsets(consumer, self._client.topic, numbers, latest=True)

    def backlog(self) -> Backlog:
        """Count by offsets: what has been deleted, and marks of transactions, count too."""
        now, parts = time.time(), self._look()
        found, ends = parts
        total = sum(max(0, ends[number] - each.position) + len(each.open) for number, each in found.items())
        entries = [entry for each in found.values() for entry in each.open.values()]
        in_flight = sum(1 for entry in entries if entry.held or entry.mark.state in _RUNS)
        delayed = sum(1 for entry in entries if not entry.held and entry.mark.due > now)
        dead = sum(1 for _ in self._graveyard.graves()) if not self._is_open else None
        return Backlog(total - in_flight, in_flight, dead, exact=False, as_of=now, delayed=delayed)

    def peek(self, limit: int | None = None) -> Iterator[Param]:
        """Yield ready params: all from the first that is not done, but those that are done, held or delayed."""
        if limit == 0:
            return
        found, ends = self._look()
        begins = {number: each.first for number, each in found.items()}
        now = time.time()
        shown = itertools.count(1)
        for message in scan(self._client, self._client.topic, begins, ends):
            record = self._read(message)
            if record is not None and _is_ready(found[message.partition()], message.offset(), now):
                yield self._codec.decode(record.body, record.content_type)
                if next(shown) == limit:
                    return

    # Filling.

    def _sender(self) -> Outbox:
        self._outbox = self._outbox or Outbox(self._client)
        return self._outbox

    @property
    def _graveyard(self) -> Graveyard:
        self._graves = self._graves or Graveyard(self._client)
        return self._graves

    def _everywhere(self) -> Iterator[int]:
        """Yield partitions in turn, beginning with any."""
        producer = self._sender().producer
        numbers = self._client.known(producer, lambda: producer.poll(0))
        first = random.randrange(len(numbers))
        return itertools.cycle([*numbers[first:], *numbers[:first]])

    def put(self, params: Iterable[Param]) -> int:
        """Add params, to each partition in turn."""
        self.declare()
        partitions, topic = self._everywhere(), self._client.topic

        def messages() -> Iterator[Message]:
            for param in params:
                body, content_type = self._codec.encode(param)
                headers = {TYPE: content_type} if content_type else {}
                yield Message(topic, next(partitions), body, headers=headers)

        return self._sender().send(messages(), "put")

    def dead(self) -> Iterator[DeadLetter]:
        """Yield the dead params of this group."""
        with self._reaching("read the dead"):
            for grave in self._graveyard.graves():
                yield grave.dead.letter(self._codec)

    def requeue(self, ids: Iterable[str]) -> int:
        """Make dead params ready again, for this group only."""
        wanted, count = set(ids), 0
        graves = [grave for grave in self._graveyard.graves() if grave.dead.id in wanted]
        # Batch by batch: should the brokers go away, few have been put and are still dead.
        for batch in batches(graves, lambda each: len(each.dead.body), _BATCH):
            self._sender().send(self._again(batch), "requeue")
            self._graveyard.dig(self._sender(), batch)
            count += len(batch)
        return count

    def _again(self, graves: Iterable[Grave]) -> Iterator[Message]:
        partitions = self._everywhere()
        for dead in (grave.dead for grave in graves):
            headers = {ID: dead.id, FOR: self._group, TYPE: dead.content_type}
            yield Message(self._client.topic, next(partitions), dead.body, headers=headers)


def _given_back(delivery: Delivery, charge: bool, due: float) -> Mark:
    crashed = delivery.crashes or 0
    return Mark((delivery.attempt or 1) - 1 - crashed + charge, crashed, SEEN, due)


def _is_ready(progress: Progress, offset: int, now: float) -> bool:
    if offset >= progress.position:
        return True
    entry = progress.open.get(offset)
    return entry is not None and not entry.held and entry.mark.state not in _RUNS and entry.mark.due <= now
