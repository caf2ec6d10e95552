"""Engines on a Kafka broker, for some tests, and the moves that these are made of."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

from minionize.engine import Delivery, Engine, EngineError
from minionize.engines.kafka import KafkaEngine
from tests.brokers.kafka import KafkaServer

_LIVELY = "heartbeat.interval.ms=100\nfetch.wait.max.ms=10\n"
QUICK = f"session.timeout.ms=1000\n{_LIVELY}"
"""For members that are killed: others wait for their session. A broker that is busy for a second ends it too."""

CALM = f"session.timeout.ms=10000\n{_LIVELY}"
Make = Callable[..., KafkaEngine]


@contextmanager
def engines_on(server: KafkaServer, topic: str, folder: Path) -> Iterator[Make]:
    """Makes engines, with more lines of KAFKA_CONFIG if need be; all are closed."""
    made: list[KafkaEngine] = []

    def make(more: str = "", **values: str) -> KafkaEngine:
        path = folder / f"{len(made)}.properties"
        path.write_text(CALM + more)
        engine = KafkaEngine(**{"bootstrap": server.address, "topic": topic, "config": str(path), **values})
        engine.minion = f"minion-{len(made)}"
        made.append(engine)
        return engine

    try:
        yield make
    finally:
        for engine in made:
            engine.close()


def take(engine: Engine, count: int, *others: Engine, seconds: float = 20.0) -> list[Delivery]:
    """Receive so many, while others live on."""
    taken: list[Delivery] = []
    until = time.monotonic() + seconds
    while len(taken) < count and time.monotonic() < until:
        taken += engine.receive(count - len(taken), 0.05)
        for other in others:
            other.receive(0, 0.0)
    assert len(taken) == count
    return taken


def opened(engine: KafkaEngine) -> KafkaEngine:
    engine.open()
    return engine


def kill(engine: KafkaEngine) -> None:
    """Drop the connection without leaving the group: its session must run out."""
    assert engine._member is not None
    engine._member.closing.detach()
    engine._member = None
    gc.collect()


def partitions(server: KafkaServer, topic: str, number: int) -> None:
    """Make a topic of several partitions."""
    admin = AdminClient({**server.client()})
    admin.create_topics([NewTopic(topic, number, 1)])[topic].result(5)


def params(deliveries: list[Delivery]) -> list[str]:
    return sorted(str(each.param) for each in deliveries)


def failure(call: Callable[[], object]) -> EngineError:
    """Return the error that a call ends with, soon."""
    began = time.monotonic()
    with pytest.raises(EngineError) as caught:
        call()
    assert time.monotonic() - began < 7.0
    return caught.value
