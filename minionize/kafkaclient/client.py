"""Connections to the brokers: what they are told, and what their errors mean."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from minionize.errors import EngineError, NotConnected

__all__ = ["ANSWER", "BRIEF", "Client", "close", "properties"]

ANSWER = 4.0
"""Seconds that the brokers are given to answer."""

BRIEF = 0.05

_CREATION = 1.0
"""Seconds after which all brokers know a topic that was created."""

_KEPT = {
    "bootstrap.servers": "KAFKA_BOOTSTRAP names the brokers",
    "metadata.broker.list": "KAFKA_BOOTSTRAP names the brokers",
    "group.id": "KAFKA_GROUP names the group",
    "client.id": "minions know each other by it",
    "group.instance.id": "a minion that leaves must give back at once what it holds",
    "group.protocol": "what a minion holds must stay its own when others come",
    "partition.assignment.strategy": "what a minion holds must stay its own when others come",
    "enable.auto.commit": "a param is done when it was run, not when it was read",
    "auto.commit.enable": "a param is done when it was run, not when it was read",
    "enable.auto.offset.store": "a param is done when it was run, not when it was read",
    "auto.offset.reset": "no param may be passed over",
    "enable.partition.eof": "the engine needs it",
    "allow.auto.create.topics": "a misspelt topic must be an error",
    "acks": "a param must be safe before it counts as put",
    "request.required.acks": "a param must be safe before it counts as put",
    "enable.idempotence": "no param may be put twice",
    "transactional.id": "the engine uses no transactions",
    "default.topic.config": "write the properties themselves",
    "plugin.library.paths": "a settings file must not load code",
}
"""Properties that KAFKA_CONFIG must leave alone, and why."""

_COMMON = {
    "socket.timeout.ms": 5000,
    "socket.connection.setup.timeout.ms": 5000,
    "reconnect.backoff.ms": 50,
    "reconnect.backoff.max.ms": 1000,
    "allow.auto.create.topics": False,  # else to ask a broker for a topic makes it, with settings that lose params
    "log_level": 0,  # it would go to stderr, as what is fatal does all the same
}
_CONSUMER: dict[str, Any] = {
    "partition.assignment.strategy": "cooperative-sticky",
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "enable.partition.eof": True,
    "auto.offset.reset": "earliest",
    "session.timeout.ms": 15000,
    "heartbeat.interval.ms": 1000,
    "topic.metadata.refresh.interval.ms": 5000,  # partitions that are added are to be found soon
    "fetch.wait.max.ms": 100,
    "queued.min.messages": 1000,
    "fetch.queue.backoff.ms": 10,  # what is fetched is soon taken: by default the next partition waits for a second
    "queued.max.messages.kbytes": 16384,
}
_PRODUCER = {
    "acks": "all",
    "enable.idempotence": True,
    "linger.ms": 5,
    "message.max.bytes": 100_000_000,  # the broker's own limit counts
    "message.timeout.ms": 20000,
}

_REMEDIES = {
    "_AUTHENTICATION": "check sasl.mechanism, sasl.username and sasl.password in KAFKA_CONFIG",
    "SASL_AUTHENTICATION_FAILED": "check sasl.mechanism, sasl.username and sasl.password in KAFKA_CONFIG",
    "UNSUPPORTED_SASL_MECHANISM": "check sasl.mechanism in KAFKA_CONFIG",
    "_SSL": "check security.protocol and the ssl.* properties in KAFKA_CONFIG",
    "TOPIC_AUTHORIZATION_FAILED": "grant this user Read and Describe (to fill: Write and Create) on it",
    "GROUP_AUTHORIZATION_FAILED": "grant this user Read on the group, or name another one in KAFKA_GROUP",
    "CLUSTER_AUTHORIZATION_FAILED": "grant this user Write on the topic (and IdempotentWrite before Kafka 2.8)",
    "TOPIC_EXCEPTION": "check KAFKA_TOPIC: letters, digits, dots, _ and -, 249 at most",
    "INCONSISTENT_GROUP_PROTOCOL": "other programs are in this group: name another one in KAFKA_GROUP",
    "INVALID_GROUP_ID": "check KAFKA_GROUP",
    "INVALID_SESSION_TIMEOUT": "check session.timeout.ms in KAFKA_CONFIG: the brokers allow another range",
    "MSG_SIZE_TOO_LARGE": "a param is larger than the topic's max.message.bytes",
    "POLICY_VIOLATION": "the brokers allow no such topic: have it created",
    "INVALID_REPLICATION_FACTOR": "there are too few brokers: have the topic created",
}
"""What trying again does not help, and what would."""

_CHECK = "; check KAFKA_BOOTSTRAP, whether the brokers run, and security.protocol in KAFKA_CONFIG"


def properties(path: str) -> dict[str, str]:
    """Read a file of ``key=value`` lines; "" for none.

    Raises:
        EngineError: It cannot be read, or sets what it must not; no value is shown.
    """
    if not path:
        return {}
    try:
        lines = Path(path).expanduser().read_text("utf-8").splitlines()
    except (OSError, UnicodeError) as error:
        raise EngineError(f"KAFKA_CONFIG: {path} cannot be read: {error}") from error
    found = {}
    for number, line in enumerate(map(str.strip, lines), 1):
        if not line or line[0] in "#!":
            continue
        key, equals, value = (word.strip() for word in line.partition("="))
        if not equals or not key:
            raise EngineError(f"KAFKA_CONFIG: {path}, line {number}: write key=value, a librdkafka property each")
        if key in _KEPT:
            raise EngineError(f"KAFKA_CONFIG: {path}, line {number}: {key} cannot be set: {_KEPT[key]}")
        found[key] = value
    return found


class Client:
    """Makes connections that are alike, and turns their errors into ours.

    Args:
        bootstrap: The brokers, HOST:PORT each.
        topic: The topic.
        group: The group.
        more: Further properties.
        minion: Id of the minion, by which others in the group know it.

    Attributes:
        down: Whether no broker was reached, when last heard of.
    """

    def __init__(self, bootstrap: str, topic: str, group: str, more: dict[str, str], minion: str) -> None:
        self.bootstrap, self.topic, self.group, self._more = bootstrap, topic, group, more
        self.minion = minion
        self._base = {**_COMMON, "bootstrap.servers": bootstrap, "error_cb": self._hear}
        if minion:
            self._base["client.id"] = minion
        self.down = False
        self._refusal: Any = None
        self._trouble = ""
        self._admin: Any = None

    @property
    def session(self) -> float:
        """Seconds without a sign of life after which the group gives up a member."""
        return int({**_CONSUMER, **self._more}["session.timeout.ms"]) / 1000.0

    def _hear(self, error: Any) -> None:
        """Hear of trouble from the client's own threads, while it is polled."""
        if error.name() == "_ALL_BROKERS_DOWN":
            self.down = True
        elif error.name() in _REMEDIES:
            self._refusal = error
        else:
            self._trouble = error.str()

    def _make(self, kind: Callable[[dict[str, Any]], Any], config: dict[str, Any]) -> Any:
        from confluent_kafka import KafkaException

        if "debug" not in self._more:
            config["logger"] = logging.Logger("librdkafka", logging.CRITICAL + 1)
        try:
            return kind({**config, **self._more})
        except (KafkaException, TypeError, ValueError) as error:
            # Its words may hold a value.
            words = error.args[0].str() if isinstance(error, KafkaException) else str(error)
            keys = [key for key in self._more if f'"{key}"' in words or f"`{key}`" in words]
            what = f"the property {keys[0]} as it is set" if keys else f"what it sets: {self._clean(words)}"
            raise EngineError(f"KAFKA_CONFIG: librdkafka does not take {what}; see its CONFIGURATION.md") from None

    def consumer(self, **config: Any) -> Any:
        """Make a consumer."""
        from confluent_kafka import Consumer

        return self._make(Consumer, {**self._base, **_CONSUMER, "group.id": self.group, **config})

    def producer(self) -> Any:
        """Make a producer."""
        from confluent_kafka import Producer

        return self._make(Producer, {**self._base, **_PRODUCER})

    def admin(self) -> Any:
        """Return the client that creates topics, and asks about them and the group."""
        from confluent_kafka.admin import AdminClient

        self._admin = self._admin or self._make(AdminClient, dict(self._base))
        return self._admin

    def close(self) -> None:
        """Let go of that one; it is made again when it is wanted."""
        self._admin = None

    # Errors.

    @contextmanager
    def reaching(self, what: str) -> Iterator[None]:
        """Turn the client's errors into ours.

        Args:
            what: What is tried, such as "read the topic".
        """
        from confluent_kafka import KafkaError, KafkaException

        try:
            yield
        except KafkaException as error:
            raise self.failure(error.args[0], what) from error
        except TimeoutError as error:
            raise NotConnected(f"{self}: cannot {what} now: {error or 'the brokers do not answer'}") from error
        except KafkaError as error:  # type: ignore[misc]
            # As it comes out of a call during which we were told of the group, and asked something in turn.
            raise self.failure(error, what) from error

    def failure(self, error: Any, what: str) -> EngineError:
        """Make our error of the client's: NotConnected where trying again may help."""
        remedy = _REMEDIES.get(error.name())
        why = self._clean(error.str())
        if remedy:
            return EngineError(f"{self}: cannot {what}: {why}; {remedy}")
        check = _CHECK if what == "connect" else ""
        return NotConnected(f"{self}: cannot {what} now: {why}{self._clean(self._trouble, ' (', ')')}{check}")

    def is_refusal(self, error: Any) -> bool:
        """Tell whether trying again does not help."""
        return error.name() in _REMEDIES

    def _clean(self, words: str, before: str = "", after: str = "") -> str:
        # Shorter values are no secrets.
        for value in self._more.values():
            if len(value) > 3:
                words = words.replace(value, "...")
        return f"{before}{words.rstrip('.')}{after}" if words else ""

    def __str__(self) -> str:
        return f"Kafka topic {self.topic} on {self.bootstrap}"

    def check(self, handle: Any, serve: Callable[[], object], topic: str = "", patience: float = ANSWER) -> Any:
        """Return what the brokers say of a topic; it is there, or has an error that says that it is not.

        Args:
            handle: A consumer, producer or admin client.
            serve: Polls it, so that it tells its troubles.
            topic: Which one, if not ours.
            patience: Seconds for the answer.
        """
        from confluent_kafka import KafkaException

        self.down, self._refusal, self._trouble = False, None, ""
        until, topic = time.monotonic() + patience, topic or self.topic
        while True:
            try:
                return handle.list_topics(topic, timeout=min(1.0, patience)).topics[topic]
            except KafkaException as error:
                serve()
                if self._refusal:
                    raise self.failure(self._refusal, "connect") from error
                if self.is_refusal(error.args[0]) or time.monotonic() > until:
                    raise self.failure(error.args[0], "connect") from error

    def partitions(self, handle: Any, serve: Callable[[], object], topic: str = "") -> list[int] | None:
        """Return the partitions of our topic, or of another one; None if it is not there."""
        found = self.check(handle, serve, topic)
        if found.error is None:
            return sorted(found.partitions)
        if found.error.name() == "UNKNOWN_TOPIC_OR_PART":
            return None
        raise self.failure(found.error, f"use {topic or 'it'}")

    def known(self, handle: Any, serve: Callable[[], object]) -> list[int]:
        """Return the topic's partitions. One that has just been created not all brokers know at once.

        Raises:
            EngineError: It is not there.
        """
        until = time.monotonic() + _CREATION
        while (found := self.partitions(handle, serve)) is None and time.monotonic() < until:
            time.sleep(BRIEF)
        if found is None:
            raise EngineError(
                f"{self}: there is no such topic; minion-queue fill creates it, or kafka-topics --create --topic "
                f"{self.topic} --partitions N: so many minions can work at the same time"
            )
        return found


def close(consumer: Any) -> None:
    """Leave the group, but wait for no broker that does not answer: that learns of it when the session runs out."""
    thread = threading.Thread(target=_try_to_close, args=(consumer,), name="kafka", daemon=True)
    # At the very end of a process no thread can be started.
    with suppress(RuntimeError):
        thread.start()
        thread.join(ANSWER)


def _try_to_close(consumer: Any) -> None:
    from confluent_kafka import KafkaError, KafkaException

    with suppress(KafkaException, KafkaError):  # type: ignore[arg-type]
        # Closing alone does not tell the group of a member without partitions (librdkafka 2.16, cooperative): all
        # others would wait for its session to run out.
        consumer.unsubscribe()
        until = time.monotonic() + ANSWER
        while consumer.memberid() and time.monotonic() < until:
            consumer.poll(BRIEF)
        consumer.close()
