"""A message as the server delivers it, and what is told of its param in its properties."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from minionize.engine import DeadLetter
from minionize.message import ATTEMPTS, FOR, ID, JSON, TYPE, Codec, Dead, counted
from minionize.pulsarclient.wire import fields

__all__ = ["Message", "position"]

_BATCH_SIZE = 6  # field of a serialized id
_REASON = "minionize-reason"
_LARGEST, _LONGEST = 4_000_000, 1000
"""Bytes of a document, for a server takes 5 MB; characters of a reason where there is none."""


def position(at: Any) -> str:
    """Write where a message is."""
    return f"{at.ledger_id()}:{at.entry_id()}:{at.partition()}"


def _told(read: Callable[[], Any], nothing: Any) -> Any:
    try:
        return read()
    except UnicodeDecodeError:
        # Other client libraries let it pass. In a thread of this one the error would end the process.
        return nothing


class Message:
    """One message.

    Attributes:
        raw: The client library's.
        body: What it holds.
        properties: What is told of it.
        position: Where it is; those of a batch are at the same place.
        id: Id of its param: what minions have noted, else made of the position.
        index: Its number in its batch; 0 of one that comes alone.
        batch: How many are in its batch.
    """

    __slots__ = ("batch", "body", "id", "index", "position", "properties", "raw")

    def __init__(self, raw: Any) -> None:
        self.raw = raw
        self.body: bytes = raw.data()
        self.properties: dict[str, str] = _told(raw.properties, {})
        at = raw.message_id()
        self.position = position(at)
        self.index = max(0, at.batch_index())
        self.batch = 1
        if at.batch_index() >= 0:
            size = fields(at.serialize()).get(_BATCH_SIZE, 1)
            self.batch = size if isinstance(size, int) else 1
        self.id = self.properties.get(ID) or f"{self.position}:{at.batch_index()}"

    @property
    def partition_key(self) -> str | None:
        """What it is assigned to a partition by."""
        key: str | None = _told(self.raw.partition_key, None)
        return key

    @property
    def ordering_key(self) -> str | None:
        """What it is kept in order with."""
        key: str | None = _told(self.raw.ordering_key, None)
        return key

    @property
    def content_type(self) -> str:
        """What the body is."""
        return self.properties.get(TYPE, "")

    @property
    def attempts(self) -> int:
        """How many deliveries counted as attempts and are over."""
        return counted(self.properties.get(ATTEMPTS, "")) or 0

    @property
    def redelivered(self) -> bool:
        """Whether its param is known to have been delivered before: what a dead minion was given leaves no trace."""
        return ATTEMPTS in self.properties or self.raw.redelivery_count() > 0

    @property
    def is_anew(self) -> bool:
        """Whether a minion, or who requeued it, has put it in place of another message."""
        return FOR in self.properties

    def is_for(self, subscription: str) -> bool:
        """Whether it concerns this subscription: what another one puts anew is for itself alone."""
        return (self.properties.get(FOR) or subscription) == subscription

    def put_back(self, subscription: str, attempts: int | None) -> dict[str, str]:
        """Return the properties of a message that takes its place.

        Args:
            subscription: Who alone is to get it.
            attempts: How many are over; None where it was not delivered at all.
        """
        kept = {name: value for name, value in self.properties.items() if name != ATTEMPTS}
        counts = {} if attempts is None else {ATTEMPTS: str(attempts)}
        return {**kept, ID: self.id, FOR: subscription, **counts}

    # Where the dead are.

    def buried(self, reason: str, evidence: Mapping[str, Any]) -> tuple[bytes, dict[str, str]]:
        """Return body and properties of the message that tells that its param is dead."""
        document = Dead.now(self.id, self.body, self.content_type, reason, evidence).encode()
        if len(document) <= _LARGEST:
            return document, {**self.properties, ID: self.id, TYPE: JSON}
        # With its evidence, and quoted, it would be larger than a message may be.
        return self.body, {**self.properties, ID: self.id, _REASON: reason[:_LONGEST]}

    def letter(self, codec: Codec) -> DeadLetter:
        """Read it as a dead param."""
        dead = Dead.decode(self.body)
        if dead is not None:
            return dead.letter(codec)
        param, at = codec.decode(self.body, self.content_type), self.raw.publish_timestamp() / 1000
        return DeadLetter(self.id, param, self.properties.get(_REASON, "dead-lettered by the broker"), {}, at)

    def revived(self, subscription: str) -> tuple[str, bytes, dict[str, str]]:
        """Return id, body and properties of the message that a dead param was."""
        dead = Dead.decode(self.body)
        gone = (ATTEMPTS, _REASON) if dead is None else (ATTEMPTS, TYPE)
        kept = {name: value for name, value in self.properties.items() if name not in gone}
        if dead is None:
            return self.id, self.body, {**kept, ID: self.id, FOR: subscription}
        content = {TYPE: dead.content_type} if dead.content_type else {}
        return dead.id, dead.body, {**kept, ID: dead.id, FOR: subscription, **content}
