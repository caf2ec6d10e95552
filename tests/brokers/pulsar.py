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
import trustme
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from tests.brokers.jars import jars
from tests.brokers.server import Server, free_port, need

KEY = b"a key that only this server knows"
BOSS = "boss"
"""Who may do everything; so may who shows no token."""

_AUTH = "org.apache.pulsar"

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
    "authenticationEnabled": "true",
    "authorizationEnabled": "true",
    "authenticationProviders": f"{_AUTH}.broker.authentication.AuthenticationProviderToken",
    "brokerClientAuthenticationPlugin": f"{_AUTH}.client.impl.auth.AuthenticationToken",
    "superUserRoles": BOSS,
    "anonymousUserRole": BOSS,
    # By this much a delayed message may come too early, or too late; 1000 by default.
    "delayedDeliveryTickTimeMillis": 100,
}
_LOGGING = """<Configuration>
<Appenders><Console name="out"><PatternLayout pattern="%d %p %c %m%n"/></Console></Appenders>
<Loggers><Root level="warn"><AppenderRef ref="out"/></Root></Loggers></Configuration>"""


class PulsarServer(Server):
    """``url`` and ``tls_url`` lead to it, ``admin`` to its REST interface.

    It takes tokens, and may be used without one; ``ca`` is the CA that has signed its certificate.

    Args:
        folder: A directory of its own.
    """

    patience = 90.0

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.java = need("java", "openjdk-17-jre-headless")
        self.lib = jars("pulsar")
        self.web_port, self.bookie_port, self.tls_port = free_port(), free_port(), free_port()
        self.ca = folder / "ca.pem"
        self._certify()
        settings = {
            **_SETTINGS,
            "brokerServicePort": self.port,
            "brokerServicePortTls": self.tls_port,
            "webServicePort": self.web_port,
            "tlsKeyFilePath": folder / "key.pem",
            "tlsCertificateFilePath": folder / "own.pem",
            "tokenSecretKey": f"data:;base64,{base64.b64encode(KEY).decode()}",
            "brokerClientAuthenticationParameters": f"token:{token(BOSS)}",
        }
        (folder / "standalone.conf").write_text("".join(f"{key}={value}\n" for key, value in settings.items()))
        (folder / "log4j2.xml").write_text(_LOGGING)

    def _certify(self) -> None:
        authority = trustme.CA()
        own = authority.issue_cert("127.0.0.1", "localhost")
        authority.cert_pem.write_to_path(self.ca)
        key = load_pem_private_key(own.private_key_pem.bytes(), None)
        form = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())  # Java takes no other
        (self.folder / "key.pem").write_bytes(key.private_bytes(*form))
        own.cert_chain_pems[0].write_to_path(self.folder / "own.pem")

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
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.admin}/admin/v2/{path}", data, headers, method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            words = answer.read().decode()
        return json.loads(words) if words[:1] in ("{", "[", '"') else words

    @contextmanager
    def client(self) -> Iterator[pulsar.Client]:
        """A client as any other program has it, silent."""
        with closing(pulsar.Client(self.url, logger=SILENT, operation_timeout_seconds=10)) as client:
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
def running(folder: Path) -> Iterator[PulsarServer]:
    """A server that is stopped at the end."""
    server = PulsarServer(folder)
    try:
        server.start()
        yield server
    finally:
        server.stop()
