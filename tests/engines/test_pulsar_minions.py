"""Real minions on a Pulsar topic: kills, stops, restarts of the server, ``minion-queue``."""

from __future__ import annotations

from uuid import uuid4

import pytest

from minionize.message import JSON, TYPE
from tests.brokers.cases import MinionCases
from tests.brokers.pulsar import PulsarServer, token
from tests.brokers.server import Server

pytestmark = [pytest.mark.broker, pytest.mark.slow]


class TestMinionsOnPulsar(MinionCases):
    """On a topic of its own for each case."""

    engine = "pulsar"

    @pytest.fixture(autouse=True)
    def _topic(self, pulsar_server: PulsarServer) -> None:
        self.pulsar, self.topic = pulsar_server, f"params-{uuid4().hex}"

    def server(self) -> Server:
        """The one of all tests."""
        return self.pulsar

    def environ(self, port: int | None = None) -> dict[str, str]:
        """A topic of its own."""
        url = f"pulsar://127.0.0.1:{port or self.pulsar.port}"
        return {"PULSAR_CONNECTION": url, "PULSAR_TOPIC": self.topic, "PULSAR_ADMIN": self.pulsar.admin}

    def can_be_proxied(self) -> bool:
        """The server tells its clients where else to go."""
        return False

    def forbidden(self) -> dict[str, str]:
        """A token that somebody else has signed."""
        return {**self.environ(), "PULSAR_TOKEN": token("boss", b"wr0ng")}

    def missing(self) -> dict[str, str]:
        """A namespace that is not there."""
        return {**self.environ(), "PULSAR_TOPIC": "persistent://public/missing/params"}

    def corrupt(self) -> None:
        """Send what is no JSON and says it were."""
        self.pulsar.produce(self.topic, b'{"torn', properties={TYPE: JSON})
