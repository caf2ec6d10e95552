"""The kafka engine: a topic that is deleted, made anew or given more partitions while minions take from it."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from confluent_kafka.admin import AdminClient, ConfigResource, NewPartitions  # type: ignore[attr-defined]

from minionize.engine import EngineError, LeaseLost, NotConnected
from minionize.engines.kafka import KafkaEngine
from minionize.kafkaclient.topics import Message, Outbox, create
from minionize.message import Dead
from tests.brokers.kafka import KafkaServer, produce
from tests.engines.kafka_helpers import Make, engines_on, opened, partitions, take

pytestmark = pytest.mark.broker


@pytest.fixture
def topic() -> str:
    return f"params-{uuid4().hex[:8]}"


@pytest.fixture
def make(kafka_server: KafkaServer, topic: str, tmp_path: Path) -> Iterator[Make]:
    with engines_on(kafka_server, topic, tmp_path) as make:
        yield lambda *words, **values: make(*words, group=topic, **values)


def delete(server: KafkaServer, topic: str) -> None:
    admin = AdminClient({**server.client()})
    admin.delete_topics([topic])[topic].result(5)


def settle(engine: KafkaEngine, wanted: set[str]) -> None:
    """Take and ack until all of these were there, and nothing is left."""
    found: set[str] = set()
    until = time.monotonic() + 20
    while time.monotonic() < until:
        taken = engine.receive(10, 0.5)
        if not taken and found >= wanted:
            break
        engine.started(taken)
        engine.ack(taken)
        found |= {str(each.param) for each in taken}
    assert found == wanted


@pytest.mark.parametrize("more", [2, 20])
def test_of_a_topic_made_anew_all_is_taken(make: Make, kafka_server: KafkaServer, topic: str, more: int) -> None:
    """Whether it ends before or behind where the former one was left."""
    partitions(kafka_server, topic, 1)
    engine = opened(make())
    produce(kafka_server, topic, *(b"old %d" % n for n in range(6)))
    first, *rest = take(engine, 6)
    engine.ack(rest)
    delete(kafka_server, topic)
    partitions(kafka_server, topic, 1)
    news = {f"new {n}" for n in range(more)}
    produce(kafka_server, topic, *(each.encode() for each in sorted(news)))
    settle(engine, news)
    with pytest.raises(LeaseLost):
        engine.ack([first])
    engine.close()
    assert opened(make()).receive(10, 1.0) == []


def test_a_topic_made_anew_with_fewer_partitions(make: Make, kafka_server: KafkaServer, topic: str) -> None:
    partitions(kafka_server, topic, 3)
    engine = opened(make())
    produce(kafka_server, topic, *(b"old %d" % n for n in range(6)))
    engine.ack(take(engine, 6))
    delete(kafka_server, topic)
    partitions(kafka_server, topic, 1)
    produce(kafka_server, topic, b"a", b"b")
    assert engine.backlog()
    settle(engine, {"a", "b"})


def test_a_topic_that_is_deleted_is_missed_by_a_minion_that_waits(
    make: Make, kafka_server: KafkaServer, topic: str
) -> None:
    partitions(kafka_server, topic, 1)
    engine = opened(make())
    delete(kafka_server, topic)
    with pytest.raises(EngineError, match=f"{topic}.*there is no such topic") as caught:
        settle(engine, {"what never comes"})
    assert not isinstance(caught.value, NotConnected)


def test_partitions_that_are_added_are_found_soon(make: Make, kafka_server: KafkaServer, topic: str) -> None:
    partitions(kafka_server, topic, 1)
    engine = opened(make())
    admin = AdminClient({**kafka_server.client()})
    admin.create_partitions([NewPartitions(topic, 3)])[topic].result(5)
    produce(kafka_server, topic, b"a", partition=2)
    assert [each.param for each in take(engine, 1, seconds=15.0)] == ["a"]


def test_a_topic_of_the_dead_that_was_deleted_is_made_again(make: Make, kafka_server: KafkaServer, topic: str) -> None:
    engine = make()
    engine.put(["a", "b", "c"])
    engine.open()
    first, *rest = take(engine, 3)
    engine.dead_letter([first], "failed", [{}])
    delete(kafka_server, f"{topic}.{topic}.dead")
    until = time.monotonic() + 30
    for each in rest:
        while time.monotonic() < until:
            try:
                engine.dead_letter([each], "failed", [{}])
                break
            except NotConnected:
                engine.close()
                engine.open()
    assert {each.id for each in engine.dead()} == {each.id for each in rest}


def test_the_dead_of_a_topic_made_anew_leave_those_of_the_former_one(
    make: Make, kafka_server: KafkaServer, topic: str
) -> None:
    """They are at the same places of a topic of the same name."""
    for param in ("old", "new"):
        partitions(kafka_server, topic, 1)
        engine = make()
        engine.put([param])
        engine.open()
        engine.dead_letter(take(engine, 1), "failed", [{}])
        engine.close()
        delete(kafka_server, topic)
    with pytest.raises(EngineError, match="there is no such topic"):
        make().requeue(each.id for each in make().dead())
    partitions(kafka_server, topic, 1)
    engine = opened(make())
    assert sorted(str(each.param) for each in engine.dead()) == ["new", "old"]
    assert engine.requeue({each.id for each in engine.dead()}) == 2
    assert list(engine.dead()) == []
    assert sorted(str(each.param) for each in take(engine, 2)) == ["new", "old"]


def test_what_was_made_ready_before_the_brokers_went_away_is_dead_no_more(
    make: Make, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else it would be made ready twice, by who asks again."""
    engine = make()
    engine.put(str(number) for number in range(20))
    engine.open()
    held = take(engine, 20)
    engine.dead_letter(held, "failed", [{}] * 20)
    ids = {each.id for each in held}
    send, calls = Outbox.send, itertools.count()

    def breaks(outbox: Outbox, messages: Iterable[Message], what: str) -> int:
        if what == "requeue" and next(calls) == 3:
            raise NotConnected("gone")
        return send(outbox, messages, what)

    with monkeypatch.context() as patch:
        patch.setattr(Outbox, "send", breaks)
        with pytest.raises(NotConnected):
            engine.requeue(ids)
    left = len(list(engine.dead()))
    assert 0 < left < 20
    assert engine.requeue(ids) == left
    assert len({each.id for each in take(engine, 20)}) == 20
    assert engine.receive(1, 0.3) == []


def test_what_was_dead_before_keys_told_of_the_topic_can_be_requeued(
    make: Make, kafka_server: KafkaServer, topic: str
) -> None:
    """Their key was the id."""
    engine = make()
    engine.put([])
    create(engine._client, f"{topic}.{topic}.dead", 1, {"cleanup.policy": "compact"})
    letter = Dead.now("0-7", b"a", "", "failed", {}).encode()
    Outbox(engine._client).send([Message(f"{topic}.{topic}.dead", 0, letter, "0-7")], "write")
    engine.open()
    assert engine.requeue(["0-7"]) == 1
    assert list(engine.dead()) == []
    assert [each.id for each in take(engine, 1)] == ["0-7"]


def test_what_is_made_keeps_what_it_is_given(make: Make, kafka_server: KafkaServer, topic: str) -> None:
    """By default brokers make a topic of any name that is asked for, and keep messages for a week only."""
    engine = make()
    engine.put(["a"])
    engine.open()
    engine.dead_letter(take(engine, 1), "failed", [{}])
    names = [topic, f"{topic}.{topic}.dead"]
    asked = [ConfigResource(ConfigResource.Type.TOPIC, name) for name in names]
    admin = AdminClient({**kafka_server.client()})
    params, dead = (each.result(5) for each in admin.describe_configs(asked).values())
    assert params["retention.ms"].value == "-1"
    assert dead["cleanup.policy"].value == "compact"
