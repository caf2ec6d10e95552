"""The pulsar engine and its server: who may, where it is, and what happens when it goes away."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import Any
from uuid import uuid4

import pytest

from minionize.engine import Delivery, EngineError, NotConnected
from minionize.engines.pulsar import PulsarEngine
from minionize.errors import SettingsError
from minionize.plugins import load_engine
from tests.acceptance.running import until
from tests.brokers.pulsar import PulsarServer, token
from tests.brokers.server import free_port

pytestmark = pytest.mark.broker


@contextmanager
def engine_on(url: str, topic: str = "", **more: Any) -> Iterator[PulsarEngine]:
    engine = PulsarEngine(connection=url, topic=topic or f"params-{uuid4().hex}", **more)
    engine.minion = f"minion-{uuid4().hex[:8]}"
    with closing(engine):
        yield engine


def refusal(url: str, kind: type[EngineError] = EngineError, topic: str = "", **more: Any) -> str:
    """What ``open`` says, soon."""
    began = time.monotonic()
    with engine_on(url, topic, **more) as engine, pytest.raises(EngineError) as caught:
        engine.open()
    assert type(caught.value) is kind, caught.value
    assert time.monotonic() - began < 6.0
    return str(caught.value)


def works(url: str, topic: str = "", **more: Any) -> None:
    """All that an engine does, once."""
    with engine_on(url, topic, **more) as engine:
        assert engine.put(["a", "b"]) == 2
        engine.open()
        first, second = take(engine, 2)
        engine.ack([first])
        engine.nack([second])
        (again,) = take(engine, 1)
        engine.dead_letter([again], "failed", [{}])
        assert engine.requeue([letter.id for letter in engine.dead()]) == 1
        (again,) = take(engine, 1)
        engine.nack([again], charge=False)
        assert list(engine.peek()) == [again.param]


def take(engine: PulsarEngine, count: int, seconds: float = 20.0) -> list[Delivery]:
    """Receive exactly so many, within some time."""
    taken: list[Delivery] = []
    end = time.monotonic() + seconds
    while len(taken) < count and time.monotonic() < end:
        taken += engine.receive(count - len(taken), 0.1)
    assert len(taken) == count
    return taken


# Who may.


def test_a_token(pulsar_server: PulsarServer, tmp_path: Path) -> None:
    works(pulsar_server.url, token=token("boss"))
    (tmp_path / "token").write_text(token("boss") + "\n")
    works(pulsar_server.url, token=f"file:{tmp_path}/token")
    works(pulsar_server.url, token=f"file://{tmp_path}/token")
    assert f"{tmp_path}/none" in refusal(pulsar_server.url, token=f"file:{tmp_path}/none")


def test_a_token_that_is_wrong(pulsar_server: PulsarServer) -> None:
    wrong = token("boss", b"wr0ng")
    words = refusal(pulsar_server.url, token=wrong)
    assert "check PULSAR_TOKEN" in words
    assert wrong not in words
    assert "check PULSAR_TOKEN" in refusal(pulsar_server.url, token="s3cret")


def test_a_role_that_may_not(pulsar_server: PulsarServer) -> None:
    assert "must be granted" in refusal(pulsar_server.url, token=token("nobody"))
    with engine_on(pulsar_server.url, token=token("nobody")) as engine, pytest.raises(EngineError, match="granted"):
        engine.put(["a"])


def test_a_role_that_may(pulsar_server: PulsarServer) -> None:
    role = f"minion-{uuid4().hex[:8]}"
    pulsar_server.ask("POST", f"namespaces/public/default/permissions/{role}", ["consume", "produce"])
    works(pulsar_server.url, token=token(role))


def test_tls(pulsar_server: PulsarServer, tmp_path: Path) -> None:
    works(pulsar_server.tls_url, ca=str(pulsar_server.ca))
    assert "PULSAR_CA" in refusal(pulsar_server.tls_url)
    assert "PULSAR_CA" in refusal(pulsar_server.tls_url, ca=str(tmp_path / "none"))
    assert "pulsar+ssl://" in refusal(pulsar_server.tls_url.replace("+ssl", ""), NotConnected)
    assert "pulsar://" in refusal(pulsar_server.url.replace("pulsar", "pulsar+ssl"), NotConnected)


def test_nothing_is_printed(pulsar_server: PulsarServer, capfd: pytest.CaptureFixture[str]) -> None:
    works(pulsar_server.url)
    refusal(pulsar_server.url, token=token("nobody"))
    assert capfd.readouterr() == ("", "")


def test_no_secret_is_shown(pulsar_server: PulsarServer) -> None:
    secret = token("boss")
    with engine_on(pulsar_server.url, token=secret) as engine:
        engine.put(["a"])
        engine.open()
        taken = take(engine, 1)
        assert secret not in f"{engine!r} {engine.queue_name} {taken!r}"
        engine.ack(taken)
    assert next(each.secret for each in PulsarEngine.settings if each.key == "token")


# Where it is.


def test_nobody_listens() -> None:
    port = free_port()
    assert str(port) in refusal(f"pulsar://127.0.0.1:{port}", NotConnected)
    assert "cannot be reached" in refusal("pulsar://no-such-host.invalid", NotConnected)
    assert "127.0.0.1:99999" in refusal("pulsar://127.0.0.1:99999?token=s3cret", NotConnected)
    assert "s3cret" not in refusal("pulsar://127.0.0.1:99999?token=s3cret", NotConnected)
    with engine_on(f"pulsar://127.0.0.1:{port}") as engine:
        for call in (engine.put, engine.ack, engine.nack):
            with pytest.raises(NotConnected):
                call([])
        with pytest.raises(NotConnected):
            engine.receive(1, 0.0)


def test_several_servers_are_named(pulsar_server: PulsarServer) -> None:
    servers = f"pulsar://127.0.0.1:{free_port()},127.0.0.1:{pulsar_server.port}"
    works(f"{servers}/")
    with engine_on(f"{servers}/", "t") as engine:
        assert engine.queue_name == f"{servers} public/default/t minions"


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\0\0\0\x08\0\0\0\x04\xff\xff\xff\xff"])
def test_who_answers_is_not_pulsar(answer: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with suppress(OSError):
                connection, _ = listener.accept()
                with connection:
                    connection.recv(1000)
                    connection.sendall(answer)

        Thread(target=serve, daemon=True).start()
        port = listener.getsockname()[1]
        assert "does not answer as Pulsar" in refusal(f"pulsar://127.0.0.1:{port}", NotConnected)


def test_a_server_that_hangs() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        assert "timed out" in refusal(f"pulsar://127.0.0.1:{listener.getsockname()[1]}", NotConnected)


@pytest.mark.parametrize(
    ("topic", "remedy"),
    [
        ("persistent://public/missing/params", "namespaces create"),
        ("persistent://missing/missing/params", "namespaces create"),
        ("persistent://params", "write PULSAR_TOPIC as"),
    ],
)
def test_topics_that_cannot_be_had(pulsar_server: PulsarServer, topic: str, remedy: str) -> None:
    words = refusal(pulsar_server.url, topic=topic)
    assert topic in words
    assert remedy in words
    with engine_on(pulsar_server.url, topic) as engine:
        with pytest.raises(EngineError, match="params"):
            engine.put(["a"])
        with pytest.raises(EngineError, match="params"):
            engine.visit()


def test_a_subscription_that_somebody_has_for_himself(pulsar_server: PulsarServer) -> None:
    topic = f"params-{uuid4().hex}"
    with pulsar_server.client() as client:
        client.subscribe(topic, "minions")
        assert "choose another PULSAR_SUBSCRIPTION" in refusal(pulsar_server.url, topic=topic)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("connection", "http://host:8080"),
        ("connection", "pulsar://user:s3cret@host"),
        ("topic", "non-persistent://public/default/params"),
        ("admin", "host:8080"),
        ("subscription", "a/b"),
    ],
)
def test_what_is_no_setting(key: str, value: str) -> None:
    setting = next(each for each in load_engine("pulsar").settings if each.key == key)
    with pytest.raises(ValueError, match="must be") as caught:
        setting.parse(value)
    assert "s3cret" not in str(caught.value)


def test_the_topic_must_be_set() -> None:
    with pytest.raises(SettingsError, match="PULSAR_TOPIC"):
        PulsarEngine()


# When it goes away.


def cut(server: PulsarServer) -> int:
    """End this process's connections to a server; return how many there were."""
    count = 0
    for name in os.listdir("/proc/self/fd"):
        with suppress(OSError), socket.socket(fileno=os.dup(int(name))) as connection:
            if connection.getpeername()[1] == server.port:
                connection.shutdown(socket.SHUT_RDWR)
                count += 1
    return count


def unload(server: PulsarServer, topic: str) -> None:
    """Have a topic move to another broker, be it the same one."""
    server.ask("PUT", f"persistent/public/default/{topic}/unload")


def lasts(engine: PulsarEngine, seconds: float) -> list[Delivery]:
    """Call an engine as the worker does that has something to run and a slot free; return what comes."""
    came: list[Delivery] = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        came += engine.receive(1, 0.05)
        engine.receive(0, 0.0)
    return came


@pytest.mark.parametrize("how", ["cut", "unload"])
def test_a_connection_that_is_lost_for_a_moment(pulsar_server: PulsarServer, how: str) -> None:
    """What is held stays so, in silence; what was acked just before is done."""
    with engine_on(pulsar_server.url) as engine:
        engine.put(["a", "b"])
        engine.open()
        held, acked = take(engine, 2)
        engine.ack([acked])
        if how == "cut":
            assert cut(pulsar_server)
        else:
            unload(pulsar_server, str(engine.config["topic"]))
        assert lasts(engine, 1.5) == []
        engine.ack([held])
        engine.put(["c"])
        (last,) = take(engine, 1)
        assert last.param == "c"
        engine.close()
        with engine_on(pulsar_server.url, str(engine.config["topic"])) as other:
            other.open()
            assert [each.id for each in take(other, 1)] == [last.id]
            assert lasts(other, 0.5) == []


def test_a_busy_minion_keeps_what_it_holds(pulsar_server: PulsarServer) -> None:
    """It asks for nothing new, and gets back what the server took for lost."""
    with engine_on(pulsar_server.url) as engine:
        engine.put(["a", "b", "c"])
        engine.open()
        taken = take(engine, 3)
        assert cut(pulsar_server)
        until(lambda: not pump(engine), 5.0, "the engine notices")
        until(lambda: pump(engine), 5.0, "it is back")
        until(lambda: not engine._inbox._came, 5.0)  # type: ignore[union-attr]
        with engine_on(pulsar_server.url, str(engine.config["topic"])) as other:
            other.open()
            assert lasts(other, 0.5) == []
        engine.ack(taken)


def pump(engine: PulsarEngine) -> bool:
    """Call the pump; tell whether the server is reached."""
    engine.receive(0, 0.0)
    assert engine._inbox is not None
    return all(line.is_connected for line in engine._inbox._lines)


def test_an_ack_that_is_lost(pulsar_server: PulsarServer) -> None:
    """It is said again when the param comes again."""
    with engine_on(pulsar_server.url) as engine:
        engine.put(["a"])
        engine.open()
        taken = take(engine, 1)
        assert cut(pulsar_server)
        engine.ack(taken)
        assert lasts(engine, 1.0) == []
        topic = str(engine.config["topic"])
    with engine_on(pulsar_server.url, topic) as other:
        other.open()
        assert lasts(other, 0.5) == []


@pytest.mark.slow
def test_a_restart(pulsar_server: PulsarServer) -> None:
    """Nothing is lost or run twice; calls fail soon while it is away."""
    with engine_on(pulsar_server.url) as engine:
        engine.put(["a", "b", "c"])
        engine.open()
        taken = take(engine, 2)
        pulsar_server.stop()
        try:
            began = time.monotonic()
            with pytest.raises(NotConnected):
                engine.ack(taken[:1])
            with pytest.raises(NotConnected):
                lasts(engine, 5.0)
            with pytest.raises(NotConnected):
                engine.nack(taken[1:])
            engine.close()
            with pytest.raises(NotConnected):
                engine.open()
            assert time.monotonic() - began < 12.0
        finally:
            pulsar_server.start()
        engine.open()
        engine.ack(taken[:1])
        assert [each.param for each in take(engine, 1)] == ["c"]
        engine.nack(taken[1:])
        (again,) = take(engine, 1)
        assert (again.id, again.attempt) == (taken[1].id, 2)
        engine.ack([again])
        assert lasts(engine, 0.5) == []
