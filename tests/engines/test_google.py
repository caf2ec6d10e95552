"""The google engine keeps the engine contract, on the emulator of Pub/Sub."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any, ClassVar

import pytest

from minionize.engine import Engine
from minionize.engines.google import GoogleEngine
from minionize.pubsub.link import Link
from minionize.testing.engine import EngineContract
from minionize.testing.rules.dead import DeadRules
from minionize.testing.rules.params import ParamRules
from tests.brokers.google import PROJECT, PubSubServer, running

pytestmark = pytest.mark.broker

NUMBERS = count()
LEASE = 1
DELAY = 0.6


@pytest.fixture(scope="module")
def pubsub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PubSubServer]:
    with running(tmp_path_factory.mktemp("pubsub")) as server:
        yield server


class OnPubSub:
    """Topics of its own for each case."""

    delay: ClassVar[float] = DELAY
    decoder: ClassVar[str] = "json"
    dead: ClassVar[bool] = True

    @pytest.fixture(autouse=True)
    def _topic(self, pubsub: PubSubServer) -> Iterator[None]:
        number = next(NUMBERS)
        self.values: dict[str, Any] = {
            "project": PROJECT,
            "topic": f"params-{number}",
            "subscription": f"minions-{number}",
            "dead_topic": f"dead-{number}" if self.dead else "",
            "decoder": self.decoder,
            "ack_deadline": LEASE,
            "emulator": pubsub.host,
        }
        self.link = Link(pubsub.host, "")
        yield
        self.link.hang_up()

    def make_engine(self) -> Engine:
        """Make another minion's engine."""
        return GoogleEngine(quiet=0.1, **self.values)

    def corrupt(self) -> None:
        """Publish what says that it is JSON."""
        message = {"data": b"{no JSON", "attributes": {"content-type": "application/json"}}
        self.link.call("Publish", topic=f"projects/{PROJECT}/topics/{self.values['topic']}", messages=[message])


class TestGoogle(OnPubSub, EngineContract):
    """Where what says nothing of itself is JSON."""


class TestGoogleOfTexts(OnPubSub, ParamRules):
    """Where it is a text."""

    decoder = "identity"


class TestGoogleWithoutDeadTopic(OnPubSub, DeadRules):
    """Where dead params go to a file of the minion."""

    dead = False
