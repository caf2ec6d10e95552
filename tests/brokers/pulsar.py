"""A real Pulsar: a standalone in one JVM, broker and bookie, which keeps its topics over a restart."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
import socket
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pulsar

from tests.brokers.jars import jars
from tests.brokers.server import Server, free_port, need

KEY = b"a key that only this server knows"

_OPENS = (
    *(f"java.base/{name}" for name in ("java.io", "java.util.zip", "java.nio", "jdk.internal.misc")),
    "java.base/jdk.internal.platform",
    "java.management/sun.management",
    "jdk.management/com.sun.management.internal",
)
_DRIVERS = "org.apache.pulsar.metadata.bookkeeper.PulsarMetadata"
_NO = ("loadBalancerEnabled", "webSocketServiceEnabled", "systemTopicEnabled", "topicLevelPoliciesEnabled")
_SETTINGS = {
    "clusterName": "standalone",
    "bindAddress": "127.0.0.1",
    "advertisedAddress": "127.0.0.1",
    **{f"managedLedgerDefault{name}": 1 for name in ("EnsembleSize", "WriteQuorum", "AckQuorum")},
    **dict.fromkeys((*_NO, "transactionCoordinatorEnabled", "journalSyncData"), "false"),
    "acknowledgmentAtBatchIndexLevelEnabled": "true",
    "loadManagerClassName": "org.apache.pulsar.broker.loadbalance.NoopLoadManager",
    "listeningInterface": "lo",
    "allowLoopback": "true",
    "allowEphemeralPorts": "true",
    "diskUsageThreshold": 0.99,
    "diskUsageWarnThreshold": 0.99,
    "ledgerStorageClass": "org.apache.bookkeeper.bookie.storage.ldb.DbLedgerStorage",
    **{f"dbStorage_{name}CacheMaxSizeMb": 16 for name in ("write", "readAhead")},
    "managedLedgerCacheSizeMB": 32,
    **{f"num{name}Threads": 2 for name in ("IO", "OrderedExecutor", "CacheExecutor")},
    "numHttpServerThreads": 8,
    # By this much a delayed message may come too early, or too late; 1000 by default.
    "delayedDeliveryTickTimeMillis": 100,
}
_LOGGING = """<Configuration>
<Appenders><Console name="out"><PatternLayout pattern="%d %p %c %m%n"/></Console></Appenders>
<Loggers><Root level="warn"><AppenderRef ref="out"/></Root></Loggers></Configuration>"""


class PulsarServer(Server):
    """``url`` leads to it, ``admin`` to its REST interface.

    Args:
        folder: A directory of its own.
        certificate: PEM files of key and certificate for ``tls_port``; None: no TLS.
        secured: Whether clients need a token.
    """

    patience = 90.0

    def __init__(self, folder: Path, certificate: tuple[Path, Path] | None = None, secured: bool = False) -> None:
        super().__init__(folder)
        self.java = need("java", "openjdk-17-jre-headless")
        self.lib = jars("pulsar")
        self.web_port, self.bookie_port, self.tls_port = free_port(), free_port(), free_port()
        self.token = token("boss") if secured else ""
        settings = {**_SETTINGS, "brokerServicePort": self.port, "webServicePort": self.web_port}
        if certificate:
            key, own = certificate
            settings |= {"brokerServicePortTls": self.tls_port, "tlsKeyFilePath": key, "tlsCertificateFilePath": own}
        if secured:
            settings |= {
                "authenticationEnabled": "true",
                "authorizationEnabled": "true",
                "authenticationProviders": "org.apache.pulsar.broker.authentication.AuthenticationProviderToken",
                "tokenSecretKey": f"data:;base64,{base64.b64encode(KEY).decode()}",
                "brokerClientAuthenticationPlugin": "org.apache.pulsar.client.impl.auth.AuthenticationToken",
                "brokerClientAuthenticationParameters": f"token:{self.token}",
                "superUserRoles": "boss",
            }
        (folder / "standalone.conf").write_text("".join(f"{key}={value}\n" for key, value in settings.items()))
        (folder / "log4j2.xml").write_text(_LOGGING)

    @property
    def url(self) -> str:
        return f"pulsar://127.0.0.1:{self.port}"

    @property
    def tls_url(self) -> str:
        return f"pulsar+ssl://127.0.0.1:{self.tls_port}"

    @property
    def admin(self) -> str:
        return f"http://127.0.0.1:{self.web_port}"

    def command(self) -> list[str]:
        return [
            self.java,
            *("-cp", f"{self.lib}/*"),
            *("-Xms64m", "-Xmx384m", "-XX:MaxDirectMemorySize=256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"),
            *(word for name in _OPENS for word in ("--add-opens", f"{name}=ALL-UNNAMED")),
            *("-Djava.net.preferIPv4Stack=true", f"-Djava.io.tmpdir={self.folder}"),
            *("-Dio.netty.tryReflectionSetAccessible=true", "-Dlog4j.shutdownHookEnabled=false"),
            f"-Dlog4j.configurationFile={self.folder}/log4j2.xml",
            f"-Dbookkeeper.metadata.bookie.drivers={_DRIVERS}BookieDriver",
            f"-Dbookkeeper.metadata.client.drivers={_DRIVERS}ClientDriver",
            "org.apache.pulsar.PulsarStandaloneStarter",
            *("--config", str(self.folder / "standalone.conf"), "-nfw", "-nss", "-a", "127.0.0.1"),
            *("--metadata-dir", str(self.folder / "metadata"), "--bookkeeper-dir", str(self.folder / "bookkeeper")),
            *("--bookkeeper-port", str(self.bookie_port), "--num-bookies", "1"),
        ]

    def is_ready(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1):
                return self.ask("GET", "brokers/health") == "ok" and "public/default" in self.ask(
                    "GET", "namespaces/public"
                )
        except OSError:
            return False

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Call the REST interface."""
        headers = {"Content-Type": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.admin}/admin/v2/{path}", data, headers, method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            words = answer.read().decode()
        return json.loads(words) if words[:1] in ("{", "[", '"') else words

    @contextmanager
    def client(self) -> Iterator[pulsar.Client]:
        """A client as any other program has it, silent."""
        login = pulsar.AuthenticationToken(self.token) if self.token else None
        with closing(pulsar.Client(self.url, login, logger=SILENT, operation_timeout_seconds=10)) as client:
            yield client

    def produce(
        self, topic: str, *bodies: bytes, properties: dict[str, str] | None = None, batch: bool = False
    ) -> None:
        """Send messages as another program does; perhaps in one batch."""
        with self.client() as client:
            producer = client.create_producer(topic, batching_enabled=batch, batching_max_publish_delay_ms=200)
            for body in bodies:
                producer.send_async(body, None, properties=properties)
            producer.flush()


SILENT = logging.Logger("silent")
SILENT.addHandler(logging.NullHandler())


def token(role: str, key: bytes = KEY) -> str:
    """Make a token (JWT, HS256) for somebody."""

    def encoded(data: bytes) -> str:
        return base64.urlsafe_b64encode(data).decode().rstrip("=")

    words = ".".join(encoded(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT"}, {"sub": role}))
    return f"{words}.{encoded(hmac.new(key, words.encode(), hashlib.sha256).digest())}"


@contextmanager
def running(
    folder: Path, certificate: tuple[Path, Path] | None = None, secured: bool = False
) -> Iterator[PulsarServer]:
    """A server that is stopped at the end."""
    server = PulsarServer(folder, certificate, secured)
    try:
        server.start()
        yield server
    finally:
        server.stop()
