"""A real Kafka broker: one JVM that is broker and controller, without ZooKeeper."""

from __future__ import annotations

import base64
import socket
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

import trustme
from confluent_kafka import KafkaException, Producer
from confluent_kafka.admin import AdminClient
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from tests.brokers.jars import jars
from tests.brokers.proxy import Proxy
from tests.brokers.server import Server, free_port, need

_SINGLE = ("offsets.topic", "transaction.state.log", "share.coordinator.state.topic")
_PROPERTIES = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAIN",
    "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAIN:PLAINTEXT,CUT:PLAINTEXT,SASL:SASL_PLAINTEXT,TLS:SSL",
    "sasl.enabled.mechanisms": "PLAIN",
    "listener.name.tls.ssl.keystore.type": "PEM",
    **{f"{topic}.num.partitions": "1" for topic in _SINGLE},
    **{f"{topic}.replication.factor": "1" for topic in _SINGLE},
    **{f"{topic}.min.isr": "1" for topic in _SINGLE[1:]},
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    "log.cleaner.dedupe.buffer.size": "2097152",
    "broker.heartbeat.interval.ms": "500",
    "broker.session.timeout.ms": "2000",
}


class KafkaServer(Server):
    """Listens in several ways, each on a port of its own.

    Args:
        folder: A directory of its own.
        more: Further properties.

    Attributes:
        proxy: A wire to it that can be cut; only what comes through it is sent through it again.
        user: Who may come in by ``sasl``.
        password: With which password.
    """

    patience = 60.0

    def __init__(self, folder: Path, more: dict[str, str] | None = None) -> None:
        super().__init__(folder)
        self.java = need("java", "openjdk-17-jre-headless")
        self.lib = jars("kafka")
        self._ports = {name: free_port() for name in ("CONTROLLER", "CUT", "SASL", "TLS")} | {"PLAIN": self.port}
        self._more = more or {}
        self.proxy = Proxy(self._ports["CUT"])
        self.user, self.password = "minion", "s3cret-of-kafka"

    def _at(self, name: str) -> str:
        return f"127.0.0.1:{self._ports[name]}"

    @property
    def address(self) -> str:
        """Without any security."""
        return self._at("PLAIN")

    @property
    def sasl(self) -> str:
        """With user and password."""
        return self._at("SASL")

    @property
    def tls(self) -> str:
        """With TLS."""
        return self._at("TLS")

    @property
    def through_proxy(self) -> str:
        """By the wire that can be cut."""
        return f"127.0.0.1:{self.proxy.port}"

    @cached_property
    def authority(self) -> Path:
        """The certificate of whom signed the broker's."""
        authority = trustme.CA()
        authority.cert_pem.write_to_path(self.folder / "ca.pem")
        own = authority.issue_cert("127.0.0.1", "localhost")
        # Java wants the key in this form only.
        key = load_pem_private_key(own.private_key_pem.bytes(), None)
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        chain = b"".join(each.bytes() for each in own.cert_chain_pems)
        (self.folder / "server.pem").write_bytes(pem + chain)
        return self.folder / "ca.pem"

    def _properties(self) -> dict[str, str]:
        assert self.authority.exists()
        login = "org.apache.kafka.common.security.plain.PlainLoginModule required"
        heard = {name: self._at(name) for name in self._ports}
        told = {**heard, "CUT": self.through_proxy}
        del told["CONTROLLER"]
        return {
            **_PROPERTIES,
            "listeners": ",".join(f"{name}://{place}" for name, place in heard.items()),
            "advertised.listeners": ",".join(f"{name}://{place}" for name, place in told.items()),
            "controller.quorum.bootstrap.servers": self._at("CONTROLLER"),
            "listener.name.sasl.plain.sasl.jaas.config": f'{login} user_{self.user}="{self.password}";',
            "listener.name.tls.ssl.keystore.location": str(self.folder / "server.pem"),
            "log.dirs": str(self.folder / "data"),
            **self._more,
        }

    def _jvm(self, program: str, *words: str) -> list[str]:
        small = ["-Xms64m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
        return [self.java, *small, "-cp", f"{self.lib}/*", program, *words]

    def command(self) -> list[str]:
        return self._jvm("kafka.Kafka", str(self.folder / "server.properties"))

    def start(self) -> None:
        settings = self.folder / "server.properties"
        if not settings.exists():
            settings.write_text("".join(f"{key}={value}\n" for key, value in self._properties().items()))
            # The first character must be no "-".
            id = "k" + base64.urlsafe_b64encode(uuid.uuid4().bytes).decode()[1:22]
            words = ("format", "--standalone", "-t", id, "-c", str(settings))
            done = subprocess.run(self._jvm("kafka.tools.StorageTool", *words), capture_output=True, text=True)
            assert done.returncode == 0, done.stdout + done.stderr
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
    server: KafkaServer,
    topic: str,
    *bodies: bytes | None,
    headers: dict[str, str | bytes | None] | None = None,
    partition: int = -1,
) -> None:
    """Write messages as another program does."""
    producer = Producer({**server.client(), "log_level": 0})
    for body in bodies:
        producer.produce(topic, body, headers=headers, partition=partition)
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
        server.proxy.close()
