"""The pulsar engine: messages of others, batches, very many, too large ones; the protocol."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pulsar
import pytest

from minionize.engine import EngineError
from minionize.message import ATTEMPTS, FOR
from minionize.pulsarclient import inbox as inboxes
from minionize.pulsarclient import wire
from tests.brokers.pulsar import PulsarServer
from tests.engines.pulsar_helpers import Minions, nothing_comes, params, take

pytestmark = pytest.mark.broker


@pytest.fixture
def topic() -> str:
    return f"params-{uuid4().hex}"


@pytest.fixture
def minions(pulsar_server: PulsarServer, topic: str) -> Iterator[Minions]:
    minions = Minions(pulsar_server, topic)
    yield minions
    for engine in minions.made:
        engine.close()


# Producers that know nothing of minions.


def test_a_plain_producer(minions: Minions) -> None:
    """As the README of 0.3.4 has it; it is there before the minions are."""
    minion = minions.engine()
    with minions.server.client() as client:
        producer = client.create_producer(minions.topic)
        minion.open()
        producer.send(b"hello")
    (taken,) = take(minion, 1)
    assert (taken.param, taken.attempt, taken.redelivered) == ("hello", 1, False)


def test_what_was_kept_comes_first(minions: Minions) -> None:
    """A new subscription begins with the oldest message that is still there: another subscription has kept it."""
    with minions.server.client() as client:
        client.subscribe(minions.topic, "others").close()
    minions.server.produce(minions.topic, b"before", b"odd \xff")
    minion = minions.opened()
    taken = take(minion, 2)
    assert params(taken) == ["before", "odd \udcff"]
    minion.nack(taken)
    again = take(minion, 2)
    assert {each.id for each in again} == {each.id for each in taken}
    assert [each.attempt for each in again] == [2, 2]


@pytest.mark.parametrize("size", [1, 2, 7])
def test_a_batch_is_shared(minions: Minions, size: int) -> None:
    """Two minions that take one at a time share what was sent as one; ids and numbers are kept."""
    one, two = minions.opened(), minions.opened()
    names = [f"p{number}" for number in range(size)]
    minions.server.produce(minions.topic, *(name.encode() for name in names), batch=True, properties={"mine": "yes"})
    minions.server.produce(minions.topic, b"last")
    taken = []
    for number in range(size + 1):
        taken += take((one, two)[number % 2], 1)
    assert params(taken) == sorted([*names, "last"])
    assert len({each.id for each in taken}) == size + 1
    assert all(each.attempt == 1 and each.redelivered is False for each in taken)
    assert all(each.receipt.message.properties["mine"] == "yes" for each in taken if each.param != "last")
    for number, each in enumerate(taken):
        (one, two)[number % 2].ack([each])
    assert nothing_comes(one)
    assert nothing_comes(two)
    one.close()
    assert nothing_comes(minions.opened())


def test_batches_that_are_asked_for_as_a_whole(minions: Minions) -> None:
    minion = minions.opened()
    for number in range(3):
        minions.server.produce(minions.topic, *(f"p{number}{each}".encode() for each in range(5)), batch=True)
    assert len({each.param for each in take(minion, 15)}) == 15
    assert nothing_comes(minion)


def test_a_batch_while_something_is_held(minions: Minions) -> None:
    """A consumer that a batch has worn out stays until what it was given is settled."""
    minion = minions.opened()
    minion.put(["held"])
    held = take(minion, 1)
    for number in range(4):
        minions.server.produce(minions.topic, *(f"{number}{each}".encode() for each in range(3)), batch=True)
    for _ in range(12):
        minion.ack(take(minion, 1))
    assert nothing_comes(minion)
    assert nothing_comes(minions.opened())
    minion.ack(held)
    assert nothing_comes(minion)
    inbox = minion._inbox
    assert inbox is not None
    assert inbox._worn == []


def test_peek_at_batches(minions: Minions) -> None:
    minion = minions.opened()
    minions.server.produce(minions.topic, *(f"p{each}".encode() for each in range(5)), batch=True)
    minions.server.produce(minions.topic, b"last")
    assert len(list(minion.peek(3))) == 3
    assert sorted(minion.peek()) == ["last", *(f"p{each}" for each in range(5))]
    assert len(take(minion, 6)) == 6


@pytest.mark.parametrize("before", [[], ["alone"]], ids=["first", "later"])
def test_what_comes_with_a_batch(minions: Minions, before: list[str]) -> None:
    """The server guesses how many batches fill what was asked for; the client throws away what is too much."""
    minion = minions.opened()
    minion.put(before)
    minion.ack(take(minion, len(before)))
    with minions.server.client() as client:
        other = client.subscribe(minions.topic, "minions", pulsar.ConsumerType.Shared)
        minions.server.produce(minions.topic, *(f"p{each}".encode() for each in range(5)), batch=True)
        minions.server.produce(minions.topic, b"last")
        for _ in range(6):
            other.receive(10_000)
        assert minion.receive(5, 0.3) == []
        # From now on all six can be had, and are handed out at once.
        other.close()
    assert params(take(minion, 6)) == ["last", *(f"p{each}" for each in range(5))]


def test_a_message_with_another_type(minions: Minions) -> None:
    """What is no JSON document of ours is a text, whatever else is told of it."""
    minion = minions.opened(decoder="json")
    for kind, body in ((" Application/JSON; charset=utf-8", b"[1]"), ("text/plain", b"[2]")):
        minions.server.produce(minions.topic, body, properties={"content-type": kind, ATTEMPTS: "\u0663"})
    taken = take(minion, 2)
    assert sorted(each.param for each in taken) == [[1], [2]]
    assert {each.attempt for each in taken} == {1}


def test_what_is_told_of_a_message_in_no_text(minions: Minions) -> None:
    """Properties that are no UTF-8, which other client libraries let pass, end no minion: they are gone."""
    minion = minions.opened()
    with minions.server.client() as client:
        producer = client.create_producer(minions.topic, batching_enabled=False)
        producer.send(b"odd", properties={b"\xff": b"\xfe", "mine": "yes"})
        producer.send(b"nobody's", properties={FOR: ""})
    odd, other = sorted(take(minion, 2), key=lambda each: str(each.param), reverse=True)
    assert (odd.param, odd.attempt, other.param) == ("odd", 1, "nobody's")
    minion.nack([odd])
    (again,) = take(minion, 1)
    assert (again.id, again.param, again.attempt) == (odd.id, "odd", 2)
    minion.dead_letter([again], "failed", [{}])
    assert [each.param for each in minion.dead()] == ["odd"]


# Many.


def test_ten_thousand(minions: Minions) -> None:
    minion = minions.engine()
    began = time.monotonic()
    assert minion.put(str(number) for number in range(10_000)) == 10_000
    minion.open()
    seen = Counter[Any]()
    while taken := minion.receive(1000, 1.0):
        seen.update(each.param for each in taken)
        minion.ack(taken)
    assert seen == Counter(str(number) for number in range(10_000))
    assert time.monotonic() - began < 30.0


def test_a_consumer_is_worn_out_by_many(minions: Minions, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server lets a consumer hold so many; then another one is asked."""
    monkeypatch.setattr(inboxes, "_MOST", 10)
    minion = minions.engine()
    minion.put(str(number) for number in range(35))
    minion.open()
    assert sorted(map(str, minion.peek())) == sorted(map(str, range(35)))
    taken = take(minion, 35)
    minion.ack(taken)
    assert nothing_comes(minion)


def test_a_consumer_that_gets_nothing_is_replaced(minions: Minions, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also while it holds something; not again and again."""
    monkeypatch.setattr(inboxes, "_STALE", 0.1)
    minion = minions.opened()
    minion.put(["held"])
    held = take(minion, 1)
    for _ in range(4):
        assert nothing_comes(minion, 0.2)
    inbox = minion._inbox
    assert inbox is not None
    assert len(inbox._worn) == 1
    minion.put(["a"])
    minion.ack([*take(minion, 1), *held])
    assert nothing_comes(minion, 0.2)
    minion.close()
    assert nothing_comes(minions.opened())


def test_what_is_too_large(minions: Minions) -> None:
    """It is refused; what came before it is there."""
    minion = minions.engine()
    with pytest.raises(EngineError, match=r"MessageTooBig.*; 1 were put"):
        minion.put(["a", "x" * 6_000_000])
    minion.open()
    assert params(take(minion, 1)) == ["a"]


def test_a_dead_param_that_is_too_large_for_a_document(minions: Minions) -> None:
    """Quoted in JSON it is larger than the server takes: it is dead as it is, and no minion ends by that."""
    minion = minions.engine()
    minion.put([[1, "\n" * 2_000_000], "small"])
    minion.open()
    minion.dead_letter(take(minion, 2), "failed", [{"exit_code": 3}] * 2)
    letters = {len(str(letter.param)): letter for letter in minion.dead()}
    small, large = (letters[size] for size in sorted(letters))
    assert (small.evidence, small.reason) == ({"exit_code": 3}, "failed")
    assert (large.param, large.evidence, large.reason) == ([1, "\n" * 2_000_000], {}, "failed")
    assert minion.requeue([large.id]) == 1
    (again,) = take(minion, 1)
    assert (again.id, again.param, again.attempt) == (large.id, large.param, 1)
    minion.dead_letter([again], "failed again", [{}])
    assert sorted(letter.reason for letter in minion.dead()) == ["failed", "failed again"]


def test_what_has_no_form(minions: Minions) -> None:
    minion = minions.engine()
    with pytest.raises(EngineError, match=r"no form in JSON.*; 2 were put"):
        minion.put(["a", "b", {1, 2}])
    minion.open()
    assert params(take(minion, 2)) == ["a", "b"]


# The protocol.


def test_what_is_written_can_be_read() -> None:
    data = wire.number(1, 300) + wire.text(2, b"x" * 200) + wire.number(3, 2**63) + b"\x25abcd\x29abcdefgh"
    assert wire.fields(data) == {1: 300, 2: b"x" * 200, 3: 2**63}


@pytest.mark.parametrize("data", [b"\x08", b"\x08\xff", b"\x0b", b"\xff"])
def test_what_is_no_message(data: bytes) -> None:
    with pytest.raises(ValueError, match="no message"):
        wire.fields(data)
