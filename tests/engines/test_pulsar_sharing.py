"""The pulsar engine: several subscriptions, partitions, the dead; what comes unwanted goes back."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from typing import Any
from uuid import uuid4

import pulsar
import pytest

from minionize.engine import EngineError, NotConnected
from minionize.engines.pulsar import PulsarEngine
from minionize.message import ATTEMPTS, FOR, ID
from minionize.pulsarclient.link import Link
from minionize.pulsarclient.message import Message
from tests.acceptance.running import until
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


@pytest.mark.parametrize("other", ["a", "b"])
def test_another_param_with_the_id_of_one_that_is_held(minions: Minions, other: str) -> None:
    """Somebody has sent both with the same properties: each is run, also when the connection was lost."""
    minion = minions.opened()
    minions.server.produce(minions.topic, b"a", other.encode(), properties={ID: "1"})
    held = take(minion, 2)
    assert {each.id for each in held} == {"1", "1~"}
    assert params(held) == ["a", other]
    minion.close()
    minion.open()
    assert nothing_comes(minion, 1.0)
    minion.ack(held[:1])
    minion.nack(held[1:])
    (again,) = take(minion, 1)
    assert (again.param, again.attempt) == (held[1].param, 2)
    minion.ack([again])
    assert nothing_comes(minion)


def test_what_comes_late_goes_back(minions: Minions) -> None:
    """A minion has asked in vain and asks no more: what comes then is soon there for others."""
    idle, other = minions.opened(), minions.opened()
    assert nothing_comes(idle, 0.0)
    idle.put(["a", "b"])
    time.sleep(0.2)
    assert idle.receive(0, 0.0) == []
    until(lambda: idle.receive(0, 0.0) or not idle._inbox._came, 5.0)  # type: ignore[union-attr]
    assert params(take(other, 2)) == ["a", "b"]


def test_what_comes_late_is_kept_for_a_moment(minions: Minions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("minionize.pulsarclient.inbox._LINGER", 60.0)
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
        assert params(take(two, 1)) == ["a"]


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


def test_what_was_made_ready_before_the_connection_was_lost_is_dead_no_more(
    minions: Minions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else it would be made ready twice, by who asks again."""
    minion = minions.opened()
    minion.put(str(number) for number in range(20))
    minion.dead_letter(take(minion, 20), "failed", [{}] * 20)
    ids = [letter.id for letter in minion.dead()]
    all_of_them = Link.all

    def breaks(link: Link, consumer: Any, topic: str) -> Iterator[Message]:
        yield from islice(all_of_them(link, consumer, topic), 15)
        raise NotConnected("gone")

    with monkeypatch.context() as patch:
        patch.setattr(Link, "all", breaks)
        with pytest.raises(NotConnected):
            minion.requeue(ids)
    assert len(list(minion.dead())) == 5
    assert minion.requeue(ids) == 5
    assert len({each.id for each in take(minion, 20)}) == 20
    assert nothing_comes(minion)


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
