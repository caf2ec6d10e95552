"""The dead params of a group: a topic of their own, with one message for each, and another that takes it back.

The topic is compacted: the brokers keep the last message of each key. The key is where and since when the param was in
our topic. The place alone will not do: when the topic is made anew, other params are there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from minionize.kafkaclient.client import Client
from minionize.kafkaclient.offsets import offsets
from minionize.kafkaclient.progress import Entry
from minionize.kafkaclient.topics import Message, Outbox, create, scan
from minionize.message import TYPE, Dead

__all__ = ["Grave", "Graveyard"]

# Larger than what may be in the other topic: with evidence a param may be twice as long, and it must find room.
_CONFIG = {"cleanup.policy": "compact", "max.message.bytes": str(64 << 20)}
_FOREIGN = "not written by a minion"


class Grave(NamedTuple):
    """Where a dead param is.

    Attributes:
        partition: Which part of the topic.
        key: The key of its message; None where others have written it without.
        dead: What it says.
    """

    partition: int
    key: str | None
    dead: Dead


class Graveyard:
    """The topic ``TOPIC.GROUP.dead``."""

    def __init__(self, client: Client) -> None:
        self._client = client
        group = re.sub(r"[^a-zA-Z0-9._-]", "_", client.group)
        self.topic = f"{client.topic}.{group}.dead"
        self._made = False

    def bury(self, outbox: Outbox, dead: Mapping[Entry, Dead]) -> None:
        """Write dead params; the topic is made for the first, and where that failed: it may have been deleted."""
        if not self._made:
            create(self._client, self.topic, 1, _CONFIG)
        self._made = False
        outbox.send(
            (Message(self.topic, 0, each.encode(), _key(entry)) for entry, each in dead.items()), f"write {self.topic}"
        )
        self._made = True

    def dig(self, outbox: Outbox, graves: Iterable[Grave]) -> None:
        """Take dead params out."""
        taken = (Message(self.topic, grave.partition, None, grave.key or grave.dead.id) for grave in graves)
        outbox.send(taken, f"write {self.topic}")

    def graves(self) -> Iterator[Grave]:
        """Return what is in the topic."""
        consumer = self._client.consumer()
        try:
            numbers = self._client.partitions(consumer, lambda: consumer.poll(0), self.topic)
            with self._client.reaching(f"read {self.topic}"):
                begins = offsets(consumer, self.topic, numbers or (), latest=False)
                ends = offsets(consumer, self.topic, numbers or (), latest=True)
        finally:
            consumer.close()
        found: dict[tuple[int, str], Grave] = {}
        for message in scan(self._client, self.topic, begins, ends):
            key, place = _text(message.key()), f"dead-{message.partition()}-{message.offset()}"
            where = (message.partition(), place if key is None else key)
            found.pop(where, None)
            if message.value() is not None:
                found[where] = Grave(message.partition(), key, _read(message, where[1]))
        return iter(found.values())


def _key(entry: Entry) -> str:
    assert entry.record is not None
    return f"{entry.partition}-{entry.offset}-{entry.record.since}"


def _text(data: bytes | None) -> str | None:
    return None if data is None else data.decode("utf-8", "surrogateescape")


def _read(message: Any, id: str) -> Dead:
    body = message.value()
    content_type = dict(message.headers() or ()).get(TYPE) or b""
    return Dead.decode(body) or Dead(
        id, body, _text(content_type) or "", _FOREIGN, {}, max(0, message.timestamp()[1]) / 1000.0
    )
