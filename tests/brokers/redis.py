"""A real Redis server, which keeps nothing on disk unless it is told to."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from tests.brokers.server import Server, need


class RedisServer(Server):
    """``url`` leads to it; with a password unless that is empty. ``options`` are more words of its command line."""

    def __init__(self, folder: Path, password: str = "", options: Sequence[str] = ()) -> None:
        super().__init__(folder)
        self.options = list(options)
        self.program = need("redis-server", "redis-server")
        self.password = password

    @property
    def login(self) -> str:
        """What stands before the host in a URL."""
        return f":{quote(self.password, safe='')}@" if self.password else ""

    @property
    def url(self) -> str:
        return f"redis://{self.login}127.0.0.1:{self.port}/0"

    @property
    def socket_url(self) -> str:
        return f"unix://{self.login}{self.folder}/redis.sock"

    def command(self) -> list[str]:
        nothing_kept = ["--save", "", "--appendonly", "no"]
        place = ["--bind", "127.0.0.1", "--port", str(self.port), "--unixsocket", str(self.folder / "redis.sock")]
        login = ["--requirepass", self.password] if self.password else []
        return [self.program, *place, *nothing_kept, *login, *self.options]

    def is_ready(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(100).startswith((b"+PONG", b"-NOAUTH"))
        except OSError:
            return False
