"""The Kafka engine keeps the engine contract, on a real broker."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest

from minionize.engine import Engine
from minionize.engines.kafka import KafkaEngine
from minionize.testing.engine import EngineContract
from minionize.testing.rules.params import ParamRules
from tests.brokers.kafka import KafkaServer, produce
from tests.engines.kafka_helpers import QUICK, kill

pytestmark = pytest.mark.broker


class OnKafka:
    """A topic with one partition for each case: whoever is its owner gets all."""

    decoder = "json"
    quiet = 0.2
    delay = 1.5

    @pytest.fixture(autouse=True)
    def _topic(self, kafka_server: KafkaServer, tmp_path: Path) -> None:
        self.server = kafka_server
        self.topic = f"params-{uuid4().hex[:8]}"
        self.path = tmp_path / "kafka.properties"
        self.path.write_text(QUICK)

    def make_engine(self) -> Engine:
        """Make another minion's engine."""
        return KafkaEngine(bootstrap=self.server.address, topic=self.topic, decoder=self.decoder, config=str(self.path))

    def kill(self, engine: Engine) -> None:
        """Drop the connection without leaving the group: its session must run out."""
        assert isinstance(engine, KafkaEngine)
        kill(engine)

    def corrupt(self) -> None:
        """Put half a JSON document."""
        produce(self.server, self.topic, b'{"half": ', headers={"content-type": b"application/json"})


class TestKafka(OnKafka, EngineContract):
    """With JSON."""


class TestKafkaTexts(OnKafka, ParamRules):
    """With texts as they stand."""

    decoder = "identity"
