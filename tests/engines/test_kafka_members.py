"""The kafka engine as a member of its group: joining, being shared out, leaving."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient

from minionize.engine import Delivery, LeaseLost, NotConnected
from minionize.engines.kafka import KafkaEngine
from minionize.kafkaclient.commits import Commits
from minionize.kafkaclient.lending import Lending
from tests.brokers.kafka import KafkaServer, produce
from tests.engines.kafka_helpers import QUICK, Make, engines_on, opened, partitions, take

pytestmark = pytest.mark.broker


@pytest.fixture
def topic() -> str:
    return f"params-{uuid4().hex[:8]}"


@pytest.fixture
def group() -> str:
    return f"group-{uuid4().hex[:8]}"


@pytest.fixture
def make(kafka_server: KafkaServer, topic: str, group: str, tmp_path: Path) -> Iterator[Make]:
    with engines_on(kafka_server, topic, tmp_path) as make:
        yield lambda *words, **values: make(*words, group=group, **values)


def members(server: KafkaServer, group: str) -> list[str]:
    """Ask the broker who is in a group."""
    admin = AdminClient({**server.client()})
    return sorted(member.member_id for member in admin.describe_consumer_groups([group])[group].result(5).members)


def settle(*engines: KafkaEngine) -> None:
    """Let them share the partitions out."""
    until = time.monotonic() + 10
    while not all(engine._member and engine._member.joined for engine in engines) and time.monotonic() < until:
        for engine in engines:
            engine.receive(0, 0.05)
    quiet = time.monotonic() + 1
    while time.monotonic() < quiet:
        for engine in engines:
            engine.receive(0, 0.05)


@pytest.mark.parametrize("has_partitions", [True, False])
def test_who_leaves_has_left(
    make: Make, kafka_server: KafkaServer, topic: str, group: str, has_partitions: bool
) -> None:
    """Else the others would wait for its session to run out, and get nothing until then."""
    partitions(kafka_server, topic, 1)
    engines = [opened(make("session.timeout.ms=30000\n")) for _ in range(2)]
    settle(*engines)
    assert len(members(kafka_server, group)) == 2
    (one,) = [each for each in engines if each._member and bool(each._member.parts) is has_partitions]
    one.close()
    assert len(members(kafka_server, group)) == 1


def test_looking_and_leaving_while_the_group_is_shared_out(make: Make, kafka_server: KafkaServer, topic: str) -> None:
    """A member that is to give partitions away and never listens keeps all others waiting."""
    partitions(kafka_server, topic, 3)
    one, two = (make("session.timeout.ms=30000\n") for _ in range(2))
    one.put("abc")
    config = {
        **kafka_server.client(),
        "group.id": str(one.config["group"]),
        "partition.assignment.strategy": "cooperative-sticky",
    }
    with closing(Consumer(config)) as silent:
        silent.subscribe([topic])
        until = time.monotonic() + 10
        while not silent.assignment() and time.monotonic() < until:
            silent.poll(0.05)
        one.open()
        settle(one)
        two.open()
        for engine in (one, two):
            assert engine.receive(1, 0.5) == []
            assert engine.backlog().ready == 3
        began = time.monotonic()
        one.close()
        assert time.monotonic() - began < 6.0


def test_trouble_does_not_end_the_membership(make: Make, kafka_server: KafkaServer, group: str) -> None:
    """A stranger who joins has all partitions shared out anew, and the member that it was must be waited for."""
    engine = make()
    engine.put("ab")
    engine.open()
    settle(engine)
    before = members(kafka_server, group)
    for _ in range(2):
        with pytest.raises(NotConnected), engine._reaching("try it"):
            raise TimeoutError
        engine.close()
        engine.open()
    assert members(kafka_server, group) == before
    engine.ack(take(engine, 2))
    engine.close()
    assert members(kafka_server, group) == []


# A partition that goes to another minion while its param runs.


def lent(
    make: Make, server: KafkaServer, topic: str, more: str = "", count: int = 1
) -> tuple[KafkaEngine, KafkaEngine, list[Delivery]]:
    """Have one engine run params of a partition that goes to another engine."""
    partitions(server, topic, 2)
    produce(server, topic, *[b"a"] * count, partition=0)
    first, second = opened(make(more)), make()
    held = take(first, count)
    first.started(held)
    lend(first, second, held)
    return first, second, held


def lend(first: KafkaEngine, second: KafkaEngine, held: list[Delivery]) -> None:
    """Have the partition of what the first one runs go to the second one."""
    second.open()
    assert first._member
    assert second._member
    until = time.monotonic() + 20
    while (list(first._member.parts), list(second._member.parts)) != ([1], [0]) and time.monotonic() < until:
        assert second.receive(5, 0.1) == []
        assert first.extend(held) == []
    assert 0 in second._member.parts


def is_done(*engines: KafkaEngine) -> bool:
    until = time.monotonic() + 10
    while (backlog := engines[0].backlog()) and (backlog.in_flight or backlog.ready) and time.monotonic() < until:
        for engine in engines:
            assert engine.receive(5, 0.1) == []
    return not backlog.in_flight and not backlog.ready


def test_what_becomes_of_it_is_told_though_it_is_unsure_whether_it_was_lent(
    make: Make, kafka_server: KafkaServer, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = Commits.commit

    def no_answer(self: Commits, parts: Any, changes: Any, now: bool = False) -> bool:
        answer = commit(self, parts, changes, now)
        if now:
            raise TimeoutError
        return answer

    monkeypatch.setattr(Commits, "commit", no_answer)
    first, second, held = lent(make, kafka_server, topic)
    first.ack(held)
    assert is_done(second, first)


def test_what_becomes_of_many_is_told(make: Make, kafka_server: KafkaServer, topic: str) -> None:
    first, second, held = lent(make, kafka_server, topic, count=300)
    first.ack(held)
    assert is_done(second, first)


def test_old_news_are_not_taken_for_new_ones(make: Make, kafka_server: KafkaServer, topic: str) -> None:
    """A param that was given back by the minion that lends it once more still runs there."""
    first, second, held = lent(make, kafka_server, topic)
    first.nack(held)
    second.nack(take(second, 1, first))
    second.close()
    held = take(first, 1)
    first.started(held)
    third = make()
    lend(first, third, held)
    quiet = time.monotonic() + 2.5
    while time.monotonic() < quiet:
        assert third.receive(1, 0.1) == []
        assert first.extend(held) == []
    first.ack(held)
    assert is_done(third, first)


def test_what_is_told_again_is_charged_once(
    make: Make, kafka_server: KafkaServer, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, held = lent(make, kafka_server, topic)

    def no_answer(*_: Any) -> None:
        raise TimeoutError

    with monkeypatch.context() as patch:
        patch.setattr(Lending, "_write", no_answer)
        with pytest.raises(NotConnected):
            first.nack(held)
    first.close()
    first.open()
    first.nack(held)
    (again,) = take(second, 1, first)
    assert (again.id, again.attempt) == (held[0].id, 2)


def test_who_comes_back_as_a_stranger_has_lost_it(make: Make, kafka_server: KafkaServer, topic: str) -> None:
    """Its name is the same, and it will never tell what became of the param."""
    first, second, held = lent(make, kafka_server, topic, f"{QUICK}max.poll.interval.ms=1500\n")
    assert first._member
    assert second._member
    second._member._look = math.inf
    time.sleep(2.5)
    until = time.monotonic() + 10
    while not first.extend(held) and time.monotonic() < until:
        assert second.receive(0, 0.05) == []
    with pytest.raises(LeaseLost):
        first.ack(held)
    second._member._look = 0.0
    again: list[Delivery] = []
    until = time.monotonic() + 10
    while not again and time.monotonic() < until:
        again = second.receive(1, 0.1) or first.receive(1, 0.1)
    assert [(each.id, each.attempt, each.crashes) for each in again] == [(held[0].id, 2, 1)]


def test_what_went_to_another_while_the_brokers_were_away_is_lost_in_the_end(
    make: Make, kafka_server: KafkaServer, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However often it is tried to settle it meanwhile: nobody must wait for ever for what another has."""
    monkeypatch.setattr("minionize.kafkaclient.member.ANSWER", 0.5)
    partitions(kafka_server, topic, 2)
    produce(kafka_server, topic, b"a", partition=0)
    engine = opened(make())
    held = take(engine, 1)
    member = engine._member
    assert member
    with pytest.raises(NotConnected), engine._reaching("try it"):
        raise TimeoutError
    engine.close()
    engine.open()
    # It comes back as a stranger, and partition 0 is another's now.
    both = [TopicPartition(topic, 0), TopicPartition(topic, 1)]
    member._lose(member.consumer, both)
    member.consumer.incremental_unassign(both)
    member._gain(member.consumer, both[1:])
    until = time.monotonic() + 15
    while time.monotonic() < until:
        try:
            engine.ack(held)
            pytest.fail("it is another's")
        except NotConnected:
            engine.close()
            engine.open()
        except LeaseLost:
            return
    pytest.fail("it is waited for")
