"""The redis engine keeps the engine contract, on a real server."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any, ClassVar

import pytest
from redis import Redis

from minionize.engine import Engine
from minionize.engines.redis import RedisEngine
from minionize.testing.engine import EngineContract
from minionize.testing.rules.params import ParamRules
from tests.brokers.redis import RedisServer

pytestmark = pytest.mark.broker

LEASE = 30.0
STREAMS = (f"params-{number}" for number in count())


@pytest.fixture(scope="module")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.stop()


class OnRedis:
    """A stream of its own for each case."""

    decoder: ClassVar[str] = "json"

    @pytest.fixture(autouse=True)
    def _stream(self, redis_server: RedisServer) -> Iterator[None]:
        self.stream = next(STREAMS)
        self.url = redis_server.url
        self.redis: Any
        with Redis.from_url(self.url, protocol=2, decode_responses=True) as self.redis:
            yield

    def make_engine(self) -> Engine:
        """Make another minion's engine."""
        return RedisEngine(url=self.url, stream=self.stream, lease=LEASE, decoder=self.decoder)

    def advance(self, seconds: float) -> None:
        """Let leases and delays be older."""
        for key in (f"{self.stream}:minions:leases", f"{self.stream}:minions:back"):
            for id in self.redis.zrange(key, 0, -1):
                self.redis.zincrby(key, -1000 * seconds, id)

    def corrupt(self) -> None:
        """Add what says that it is JSON."""
        self.redis.xadd(self.stream, {"param": "{no JSON", "content-type": "application/json"})


class TestRedis(OnRedis, EngineContract):
    """Where what says nothing of itself is JSON."""


class TestRedisOfTexts(OnRedis, ParamRules):
    """Where it is a text."""

    decoder = "identity"
