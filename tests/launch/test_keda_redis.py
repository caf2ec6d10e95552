"""What KEDA would count on a real Redis: all that is not done, whoever has it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from minionize.engine import Delivery
from tests.engines.redis_helpers import client, engine_on, started
from tests.launch.conftest import Terminal

pytestmark = pytest.mark.broker


def test_the_length_of_the_stream_is_what_is_not_done(launch: Terminal, tmp_path: Path) -> None:
    (tmp_path / "redis").mkdir()
    with started(tmp_path / "redis") as server:
        words = ["k8s", "--kind", "scaledjob", "--image", "app:1", "--env", "REDIS_URL=redis://db:7000"]
        text = launch.text(*words, "--env", "REDIS_STREAM=params", "--", "minionize", "-e", "redis", "./a.out")
        trigger: dict[str, Any] = next(yaml.safe_load_all(text))["spec"]["triggers"][0]["metadata"]
        assert trigger["address"] == "db:7000"
        with engine_on(server.url) as engine, client(server) as redis:
            engine.open()
            engine.put(range(4))
            assert redis.xlen(trigger["stream"]) == 4
            held = engine.receive(2, 5)
            assert redis.xlen(trigger["stream"]) == 4, "what is in flight counts: KEDA takes the minions that run off"
            engine.ack(held[:1])
            assert redis.xlen(trigger["stream"]) == 3
            # What was given back no measure but this one sees, once no minion is there.
            engine.nack(held[1:])
            assert redis.xlen(trigger["stream"]) == 3
            rest = take(engine, 3)
            engine.ack(rest)
            assert redis.xlen(trigger["stream"]) == 0


def take(engine: Any, count: int) -> list[Delivery]:
    found: list[Delivery] = []
    while len(found) < count:
        found += engine.receive(count - len(found), 5)
    return found
