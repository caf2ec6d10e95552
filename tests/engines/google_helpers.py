"""Topics of Pub/Sub for some tests, and engines on them."""

from __future__ import annotations

from itertools import count
from typing import Any

from minionize.engine import Delivery
from minionize.engines.google import GoogleEngine
from minionize.pubsub.link import Link
from tests.acceptance.running import until
from tests.brokers.google import PROJECT

NUMBERS = count()


class Case:
    """A topic of its own, and what is done behind the engine's back."""

    def __init__(self, host: str) -> None:
        number = next(NUMBERS)
        self.values: dict[str, Any] = {
            "project": PROJECT,
            "topic": f"params-{number}",
            "subscription": f"minions-{number}",
            "dead_topic": f"dead-{number}",
            "emulator": host,
        }
        self.link = Link(host, "")
        self.made: list[GoogleEngine] = []

    def path(self, key: str) -> str:
        """The whole name of topic, subscription or dead_topic."""
        kind = "subscriptions" if key == "subscription" else "topics"
        return f"projects/{PROJECT}/{kind}/{self.values[key]}"

    def engine(self, **more: Any) -> GoogleEngine:
        """Make another minion's engine."""
        self.made.append(GoogleEngine(quiet=0.1, **{**self.values, **more}))
        return self.made[-1]

    def opened(self, **more: Any) -> GoogleEngine:
        """Make an engine, declare its queue and open it."""
        engine = self.engine(**more)
        engine.declare()
        engine.open()
        return engine

    def publish(self, body: bytes, key: str = "", **attributes: str) -> None:
        """Put a message as others do."""
        attributes = {name.replace("_", "-"): value for name, value in attributes.items()}
        message = {"data": body, "attributes": attributes, "ordering_key": key}
        self.link.call("Publish", topic=self.path("topic"), messages=[message])

    def pulled(self, subscription: str) -> list[Any]:
        """Take what is there, as others do."""
        return [each.message for each in self.link.pull(subscription, 100)]

    def close(self) -> None:
        """Close all."""
        for engine in self.made:
            engine.close()
        self.link.hang_up()


def taken(engine: GoogleEngine, number: int = 1) -> list[Delivery]:
    """Receive so many."""
    found: list[Delivery] = []

    def come() -> bool:
        found.extend(engine.receive(number - len(found), 0.05))
        return len(found) == number

    until(come)
    return found


def nothing(engine: GoogleEngine) -> bool:
    """Whether nothing is ready."""
    return engine.receive(100, 0.1) == []
