"""Real minions on a RabbitMQ queue: kills, stops, restarts of the server, ``minion-queue``."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pika
import pytest

from tests.brokers.cases import MinionCases
from tests.brokers.rabbitmq import PASSWORD, USER, RabbitServer, running
from tests.brokers.server import Server

pytestmark = [pytest.mark.broker, pytest.mark.slow]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitServer]:
    with running(tmp_path_factory.mktemp("rabbitmq")) as server:
        yield server


class TestMinionsOnRabbitmq(MinionCases):
    """On a queue of its own for each case; ``test_rabbitmq_server`` tries runs that the server finds too long."""

    engine = "rabbitmq"

    @pytest.fixture(autouse=True)
    def _queue(self, server: RabbitServer) -> None:
        self.rabbit, self.name = server, f"params.{uuid4().hex}"

    def server(self) -> Server:
        """The one of this module."""
        return self.rabbit

    def environ(self, port: int | None = None) -> dict[str, str]:
        """A queue of its own, and heartbeats: who misses two on a busy machine loses all that it holds."""
        url = f"{self.rabbit.url_of(USER, PASSWORD, port)}?heartbeat=2"
        return {"RABBITMQ_URL": url, "RABBITMQ_QUEUE": self.name}

    def forbidden(self) -> dict[str, str]:
        """A wrong password."""
        return {**self.environ(), "RABBITMQ_URL": self.rabbit.url_of(USER, "wr0ng")}

    def missing(self) -> None:
        """A minion makes its queue."""

    def corrupt(self) -> None:
        """Put what is no JSON and says it were."""
        with self.rabbit.channel() as channel:
            channel.basic_publish("", self.name, b'{"torn', pika.BasicProperties(content_type="application/json"))
