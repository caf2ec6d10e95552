"""The redis engine and a server that restarts, hangs, is full, busy or wrong: each is told apart and named."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from redis.exceptions import RedisError

from minionize.engine import Delivery
from minionize.engines.redis import RedisEngine
from minionize.errors import EngineError, NotConnected
from tests.brokers.redis import RedisServer
from tests.engines.redis_helpers import SECRET, client, engine_on, refusal, started, until

pytestmark = pytest.mark.broker


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A server with a password."""
    with started(tmp_path_factory.mktemp("redis"), SECRET) as server:
        yield server


@pytest.fixture
def empty(locked: RedisServer) -> RedisServer:
    with client(locked) as redis:
        redis.flushall()
    return locked


# Restarts, and a server that hangs.


def reopened(engine: RedisEngine) -> None:
    """As the worker does after NotConnected."""
    engine.close()
    engine.open()


@pytest.fixture
def durable(tmp_path: Path) -> Iterator[RedisServer]:
    with started(tmp_path, "", "--appendonly", "yes", "--appendfsync", "always") as server:
        yield server


def test_a_restart_with_persistence(durable: RedisServer) -> None:
    """Nothing is lost, nothing is run twice: a lease does not run out for the server was away."""
    with engine_on(durable.url) as engine, engine_on(durable.url) as other:
        other.minion = "minion-2"
        engine.put(["a", "b"])
        engine.open()
        other.open()
        taken = engine.receive(1, 1.0)
        engine.started(taken)
        durable.stop()
        with pytest.raises(NotConnected, match="Redis at"):
            engine.ack(taken)
        with pytest.raises(NotConnected):
            other.receive(1, 0.0)
        durable.start()
        with client(durable) as redis:
            (held,) = redis.zrange("params:minions:leases", 0, -1)
            redis.zincrby("params:minions:leases", -100_000, held)
        reopened(other)
        assert [each.param for each in other.receive(5, 0.0)] == ["b"]
        reopened(engine)
        assert engine.extend(taken) == []
        engine.ack(taken)
        assert engine.backlog().in_flight == 1


def test_a_restart_without_persistence(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with started(tmp_path) as server, engine_on(server.url) as engine:
        engine.put(["a"])
        engine.open()
        taken = engine.receive(1, 1.0)
        server.stop()
        server.start()
        with caplog.at_level(logging.WARNING):
            with suppress(NotConnected):
                engine.receive(1, 0.0)
            reopened(engine)
        assert "made group" in caplog.text
        assert engine.extend(taken) == taken
        assert engine.put(["b"]) == 1
        assert [each.param for each in engine.receive(5, 1.0)] == ["b"]


def test_a_server_that_hangs(tmp_path: Path) -> None:
    with started(tmp_path) as server, engine_on(f"{server.url}?socket_timeout=2") as engine:
        engine.put(["a"])
        engine.open()
        taken = engine.receive(1, 1.0)
        server.hang()
        began = time.monotonic()
        with pytest.raises(NotConnected):
            engine.ack(taken)
        engine.close()
        assert time.monotonic() - began < 8.0
        server.wake()
        reopened(engine)
        assert engine.extend(taken) == []
        engine.ack(taken)
        assert engine.backlog().in_flight == 0


# Trouble.


def test_a_key_of_another_type(empty: RedisServer) -> None:
    with client(empty) as redis:
        redis.set("params", "no stream")
        words = refusal(empty.url)
        assert "WRONGTYPE" in words
        assert "choose another REDIS_STREAM" in words
        with engine_on(empty.url) as engine, pytest.raises(EngineError, match=r"WRONGTYPE.*; 0 params were put"):
            engine.put(["a"])
        redis.flushall()
        with engine_on(empty.url) as engine:
            engine.put(["a"])
            engine.open()
            taken = engine.receive(1, 1.0)
            redis.set("params:minions:dead", "no stream")
            with pytest.raises(EngineError, match="WRONGTYPE"):
                engine.dead_letter(taken, "failed", [{}])
            engine.nack(taken)
            assert len(engine.receive(1, 1.0)) == 1


def test_a_full_server(empty: RedisServer) -> None:
    """What is there can be worked on and leaves; nothing comes in, and that may pass."""
    with client(empty) as redis, engine_on(empty.url) as engine:
        engine.put(["a", "b", "c"])
        engine.open()
        redis.config_set("maxmemory", 1)
        try:
            with pytest.raises(NotConnected, match=r"its memory is full.*; 0 params were put"):
                engine.put(["d"])
            taken = engine.receive(3, 1.0)
            assert len(taken) == 3
            engine.started(taken)
            assert engine.extend(taken) == []
            engine.nack(taken[:1])
            engine.ack(taken[1:2])
            with pytest.raises(NotConnected, match="maxmemory"):
                engine.dead_letter(taken[2:], "failed", [{}])
        finally:
            redis.config_set("maxmemory", 0)
        reopened(engine)
        engine.dead_letter(taken[2:], "failed", [{}])
        assert [letter.param for letter in engine.dead()] == ["c"]
        assert [each.param for each in engine.receive(3, 1.0)] == ["a"]


def test_a_minion_that_comes_to_a_full_server(empty: RedisServer) -> None:
    """It may have been restarted since; retries may wait for longer than a lease."""
    with client(empty) as redis, engine_on(empty.url, lease=0.01) as engine:
        engine.put(["a", "b"])
        engine.open()
        engine.nack(engine.receive(1, 1.0), delay=1000.0)
        redis.hset("params:minions:runs", ".server", "another run")
        redis.config_set("maxmemory", 1)
        try:
            reopened(engine)
            until(lambda: redis.xpending_range("params", "minions", "-", "+", 1)[0]["time_since_delivered"] >= 10)
            assert [each.param for each in engine.receive(1, 0.0)] == ["b"]
        finally:
            redis.config_set("maxmemory", 0)


def test_a_server_that_may_throw_keys_away(empty: RedisServer, caplog: pytest.LogCaptureFixture) -> None:
    with client(empty) as redis, engine_on(empty.url) as engine, caplog.at_level(logging.WARNING):
        redis.config_set("maxmemory-policy", "allkeys-lru")
        redis.config_set("maxmemory", "1gb")
        try:
            engine.visit()
        finally:
            redis.config_set("maxmemory", 0)
            redis.config_set("maxmemory-policy", "noeviction")
    assert "set maxmemory-policy to noeviction" in caplog.text
    assert "s3cret" not in caplog.text


def test_a_server_that_is_busy_with_a_script(empty: RedisServer) -> None:
    with client(empty) as redis, client(empty) as killer, engine_on(empty.url) as engine:
        engine.put(["a"])
        engine.open()
        redis.config_set("lua-time-limit", 10)

        def spin() -> None:
            with suppress(Exception):
                redis.eval("while true do end", 0)

        thread = Thread(target=spin)
        thread.start()
        try:
            until(lambda: is_busy(killer))
            with pytest.raises(NotConnected, match=r"BUSY.*see to the server"):
                engine.receive(1, 0.0)
        finally:
            killer.script_kill()
            thread.join()
        reopened(engine)
        assert len(engine.receive(1, 1.0)) == 1


def is_busy(redis: Any) -> bool:
    try:
        redis.ping()
    except Exception as error:
        return "BUSY" in str(error)
    return False


@pytest.mark.parametrize(
    ("words", "kind", "remedy"),
    [
        ("MOVED 1 127.0.0.1:7001", EngineError, r"redis\+cluster"),
        ("CROSSSLOT Keys in request don't hash to the same slot", EngineError, r"redis\+cluster"),
        ("TRYAGAIN Multiple keys request during rehashing of slot", NotConnected, "see to the server"),
        ("MASTERDOWN Link with MASTER is down", NotConnected, "see to the server"),
        ("OOM command not allowed", NotConnected, "maxmemory"),
        ("LOADING Redis is loading the dataset in memory", NotConnected, "wait until"),
        (
            "READONLY You can't write against a read only replica. script: 12, on @user_script:1.",
            NotConnected,
            "master",
        ),
        ("MISCONF Redis is configured to save RDB snapshots, but ...", NotConnected, "disk"),
        ("ERR Error running script (call to f_1): @user_script:1: -OOM command not allowed", NotConnected, "maxmemory"),
        ("ERR Error running script ... Script killed by user with SCRIPT KILL...", NotConnected, "see to the server"),
        ("UNBLOCKED force unblock from blocking operation, instance state changed", NotConnected, "see to the server"),
        ("CLUSTERDOWN The cluster is down", NotConnected, "see to the server"),
        ("ERR unknown command 'EVALSHA', with args beginning with: 's3cret'", EngineError, "6.2 or later"),
        ("ERR unknown command 'SENTINEL', with args beginning with: 'x'", EngineError, "no sentinel listens there"),
        ("ERR unknown command `SENTINEL`, with args beginning with: `x`", EngineError, "no sentinel listens there"),
        ("ERR invalid DB index", EngineError, "REDIS_URL"),
    ],
)
def test_words_of_servers(words: str, kind: type[EngineError], remedy: str) -> None:
    from redis.connection import DefaultParser

    from minionize.redisstream.errors import reaching

    parse: Any = DefaultParser.parse_error
    with pytest.raises(EngineError, match=remedy) as caught, reaching("redis://host"):
        raise parse(words)
    assert type(caught.value) is kind
    assert "s3cret" not in str(caught.value)
    assert "script: 12" not in str(caught.value)
    assert isinstance(caught.value.__cause__, RedisError)


def test_a_server_that_is_too_old(empty: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    from minionize.redisstream.server import Server

    monkeypatch.setattr(Server, "_facts", lambda self: {"redis_version": "5.0.14"})
    assert "of version 5.0.14; 6.2 or later is needed" in refusal(empty.url)


def test_deliveries_show_no_secret(empty: RedisServer) -> None:
    with engine_on(empty.url) as engine:
        engine.put(["a"])
        engine.open()
        taken: list[Delivery] = engine.receive(1, 1.0)
        assert "s3cret" not in f"{taken!r} {engine!r}"
        engine.ack(taken)
