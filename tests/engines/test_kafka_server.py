"""What is special to Kafka, on a real broker: groups, partitions, notes, credentials, a broker that goes away."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

from minionize.engine import Delivery, Engine, EngineError, LeaseLost, NotConnected
from minionize.engines.kafka import KafkaEngine
from minionize.message import FOR, ID
from tests.brokers.kafka import KafkaServer, produce, running
from tests.brokers.server import free_port

pytestmark = pytest.mark.broker

QUICK = "session.timeout.ms=1000\nheartbeat.interval.ms=100\nfetch.wait.max.ms=10\n"
Make = Callable[..., KafkaEngine]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaServer]:
    with running(tmp_path_factory.mktemp("kafka")) as server:
        yield server


@pytest.fixture
def topic() -> str:
    return f"params-{uuid4().hex[:8]}"


@pytest.fixture
def make(server: KafkaServer, topic: str, tmp_path: Path) -> Iterator[Make]:
    """Makes engines, with more lines of KAFKA_CONFIG if need be; all are closed."""
    made: list[KafkaEngine] = []

    def make(more: str = "", **values: str) -> KafkaEngine:
        path = tmp_path / f"{len(made)}.properties"
        path.write_text(QUICK + more)
        engine = KafkaEngine(**{"bootstrap": server.address, "topic": topic, "config": str(path), **values})
        engine.minion = f"minion-{len(made)}"
        made.append(engine)
        return engine

    yield make
    for engine in made:
        engine.close()


def take(engine: Engine, count: int, *others: Engine, seconds: float = 10.0) -> list[Delivery]:
    """Receive so many, while others live on."""
    taken: list[Delivery] = []
    until = time.monotonic() + seconds
    while len(taken) < count and time.monotonic() < until:
        taken += engine.receive(count - len(taken), 0.05)
        for other in others:
            other.receive(0, 0.0)
    assert len(taken) == count
    return taken


def opened(engine: KafkaEngine) -> KafkaEngine:
    engine.open()
    return engine


def kill(engine: KafkaEngine) -> None:
    """Drop the connection without leaving the group: its session must run out."""
    assert engine._member is not None
    engine._member.closing.detach()
    engine._member = None
    gc.collect()


def partitions(server: KafkaServer, topic: str, number: int) -> None:
    """Make a topic of several partitions."""
    admin = AdminClient({**server.client()})
    admin.create_topics([NewTopic(topic, number, 1)])[topic].result(5)


def params(deliveries: list[Delivery]) -> list[str]:
    return sorted(str(each.param) for each in deliveries)


# What cannot be used.


def failure(call: Callable[[], object]) -> EngineError:
    """Return the error that a call ends with, soon."""
    began = time.monotonic()
    with pytest.raises(EngineError) as caught:
        call()
    assert time.monotonic() - began < 7.0
    return caught.value


@pytest.mark.parametrize("call", ["open", "visit", "declare"])
def test_a_dead_port(make: Make, call: str) -> None:
    address = f"127.0.0.1:{free_port()}"
    error = failure(getattr(make(bootstrap=address), call))
    assert isinstance(error, NotConnected)
    assert address in str(error)


def test_an_unknown_host(make: Make) -> None:
    error = failure(make(bootstrap="nowhere.invalid:9092").open)
    assert isinstance(error, NotConnected)


def test_a_missing_topic_is_named_and_not_made(make: Make, server: KafkaServer, topic: str) -> None:
    for call in (make().open, make().visit):
        error = failure(call)
        assert not isinstance(error, NotConnected)
        assert topic in str(error)
        assert "minion-queue fill" in str(error)
    assert topic not in AdminClient({**server.client()}).list_topics(timeout=5).topics


def login(server: KafkaServer, password: str) -> str:
    lines = {
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanism": "PLAIN",
        "sasl.username": server.user,
        "sasl.password": password,
    }
    return "".join(f"{key}={value}\n" for key, value in lines.items())


def test_a_password(make: Make, server: KafkaServer) -> None:
    engine = make(login(server, server.password), bootstrap=server.sasl)
    engine.put(["a"])
    engine.open()
    assert params(take(engine, 1)) == ["a"]
    assert server.password not in repr(engine) + engine.queue_name + repr(engine.config)


def test_a_wrong_password(make: Make, server: KafkaServer) -> None:
    make().put(["a"])
    for call in ("open", "visit", "declare"):
        error = failure(getattr(make(login(server, "wr0ng-one"), bootstrap=server.sasl), call))
        assert not isinstance(error, NotConnected)
        assert "sasl.password in KAFKA_CONFIG" in str(error)
        assert "wr0ng-one" not in str(error) + repr(error.__cause__)


def test_tls(make: Make, server: KafkaServer) -> None:
    secure = f"security.protocol=SSL\nssl.ca.location={server.authority}\n"
    engine = make(secure, bootstrap=server.tls)
    engine.put(["a"])
    engine.open()
    assert params(take(engine, 1)) == ["a"]


def test_an_unknown_certificate(make: Make, server: KafkaServer) -> None:
    error = failure(make("security.protocol=SSL\n", bootstrap=server.tls).open)
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
    ],
)
def test_a_property_that_cannot_be(make: Make, line: str, named: str) -> None:
    error = failure(make(line).open)
    assert named in str(error)
    assert "KAFKA_CONFIG" in str(error)
    assert "s3cret" not in str(error) + repr(error.__cause__)


def test_a_settings_file_that_is_not_there(make: Make) -> None:
    assert "/nowhere" in str(failure(make(config="/nowhere").open))


# Params.


def test_ten_thousand_at_once(make: Make) -> None:
    began = time.monotonic()
    engine = make()
    assert engine.put(str(n) for n in range(10_000)) == 10_000
    engine.open()
    seen: set[str] = set()
    while len(seen) < 10_000:
        taken = engine.receive(500, 5.0)
        assert taken
        engine.started(taken)
        engine.ack(taken)
        seen.update(str(each.param) for each in taken)
    assert time.monotonic() - began < 20.0


def test_a_param_that_is_too_large(make: Make) -> None:
    error = failure(lambda: make().put(["a", "x" * 2_000_000, "b"]))
    assert not isinstance(error, NotConnected)
    assert "max.message.bytes" in str(error)
    assert "were put" in str(error)


def test_messages_of_others(make: Make, server: KafkaServer, topic: str) -> None:
    make().put(["a"])
    produce(server, topic, b"foreign", None, b"\xff")
    produce(server, topic, b'{"a": 1}', headers={"content-type": "application/json"})
    produce(server, topic, b"not for us", headers={FOR: "others"})
    produce(server, topic, b"again", headers={FOR: "minions", ID: "its-id", "strange": None})
    taken = take(opened(make()), 6)
    assert [each.param for each in taken] == ["a", "foreign", "", "\udcff", {"a": 1}, "again"]
    assert taken[-1].id == "its-id"


# Groups and partitions.


def test_each_group_gets_all(make: Make) -> None:
    one, two = make(group="one"), make(group="two")
    one.put(["a", "b"])
    one.open()
    two.open()
    first = take(one, 2)
    assert params(take(two, 2)) == ["a", "b"]
    one.dead_letter(first, "failed", [{}, {}])
    assert list(two.dead()) == []
    assert one.requeue([first[0].id]) == 1
    assert [each.id for each in take(one, 1)] == [first[0].id]
    assert two.receive(1, 0.3) == [], "it is for the other group"


def test_what_is_held_stays_when_minions_come(make: Make, server: KafkaServer, topic: str) -> None:
    partitions(server, topic, 6)
    first = make()
    first.put(str(n) for n in range(60))
    first.open()
    held = take(first, 3)
    first.started(held)
    minions = [first]
    for _ in range(4):
        minions.append(opened(make()))
        take(minions[-1], 2, *minions[:-1])
        assert first.extend(held) == []
    first.ack(held)
    assert not {each.id for each in held} & {each.id for each in take(first, 3, *minions[1:])}


@pytest.mark.parametrize("end", ["ack", "nack", "dead", "close", "kill"])
def test_what_is_held_is_run_to_its_end_when_its_partition_goes_to_another(
    make: Make, server: KafkaServer, topic: str, end: str
) -> None:
    partitions(server, topic, 2)
    produce(server, topic, b"a", partition=0)
    first, second = opened(make()), make()
    held = take(first, 1)
    first.started(held)
    second.open()
    for _ in range(10):
        assert second.receive(5, 0.1) == []
        assert first.extend(held) == []
    assert first._member is not None
    assert second._member is not None
    assert (list(first._member.parts), list(second._member.parts)) == ([1], [0])
    assert list(second.peek()) == []
    attempt, crashes = {"nack": (2, 0), "close": (1, 0), "kill": (2, 1)}.get(end, (0, 0))
    if end == "ack":
        first.ack(held)
    elif end == "nack":
        first.nack(held)
    elif end == "dead":
        first.dead_letter(held, "failed", [{}])
    elif end == "close":
        first.close()
    else:
        kill(first)
    if attempt:
        (again,) = take(second, 1)
        assert (again.id, again.attempt, again.crashes, again.redelivered) == (held[0].id, attempt, crashes, True)
        second.ack([again])
    else:
        with pytest.raises(LeaseLost):
            first.ack(held)
    until = time.monotonic() + 10
    while (second.backlog().in_flight, second.backlog().ready) != (0, 0) and time.monotonic() < until:
        assert second.receive(5, 0.1) == []
    assert second.backlog().in_flight == 0
    assert len(list(second.dead())) == (end == "dead")


def test_minions_share_all_partitions(make: Make, server: KafkaServer, topic: str) -> None:
    partitions(server, topic, 4)
    one, two = make(), make()
    assert one.put(str(n) for n in range(200)) == 200
    one.open()
    two.open()
    seen: dict[KafkaEngine, list[str]] = {one: [], two: []}
    until = time.monotonic() + 20
    while sum(map(len, seen.values())) < 200 and time.monotonic() < until:
        for engine, mine in seen.items():
            taken = engine.receive(10, 0.02)
            engine.ack(taken)
            mine += [str(each.param) for each in taken]
    assert sorted(seen[one] + seen[two], key=int) == [str(n) for n in range(200)]
    assert all(seen.values())


def test_what_is_done_out_of_order_is_done(make: Make) -> None:
    """The offset cannot tell; the note beside it does, whether a minion left or died."""
    engine = make()
    engine.put(str(n) for n in range(20))
    engine.open()
    taken = take(engine, 10)
    engine.ack(taken[2:])
    engine.nack(taken[1:2])
    engine.close()
    again = take(opened(make()), 12)
    assert [(each.param, each.attempt) for each in again[:3]] == [("0", 1), ("1", 2), ("10", 1)]


def test_offsets_that_were_reset_by_hand_count(make: Make, server: KafkaServer, topic: str) -> None:
    engine = make()
    engine.put("abcd")
    engine.open()
    engine.ack(take(engine, 4)[1:])
    engine.close()
    tool = Consumer({**server.client(), "group.id": "minions"})
    tool.commit(offsets=[TopicPartition(topic, 0, 2)], asynchronous=False)
    tool.close()
    assert params(take(opened(make()), 2)) == ["c", "d"]


def test_who_is_silent_for_too_long_loses_what_it_holds(make: Make) -> None:
    slow = make("max.poll.interval.ms=1000\n")
    slow.put(["a"])
    slow.open()
    held = take(slow, 1)
    slow.started(held)
    quick = opened(make())
    taken = take(quick, 1)
    assert (taken[0].id, taken[0].attempt, taken[0].crashes) == (held[0].id, 2, 1)
    with pytest.raises(LeaseLost):
        slow.ack(held)
    assert slow.extend(held) == held
    quick.ack(taken)


def test_backlog(make: Make) -> None:
    engine = make()
    engine.put("abcdef")
    engine.open()
    one, two, three = take(engine, 3)
    engine.started([one, two, three])
    engine.ack([two])
    engine.nack([three], delay=60.0)
    other = make()
    other.visit()
    for each in (engine, other):
        backlog = each.backlog()
        assert (backlog.ready, backlog.in_flight, backlog.delayed, backlog.exact) == (4, 1, 1, False)
    assert list(other.peek()) == ["d", "e", "f"]
    assert list(other.peek(2)) == ["d", "e"]


# A broker that goes away.


def tried_again(engine: KafkaEngine) -> None:
    """Do as a minion does: close and open, until it works."""
    until = time.monotonic() + 30
    while True:
        engine.close()
        try:
            return engine.open()
        except NotConnected:
            assert time.monotonic() < until


def test_connections_that_are_cut(make: Make, server: KafkaServer) -> None:
    engine = make(bootstrap=server.through_proxy)
    engine.put(str(n) for n in range(30))
    engine.open()
    seen: list[str] = []
    for _ in range(3):
        taken = take(engine, 10)
        assert server.proxy.cut() > 0
        try:
            engine.ack(taken)
        except NotConnected:
            tried_again(engine)
            engine.ack(taken)
        seen += [each.id for each in taken]
    assert len(set(seen)) == 30


def test_a_broker_that_is_restarted(make: Make, server: KafkaServer) -> None:
    """What was held is held still, and nothing is run twice."""
    engine = make()
    engine.put("ab")
    engine.open()
    held = take(engine, 2)
    engine.started(held)
    server.stop()
    error = failure(lambda: [engine.receive(1, 0.1) for _ in range(30)])
    assert isinstance(error, NotConnected)
    engine.close()
    assert isinstance(failure(engine.open), NotConnected)
    assert isinstance(failure(lambda: make().put(["x"])), NotConnected)
    server.start()
    tried_again(engine)
    engine.ack(held)
    engine.put("cd")
    assert params(take(engine, 2)) == ["c", "d"]
    assert engine.receive(1, 0.3) == []


def test_a_broker_that_hangs(make: Make, server: KafkaServer) -> None:
    engine = make("session.timeout.ms=60000\n")
    engine.put("ab")
    engine.open()
    held = take(engine, 1)
    server.hang()
    try:
        began = time.monotonic()
        with pytest.raises(NotConnected):
            engine.ack(held)
        assert time.monotonic() - began < 12.0
    finally:
        server.wake()
    tried_again(engine)
    engine.ack(held)
    assert params(take(engine, 1)) == ["b"]
