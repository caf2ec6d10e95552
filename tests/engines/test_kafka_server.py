"""The kafka engine: what cannot be used, passwords, TLS, a broker that goes away."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from confluent_kafka.admin import AdminClient

from minionize.engine import Delivery, NotConnected
from minionize.engines.kafka import KafkaEngine
from tests.brokers.kafka import KafkaServer
from tests.brokers.server import free_port
from tests.engines.kafka_helpers import Make, engines_on, failure, opened, params, take

pytestmark = pytest.mark.broker


@pytest.fixture
def topic() -> str:
    return f"params-{uuid4().hex[:8]}"


@pytest.fixture
def make(kafka_server: KafkaServer, topic: str, tmp_path: Path) -> Iterator[Make]:
    with engines_on(kafka_server, topic, tmp_path) as make:
        yield make


# What cannot be used.


@pytest.mark.parametrize("call", ["open", "visit", "declare"])
def test_a_dead_port(make: Make, call: str) -> None:
    address = f"127.0.0.1:{free_port()}"
    error = failure(getattr(make(bootstrap=address), call))
    assert isinstance(error, NotConnected)
    assert address in str(error)


def test_an_unknown_host(make: Make) -> None:
    error = failure(make(bootstrap="nowhere.invalid:9092").open)
    assert isinstance(error, NotConnected)


def test_a_missing_topic_is_named_and_not_made(make: Make, kafka_server: KafkaServer, topic: str) -> None:
    for call in (make().open, make().visit):
        error = failure(call)
        assert not isinstance(error, NotConnected)
        assert topic in str(error)
        assert "minion-queue fill" in str(error)
    assert topic not in AdminClient({**kafka_server.client()}).list_topics(timeout=5).topics


def login(kafka_server: KafkaServer, password: str) -> str:
    lines = {
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanism": "PLAIN",
        "sasl.username": kafka_server.user,
        "sasl.password": password,
    }
    return "".join(f"{key}={value}\n" for key, value in lines.items())


def test_a_password(make: Make, kafka_server: KafkaServer) -> None:
    engine = make(login(kafka_server, kafka_server.password), bootstrap=kafka_server.sasl)
    engine.put(["a"])
    engine.open()
    assert params(take(engine, 1)) == ["a"]
    assert kafka_server.password not in repr(engine) + engine.queue_name + repr(engine.config)


def test_a_wrong_password(make: Make, kafka_server: KafkaServer) -> None:
    make().put(["a"])
    for call in ("open", "visit", "declare"):
        error = failure(getattr(make(login(kafka_server, "wr0ng-one"), bootstrap=kafka_server.sasl), call))
        assert not isinstance(error, NotConnected)
        assert "sasl.password in KAFKA_CONFIG" in str(error)
        assert "wr0ng-one" not in str(error) + repr(error.__cause__)


def test_tls(make: Make, kafka_server: KafkaServer) -> None:
    secure = f"security.protocol=SSL\nssl.ca.location={kafka_server.authority}\n"
    engine = make(secure, bootstrap=kafka_server.tls)
    engine.put(["a"])
    engine.open()
    assert params(take(engine, 1)) == ["a"]


def test_an_unknown_certificate(make: Make, kafka_server: KafkaServer) -> None:
    error = failure(make("security.protocol=SSL\n", bootstrap=kafka_server.tls).open)
    assert not isinstance(error, NotConnected)
    assert "ssl.*" in str(error)


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("enable.auto.commit=true", "enable.auto.commit"),
        ("group.id=others", "KAFKA_GROUP"),
        ("no.such.property=s3cret", "no.such.property"),
        ("socket.timeout.ms=s3cret", "socket.timeout.ms"),
        ("s3cret", "line 4"),
        ("default.topic.config=s3cret", "default.topic.config"),
        ("stats_cb=s3cret", "stats_cb"),
        ("security.protocol=SASL_SSL", "GSSAPI"),
    ],
)
def test_a_property_that_cannot_be(make: Make, line: str, named: str) -> None:
    error = failure(make(line).open)
    assert named in str(error)
    assert "KAFKA_CONFIG" in str(error)
    assert "s3cret" not in str(error) + repr(error.__cause__)


def test_a_settings_file_that_is_not_there(make: Make) -> None:
    assert "/nowhere" in str(failure(make(config="/nowhere").open))


# A broker that goes away.


def ack_again(engine: KafkaEngine, held: list[Delivery]) -> None:
    """Do as a minion does: close, open and ack, until it works."""
    until = time.monotonic() + 30
    while True:
        engine.close()
        try:
            engine.open()
            return engine.ack(held)
        except NotConnected:
            assert time.monotonic() < until


def test_connections_that_are_cut(make: Make, kafka_server: KafkaServer) -> None:
    engine = make(bootstrap=kafka_server.through_proxy)
    engine.put(str(n) for n in range(30))
    engine.open()
    seen: list[str] = []
    for _ in range(3):
        taken = take(engine, 10)
        assert kafka_server.proxy.cut() > 0
        try:
            engine.ack(taken)
        except NotConnected:
            ack_again(engine, taken)
        seen += [each.id for each in taken]
    assert len(set(seen)) == 30


def test_an_answer_that_is_late(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not taken for that of a later commit; and the brokers need not be at fault."""
    engine = make()
    engine.put("ab")
    engine.open()
    one, two = take(engine, 2)
    with monkeypatch.context() as patch:
        patch.setattr("minionize.kafkaclient.commits.ANSWER", -1.0)
        with pytest.raises(NotConnected, match="cannot ack now: no answer; where a minion was killed, the group waits"):
            engine.ack([one])
    ack_again(engine, [one])
    engine.ack([two])
    engine.close()
    assert opened(make()).receive(1, 1.0) == []


def test_a_broker_that_is_restarted(make: Make, kafka_server: KafkaServer) -> None:
    """What was held is held still, and nothing is run twice."""
    engine = make()
    engine.put("ab")
    engine.open()
    held = take(engine, 2)
    engine.started(held)
    kafka_server.stop()
    error = failure(lambda: [engine.receive(1, 0.1) for _ in range(30)])
    assert isinstance(error, NotConnected)
    engine.close()
    assert isinstance(failure(engine.open), NotConnected)
    assert isinstance(failure(lambda: make().put(["x"])), NotConnected)
    kafka_server.start()
    ack_again(engine, held)
    engine.put("cd")
    assert params(take(engine, 2)) == ["c", "d"]
    assert engine.receive(1, 0.3) == []


def test_a_broker_that_hangs(make: Make, kafka_server: KafkaServer) -> None:
    engine = make("session.timeout.ms=60000\n")
    engine.put("ab")
    engine.open()
    held = take(engine, 1)
    kafka_server.hang()
    try:
        began = time.monotonic()
        with pytest.raises(NotConnected):
            engine.ack(held)
        assert time.monotonic() - began < 12.0
    finally:
        kafka_server.wake()
    ack_again(engine, held)
    assert params(take(engine, 1)) == ["b"]
