"""The RabbitMQ engine keeps the engine contract, on a real server."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pika
import pytest

from minionize.engine import Engine
from minionize.engines.rabbitmq import RabbitmqEngine
from minionize.testing.engine import EngineContract
from minionize.testing.rules.params import ParamRules
from tests.brokers.rabbitmq import RabbitServer, running

pytestmark = pytest.mark.broker


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitServer]:
    with running(tmp_path_factory.mktemp("rabbitmq")) as server:
        yield server


class TestRabbitmq(EngineContract):
    """With JSON as the decoder, on a queue of its own for each case."""

    decoder = "json"

    @pytest.fixture(autouse=True)
    def _queue(self, server: RabbitServer) -> None:
        self.server, self.queue = server, f"params.{uuid4().hex}"

    def make_engine(self) -> Engine:
        """Make another minion's engine."""
        return RabbitmqEngine(url=self.server.url, queue=self.queue, decoder=self.decoder)

    def corrupt(self) -> None:
        """Put what is no JSON."""
        with self.server.channel() as channel:
            channel.basic_publish("", self.queue, b'{"torn', pika.BasicProperties(content_type="application/json"))


class TestRabbitmqText(ParamRules):
    """Params as texts."""

    decoder = "identity"
    _queue = TestRabbitmq._queue
    make_engine = TestRabbitmq.make_engine
    corrupt = TestRabbitmq.corrupt
