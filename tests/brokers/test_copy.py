"""``minion-queue copy`` from one broker to another, and back."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.running import Place, opened
from tests.brokers.rabbitmq import RabbitServer
from tests.brokers.redis import RedisServer

pytestmark = pytest.mark.broker

PARAMS: list[Any] = [{"x": 1, "name": "ü"}, "a text", "007", 7, None, [1, "two"], "odd \udcff"]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with opened(tmp_path) as place:
        yield place


@pytest.fixture
def environ(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    redis, rabbit = RedisServer(tmp_path_factory.mktemp("redis")), RabbitServer(tmp_path_factory.mktemp("rabbitmq"))
    try:
        redis.start()
        rabbit.start()
        yield {
            "REDIS_URL": redis.url,
            "REDIS_STREAM": "from",
            "RABBITMQ_URL": rabbit.url,
            "RABBITMQ_QUEUE": "to",
        }
    finally:
        redis.stop()
        rabbit.stop()


def queue(place: Place, environ: dict[str, str], *words: str, stdin: str = "") -> list[Any]:
    """Run ``minion-queue --json``; return its lines."""
    done = subprocess.run(
        [sys.executable, "-c", "from minionize.cli.queue import main; main()", *words, "--json"],
        cwd=place.folder,
        env=place.environ(**environ),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def same(found: list[Any]) -> bool:
    return sorted(map(json.dumps, found)) == sorted(map(json.dumps, PARAMS))


def test_from_one_broker_to_another_and_back(place: Place, environ: dict[str, str]) -> None:
    assert queue(place, environ, "-e", "redis", "fill", stdin="\n".join(map(json.dumps, PARAMS)))[0]["put"] == 7
    assert queue(place, environ, "-e", "redis", "copy", "--to", "rabbitmq")[0]["put"] == 7
    assert same(queue(place, environ, "-e", "rabbitmq", "peek"))
    assert same(queue(place, environ, "-e", "redis", "peek")), "they are still there"
    assert queue(place, environ, "-e", "rabbitmq", "copy", "--to", "redis", "REDIS_STREAM=back")[0]["put"] == 7
    assert same(queue(place, environ | {"REDIS_STREAM": "back"}, "-e", "redis", "peek"))
    (told,) = queue(place, environ, "-e", "rabbitmq", "status")
    assert (told["ready"], told["dead"], told["engine"]) == (7, 0, "rabbitmq")
    assert "guest" not in json.dumps(told)
