"""Real minions on a subscription of Pub/Sub: kills, stops, cut connections, ``minion-queue``."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import ClassVar

import pytest

from minionize.pubsub.link import Link
from tests.brokers.cases import MinionCases
from tests.brokers.google import PROJECT, PubSubServer, running
from tests.brokers.server import Server

pytestmark = [pytest.mark.broker, pytest.mark.slow]

NUMBERS = count()


@pytest.fixture(scope="module")
def pubsub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PubSubServer]:
    with running(tmp_path_factory.mktemp("pubsub")) as server:
        yield server


class TestMinionsOnPubSub(MinionCases):
    """With a dead topic."""

    engine = "google"
    persistent: ClassVar[bool] = False
    forgotten: ClassVar[float] = 10.0  # the shortest deadline that a subscription can have

    @pytest.fixture(autouse=True)
    def _topic(self, pubsub: PubSubServer) -> None:
        self.pubsub, self.number = pubsub, next(NUMBERS)

    def server(self) -> Server:
        """The emulator of this module."""
        return self.pubsub

    def environ(self, port: int | None = None) -> dict[str, str]:
        """Topics of its own."""
        return {
            "GOOGLE_PROJECT_ID": PROJECT,
            "GOOGLE_TOPIC_ID": f"params-{self.number}",
            "GOOGLE_SUBSCRIPTION": f"minions-{self.number}",
            "GOOGLE_DEAD_TOPIC": f"dead-{self.number}",
            "GOOGLE_ACK_DEADLINE": "2",
            "PUBSUB_EMULATOR_HOST": f"127.0.0.1:{port}" if port else self.pubsub.host,
        }

    def forbidden(self) -> dict[str, str]:
        """Google itself, with a file of credentials that holds none."""
        credentials = self.place.folder / "credentials.json"
        credentials.write_text('{"type": "service_account", "private_key": "wr0ng"}')
        return {
            **self.environ(),
            "PUBSUB_EMULATOR_HOST": "",
            "GOOGLE_APPLICATION_CREDENTIALS": str(credentials),
        }

    def missing(self) -> dict[str, str]:
        """A topic is made by who fills it."""
        return {**self.environ(), "GOOGLE_TOPIC_ID": "missing", "GOOGLE_SUBSCRIPTION": "missing"}

    def corrupt(self) -> None:
        """Publish what says that it is JSON."""
        message = {"data": b"{no JSON", "attributes": {"content-type": "application/json"}}
        link = Link(self.pubsub.host, "")
        link.call("Publish", topic=f"projects/{PROJECT}/topics/params-{self.number}", messages=[message])
        link.hang_up()
