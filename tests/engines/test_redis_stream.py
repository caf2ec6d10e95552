"""The redis engine: what is in the stream, several groups, consumers."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from minionize.engine import Delivery, LeaseLost, Undecodable
from tests.brokers.redis import RedisServer
from tests.engines.redis_helpers import S, client, drained, engines_on, params, started, until

pytestmark = pytest.mark.broker


@pytest.fixture(scope="module")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with started(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def redis(redis_server: RedisServer) -> Iterator[Any]:
    with client(redis_server) as redis:
        redis.flushall()
        yield redis


@pytest.fixture
def make(redis_server: RedisServer, redis: Any) -> Iterator[Any]:
    with engines_on(redis_server) as make:
        yield make


def held_by(redis: Any, group: str = "minions") -> dict[str, int]:
    return {each["name"]: each["pending"] for each in redis.xinfo_consumers(S, group)}


# What is in the stream.


def test_entries_of_other_programs(make: Any, redis: Any) -> None:
    engine = make()
    redis.xadd(S, {"param": "a text"})
    redis.xadd(S, {"param": '{"x": 1}', "content-type": "application/json"})
    redis.xadd(S, {"x": "1", "y": "two words"})
    redis.xadd(S, {"param": b"\xff"})
    assert drained(engine) == ["a text", {"x": 1}, {"x": "1", "y": "two words"}, "\udcff"]


def test_entries_of_other_programs_as_json(make: Any, redis: Any) -> None:
    engine = make(decoder="json")
    redis.xadd(S, {"x": "1", "y": '"two words"'})
    redis.xadd(S, {"x": "1", "y": "two words"})
    good, bad = engine.receive(2, 1.0)
    assert good.param == {"x": 1, "y": "two words"}
    assert isinstance(bad.param, Undecodable)
    engine.dead_letter([bad], bad.param.why, [{}])
    (letter,) = engine.dead()
    assert letter.param == {"x": "1", "y": "two words"}
    engine.ack([good])
    assert engine.requeue([letter.id]) == 1
    assert drained(engine) == [{"x": "1", "y": "two words"}]


def test_values_of_other_programs_stay_what_they_are(make: Any, redis: Any) -> None:
    engine = make(decoder="json")
    redis.xadd(S, {"x": "1", "y": "[2, null]"})
    engine.dead_letter(engine.receive(1, 1.0), "failed", [{}])
    (letter,) = engine.dead()
    assert letter.param == {"x": 1, "y": [2, None]}
    engine.requeue([letter.id])
    assert drained(engine) == [{"x": 1, "y": [2, None]}]


def test_what_others_put_among_the_dead(make: Any, redis: Any) -> None:
    engine = make()
    entry = redis.xadd(f"{S}:minions:dead", {"param": "a"})
    redis.xadd(f"{S}:minions:dead", {"dead": "[" * 10_000})
    first, second = engine.dead()
    assert (first.id, first.param, first.reason) == (entry, "a", "put there by another program")
    assert abs(first.at - time.time()) < 10
    assert second.param == {"dead": "[" * 10_000}
    assert engine.backlog().dead == 2
    assert engine.requeue([entry]) == 1
    (delivery,) = engine.receive(5, 1.0)
    assert (delivery.id, delivery.param, delivery.attempt) == (entry, "a", 1)


def test_params_that_others_gave_one_id(make: Any, redis: Any) -> None:
    """They are params each, with ids that differ while they are held; what is lost and taken again keeps its own."""
    engine = make(lease=0.2)
    for param in ("a", "b", "c"):
        redis.xadd(S, {"param": param, "minionize-id": "same"})
    first = engine.receive(3, 1.0)
    assert [each.id for each in first] == ["same", "same~", "same~~"]
    again: dict[str, Delivery] = {}
    until(lambda: again.update({each.param: each for each in engine.receive(3, 0.1)}) or len(again) == 3)
    assert {each.id: each.param for each in again.values()} == {each.id: each.param for each in first}
    engine.ack(list(again.values()))
    with pytest.raises(LeaseLost):
        engine.ack(first)
    redis.xadd(S, {"param": "d", "minionize-id": "same"})
    (last,) = engine.receive(3, 1.0)
    assert (last.param, last.id) == ("d", "same")


def test_ten_thousand_are_put_in_a_moment(make: Any, redis: Any) -> None:
    engine = make(is_open=False)
    began = time.monotonic()
    assert engine.put(str(number) for number in range(10_000)) == 10_000
    assert time.monotonic() - began < 5.0
    assert redis.xlen(S) == 10_000
    assert [next(engine.peek()), *engine.peek(1)] == ["0", "0"]


def test_what_comes_slowly_is_put_as_it_comes(make: Any, redis: Any) -> None:
    seen = []

    def slowly() -> Iterator[str]:
        for number in range(5):
            yield str(number)
            time.sleep(0.06)
            seen.append(redis.xlen(S))

    assert make(is_open=False).put(slowly()) == 5
    assert seen[0] == 1
    assert seen[3:] == [4, 5]


def test_nothing_is_kept_of_what_is_done(make: Any, redis: Any) -> None:
    engine, other = make(), make()
    engine.put(str(number) for number in range(20))
    taken = engine.receive(20, 1.0)
    engine.started(taken)
    engine.nack(taken[:10])
    engine.nack(taken[10:], delay=1000.0, charge=False)
    engine.purge()
    engine.put(["a", "b"])
    engine.ack(engine.receive(1, 1.0))
    engine.dead_letter(engine.receive(1, 1.0), "failed", [{}])
    engine.requeue([letter.id for letter in engine.dead()])
    assert len(drained(other)) == 1
    engine.close()
    other.close()
    assert redis.hkeys(f"{S}:minions:runs") == [".server"]
    assert sorted(redis.keys("*")) == [S, f"{S}:minions:dead", f"{S}:minions:runs"]
    assert (redis.xlen(S), redis.xlen(f"{S}:minions:dead")) == (0, 0)
    assert set(held_by(redis)) <= {"(given back)"}


def test_entries_that_somebody_deletes(make: Any, redis: Any) -> None:
    engine = make()
    engine.put(["a", "b", "c", "d"])
    held, back, given_up = engine.receive(3, 1.0)
    engine.nack([back])
    redis.xtrim(S, maxlen=0, approximate=False)
    assert engine.extend([held]) in ([], [held])
    assert engine.receive(5, 0.0) == []
    engine.dead_letter([given_up], "failed", [{}])
    assert [letter.param for letter in engine.dead()] == ["c"]
    with suppress(LeaseLost):
        engine.ack([held])
    backlog = engine.backlog()
    assert (backlog.ready, backlog.in_flight, backlog.dead) == (0, 0, 1)
    assert redis.hkeys(f"{S}:minions:runs") == [".server"]


def test_a_run_is_a_document_among_the_dead(make: Any, redis: Any) -> None:
    engine = make()
    engine.put(["a"])
    engine.dead_letter(engine.receive(1, 1.0), "exit code 3", [{"exit_code": 3}])
    ((_, fields),) = redis.xrange(f"{S}:minions:dead")
    assert json.loads(fields["dead"])["reason"] == "exit code 3"


# Several groups.


def test_each_group_gets_all(make: Any, redis: Any) -> None:
    ours, theirs = make(), make(group="others")
    ours.put(["a", "b", "c"])
    assert drained(ours) == ["a", "b", "c"]
    assert redis.xlen(S) == 3, "the others still want them"
    backlog = ours.backlog()
    assert (backlog.ready, backlog.in_flight, backlog.exact) == (0, 0, True)
    assert theirs.backlog().ready == 3
    taken = theirs.receive(2, 1.0)
    assert theirs.backlog().in_flight == 2
    assert params(taken) == ["a", "b"]
    theirs.ack(taken[:1])
    assert redis.xlen(S) == 2, "who is last deletes"
    theirs.dead_letter(taken[1:], "failed", [{}])
    assert drained(theirs) == ["c"]
    assert redis.xlen(S) == 0
    assert list(ours.dead()) == []


def test_what_is_put_anew_is_for_its_group(make: Any, redis: Any) -> None:
    ours, theirs = make(), make(group="others")
    ours.put(["a", "b"])
    taken = ours.receive(2, 1.0)
    ours.nack(taken[:1])
    ours.dead_letter(taken[1:], "failed", [{}])
    assert drained(theirs) == ["a", "b"]
    ours.requeue([taken[1].id])
    assert list(theirs.peek()) == []
    assert theirs.receive(5, 0.0) == []
    assert sorted(drained(ours)) == ["a", "b"]
    assert redis.xlen(S) == 0


def test_purge_leaves_what_other_groups_want(make: Any, redis: Any) -> None:
    ours, theirs = make(), make(group="others")
    ours.put(["a", "b"])
    assert ours.purge() == 2
    assert drained(ours) == []
    assert drained(theirs) == ["a", "b"]
    assert redis.xlen(S) == 0


def test_purge_takes_what_a_dead_minion_has_lost_too(make: Any, redis: Any) -> None:
    engine, dead = make(), make()
    engine.put(["held", "lost", "back", "new"])
    (held,) = engine.receive(1, 1.0)
    lost, back = dead.receive(2, 1.0)
    dead.nack([back], delay=1000.0)
    redis.zincrby(f"{S}:minions:leases", -100_000, lost.receipt.entry)
    assert engine.backlog().ready == 3
    assert engine.purge() == 3
    engine.ack([held])
    backlog = engine.backlog()
    assert (backlog.ready, backlog.in_flight, redis.xlen(S)) == (0, 0, 0)


def test_ids_of_any_length_are_compared(make: Any, redis: Any) -> None:
    ours, theirs = make(), make(group="others")
    for id in ("2-9", "2-10", "10-1", "100-0"):
        redis.xadd(S, {"param": id}, id=id)
    theirs.ack(theirs.receive(2, 1.0))
    assert drained(ours) == ["2-9", "2-10", "10-1", "100-0"]
    assert [id for id, _ in redis.xrange(S)] == ["10-1", "100-0"]


# Consumers.


def test_who_leaves_is_no_consumer(make: Any, redis: Any) -> None:
    idle, busy = make("idle"), make("busy")
    busy.put(["a"])
    taken = busy.receive(1, 1.0)
    assert idle.receive(1, 0.0) == []
    idle.close()
    busy.close()
    assert held_by(redis) == {"busy": 1}
    busy.open()
    busy.ack(taken)
    busy.close()
    assert held_by(redis) == {}


def test_consumers_of_the_dead_do_not_pile_up(make: Any, redis: Any) -> None:
    redis.xgroup_create(S, "minions", mkstream=True)
    redis.xadd(S, {"param": "a"})
    for name in ("gone", "holds"):
        redis.xreadgroup("minions", name, {S: ">"})
        redis.xadd(S, {"param": "b"})
        redis.xreadgroup("minions", name, {S: ">"})
    redis.xack(S, "minions", *[each["message_id"] for each in redis.xpending_range(S, "minions", "-", "+", 9, "gone")])
    time.sleep(0.4)
    engine = make("living", lease=0.1)
    engine.receive(0, 0.0)
    assert engine.receive(1, 0.0)
    assert "gone" not in held_by(redis)


def test_what_has_no_lease_is_found(make: Any, redis: Any) -> None:
    """A program of another kind has died with a param, or somebody has deleted our keys."""
    engine = make(lease=0.2)
    engine.put(["a", "b", "c"])
    redis.xreadgroup("minions", "stranger", {S: ">"}, count=1)
    held, back = engine.receive(2, 1.0)
    engine.nack([back], delay=1000.0)
    redis.delete(f"{S}:minions:leases", f"{S}:minions:back")
    other = make(lease=0.2)
    found: dict[str, Delivery] = {}
    until(lambda: found.update({each.param: each for each in other.receive(3, 0.1)}) or len(found) == 3)
    assert sorted(found) == ["a", "b", "c"]
    assert all(each.redelivered for each in found.values())
    assert engine.extend([held]) == [held]
