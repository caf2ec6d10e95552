"""Real minions on a Kafka topic of several partitions."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.acceptance.running import until
from tests.brokers.cases import MinionCases
from tests.brokers.kafka import KafkaServer, produce, running

pytestmark = pytest.mark.broker

QUICK = "session.timeout.ms = 2000\nheartbeat.interval.ms = 200\nfetch.wait.max.ms = 50\n"


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaServer]:
    with running(tmp_path_factory.mktemp("kafka"), {"num.partitions": "6"}) as server:
        yield server


class TestMinionsOnKafka(MinionCases):
    """Each case on a topic of its own."""

    engine = "kafka"
    persistent = True

    @pytest.fixture(autouse=True)
    def _topic(self, broker: KafkaServer, tmp_path: Path) -> None:
        self.broker = broker
        self.topic = f"params-{uuid4().hex[:8]}"
        self.path = tmp_path / "kafka.properties"
        self.path.write_text(QUICK)

    def server(self) -> KafkaServer:
        return self.broker

    def environ(self, port: int | None = None) -> dict[str, str]:
        return {
            "KAFKA_BOOTSTRAP": f"127.0.0.1:{port}" if port else self.broker.address,
            "KAFKA_TOPIC": self.topic,
            "KAFKA_CONFIG": str(self.path),
        }

    def forbidden(self) -> dict[str, str] | None:
        wrong = self.path.with_name("wrong.properties")
        login = f"sasl.mechanism=PLAIN\nsasl.username={self.broker.user}\nsasl.password=wr0ng\n"
        wrong.write_text(f"security.protocol=SASL_PLAINTEXT\n{login}")
        return {**self.environ(), "KAFKA_BOOTSTRAP": self.broker.sasl, "KAFKA_CONFIG": str(wrong)}

    def missing(self) -> dict[str, str] | None:
        return {**self.environ(), "KAFKA_TOPIC": "missing"}

    def corrupt(self) -> None:
        produce(self.broker, self.topic, b'{"half": ', headers={"content-type": b"application/json"})

    def can_be_proxied(self) -> bool:
        # The broker tells its clients by which port to come.
        return False

    def test_a_server_that_hangs_keeps_no_minion(self) -> None:
        """A minion that is to stop does so, though nothing that it asks the server is answered."""
        self.fill("a")
        minion = self.start(work="exec sleep 60")
        until(self.begun, 20.0, "it runs")
        self.broker.hang()
        try:
            minion.send(signal.SIGTERM)
            minion.wait(40.0)
        finally:
            self.broker.wake()
        assert "Traceback" not in minion.err
        self.ends(self.start("--exit-when-empty", "8"))
        assert self.ended() == Counter("a")
