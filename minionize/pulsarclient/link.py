"""A connection to Pulsar: consumers, producers and readers of topics, silent, with errors that are ours."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from minionize.engine import EngineError
from minionize.pulsarclient.faults import reaching
from minionize.pulsarclient.knock import knock
from minionize.pulsarclient.message import Message, position

__all__ = ["Access", "Link", "brief_link"]

_PATIENCE = 5  # seconds, for what the server must answer
_NACK_DELAY = 100  # milliseconds: the client library takes no less
_READ = 1000  # messages ahead, where that does no harm
_BUSY = 2.0
_QUIET = 1000  # milliseconds without a message after which there is none
_NOTHING = "nothing"


class Access:
    """Where a server is, and how it lets us in.

    Attributes:
        url: Its service URL.
        ca: PEM file of the CA that has signed its certificate; "" for those that are known.
        place: The server, for people; where there are several, all of them.
    """

    def __init__(self, url: str, token: str, ca: str) -> None:
        self.url, self._token, self.ca = url, token, ca
        scheme, _, rest = url.partition("://")
        self.place = f"{scheme}://{re.split('[/?#]', rest)[0]}"

    def token(self) -> str:
        """Return the token as it is now; "" for none.

        Raises:
            EngineError: Its file cannot be read.
        """
        if not self._token.startswith("file:"):
            return self._token
        path = Path(self._token.removeprefix("file:").removeprefix("//"))
        try:
            return path.read_text().strip()
        except (OSError, ValueError) as error:
            raise EngineError(f"PULSAR_TOKEN: {path} cannot be read: {error}") from error

    @property
    def has_token(self) -> bool:
        """Whether there is one."""
        return bool(self._token)


class Link:
    """One client.

    Raises:
        NotConnected: The server cannot be reached.
        EngineError: It does not let us in.
    """

    def __init__(self, access: Access) -> None:
        import pulsar

        knock(access.place, access.token(), access.ca)
        self.place = access.place
        with reaching(self.place):
            self._client: Any = pulsar.Client(
                access.url,
                # A token in a file may be renewed while we are connected.
                pulsar.AuthenticationToken(access.token) if access.has_token else None,
                operation_timeout_seconds=_PATIENCE,
                connection_timeout_ms=_PATIENCE * 1000,
                stats_interval_in_seconds=0,
                tls_trust_certs_file_path=access.ca or None,
                tls_validate_hostname=True,
                # A logger of Python's would be called by threads that outlive the interpreter; the default one prints.
                logger=pulsar.FileLogger(pulsar.LoggerLevel.Error, os.devnull),
            )

    def close(self) -> None:
        """Let go of everything; what was acked is sent first."""
        with suppress(EngineError), reaching(self.place):
            self._client.close()

    def partitions(self, topic: str) -> list[str]:
        """Return the topics that a topic consists of: itself, or its partitions."""
        with reaching(f"{self.place}, topic {topic}"):
            return list(self._client.get_topic_partitions(topic))

    def consumer(self, topic: str, subscription: str, name: str = "") -> Any:
        """Subscribe as one of many; a message comes only when it is asked for."""
        return self._subscribe(topic, subscription, "Shared", 0, name)

    def lone_consumer(self, topic: str, subscription: str) -> Any:
        """Subscribe alone, to see all that is there. Others may do so now: they need a moment."""
        end = time.monotonic() + _BUSY
        while True:
            try:
                return self._subscribe(topic, subscription, "Exclusive", _READ, "")
            except EngineError as error:
                if not is_busy(error) or time.monotonic() > end:
                    raise
            time.sleep(0.05)

    def _subscribe(self, topic: str, subscription: str, kind: str, size: int, name: str) -> Any:
        import pulsar

        with reaching(f"{self.place}, subscription {subscription} of {topic}"):
            return self._client.subscribe(
                topic,
                subscription,
                consumer_type=getattr(pulsar.ConsumerType, kind),
                receiver_queue_size=size,
                consumer_name=name or None,
                initial_position=pulsar.InitialPosition.Earliest,
                negative_ack_redelivery_delay_ms=_NACK_DELAY,
                batch_index_ack_enabled=True,
            )

    def declare(self, topic: str, subscription: str) -> None:
        """Make a subscription, and its topic where the server lets clients do that."""
        for each in self.partitions(topic):
            try:
                self.consumer(each, subscription).close()
            except EngineError as error:
                if not is_busy(error):
                    raise

    def producer(self, topic: str, pending: int) -> Any:
        """Make a producer of single messages: those of a batch could be handed out together only."""
        with reaching(f"{self.place}, topic {topic}"):
            return self._client.create_producer(
                topic, send_timeout_millis=_PATIENCE * 1000, max_pending_messages=pending, batching_enabled=False
            )

    def all(self, consumer: Any, topic: str) -> Iterator[Message]:
        """Yield all that is there for a lone consumer."""
        import pulsar

        with reaching(f"{self.place}, topic {topic}"):
            last = self._last(consumer)
            while last != _NOTHING:
                try:
                    message = Message(consumer.receive(_QUIET)._message)
                except pulsar.Timeout:
                    return
                yield message
                if message.position == last and message.index == message.batch - 1:
                    return

    @staticmethod
    def _last(consumer: Any) -> str:
        """Return the position of a topic's last message, "" where it is not known."""
        import pulsar

        try:
            at = consumer.get_last_message_id()
        except pulsar.PulsarException:
            # A topic with partitions has many.
            return ""
        return position(at) if at.entry_id() >= 0 else _NOTHING

    def batch(self, topic: str, first: Message) -> Iterator[Message]:
        """Yield all messages of the batch in which this one is, whoever holds them."""
        import pulsar

        at = first.raw.message_id()
        before = pulsar.MessageId(at.partition(), at.ledger_id(), at.entry_id() - 1, -1)
        with reaching(f"{self.place}, topic {topic}"), closing(self._client.create_reader(topic, before)) as reader:
            left = first.batch
            while left:
                message = Message(reader.read_next(_PATIENCE * 1000)._message)
                # The one before may be a batch too, which then comes once more.
                if message.position == first.position:
                    left -= 1
                    yield message


@contextmanager
def brief_link(access: Access) -> Iterator[Link]:
    """A connection for one thing to do."""
    link = Link(access)
    try:
        yield link
    finally:
        link.close()


def is_busy(error: EngineError) -> bool:
    """Tell whether somebody else has a subscription for himself."""
    return type(error.__cause__).__name__ == "ConsumerBusy"
