"""The redis engine and its server: credentials, TLS, restarts, trouble of every kind. Each is told apart and named."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import trustme
from redis import Redis
from redis.exceptions import RedisError

from minionize.engine import Delivery
from minionize.engines.redis import RedisEngine
from minionize.errors import EngineError, NotConnected
from minionize.redisstream.client import place_of, redis_url
from tests.brokers.redis import RedisServer
from tests.brokers.server import free_port

pytestmark = pytest.mark.broker

SECRET = "s3cret/@:?#%"


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


# Who may.


def test_a_password(empty: RedisServer) -> None:
    works(empty.url)
    works(empty.socket_url)


def test_wrong_credentials(empty: RedisServer) -> None:
    place = f"127.0.0.1:{empty.port}/0"
    assert "check the user and password in REDIS_URL" in refusal(f"redis://:wr0ng-s3cret@{place}")
    assert place in refusal(f"redis://nobody:wr0ng@{place}")
    assert "check the user" in refusal(f"redis://{place}")
    assert "check the user" in refusal(f"redis://{place}?password=wr0ng")


def test_the_rights_that_the_message_names_are_enough(empty: RedisServer) -> None:
    with client(empty) as redis:
        redis.execute_command("ACL", "SETUSER", "mini", "reset", "on", ">s3cret", "~params", "~params:*", "+get")
        url = f"redis://mini:s3cret@127.0.0.1:{empty.port}/0"
        words = refusal(url)
        rights = words.partition("needs ")[2].partition(" for")[0].split()
        assert "+@stream" in rights
        redis.execute_command("ACL", "SETUSER", "mini", *rights)
        works(url)
        assert "needs +@stream" in refusal(url, stream="other")
        redis.execute_command("ACL", "SETUSER", "mini", "-info")
        works(url)


def test_tls(tmp_path: Path) -> None:
    authority, port = trustme.CA(), free_port()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    own = authority.issue_cert("127.0.0.1", "localhost")
    own.private_key_and_cert_chain_pem.write_to_path(tmp_path / "own.pem")
    files = ["--tls-cert-file", f"{tmp_path}/own.pem", "--tls-key-file", f"{tmp_path}/own.pem"]
    trust = ["--tls-ca-cert-file", f"{tmp_path}/ca.pem", "--tls-auth-clients", "no"]
    with started(tmp_path, "", "--tls-port", str(port), *files, *trust) as server:
        works(f"rediss://127.0.0.1:{port}/0?ssl_ca_certs={tmp_path}/ca.pem")
        assert "ssl_ca_certs=FILE" in refusal(f"rediss://127.0.0.1:{port}/0")
        assert "speaks TLS" in refusal(f"rediss://127.0.0.1:{server.port}/0?socket_timeout=0.5", NotConnected)
        refusal(f"redis://127.0.0.1:{port}/0", NotConnected)


# Where it is.


@pytest.mark.parametrize(
    "url",
    ["http://host", "redis:/host", "s3cret", "redis+sentinels://host", "", "host:6379"],
)
def test_what_is_no_url(url: str) -> None:
    with pytest.raises(ValueError, match="must be redis://USER") as caught:
        redis_url(url)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "redis://:s3cret@host:port/0",
        "redis://:s3/cret@host/0",
        "redis://host/0?socket_timeout=s3cret",
        "redis://host/0?no_such_option=s3cret",
        "redis+sentinel://:s3cret@host:1,host:2",
        "redis+cluster://host/0?socket_timeout=s3cret",
        "redis://[s3cret/0",
    ],
)
def test_urls_that_the_client_does_not_take(url: str) -> None:
    assert "REDIS_URL" in refusal(url)


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("redis://u:hush@[::1]:7/2", "redis://[::1]:7/2"),
        ("unix://u:hush@/run/redis.sock?db=1", "unix:///run/redis.sock"),
        ("redis+sentinel://u:hush@a:1,b:2/master/0?x=hush", "redis+sentinel://a:1,b:2/master/0"),
        ("redis://:hu/sh@host/0", "redis://..."),
        ("redis://host/0?password=hush", "redis://host/0"),
    ],
)
def test_places(url: str, place: str) -> None:
    assert place_of(url) == place


def test_nobody_listens() -> None:
    port = free_port()
    for scheme in ("redis", "redis+cluster"):
        assert str(port) in refusal(f"{scheme}://:s3cret@127.0.0.1:{port}", NotConnected)
    refusal(f"redis+sentinel://:s3cret@127.0.0.1:{port}/master", NotConnected)
    refusal("unix:///no/such/socket", NotConnected)


def test_a_cluster(tmp_path: Path) -> None:
    with started(tmp_path, "", "--cluster-enabled", "yes") as server:
        with client(server) as redis:
            redis.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
            until(lambda: "cluster_state:ok" in str(redis.execute_command("CLUSTER", "INFO")))
        url = f"redis+cluster://127.0.0.1:{server.port}"
        works(url)
        works(url, stream="{tag}params")
        assert "write redis+cluster://" in refusal(server.url)


def test_no_cluster(empty: RedisServer) -> None:
    words = refusal(empty.url.replace("redis://", "redis+cluster://"))
    assert "write redis://" in words


def test_sentinels(tmp_path: Path) -> None:
    """They know the master, and the next one after a failover."""
    folders = [tmp_path / name for name in ("master", "replica", "sentinel")]
    for folder in folders:
        folder.mkdir()
    with (
        started(folders[0]) as master,
        started(folders[1], "", "--replicaof", "127.0.0.1", str(master.port)) as replica,
    ):
        sentinel = Sentinel(folders[2], master.port)
        sentinel.start()
        try:
            url = f"redis+sentinel://127.0.0.1:{free_port()},127.0.0.1:{sentinel.port}/mine/0"
            with client(replica) as redis:
                until(lambda: redis.info()["master_link_status"] == "up")
            works(url)
            assert "No master" in refusal(url.replace("mine", "other"), NotConnected)
            words = refusal(replica.url, NotConnected)
            assert "redis+sentinel:// finds it" in words
            with engine_on(url) as engine:
                engine.put(["a"])
                engine.open()
                taken = engine.receive(1, 1.0)
                until(sentinel.knows_a_replica)
                sentinel.fail_over()
                with client(replica) as redis:
                    until(lambda: redis.info()["role"] == "master")
                until(lambda: acked(engine, taken))
                assert engine.backlog().in_flight == 0
        finally:
            sentinel.stop()


def acked(engine: RedisEngine, taken: list[Delivery]) -> bool:
    """Whether an ack works by now; else come back, as the worker does."""
    try:
        engine.ack(taken)
    except NotConnected:
        engine.close()
        with suppress(NotConnected):
            engine.open()
        return False
    return True


class Sentinel(RedisServer):
    """A sentinel of one master."""

    def __init__(self, folder: Path, master: int) -> None:
        super().__init__(folder)
        self.master = master

    def command(self) -> list[str]:
        conf = self.folder / "sentinel.conf"
        conf.write_text(
            f"port {self.port}\nbind 127.0.0.1\nprotected-mode no\nsentinel monitor mine 127.0.0.1 {self.master} 1\n"
        )
        return [self.program, str(conf), "--sentinel"]

    def knows_a_replica(self) -> bool:
        with client(self) as redis:
            return len(redis.execute_command("SENTINEL", "REPLICAS", "mine")) > 0

    def fail_over(self) -> None:
        with client(self) as redis:
            redis.execute_command("SENTINEL", "FAILOVER", "mine")


def until(condition: Any, seconds: float = 15.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


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
    with engine_on(durable.url, lease=1.0) as engine, engine_on(durable.url, lease=1.0) as other:
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
        time.sleep(1.1)
        durable.start()
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
    with started(tmp_path) as server, engine_on(f"{server.url}?socket_timeout=0.5") as engine:
        engine.put(["a"])
        engine.open()
        taken = engine.receive(1, 1.0)
        server.hang()
        began = time.monotonic()
        with pytest.raises(NotConnected):
            engine.ack(taken)
        engine.close()
        assert time.monotonic() - began < 3.0
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
        ("CLUSTERDOWN The cluster is down", NotConnected, "see to the server"),
        ("ERR unknown command 'EVALSHA', with args beginning with: 's3cret'", EngineError, "6.2 or later"),
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
