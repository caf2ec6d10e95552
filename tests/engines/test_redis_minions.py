"""Real minions on a Redis stream: killed, stopped, cut off; a server that is restarted."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from redis import Redis

from tests.brokers.cases import MinionCases
from tests.brokers.redis import RedisServer
from tests.brokers.server import Server

pytestmark = [pytest.mark.broker, pytest.mark.slow]

STREAMS = (f"params-{number}" for number in count())


@pytest.fixture(scope="module")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """It keeps what it holds over a restart."""
    server = RedisServer(tmp_path_factory.mktemp("redis"), "pass-word", ["--appendonly", "yes"])
    server.start()
    yield server
    server.stop()


class TestMinionsOnRedis(MinionCases):
    """A stream of its own for each case."""

    engine = "redis"

    @pytest.fixture(autouse=True)
    def _stream(self, redis_server: RedisServer) -> None:
        self.redis_server, self.stream = redis_server, next(STREAMS)

    def server(self) -> Server:
        return self.redis_server

    def environ(self, port: int | None = None) -> dict[str, str]:
        url = self.redis_server.url
        url = url.replace(f":{self.redis_server.port}/", f":{port or self.redis_server.port}/")
        return {"REDIS_URL": url, "REDIS_STREAM": self.stream, "REDIS_LEASE": f"{self.lease:g}"}

    def forbidden(self) -> dict[str, str] | None:
        return {**self.environ(), "REDIS_URL": f"redis://:wr0ng@127.0.0.1:{self.redis_server.port}/0"}

    def missing(self) -> dict[str, str] | None:
        return None

    def corrupt(self) -> None:
        redis: Any
        with Redis.from_url(self.redis_server.url, protocol=2) as redis:
            redis.xadd(self.stream, {"param": "{no JSON", "content-type": "application/json"})
