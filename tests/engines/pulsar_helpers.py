"""Engines on a topic of Pulsar, for some tests."""

from __future__ import annotations

import time
from typing import Any

from minionize.engine import Delivery
from minionize.engines.pulsar import PulsarEngine
from tests.brokers.pulsar import PulsarServer


class Minions:
    """Engines on one topic."""

    def __init__(self, server: PulsarServer, topic: str) -> None:
        self.server, self.topic = server, topic
        self.made: list[PulsarEngine] = []

    def engine(self, **more: Any) -> PulsarEngine:
        """Make another one, not open."""
        engine = PulsarEngine(connection=self.server.url, **{"topic": self.topic, **more})
        engine.minion = f"minion-{len(self.made)}"
        self.made.append(engine)
        return engine

    def opened(self, **more: Any) -> PulsarEngine:
        """Make another one, and open it."""
        engine = self.engine(**more)
        engine.open()
        return engine


def take(engine: PulsarEngine, count: int, seconds: float = 20.0) -> list[Delivery]:
    """Receive exactly so many, within some time."""
    taken: list[Delivery] = []
    end = time.monotonic() + seconds
    while len(taken) < count and time.monotonic() < end:
        taken += engine.receive(count - len(taken), 0.1)
    assert len(taken) == count
    return taken


def params(deliveries: list[Delivery]) -> list[Any]:
    return sorted(each.param for each in deliveries)


def nothing_comes(engine: PulsarEngine, seconds: float = 0.4) -> bool:
    return not engine.receive(1, seconds)
