"""The kafka engine: params of others, groups, partitions, minions that come and go."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

from minionize.engine import LeaseLost, NotConnected
from minionize.engines.kafka import KafkaEngine
from minionize.message import FOR, ID
from tests.brokers.kafka import KafkaServer, produce
from tests.engines.kafka_helpers import QUICK, Make, engines_on, failure, kill, opened, params, partitions, take

pytestmark = pytest.mark.broker


@pytest.fixture
def topic() -> str:
    return f"params-{uuid4().hex[:8]}"


@pytest.fixture
def make(kafka_server: KafkaServer, topic: str, tmp_path: Path) -> Iterator[Make]:
    with engines_on(kafka_server, topic, tmp_path) as make:
        yield make


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


def test_closing_lets_go_of_all_connections(make: Make) -> None:
    """Each has threads of the client library."""
    engine = make()
    before = len(os.listdir("/proc/self/task"))
    engine.put(["a"])
    engine.open()
    engine.dead_letter(take(engine, 1), "failed", [{}])
    engine.close()
    assert len(os.listdir("/proc/self/task")) <= before


def test_two_messages_of_one_id_are_two_params(make: Make, kafka_server: KafkaServer, topic: str) -> None:
    """As when a topic is made anew: a dead param of the former one has the id of another param of this one."""
    engine = make()
    engine.put(["a"])
    produce(kafka_server, topic, b"b", b"c", headers={ID: "0-0"})
    engine.open()
    first = take(engine, 2)
    second = take(engine, 1)
    ids = {each.id for each in (*first, *second)}
    assert len(ids) == 3
    assert "0-0" in ids
    engine.ack(first)
    engine.nack(second)
    (again,) = take(engine, 1)
    assert (again.id, again.attempt) == ("0-0", 2)


def test_a_large_param_finds_room_among_the_dead(make: Make, kafka_server: KafkaServer, topic: str) -> None:
    admin = AdminClient({**kafka_server.client()})
    admin.create_topics([NewTopic(topic, 1, 1, config={"max.message.bytes": "20000000"})])[topic].result(5)
    engine = opened(make())
    engine.put(["x" * 15_000_000])
    engine.dead_letter(take(engine, 1), "failed", [{}])
    assert [len(str(each.param)) for each in engine.dead()] == [15_000_000]


def test_messages_of_others(make: Make, kafka_server: KafkaServer, topic: str) -> None:
    make().put(["a"])
    produce(kafka_server, topic, b"foreign", None, b"\xff", headers={FOR: None})
    produce(kafka_server, topic, b'{"a": 1}', headers={"content-type": "application/json"})
    produce(kafka_server, topic, b"not for us", headers={FOR: "others"})
    produce(kafka_server, topic, b"again", headers={FOR: "minions", ID: "its-id", "strange": None})
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


def test_what_is_held_stays_when_minions_come(make: Make, kafka_server: KafkaServer, topic: str) -> None:
    partitions(kafka_server, topic, 6)
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
    make: Make, kafka_server: KafkaServer, topic: str, end: str
) -> None:
    partitions(kafka_server, topic, 2)
    produce(kafka_server, topic, b"a", partition=0)
    first, second = opened(make(QUICK)), make()
    held = take(first, 1)
    first.started(held)
    second.open()
    assert first._member is not None
    assert second._member is not None
    until = time.monotonic() + 20
    while (list(first._member.parts), list(second._member.parts)) != ([1], [0]) and time.monotonic() < until:
        assert second.receive(5, 0.1) == []
        assert first.extend(held) == []
    assert 0 in second._member.parts
    assert second.receive(5, 0.5) == []
    assert first.extend(held) == []
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
    until = time.monotonic() + 20
    while (second.backlog().in_flight, second.backlog().ready) != (0, 0) and time.monotonic() < until:
        assert second.receive(5, 0.1) == []
    assert second.backlog().in_flight == 0
    assert len(list(second.dead())) == (end == "dead")


def test_minions_share_all_partitions(make: Make, kafka_server: KafkaServer, topic: str) -> None:
    partitions(kafka_server, topic, 4)
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


def test_offsets_that_were_reset_by_hand_count(make: Make, kafka_server: KafkaServer, topic: str) -> None:
    engine = make()
    engine.put("abcd")
    engine.open()
    engine.ack(take(engine, 4)[1:])
    engine.close()
    tool = Consumer({**kafka_server.client(), "group.id": "minions"})
    tool.commit(offsets=[TopicPartition(topic, 0, 2)], asynchronous=False)
    tool.close()
    assert params(take(opened(make()), 2)) == ["c", "d"]


def test_who_is_silent_for_too_long_loses_what_it_holds(make: Make) -> None:
    slow = make(f"{QUICK}max.poll.interval.ms=1000\n")
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
