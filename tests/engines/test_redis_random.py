"""Anything in any order, by several minions of one or two groups: the queue is always as a plain model says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from redis import Redis

from minionize.engine import Delivery
from minionize.engines.redis import RedisEngine
from tests.brokers.redis import RedisServer

pytestmark = pytest.mark.broker

STEPS = 120


@pytest.fixture(scope="module")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.stop()


class Group:
    """What a group should know of each param, and its minions."""

    def __init__(self, url: str, name: str) -> None:
        self.name = name
        self.state: dict[str, str] = {}
        self.held: list[tuple[RedisEngine, Delivery]] = []
        self.engines = [RedisEngine(url=url, stream="params", group=name, lease=30.0) for _ in range(2)]
        for number, engine in enumerate(self.engines):
            engine.minion = f"{name}-{number}"
            engine.open()

    def check(self) -> None:
        backlog = self.engines[0].backlog()
        if backlog.exact:
            count = Counter(self.state.values())
            assert (backlog.ready, backlog.in_flight, backlog.dead) == (count["ready"], count["held"], count["dead"])

    def take(self, chance: Random) -> None:
        engine = chance.choice(self.engines)
        for delivery in engine.receive(chance.randrange(1, 4), 0.0):
            assert self.state[delivery.param] == "ready"
            self.state[delivery.param] = "held"
            self.held.append((engine, delivery))

    def settle(self, chance: Random) -> None:
        if not self.held:
            return
        engine, delivery = self.held.pop(chance.randrange(len(self.held)))
        how = chance.choice(("ack", "ack", "nack", "dead"))
        if how == "ack":
            engine.ack([delivery])
            del self.state[delivery.param]
        elif how == "nack":
            engine.nack([delivery], charge=chance.random() < 0.5)
            self.state[delivery.param] = "ready"
        else:
            engine.dead_letter([delivery], "failed", [{}])
            self.state[delivery.param] = "dead"

    def requeue(self, chance: Random) -> None:
        letters = list(self.engines[0].dead())
        if letters:
            letter = chance.choice(letters)
            assert self.engines[1].requeue([letter.id]) == 1
            self.state[letter.param] = "ready"

    def purge(self, chance: Random) -> None:
        if chance.random() < 0.1:
            ready = [param for param, state in self.state.items() if state == "ready"]
            assert chance.choice(self.engines).purge() == len(ready)
            for param in ready:
                del self.state[param]

    def finish(self) -> None:
        for engine, delivery in self.held:
            engine.ack([delivery])
        while taken := self.engines[0].receive(50, 0.0):
            self.engines[0].ack(taken)
        for engine in self.engines:
            engine.close()


@pytest.mark.parametrize("seed", range(12))
def test_a_queue_is_as_a_model_says(redis_server: RedisServer, seed: int) -> None:
    redis: Any
    with Redis.from_url(redis_server.url, protocol=2, decode_responses=True) as redis:
        redis.flushall()
        chance, number = Random(seed), 0
        groups = [Group(redis_server.url, name) for name in ("one", "two")[: 1 + seed % 2]]
        for _ in range(STEPS):
            group = chance.choice(groups)
            step = chance.choice(("put", "take", "take", "settle", "settle", "requeue", "purge"))
            if step == "put":
                params = [f"p{number + each}" for each in range(chance.randrange(4))]
                number += group.engines[0].put(params)
                for each in groups:
                    each.state.update(dict.fromkeys(params, "ready"))
            elif step != "requeue" or len(groups) == 1:
                getattr(group, step)(chance)
            group.check()
        for group in groups:
            group.finish()
        assert redis.xlen("params") == 0
        for group in groups:
            assert redis.hkeys(f"params:{group.name}:runs") == [".server"]
            assert redis.exists(f"params:{group.name}:leases", f"params:{group.name}:back") == 0
