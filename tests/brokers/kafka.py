"""A real Kafka broker: one JVM that is broker and controller, without ZooKeeper."""

from __future__ import annotations

import base64
import socket
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from confluent_kafka import KafkaException, Producer
from confluent_kafka.admin import AdminClient

from tests.brokers.jars import jars
from tests.brokers.server import Server, free_port, need

_SINGLE = ("offsets.topic", "transaction.state.log", "share.coordinator.state.topic")
_PROPERTIES = {
    "process.roles": "broker,controller",
    "node.id": 1,
    "controller.listener.names": "CONTROLLER",
    **{f"{topic}.num.partitions": 1 for topic in _SINGLE},
    **{f"{topic}.replication.factor": 1 for topic in _SINGLE},
    **{f"{topic}.min.isr": 1 for topic in _SINGLE[1:]},
    "group.initial.rebalance.delay.ms": 0,
    "group.min.session.timeout.ms": 1000,
    "log.cleaner.dedupe.buffer.size": 2097152,
    "broker.heartbeat.interval.ms": 500,
    "broker.session.timeout.ms": 2000,
}


class KafkaServer(Server):
    """``address`` leads to it.

    Args:
        folder: A directory of its own.
        more: Further properties; ``{port}`` in one is a free port.
    """

    patience = 60.0

    def __init__(self, folder: Path, more: dict[str, str] | None = None) -> None:
        super().__init__(folder)
        self.java = need("java", "openjdk-17-jre-headless")
        self.controller = free_port()
        self.lib = jars("kafka")
        self.more = more or {}

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def protocol(self) -> str:
        """What the broker's clients speak."""
        return "PLAINTEXT"

    def properties(self) -> dict[str, object]:
        """Its settings."""
        return {
            **_PROPERTIES,
            "listeners": f"{self.protocol}://{self.address},CONTROLLER://127.0.0.1:{self.controller}",
            "advertised.listeners": f"{self.protocol}://{self.address}",
            "listener.security.protocol.map": f"CONTROLLER:PLAINTEXT,{self.protocol}:{self.protocol}",
            "inter.broker.listener.name": self.protocol,
            "controller.quorum.bootstrap.servers": f"127.0.0.1:{self.controller}",
            "log.dirs": self.folder / "data",
            **self.more,
        }

    def _jvm(self, program: str, *words: str) -> list[str]:
        small = ["-Xms64m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
        return [self.java, *small, "-cp", f"{self.lib}/*", program, *words]

    def command(self) -> list[str]:
        return self._jvm("kafka.Kafka", str(self.folder / "server.properties"))

    def start(self) -> None:
        settings = self.folder / "server.properties"
        if not settings.exists():
            settings.write_text("".join(f"{key}={value}\n" for key, value in self.properties().items()))
            id = base64.urlsafe_b64encode(uuid.UUID(int=uuid.uuid4().int >> 8).bytes).decode().rstrip("=")
            format = self._jvm("kafka.tools.StorageTool", "format", "--standalone", "-t", id, "-c", str(settings))
            subprocess.run(format, check=True, capture_output=True, cwd=self.folder)
        super().start()

    def is_ready(self) -> bool:
        try:
            # The client library would wait.
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return bool(AdminClient({**self.client(), "log_level": 0}).list_topics(timeout=2).brokers)
        except (OSError, KafkaException):
            return False

    def client(self) -> dict[str, str]:
        """What a client must be told."""
        return {"bootstrap.servers": self.address}


def produce(
    server: KafkaServer, topic: str, *bodies: bytes, headers: dict[str, str | bytes | None] | None = None
) -> None:
    """Write messages as another program does."""
    producer = Producer({**server.client(), "log_level": 0})
    for body in bodies:
        producer.produce(topic, body, headers=headers)
    assert producer.flush(10.0) == 0


@contextmanager
def running(folder: Path, more: dict[str, str] | None = None) -> Iterator[KafkaServer]:
    """A broker that is stopped at the end."""
    server = KafkaServer(folder, more)
    try:
        server.start()
        yield server
    finally:
        server.stop()
