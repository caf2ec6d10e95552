"""A real RabbitMQ server, which keeps its queues over a restart."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pika

from tests.brokers.server import Server, free_port, need

USER, PASSWORD = "guest", "gu:est/@"
POOR, MINION = "poor", "minion"
VHOST = "other/place"
"""A user who may do nothing, one who may do what the page says, a virtual host with a name that must be quoted."""


class RabbitServer(Server):
    """``url`` leads to it.

    Args:
        folder: Where it keeps all it has.
        certificate: PEM file with key and certificate for ``tls_port``, and the one of the CA; None: no TLS.
        consumer_timeout: Seconds for which a delivery may be held.
        largest: Bytes that a message may have.
    """

    patience = 60.0

    def __init__(
        self,
        folder: Path,
        certificate: tuple[Path, Path] | None = None,
        consumer_timeout: float = 1800.0,
        largest: int = 16 << 20,
    ) -> None:
        super().__init__(folder)
        self.program = need("/usr/lib/rabbitmq/bin/rabbitmq-server", "rabbitmq-server")
        self.tls_port = free_port() if certificate else 0
        self._epmd: subprocess.Popen[bytes] | None = None
        self._ports = {"ERL_EPMD_PORT": str(free_port()), "RABBITMQ_DIST_PORT": str(free_port())}
        self._configure(certificate, consumer_timeout, largest)

    def _configure(self, certificate: tuple[Path, Path] | None, consumer_timeout: float, largest: int) -> None:
        cookie = self.folder / ".erlang.cookie"
        cookie.write_text("minionize")
        cookie.chmod(0o400)
        every = {"configure": ".*", "write": ".*", "read": ".*"}
        nothing = dict.fromkeys(every, "^$")
        its_own = dict.fromkeys(every, r"^params(\..*)?$") | {"write": r"^params(\..*)?$|^amq\.default$"}
        vhosts = ["/", VHOST]
        definitions = {
            "users": [
                {"name": USER, "password": PASSWORD, "tags": ["administrator"]},
                *({"name": name, "password": PASSWORD, "tags": []} for name in (POOR, MINION)),
            ],
            "vhosts": [{"name": name} for name in vhosts],
            "permissions": [
                *({"user": USER, "vhost": name, **every} for name in vhosts),
                {"user": POOR, "vhost": "/", **nothing},
                {"user": MINION, "vhost": "/", **its_own},
            ],
        }
        (self.folder / "definitions.json").write_text(json.dumps(definitions))
        lines = [
            f"load_definitions = {self.folder}/definitions.json",
            f"consumer_timeout = {consumer_timeout * 1000:.0f}",
            f"max_message_size = {largest}",
        ]
        if certificate:
            own, ca = certificate
            lines += [f"listeners.ssl.1 = 127.0.0.1:{self.tls_port}", f"ssl_options.cacertfile = {ca}"]
            lines += [f"ssl_options.certfile = {own}", f"ssl_options.keyfile = {own}"]
        (self.folder / "rabbitmq.conf").write_text("\n".join(lines) + "\n")
        # How often the server looks for deliveries that are held too long: not to be said in rabbitmq.conf.
        (self.folder / "advanced.config").write_text("[{rabbit, [{channel_tick_interval, 500}]}].\n")
        (self.folder / "enabled_plugins").write_text("[].\n")

    @property
    def url(self) -> str:
        return self.url_of(USER, PASSWORD)

    def url_of(self, user: str, password: str, port: int | None = None, vhost: str = "/") -> str:
        """A URL for somebody, by this port or another."""
        login = f"{quote(user, safe='')}:{quote(password, safe='')}"
        return f"amqp://{login}@127.0.0.1:{port or self.port}/{quote(vhost, safe='')}"

    def environ(self) -> dict[str, str]:
        """What the server and its tools need to know."""
        return {
            **self._ports,
            "HOME": str(self.folder),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": "ci@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self.folder / "logs"),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq.conf"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(self.folder / "advanced.config"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "enabled_plugins"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1} +S 2:2 +sbwt none",
        }

    def command(self) -> list[str]:
        return ["env", *(f"{name}={value}" for name, value in self.environ().items()), self.program]

    def is_ready(self) -> bool:
        """Whether it greets: by then its queues are there too."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as connection:
                connection.sendall(b"AMQP\0\0\x09\x01")
                return len(connection.recv(8)) == 8
        except OSError:
            return False

    def start(self) -> None:
        """Start it and its port mapper, which would outlive it."""
        epmd = need("epmd", "erlang-base")
        self._epmd = subprocess.Popen(
            [epmd], env={**os.environ, **self.environ()}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        super().start()

    def stop(self) -> None:
        machine = self._machine()
        super().stop()
        epmd, self._epmd = self._epmd, None
        if machine is not None:
            with suppress(ProcessLookupError):
                os.kill(machine, signal.SIGKILL)
        if epmd is not None:
            epmd.kill()
            epmd.wait()

    def _machine(self) -> int | None:
        """The server itself: a child of the shell that has started it."""
        if self._process is None:
            return None
        pid = self._process.pid
        with suppress(OSError):
            for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
                if Path(f"/proc/{child}/comm").read_text().startswith("beam"):
                    return int(child)
        return None

    @property
    def pid(self) -> int:
        machine = self._machine()
        assert machine is not None
        return machine

    def control(self, *words: str) -> str:
        """Run ``rabbitmqctl``; takes some seconds."""
        with suppress(subprocess.TimeoutExpired):
            done = subprocess.run(
                [self.program.replace("-server", "ctl"), *words],
                env={**os.environ, **self.environ()},
                capture_output=True,
                text=True,
                timeout=60,
            )
            assert done.returncode == 0, done.stdout + done.stderr
            return done.stdout
        raise AssertionError("rabbitmqctl hangs")

    @contextmanager
    def channel(self) -> Iterator[Any]:
        """A channel for somebody who knows nothing of minionize; what it publishes is confirmed."""
        connection: Any = pika.BlockingConnection(pika.URLParameters(self.url))
        try:
            channel = connection.channel()
            channel.confirm_delivery()
            yield channel
        finally:
            with suppress(pika.exceptions.AMQPError):
                connection.close()


@contextmanager
def running(folder: Path, **options: Any) -> Iterator[RabbitServer]:
    """A server that is stopped in the end."""
    server = RabbitServer(folder, **options)
    try:
        server.start()
        yield server
    finally:
        server.stop()
