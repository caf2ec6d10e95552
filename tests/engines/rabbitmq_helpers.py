"""Engines on a queue of RabbitMQ, for some tests."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pika

from minionize.engines.rabbitmq import RabbitmqEngine
from tests.brokers.rabbitmq import RabbitServer

Make = Callable[..., RabbitmqEngine]


@contextmanager
def engines(server: RabbitServer, queue: str) -> Iterator[Make]:
    """A way to make engines on a queue, not open; they are closed at the end."""
    made: list[RabbitmqEngine] = []

    def make(**values: Any) -> RabbitmqEngine:
        made.append(RabbitmqEngine(**{"url": server.url, "queue": queue, **values}))
        return made[-1]

    yield make
    for engine in made:
        engine.close()


def publish(server: RabbitServer, queue: str, *bodies: bytes, **properties: Any) -> None:
    """Send messages as another program does."""
    with server.channel() as channel:
        for body in bodies:
            channel.basic_publish("", queue, body, pika.BasicProperties(**properties), mandatory=True)


def take(engine: RabbitmqEngine, count: int) -> list[Any]:
    """Receive exactly so many, within some time."""
    taken: list[Any] = []
    end = time.monotonic() + 10.0
    while len(taken) < count and time.monotonic() < end:
        taken += engine.receive(count - len(taken), 0.05)
    assert len(taken) == count
    return taken
