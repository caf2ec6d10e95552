"""Messages of others on a topic: batches, dead ones, other subscriptions, partitions; what comes unwanted goes back."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from urllib.error import HTTPError
from uuid import uuid4

import pulsar
import pytest

from minionize.engine import Delivery, EngineError, Holder
from minionize.engines.pulsar import PulsarEngine
from minionize.message import ATTEMPTS, FOR, ID
from minionize.pulsarclient import inbox as inboxes
from minionize.pulsarclient import wire
from tests.acceptance.running import until
from tests.brokers.pulsar import PulsarServer
from tests.brokers.server import free_port

pytestmark = pytest.mark.broker


@pytest.fixture
def topic() -> str:
    return f"params-{uuid4().hex}"


class Minions:
    """Engines on one topic."""

    def __init__(self, server: PulsarServer, topic: str) -> None:
        self.server, self.topic = server, topic
        self.made: list[PulsarEngine] = []

    def engine(self, **more: Any) -> PulsarEngine:
        """Make another one, not open."""
        engine = PulsarEngine(connection=self.server.url, **{"topic": self.topic, **more})
        engine.minion = f"minion-{len(self.made)}"
        self.made.append(engine)
        return engine

    def opened(self, **more: Any) -> PulsarEngine:
        """Make another one, and open it."""
        engine = self.engine(**more)
        engine.open()
        return engine


@pytest.fixture
def minions(pulsar_server: PulsarServer, topic: str) -> Iterator[Minions]:
    minions = Minions(pulsar_server, topic)
    yield minions
    for engine in minions.made:
        engine.close()


def take(engine: PulsarEngine, count: int, seconds: float = 10.0) -> list[Delivery]:
    """Receive exactly so many, within some time."""
    taken: list[Delivery] = []
    end = time.monotonic() + seconds
    while len(taken) < count and time.monotonic() < end:
        taken += engine.receive(count - len(taken), 0.1)
    assert len(taken) == count
    return taken


def params(deliveries: list[Delivery]) -> list[Any]:
    return sorted(each.param for each in deliveries)


def nothing_comes(engine: PulsarEngine, seconds: float = 0.4) -> bool:
    return not engine.receive(1, seconds)


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


def test_a_message_with_another_type(minions: Minions) -> None:
    """What is no JSON document of ours is a text, whatever else is told of it."""
    minion = minions.opened(decoder="json")
    for kind, body in ((" Application/JSON; charset=utf-8", b"[1]"), ("text/plain", b"[2]")):
        minions.server.produce(minions.topic, body, properties={"content-type": kind, ATTEMPTS: "many"})
    taken = take(minion, 2)
    assert sorted(each.param for each in taken) == [[1], [2]]
    assert {each.attempt for each in taken} == {1}


# Several subscriptions.


def test_every_subscription_gets_all(minions: Minions) -> None:
    """And what one of them puts anew is for itself alone."""
    mine, theirs = minions.opened(), minions.opened(subscription="others")
    mine.put(["a", "b"])
    (one, two), others = take(mine, 2), take(theirs, 2)
    assert {one.id, two.id} == {each.id for each in others}
    mine.nack([one], delay=0.2)
    mine.dead_letter([two], "failed", [{}])
    assert mine.requeue([two.id]) == 1
    theirs.ack(others)
    assert nothing_comes(theirs, 1.0)
    again = take(mine, 2)
    assert {each.id: each.attempt for each in again} == {one.id: 2, two.id: 1}
    mine.ack(again)
    mine.close()
    theirs.close()
    for subscription in ("minions", "others"):
        assert nothing_comes(minions.opened(subscription=subscription))


def test_the_dead_of_each_subscription(minions: Minions) -> None:
    mine, theirs = minions.opened(), minions.opened(subscription="others")
    mine.put(["a"])
    mine.dead_letter(take(mine, 1), "failed", [{}])
    assert list(theirs.dead()) == []
    assert [each.reason for each in mine.dead()] == ["failed"]


# What minions die of.


def test_a_copy_of_what_is_held(minions: Minions) -> None:
    """A minion has put a param anew and died before it could ack the old message: one of both is run."""
    minion = minions.opened()
    minion.put(["a"])
    (held,) = take(minion, 1)
    copy = {ID: held.id, ATTEMPTS: "1", FOR: "minions"}
    minions.server.produce(minions.topic, b"a", properties=copy)
    assert nothing_comes(minion)
    minion.ack([held])
    minion.close()
    assert nothing_comes(minions.opened())


def test_what_comes_late_goes_back(minions: Minions) -> None:
    """A minion has asked in vain and asks no more: what comes then is soon there for others."""
    idle, other = minions.opened(), minions.opened()
    assert nothing_comes(idle, 0.0)
    idle.put(["a", "b"])
    time.sleep(0.2)
    assert idle.receive(0, 0.0) == []
    until(lambda: idle.receive(0, 0.0) or not idle._inbox._came, 5.0)  # type: ignore[union-attr]
    assert params(take(other, 2)) == ["a", "b"]


def test_what_comes_late_is_kept_for_a_moment(minions: Minions) -> None:
    minion = minions.opened()
    assert nothing_comes(minion, 0.0)
    minion.put(["a"])
    (taken,) = take(minion, 1)
    assert taken.redelivered is False


def test_who_is_not_called_any_more_keeps_nothing(minions: Minions) -> None:
    """Its engine thread hangs, say."""
    idle, other = minions.opened(), minions.opened()
    assert nothing_comes(idle, 0.0)
    time.sleep(0.6)
    idle.put(["a"])
    assert params(take(other, 1)) == ["a"]


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


def test_what_has_no_form(minions: Minions) -> None:
    minion = minions.engine()
    with pytest.raises(EngineError, match=r"no form in JSON.*; 2 were put"):
        minion.put(["a", "b", {1, 2}])
    minion.open()
    assert params(take(minion, 2)) == ["a", "b"]


# Partitions.


def test_partitions(minions: Minions) -> None:
    minions.server.ask("PUT", f"persistent/public/default/{minions.topic}/partitions", 3)
    one = minions.engine(admin=minions.server.admin)
    assert one.put(str(number) for number in range(60)) == 60
    one.open()
    two = minions.opened()
    taken = []
    for engine in (one, two) * 6:
        taken += take(engine, 5)
    assert len({each.param for each in taken}) == 60
    for number in range(12):
        (one, two)[number % 2].ack(taken[5 * number : 5 * number + 4])
        (one, two)[number % 2].nack(taken[5 * number + 4 : 5 * number + 5], charge=bool(number % 3))
    again = take(one, 12)
    assert {each.id for each in again} == {taken[5 * number + 4].id for number in range(12)}
    one.dead_letter(again[:1], "failed", [{}])
    one.ack(again[1:])
    assert [each.param for each in one.dead()] == [again[0].param]
    assert one.requeue([again[0].id]) == 1
    # The first one may have asked all partitions, and gives back what it does not want.
    until(lambda: one.receive(0, 0.0) or list(two.peek()), 10.0, "it is there")
    until(lambda: one.backlog().ready == 1, 10.0, "it is counted")  # type: ignore[union-attr]
    assert params(take(two, 1)) == [again[0].param]


def test_partitions_of_batches(minions: Minions) -> None:
    minions.server.ask("PUT", f"persistent/public/default/{minions.topic}/partitions", 2)
    minion = minions.opened()
    for number in range(4):
        minions.server.produce(minions.topic, *(f"{number}{each}".encode() for each in range(5)), batch=True)
    for _ in range(20):
        minion.ack(take(minion, 1))
    assert nothing_comes(minion)


# The dead.


def test_what_the_client_library_of_others_gives_up(minions: Minions) -> None:
    """It is listed as any other, and can be made ready again."""
    minion = minions.opened()
    with minions.server.client() as client:
        policy = pulsar.ConsumerDeadLetterPolicy(1)
        consumer = client.subscribe(
            minions.topic,
            "minions",
            pulsar.ConsumerType.Shared,
            dead_letter_policy=policy,
            negative_ack_redelivery_delay_ms=100,
        )
        minions.server.produce(minions.topic, b"poison", properties={"mine": "yes"})
        for _ in range(2):
            consumer.negative_acknowledge(consumer.receive(5000))
        until(lambda: list(minion.dead()), 10.0, "it is dead")
        consumer.close()
    (letter,) = minion.dead()
    assert (letter.param, letter.reason) == ("poison", "dead-lettered by the broker")
    assert abs(letter.at - time.time()) < 60.0
    assert minion.requeue([letter.id]) == 1
    assert list(minion.dead()) == []
    (taken,) = take(minion, 1)
    assert (taken.param, taken.attempt, taken.receipt.message.properties["mine"]) == ("poison", 1, "yes")


def test_two_look_at_the_dead_at_once(minions: Minions, monkeypatch: pytest.MonkeyPatch) -> None:
    minion = minions.opened()
    minion.put(["a"])
    minion.dead_letter(take(minion, 1), "failed", [{}])
    listing = minion.dead()
    next(listing)
    monkeypatch.setattr("minionize.pulsarclient.link._BUSY", 0.2)
    with pytest.raises(EngineError, match="ConsumerBusy"):
        list(minions.opened().dead())
    listing.close()  # type: ignore[attr-defined]
    assert len(list(minions.opened().dead())) == 1


# The REST interface.


def test_backlog_and_holders(minions: Minions) -> None:
    minion = minions.engine(admin=minions.server.admin)
    minion.put(["a", "b", "c", "d"])
    minion.open()
    taken = take(minion, 4)
    minion.nack(taken[:1], delay=60.0)
    minion.dead_letter(taken[1:2], "failed", [{}])
    minion.ack(taken[2:3])

    def told() -> tuple[Any, ...]:
        # The server counts as delayed what it has looked at.
        assert nothing_comes(minion, 0.0)
        backlog = minion.backlog()
        assert backlog is not None
        assert not backlog.exact
        return (backlog.ready, backlog.in_flight, backlog.dead, backlog.delayed)

    until(lambda: told() == (1, 1, 1, 1), 10.0, "all is counted")
    assert minion.holders() == [Holder(minion.minion, 1)]
    missing = minions.engine(topic="no-such-topic", admin=minions.server.admin)
    empty = missing.backlog()
    assert empty is not None
    assert (empty.ready, empty.in_flight, empty.dead) == (0, 0, 0)
    assert minions.engine().backlog() is None
    assert minions.engine().holders() is None


def test_a_rest_interface_that_is_not_there(minions: Minions, caplog: pytest.LogCaptureFixture) -> None:
    """It is said once, and the work goes on."""
    with caplog.at_level(logging.WARNING):
        minion = minions.opened(admin=f"http://127.0.0.1:{free_port()}")
        assert minion.backlog() is None
        assert minion.holders() is None
    assert [record.getMessage().count("check PULSAR_ADMIN") for record in caplog.records] == [1]
    minion.put(["a"])
    minion.ack(take(minion, 1))


def test_a_subscription_that_is_made_is_told(minions: Minions, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        minions.opened(admin=minions.server.admin)
        minions.opened(admin=minions.server.admin)
    assert caplog.text.count("made subscription minions") == 1


def test_a_visitor_is_no_consumer(minions: Minions) -> None:
    minion = minions.engine(admin=minions.server.admin)
    minion.visit()
    assert list(minion.holders() or ()) == []
    with pytest.raises(HTTPError, match="404"):
        minions.server.ask("GET", f"persistent/public/default/{minions.topic}/stats")


# The protocol.


def test_what_is_written_can_be_read() -> None:
    data = wire.number(1, 300) + wire.text(2, b"x" * 200) + wire.number(3, 2**63) + b"\x25abcd\x29abcdefgh"
    assert wire.fields(data) == {1: 300, 2: b"x" * 200, 3: 2**63}


@pytest.mark.parametrize("data", [b"\x08", b"\x08\xff", b"\x0b", b"\xff"])
def test_what_is_no_message(data: bytes) -> None:
    with pytest.raises(ValueError, match="no message"):
        wire.fields(data)


def test_closing_lets_go(pulsar_server: PulsarServer, topic: str) -> None:
    """What others waits for is there at once."""
    one = PulsarEngine(connection=pulsar_server.url, topic=topic)
    two = PulsarEngine(connection=pulsar_server.url, topic=topic)
    one.put(["a"])
    with closing(two):
        with closing(one):
            one.open()
            take(one, 1)
            two.open()
            assert nothing_comes(two, 0.1)
        assert params(take(two, 1, 2.0)) == ["a"]
