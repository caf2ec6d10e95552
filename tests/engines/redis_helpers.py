"""Redis servers for some tests, and engines on them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from minionize.engine import Delivery, Engine
from minionize.engines.redis import RedisEngine
from minionize.errors import EngineError
from tests.brokers.redis import RedisServer

SECRET = "s3cret/@:?#%"
S = "params"


@contextmanager
def started(folder: Path, password: str = "", *options: str) -> Iterator[RedisServer]:
    server = RedisServer(folder, password, options)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def client(server: RedisServer) -> Iterator[Any]:
    with Redis.from_url(server.url, protocol=2, decode_responses=True) as redis:
        yield redis


@contextmanager
def engine_on(url: str, stream: str = "params", **values: Any) -> Iterator[RedisEngine]:
    engine = RedisEngine(url=url, stream=stream, **values)
    engine.minion = "minion-1"
    try:
        yield engine
    finally:
        engine.close()


def refusal(url: str, kind: type[EngineError] = EngineError, stream: str = "params", **values: Any) -> str:
    """Why an engine cannot be opened; in time, and no word of it is secret."""
    began = time.monotonic()
    with engine_on(url, stream, **values) as engine, pytest.raises(EngineError) as caught:
        engine.open()
    assert time.monotonic() - began < 8.0
    assert type(caught.value) is kind, caught.value
    words = f"{caught.value} {caught.value!r} {engine!r} {engine.queue_name}"
    assert "s3cret" not in words
    assert "wr0ng" not in words
    return str(caught.value)


def works(url: str, **values: Any) -> None:
    with engine_on(url, **values) as engine:
        assert engine.put(["a", "b"]) == 2
        engine.open()
        first, second = engine.receive(2, 1.0)
        engine.started([first, second])
        assert engine.extend([first, second]) == []
        engine.ack([first])
        engine.nack([second])
        (again,) = engine.receive(1, 1.0)
        engine.dead_letter([again], "failed", [{}])
        assert engine.requeue([letter.id for letter in engine.dead()]) == 1
        assert list(engine.peek()) == ["b"]
        assert (engine.backlog().ready, engine.holders()) == (1, [])
        engine.close()
        engine.open()
        engine._tended = -1e9
        assert engine.receive(0, 0.0) == []
        (last,) = engine.receive(1, 1.0)
        engine.ack([last])
        assert engine.purge() == 0
        assert "s3cret" not in engine.queue_name


def until(condition: Any, seconds: float = 15.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


@contextmanager
def engines_on(server: RedisServer) -> Iterator[Any]:
    """What makes engines of several minions on one stream."""
    made: list[Engine] = []

    def make(minion: str = "", is_open: bool = True, **values: Any) -> RedisEngine:
        engine = RedisEngine(**{"url": server.url, "stream": S, "lease": 30.0, **values})
        engine.minion = minion or f"minion-{len(made) + 1}"
        made.append(engine)
        if is_open:
            engine.open()
        return engine

    yield make
    for engine in made:
        engine.close()


def params(deliveries: list[Delivery]) -> list[Any]:
    return [each.param for each in deliveries]


def drained(engine: Engine) -> list[Any]:
    found = []
    while taken := engine.receive(100, 0.0):
        engine.ack(taken)
        found += params(taken)
    return found
