"""Topics: made, written with confirmation, and read from a place to an end by nobody's minion."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from minionize.errors import EngineError, NotConnected
from minionize.kafkaclient.client import ANSWER, Client

__all__ = ["Message", "Outbox", "create", "scan"]

_STALLED = 5.0  # seconds without a confirmation
_PURGED = ("_PURGE_QUEUE", "_PURGE_INFLIGHT")  # by ourselves, as there was no confirmation
_PAGE = 500
_BRIEF = 0.02


class Message(NamedTuple):
    """A message to write.

    Attributes:
        topic: Where to.
        partition: Which part of it.
        value: The bytes; None takes back what has the same key.
        key: Its key.
        headers: What is noted beside it.
    """

    topic: str
    partition: int
    value: bytes | None
    key: str | None = None
    headers: Mapping[str, str] = {}


class Outbox:
    """Writes messages; they are safe when a call has returned."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.producer = client.producer()
        self._safe = 0
        self._error: Any = None

    def _confirm(self, error: Any, _message: Any) -> None:
        if error is None:
            self._safe += 1
        elif error.name() not in _PURGED:
            self._error = self._error or error

    def send(self, messages: Iterable[Message], what: str) -> int:
        """Write messages as they come; return how many.

        Args:
            messages: What to write.
            what: What is tried, for an error.

        Raises:
            EngineError: Not all were written; the message tells how many were.
        """
        self._safe, self._error, sent = 0, None, 0
        trouble: EngineError | None = None
        try:
            with self._client.reaching(what):
                for message in messages:
                    self._produce(message)
                    sent += 1
                    if self._error:
                        break
        except EngineError as error:
            # Those before it are on their way.
            trouble = error
        try:
            with self._client.reaching(what):
                self._wait(sent)
        except EngineError as error:
            # Why it writes nothing any more.
            trouble = error
        if self._error:
            trouble = self._client.failure(self._error, what)
        elif trouble is None and self._safe < sent:
            trouble = NotConnected(f"{self._client}: cannot {what} now: no answer")
        if trouble is not None:
            raise type(trouble)(f"{trouble}; {self._safe} were put") from trouble.__cause__
        return self._safe

    def _produce(self, message: Message) -> None:
        headers = [(key, value.encode("utf-8", "surrogateescape")) for key, value in message.headers.items()]
        key = None if message.key is None else message.key.encode("utf-8", "surrogateescape")
        stalled = time.monotonic() + _STALLED
        while True:
            try:
                self.producer.produce(
                    message.topic,
                    message.value,
                    key,
                    partition=message.partition,
                    headers=headers,
                    on_delivery=self._confirm,
                )
            except BufferError:
                if time.monotonic() > stalled:
                    raise NotConnected(f"{self._client} takes no more messages now") from None
                self.producer.poll(0.05)
            else:
                self.producer.poll(0)
                return

    def _wait(self, sent: int) -> None:
        """Wait for the confirmations, for as long as some come."""
        before, until = -1, 0.0
        self.producer.poll(0)
        while len(self.producer):
            if self._safe != before:
                before, until = self._safe, time.monotonic() + _STALLED
            elif time.monotonic() > until:
                self.producer.purge()
                self.producer.flush(1.0)
                return
            self.producer.flush(0.2)


def create(client: Client, topic: str, partitions: int, config: Mapping[str, str]) -> None:
    """Create a topic unless it is there: who may not create any is not asked to.

    Args:
        client: Makes the connection.
        topic: Its name.
        partitions: How many; -1 for the brokers' default.
        config: Its settings.
    """
    from confluent_kafka import KafkaException
    from confluent_kafka.admin import NewTopic  # type: ignore[attr-defined]

    admin = client.admin()
    if client.partitions(admin, lambda: admin.poll(0), topic) is not None:
        return
    new = NewTopic(topic, partitions, -1, config=dict(config))
    with client.reaching(f"create the topic {topic}"):
        try:
            admin.create_topics([new], operation_timeout=ANSWER, request_timeout=ANSWER)[topic].result(ANSWER + 1.0)
        except KafkaException as error:
            if error.args[0].name() != "TOPIC_ALREADY_EXISTS":
                raise
        except TimeoutError as error:
            raise NotConnected(f"{client}: the brokers do not answer") from error
    until = time.monotonic() + ANSWER
    # Who is asked may not have heard of it yet.
    while client.partitions(admin, lambda: admin.poll(0), topic) is None and time.monotonic() < until:
        time.sleep(_BRIEF)


def scan(client: Client, topic: str, begins: Mapping[int, int], ends: Mapping[int, int]) -> Iterator[Any]:
    """Read partitions of a topic, each from its begin to its end; takes nothing.

    Args:
        client: Makes the connection.
        topic: The topic.
        begins: The first record, by partition.
        ends: The first record no more wanted, by partition.
    """
    from confluent_kafka import TopicPartition

    left = {number for number, begin in begins.items() if begin < ends[number]}
    if not left:
        return
    consumer = client.consumer()
    try:
        with client.reaching(f"read {topic}"):
            consumer.assign([TopicPartition(topic, number, begins[number]) for number in sorted(left)])
        until = time.monotonic() + _STALLED
        while left:
            with client.reaching(f"read {topic}"):
                first = consumer.poll(0.2)
                page = [] if first is None else [first, *consumer.consume(_PAGE, 0)]
            if page:
                until = time.monotonic() + _STALLED
            elif time.monotonic() > until:
                raise NotConnected(f"{client}: the brokers do not answer")
            yield from _wanted(client, page, ends, left)
    finally:
        consumer.close()


def _wanted(client: Client, page: list[Any], ends: Mapping[int, int], left: set[int]) -> Iterator[Any]:
    for message in page:
        error, number = message.error(), message.partition()
        if error is not None:
            if error.name() == "_PARTITION_EOF":
                left.discard(number)
            elif client.is_refusal(error):
                raise client.failure(error, "read it")
            continue
        if message.offset() + 1 >= ends[number]:
            left.discard(number)
        if message.offset() < ends[number]:
            yield message
