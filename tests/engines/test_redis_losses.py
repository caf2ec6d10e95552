"""The redis engine: what the server forgets, connections that are cut, answers that are lost."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from threading import Thread
from typing import Any

import pytest

from minionize.engine import Delivery, LeaseLost, NotConnected
from minionize.engines.redis import RedisEngine
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


# What the server forgets, and connections that are cut.


def test_a_missing_group_is_made_and_said(make: Any, redis: Any, caplog: pytest.LogCaptureFixture) -> None:
    redis.xadd(S, {"param": "a"})
    looking = make(is_open=False)
    looking.visit()
    assert (looking.backlog().ready, list(looking.peek()), looking.holders()) == (1, ["a"], [])
    assert redis.xinfo_groups(S) == []
    with caplog.at_level(logging.WARNING):
        assert drained(make()) == ["a"]
        make()
    assert len(caplog.records) == 1
    assert f"group minions of stream {S}" in caplog.text


def test_a_visitor_of_nothing_makes_nothing(make: Any, redis: Any) -> None:
    looking = make(is_open=False)
    looking.visit()
    assert (looking.backlog().ready, list(looking.peek()), list(looking.dead())) == (0, [], [])
    assert (looking.holders(), looking.purge(), looking.requeue(["1-1"])) == ([], 0, 0)
    assert redis.keys("*") == []


def test_a_server_that_has_forgotten_all(make: Any, redis: Any, caplog: pytest.LogCaptureFixture) -> None:
    engine = make()
    engine.put(["a", "b", "c"])
    acked, back = engine.receive(2, 1.0)
    redis.flushall()
    with caplog.at_level(logging.WARNING):
        with pytest.raises(LeaseLost):
            engine.ack([acked])
        assert engine.extend([back]) == [back]
        redis.flushall()
        assert engine.receive(1, 0.0) == []
        redis.flushall()
        engine.started([back])
    assert "anew" in caplog.text
    engine.put(["d"])
    assert drained(engine) == ["d"]


def test_a_group_that_was_destroyed_begins_again(make: Any, redis: Any) -> None:
    engine = make()
    engine.put(["a", "b"])
    engine.started(engine.receive(1, 1.0))
    redis.xgroup_destroy(S, "minions")
    taken = engine.receive(5, 1.0)
    assert params(taken) == ["a", "b"]
    assert [each.attempt for each in taken] == [1, 1]


@pytest.mark.parametrize("what", ["stream", "wait"])
def test_a_minion_that_waits_is_let_go(make: Any, redis: Any, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The stream is deleted while the server waits for it; or the server becomes a replica, and lets all go."""
    # Long enough that it still waits when it has been seen to wait.
    monkeypatch.setattr("minionize.engines.redis._BLOCK", 4.0)
    engine = make()

    def let_go() -> None:
        until(lambda: redis.info("clients")["blocked_clients"] == 1)
        if what == "stream":
            redis.delete(S)
        else:
            waiting = [each["id"] for each in redis.client_list() if "b" in each["flags"]]
            redis.execute_command("CLIENT", "UNBLOCK", waiting[0], "ERROR")

    thread = Thread(target=let_go)
    thread.start()
    with pytest.raises(NotConnected, match="UNBLOCKED"):
        engine.receive(1, 5.0)
    thread.join()
    engine.close()
    engine.open()
    engine.put(["a"])
    assert drained(engine) == ["a"]


def lose_answer(engine: RedisEngine, name: str, before: int = 0) -> None:
    """Let the server do a step of that name, and the connection break before its answer is here.

    Args:
        engine: Whose connection.
        name: Of the script.
        before: How many such steps are done and answered before.
    """
    server: Any = engine._server
    call = server.call
    names = [name] * before

    def torn(script: str, *words: Any) -> Any:
        answer = call(script, *words)
        if script != name or (names and names.pop()):
            return answer
        server.call = call
        server.hang_up()
        raise NotConnected("cut")

    server.call = torn


@pytest.mark.parametrize("name", ["ack", "nack", "dead_letter"])
def test_what_was_settled_though_the_answer_was_lost(make: Any, redis: Any, name: str) -> None:
    """The worker asks again after it has come back, perhaps after renewing the lease."""
    engine = make()
    engine.put(["a"])
    taken = engine.receive(1, 1.0)
    words: tuple[Any, ...] = ("failed", [{}]) if name == "dead_letter" else ()
    lose_answer(engine, "bury" if words else name)
    with pytest.raises(NotConnected):
        getattr(engine, name)(taken, *words)
    engine.close()
    engine.open()
    assert engine.extend(taken) == []
    getattr(engine, name)(taken, *words)
    assert len(engine.receive(1, 0.0)) == (name == "nack")
    assert len(list(engine.dead())) == (name == "dead_letter")


def test_a_large_batch_that_is_torn_in_the_middle(make: Any, redis: Any) -> None:
    engine, other = make(), make()
    engine.put(str(number) for number in range(1200))
    taken = engine.receive(1200, 1.0)
    redis.xclaim(S, "minions", "minion-2", 0, [taken[-1].receipt.entry])
    lose_answer(engine, "ack", before=1)
    with pytest.raises(NotConnected):
        engine.ack(taken)
    engine.close()
    engine.open()
    with pytest.raises(LeaseLost) as caught:
        engine.ack(taken)
    assert caught.value.lost == (taken[-1],)
    assert (engine.backlog().in_flight, redis.xlen(S)) == (1, 1)
    assert not engine._held
    assert not engine._unsure
    assert other.receive(1, 0.0) == []


def test_what_was_delivered_though_the_answer_was_lost(make: Any, redis: Any) -> None:
    """It goes back when its minion comes back, uncharged; what the minion knows of stays its own."""
    engine = make()
    engine.put(["a", "b", "c"])
    known = engine.receive(1, 1.0)
    lose_answer(engine, "take")
    with pytest.raises(NotConnected):
        engine.receive(2, 1.0)
    engine.close()
    engine.open()
    taken = engine.receive(5, 1.0)
    assert [(each.param, each.attempt, each.crashes) for each in taken] == [("b", 1, 0), ("c", 1, 0)]
    engine.ack([*known, *taken])
    assert engine.backlog().in_flight == 0


def test_what_was_delivered_while_it_waited(make: Any, redis: Any) -> None:
    engine = make()
    lose_answer(engine, "renew")
    redis.xadd(S, {"param": "a"})
    server: Any = engine._server
    assert [fields for _, fields in server.wait(1, 100)] == [{b"param": b"a"}]
    engine.close()
    engine.open()
    (delivery,) = engine.receive(1, 1.0)
    assert (delivery.param, delivery.attempt) == ("a", 1)


def test_a_connection_that_the_server_cuts(make: Any, redis: Any) -> None:
    engine = make()
    engine.put(["a", "b"])
    taken = engine.receive(1, 1.0)
    redis.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    engine.ack(taken)
    assert drained(engine) == ["b"]


def test_a_waiting_minion_is_woken(make: Any, redis: Any) -> None:
    """It hears of what was given back, of what is new, and of its own accord of what is due."""
    engine = make()
    engine.put(["a"])
    taken = engine.receive(1, 1.0)
    began = time.monotonic()
    engine.nack(taken, delay=0.2)
    again: list[Delivery] = []
    while not again:
        again = engine.receive(1, 10.0)
    assert 0.2 <= time.monotonic() - began < 9.0
