from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.brokers.redis import RedisServer


@pytest.fixture(scope="module")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A server with a password, for all tests of a module."""
    server = RedisServer(tmp_path_factory.mktemp("redis"), password="s3cret/word%41@x")
    server.start()
    yield server
    server.stop()
