"""The redis engine and its server: credentials, TLS, clusters, sentinels. What is wrong is told apart and named."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Timer

import pytest
import trustme

from minionize.engine import Delivery
from minionize.engines.redis import RedisEngine
from minionize.errors import NotConnected
from minionize.redisstream.client import place_of, redis_url
from tests.brokers.redis import RedisServer
from tests.brokers.server import free_port
from tests.engines.redis_helpers import SECRET, client, engine_on, refusal, started, until, works

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
        "redis://:s3cret@host/jobs",
        "redis+sentinel://:s3cret@host:1/master/jobs",
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


@contextmanager
def cluster(folder: Path) -> Iterator[RedisServer]:
    """A cluster of one server."""
    with started(folder, "", "--cluster-enabled", "yes") as server:
        with client(server) as redis:
            redis.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
            until(lambda: "cluster_state:ok" in str(redis.execute_command("CLUSTER", "INFO")))
        yield server


def test_a_cluster(tmp_path: Path) -> None:
    with cluster(tmp_path) as server:
        url = f"redis+cluster://127.0.0.1:{server.port}"
        works(url)
        works(url, stream="{tag}params")
        assert "write redis+cluster://" in refusal(server.url)


def test_a_cluster_that_hangs_is_asked_once(tmp_path: Path) -> None:
    """What it has not answered it may have done."""
    with cluster(tmp_path) as server:
        engine = RedisEngine(url=f"redis+cluster://127.0.0.1:{server.port}?socket_timeout=0.5", stream="params")
        waking = Timer(1.0, server.wake)

        def params() -> Iterator[str]:
            yield "a"
            server.hang()
            waking.start()
            yield "b"

        with pytest.raises(NotConnected, match="1 params were put"):
            engine.put(params())
        waking.join()
        assert list(engine.peek()) == ["a", "b"]
        engine.close()


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
