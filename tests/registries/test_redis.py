"""The Redis registry, with a real server: the contract, and what a network can do to it."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import pytest
from redis import Redis

from minionize.errors import RegistryError, SettingsError
from minionize.plugins import load_registry
from minionize.registries.redis import KEY, RedisRegistry
from minionize.registry import Registry
from minionize.testing import RegistryContract
from minionize.testing.registry import make_announcement
from tests.brokers.redis import RedisServer
from tests.brokers.server import free_port


def client(server: RedisServer) -> Any:
    return Redis.from_url(server.url)


class TestRedis(RegistryContract):
    secrets: ClassVar[tuple[str, ...]] = ("s3cret",)
    server: RedisServer

    @pytest.fixture(autouse=True)
    def _place(self, redis_server: RedisServer) -> Iterator[None]:
        self.server = redis_server
        client(redis_server).flushall()
        yield
        client(redis_server).close()

    @property
    def url(self) -> str:
        return self.server.url

    def make_registry(self) -> Registry:
        return RedisRegistry(self.url, {})

    def make_hopeless(self) -> Registry:
        return RedisRegistry(f"redis://user:s3cret@127.0.0.1:{free_port()}/1", {})

    def advance(self, seconds: float) -> None:
        with client(self.server) as redis:
            for id, value in redis.hgetall(KEY).items():
                written, space, rest = value.partition(b" ")
                redis.hset(KEY, id, b"%.6f" % (float(written) - seconds) + space + rest)

    def plant(self, id: str, data: bytes) -> None:
        with client(self.server) as redis:
            redis.hset(KEY, id, b"%d.5 60 " % time.time() + data)

    @contextmanager
    def failing(self) -> Iterator[None]:
        with client(self.server) as redis:
            redis.config_set("maxmemory", 1)
            yield
            redis.config_set("maxmemory", 0)


class TestUnixSocket(TestRedis):
    @property
    def url(self) -> str:
        return self.server.socket_url

    def make_hopeless(self) -> Registry:
        return RedisRegistry(f"unix://user:s3cret@{self.server.folder}/none.sock", {})


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[RedisServer]:
    """A server without a password, of this test alone."""
    server = RedisServer(tmp_path)
    server.start()
    yield server
    server.stop()


def test_it_connects_again_after_the_server_was_away(alone: RedisServer) -> None:
    registry = RedisRegistry(alone.url, {})
    registry.announce(make_announcement())
    alone.stop()
    for _ in range(2):
        with pytest.raises(RegistryError, match=r"cannot write the registry redis://127.*refused; .*server runs"):
            registry.announce(make_announcement())
    alone.start()
    registry.announce(make_announcement())
    assert len(registry.read()) == 1, "a server that has forgotten all, scripts too"
    registry.close()


def test_a_server_that_was_restarted_between_two_heartbeats_is_not_noticed(alone: RedisServer) -> None:
    registry = RedisRegistry(alone.url, {})
    registry.announce(make_announcement())
    alone.stop()
    alone.start()
    registry.announce(make_announcement())
    assert len(registry.read()) == 1
    registry.close()


@pytest.mark.slow
def test_a_server_that_hangs_is_given_up_in_time(alone: RedisServer) -> None:
    connected, newcomer = RedisRegistry(alone.url, {}), RedisRegistry(alone.url, {})
    connected.announce(make_announcement())
    alone.hang()
    try:
        for registry in (connected, newcomer):
            began = time.monotonic()
            with pytest.raises(RegistryError, match="Timeout"):
                registry.announce(make_announcement())
            assert time.monotonic() - began < 5
    finally:
        alone.wake()
    connected.announce(make_announcement())
    newcomer.announce(make_announcement())
    assert len(connected.read()) == 1
    connected.close()
    newcomer.close()


def test_a_wrong_password(redis_server: RedisServer) -> None:
    registry = RedisRegistry(f"redis://:wrong-s3cret@127.0.0.1:{redis_server.port}/0", {})
    with pytest.raises(RegistryError, match="check the user and password") as caught:
        registry.announce(make_announcement())
    assert "s3cret" not in str(caught.value)
    registry.close()


def test_a_user_that_may_not(redis_server: RedisServer) -> None:
    with client(redis_server) as redis:
        redis.acl_setuser("mini", enabled=True, reset=True, passwords=["+word"], commands=["+get"], keys=["*"])
    registry = RedisRegistry(f"redis://mini:word@127.0.0.1:{redis_server.port}/0", {})
    with pytest.raises(RegistryError, match=r"(?i)no permissions.*needs \+@hash"):
        registry.announce(make_announcement())
    registry.close()


def test_the_commands_that_the_message_names_are_enough(redis_server: RedisServer) -> None:
    words = "+@hash +time +evalsha +script|load"
    with client(redis_server) as redis:
        redis.flushall()
        redis.acl_setuser(
            "mini", enabled=True, reset=True, passwords=["+word"], commands=words.split(), keys=["minionize:minions"]
        )
    registry = RedisRegistry(f"redis://mini:word@127.0.0.1:{redis_server.port}/0", {})
    registry.announce(make_announcement("a"))
    registry.leave(make_announcement("b"))
    assert len(registry.read()) == 2
    assert registry.forget(["a", "b"]) == 2
    registry.close()


def test_what_stands_in_the_key_may_be_anything(redis_server: RedisServer) -> None:
    registry = RedisRegistry(redis_server.url, {})
    with client(redis_server) as redis:
        redis.flushall()
        registry.announce(make_announcement("host-1-a"))
        whole = redis.hget(KEY, "host-1-a").replace(b"host-1-a", b"bad-1-a")
        for number, value in enumerate((b"", b" ", b"a b c", b"1 2", b"nan 1 {}", whole.replace(b" ", b"x ", 1))):
            redis.hset(KEY, f"bad-{number}-a", value)
        redis.hset(KEY, "bad-1-a", b"1e5 60 " + whole.split(b" ", 2)[2])
        redis.hset(KEY, b"\xff bad\n", whole)
        redis.hset(KEY, "x" * 5_000_000, "y" * 5_000_000)
        assert [seen.announcement["id"] for seen in registry.read()] == ["host-1-a"]
        assert registry.passed_over == 8
        # Cleaning takes no offence either.
        redis.hset(KEY, ".cleaned", "no number")
        RedisRegistry(redis_server.url, {}).announce(make_announcement("host-2-a"))
        assert re.fullmatch(rb"\d+\.\d{6}", redis.hget(KEY, ".cleaned"))
        redis.set(KEY, "no hash")
        with pytest.raises(RegistryError, match="WRONGTYPE"):
            registry.read()
        redis.delete(KEY)
    registry.close()


def test_a_server_that_knows_no_scripts_repeats_no_token(alone: RedisServer) -> None:
    alone.stop()
    command = [*alone.command(), "--rename-command", "EVALSHA", ""]
    alone.command = lambda: command  # type: ignore[method-assign]
    alone.start()
    with pytest.raises(RegistryError, match="unknown command") as caught:
        RedisRegistry(alone.url, {}).announce(make_announcement())
    assert "schema" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://u:hush@[::1]:7/2?health_check_interval=hush", "redis://[::1]:7/2"),
        ("redis://u:hush@[::1]:7/2", "redis://[::1]:7/2"),
        ("rediss://:hush@host", "rediss://host"),
        ("redis://u:hu/sh@host:1", "redis://..."),
        ("redis:u:hush@host", "redis:..."),
        ("unix://:hush@/run/redis.sock?db=1", "unix:///run/redis.sock"),
        ("redis://host/0?token=hush", "redis://host/0"),
    ],
)
def test_secrets_of_a_url_are_shown_nowhere(url: str, shown: str) -> None:
    try:
        words = repr(load_registry(url, {}))
    except SettingsError as error:
        words = f"{error} {error.__cause__}"
    assert "hush" not in words
    assert shown in words
