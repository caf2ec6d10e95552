"""Engine on a Redis stream: minions are consumers of one group."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from typing import Any, NamedTuple

from minionize.engine import Backlog, DeadLetter, Delivery, Engine, Features, Holder
from minionize.errors import EngineError, LeaseLost, NotConnected
from minionize.host import new_minion_id
from minionize.message import Codec, Dead, batches, decoder_setting
from minionize.notice import notice
from minionize.redisstream.client import redis_url
from minionize.redisstream.entries import body_of, document_of, fields_of, id_of, is_for, mapping_of, param_of
from minionize.redisstream.errors import NoGroup
from minionize.redisstream.scripts import GONE, LOST, NOBODY
from minionize.redisstream.server import Server
from minionize.setting import Setting, lease, text
from minionize.task import Param

_ENOUGH = 4_000_000  # bytes that are put in one round trip
_MANY = 500  # deliveries that one script settles: the server does nothing else meanwhile
_FEW = 100  # entries that a script has to read whole, only to throw them away
_BLOCK = 0.5  # seconds that the server may let us wait


class _Receipt(NamedTuple):
    """Which delivery it is: the entry, how often it was delivered; its param's id, and what the entry holds."""

    entry: str
    times: int
    id: str
    fields: Mapping[bytes, bytes]


class RedisEngine(Engine):
    """Takes params from a stream. Whoever holds one renews its lease; who does not loses it to another."""

    name = "redis"
    client = "redis"
    features = Features(
        lease="deadline",
        attempts=True,
        nack_delay=True,
        dead_letter=True,
        backlog="exact",
        finite=False,
        shared=True,
        fenced=True,
        ordered=True,
        ack="acknowledged, and deleted from the stream",
        renewal="a script that claims it anew, if it is still ours",
        redelivery="any minion, when the lease has run out",
    )
    settings = (
        Setting(
            key="url",
            env="REDIS_URL",
            parse=redis_url,
            default="redis://localhost:6379/0",
            help="The server: redis://, rediss://, unix://, redis+cluster:// or redis+sentinel://HOST,HOST/NAME/DB.",
            metavar="URL",
            secret=True,
        ),
        Setting(
            key="stream",
            env="REDIS_STREAM",
            parse=text,
            default=None,
            help="Key of the stream that holds the params.",
            metavar="KEY",
            mandatory=True,
        ),
        Setting(
            key="group",
            env="REDIS_GROUP",
            parse=text,
            default="minions",
            help="Consumer group. Each group of a stream gets all its params.",
            metavar="NAME",
        ),
        Setting(
            key="lease",
            env="REDIS_LEASE",
            parse=lease,
            default=60.0,
            help="After so long without a sign of life a minion loses its params.",
            metavar="SECONDS",
            schema="number",
        ),
        decoder_setting("REDIS_DECODER"),
    )

    def __init__(self, **values: Any) -> None:
        """Take the settings; connects to nothing."""
        super().__init__(**values)
        self._stream, self._group = str(self.config["stream"]), str(self.config["group"])
        self._server = Server(str(self.config["url"]), self._stream, self._group)
        self._lease = float(self.config["lease"])
        self._milliseconds = max(1, round(self._lease * 1000))
        self._codec = Codec(str(self.config["decoder"]))
        self._is_open = False
        self._held: dict[str, _Receipt] = {}  # by their entries
        self._unsure: set[tuple[str, int]] = set()  # what was to be settled when the answer was lost
        self._tended, self._tend_from = 0.0, "-"

    @property
    def queue_name(self) -> str:
        """The stream on its server."""
        return f"{self._server.place.rstrip('/')}/{self._stream}"

    # Coming and going.

    def open(self) -> None:
        """Connect; make stream and group where they are not there, and say so."""
        self._server.consumer = self._server.consumer or self.minion or new_minion_id()
        run = self._server.visit()
        if self._server.call("declare"):
            self._warn("made group %s of stream %s at %s, which was not there")
        self._server.call("enter", self._milliseconds, run, *self._held)
        self._is_open, self._tended = True, -math.inf

    def visit(self) -> None:
        """Connect; make nothing."""
        self._server.visit()

    def declare(self) -> None:
        """Create the stream and its group, which begins with the first entry."""
        self._server.call("declare")

    def close(self) -> None:
        """Leave the group if nothing is held; what is held stays so until its lease runs out."""
        if self._is_open and self._server.is_connected:
            with suppress(EngineError):
                self._server.call("leave")
        self._is_open = False
        self._server.hang_up()

    def _connected(self) -> Server:
        if not self._is_open:
            raise NotConnected(f"stream {self._stream} at {self._server.place} is not open")
        return self._server

    def _call(self, name: str, *words: Any) -> Any:
        """Run a script that needs the group; make that anew where it is gone."""
        server = self._connected()
        try:
            return server.call(name, *words)
        except NoGroup:
            self._make_anew()
            return server.call(name, *words)

    def _make_anew(self) -> None:
        self._server.call("declare")
        self._warn("made group %s of stream %s at %s anew: a server without persistence forgets all when it restarts")

    def _warn(self, words: str) -> None:
        notice("redis", words, self._group, self._stream, self._server.place)

    # Receiving.

    def receive(self, max_messages: int, timeout: float) -> list[Delivery]:
        """Take what was given back, what others have lost, what is new; where there is nothing the server waits."""
        self._connected()
        if max_messages <= 0:
            return []
        end = time.monotonic() + timeout
        self._tend()
        while True:
            pause, *taken = self._call("take", max_messages, self._milliseconds)
            left = end - time.monotonic()
            if not taken and left > 0.0:
                taken = self._wait(max_messages, min(left, pause / 1000.0, _BLOCK))
            deliveries = self._deliver(taken)
            if deliveries or (not taken and time.monotonic() >= end):
                return deliveries

    def _wait(self, most: int, patience: float) -> list[Any]:
        """Wait for something new; return it as the script does."""
        try:
            new = self._connected().wait(most, max(1, round(patience * 1000)))
        except NoGroup:
            self._make_anew()
            return []
        if new:
            # Where this fails they have no lease, and go back when we enter again.
            self._call("renew", self._milliseconds, *[word for entry, _ in new for word in (entry, 1)])
        return [(entry, 1, 1, 0, fields) for entry, fields in new]

    def _deliver(self, taken: Sequence[Any]) -> list[Delivery]:
        ours, strangers = list[tuple[_Receipt, int, int]](), list[_Receipt]()
        for entry, count, attempt, crashes, words in taken:
            fields = words if isinstance(words, Mapping) else mapping_of(words)
            receipt = _Receipt(entry.decode(), count, id_of(entry, fields), fields)
            if is_for(self._group, fields):
                ours.append((receipt, attempt, crashes))
            else:
                strangers.append(receipt)
        if strangers:
            self._call("ack", *_pairs(strangers))
        ids = {each.id: each.entry for each in self._held.values()}
        return [self._hold(receipt, ids, attempt, crashes) for receipt, attempt, crashes in ours]

    def _hold(self, receipt: _Receipt, ids: dict[str, str], attempt: int, crashes: int) -> Delivery:
        former = self._held.get(receipt.entry)
        id = former.id if former else receipt.id
        # Entries to which others have given one id are params all the same.
        while ids.setdefault(id, receipt.entry) != receipt.entry:
            id += "~"
        held = self._held[receipt.entry] = receipt._replace(id=id)
        param = param_of(self._codec, held.fields)
        return Delivery(param, id, attempt, held.times > 1, self._lease, held, crashes)

    def _tend(self) -> None:
        """Now and then: look for what nobody has a lease of, and for consumers that are gone."""
        now = time.monotonic()
        if now - self._tended >= self._lease:
            self._tended = now
            self._tend_from = self._call("tend", self._milliseconds, self._tend_from).decode()

    # Settling.

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        """Settle as done."""
        self._settle("ack", deliveries)

    def nack(self, deliveries: Sequence[Delivery], delay: float = 0.0, charge: bool = True) -> None:
        """Give back: it stays in its place of the stream, and belongs to nobody."""
        self._settle("nack", deliveries, round(delay * 1000), int(charge))

    def dead_letter(self, deliveries: Sequence[Delivery], reason: str, evidence: Sequence[Mapping[str, Any]]) -> None:
        """Give up: a document of the dead stream, in the same step."""
        documents = [
            Dead.now(each.id, *body_of(self._codec, each.receipt.fields), reason, facts).encode()
            for each, facts in zip(deliveries, evidence, strict=True)
        ]
        self._settle("bury", deliveries, documents=documents)

    def _settle(self, name: str, deliveries: Sequence[Delivery], *words: Any, documents: Sequence[bytes] = ()) -> None:
        lost: list[Delivery] = []
        receipts = [each.receipt for each in deliveries]
        try:
            for start in range(0, len(deliveries), _MANY):
                part = slice(start, start + _MANY)
                states = self._call(name, *words, *_pairs(receipts[part], documents[part]))
                lost += [
                    each for each, state in zip(deliveries[part], states, strict=True) if self._is_lost(each, state)
                ]
        except NotConnected:
            # Some may be done; the answer may be what was lost.
            self._unsure.update(each[:2] for each in receipts)
            raise
        self._forget(receipts)
        if lost:
            raise LeaseLost(lost)

    def _is_lost(self, delivery: Delivery, state: int) -> bool:
        return state == LOST or (state == GONE and delivery.receipt[:2] not in self._unsure)

    def _forget(self, receipts: Iterable[_Receipt]) -> None:
        for receipt in receipts:
            self._unsure.discard(receipt[:2])
            if self._held.get(receipt.entry) is receipt:
                del self._held[receipt.entry]

    def started(self, deliveries: Sequence[Delivery]) -> None:
        """Note that runs begin: only these are charged if we die."""
        for start in range(0, len(deliveries), _MANY):
            self._call("begin", *_pairs([each.receipt for each in deliveries[start : start + _MANY]]))

    def extend(self, deliveries: Sequence[Delivery]) -> list[Delivery]:
        """Renew the leases."""
        lost: list[Delivery] = []
        for start in range(0, len(deliveries), _MANY):
            part = deliveries[start : start + _MANY]
            states = self._call("renew", self._milliseconds, *_pairs([each.receipt for each in part]))
            lost += [each for each, state in zip(part, states, strict=True) if self._is_lost(each, state)]
        self._forget(each.receipt for each in lost)
        return lost

    # Looking and caring; none of these needs ``open``.

    def backlog(self) -> Backlog:
        """Count what there is."""
        ready, flying, dead, delayed, exact = self._server.call("count")
        return Backlog(ready, flying, dead, bool(exact), time.time(), delayed=delayed)

    def holders(self) -> list[Holder]:
        """Tell who holds what, as the group knows it."""
        found = ((each["name"].decode(errors="replace"), each) for each in self._server.consumers())
        return [
            Holder(name, each["pending"], each["idle"] / 1000.0)
            for name, each in found
            if each["pending"] and name != NOBODY
        ]

    def put(self, params: Iterable[Param]) -> int:
        """Add entries to the stream."""
        count = 0
        try:
            self.declare()
            for batch in batches(map(self._codec.encode, params), lambda each: len(each[0]), _ENOUGH):
                answers = self._server.add(batch)
                count += sum(not isinstance(each, Exception) for each in answers)
                self._server.check(answers)
        except EngineError as error:
            raise type(error)(f"{error}; {count} params were put") from error
        return count

    def peek(self, limit: int | None = None) -> Iterator[Param]:
        """Yield ready params: what was given back, then what is new."""
        entries = (each for each in self._server.waiting() if is_for(self._group, each))
        return (param_of(self._codec, each) for each in islice(entries, limit))

    def dead(self) -> Iterator[DeadLetter]:
        """Yield the dead params."""
        for entry, fields in self._server.read(self._server.dead):
            yield document_of(self._codec, entry, fields).letter(self._codec)

    def requeue(self, ids: Iterable[str]) -> int:
        """Put dead params anew, with their ids."""
        wanted, count = set(ids), 0
        for entry, fields in self._server.read(self._server.dead) if wanted else ():
            dead = document_of(self._codec, entry, fields)
            if dead.id in wanted:
                pairs = fields_of(dead.body, dead.content_type, dead.id).items()
                count += self._server.call("requeue", entry, *[word for pair in pairs for word in pair])
        return count

    def purge(self) -> int:
        """Throw away what is ready."""
        count = 0
        with suppress(NoGroup):
            while went := self._server.call("purge", _FEW):
                count += went
        return count


def _pairs(receipts: Sequence[_Receipt], documents: Sequence[bytes] = ()) -> list[Any]:
    """Return what scripts are told of deliveries."""
    if documents:
        return [word for each, document in zip(receipts, documents, strict=True) for word in (*each[:2], document)]
    return [word for each in receipts for word in each[:2]]
