"""The google engine: messages of others, dead letters of the service, sizes."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from minionize.engine import EngineError, NotConnected, Undecodable
from minionize.pubsub.link import Link
from tests.acceptance.running import until
from tests.brokers.google import PROJECT, PubSubServer
from tests.engines.google_helpers import Case, nothing, taken

pytestmark = pytest.mark.broker


@pytest.fixture
def case(pubsub_server: PubSubServer) -> Iterator[Case]:
    case = Case(pubsub_server.host)
    yield case
    case.close()


# Messages of others.


def test_messages_of_others(case: Case) -> None:
    engine = case.opened(decoder="json")
    case.publish(b'{"x": 1}', origin="elsewhere")
    case.publish(b"{no JSON")
    case.publish(b"", origin="elsewhere")
    params = [each.param for each in taken(engine, 3)]
    assert {"x": 1} in params
    assert sum(isinstance(each, Undecodable) for each in params) == 2


def test_nonsense_in_our_attributes_is_no_crash(case: Case) -> None:
    engine = case.opened()
    for attempts in ("many", "9" * 1000, "\u0663"):
        case.publish(b"a", minionize_attempts=attempts, minionize_not_before="soon", minionize_for="")
    for delivery in taken(engine, 3):
        assert (delivery.param, delivery.attempt) == ("a", 1)


def test_two_messages_of_one_id_are_two_params(case: Case) -> None:
    """A minion that holds both runs both; when one is settled the other one can have the id."""
    engine = case.opened()
    case.publish(b"a", minionize_id="1")
    case.publish(b"b", minionize_id="1")
    first, second = taken(engine, 2)
    assert {first.id, second.id} == {"1", "1~"}
    engine.ack([first])
    engine.nack([second])
    (again,) = taken(engine)
    assert (again.id, again.param, again.attempt) == ("1", second.param, 2)
    engine.ack([again])
    assert nothing(engine)


def test_two_dead_params_of_one_id_are_both_made_anew(case: Case) -> None:
    engine = case.opened()
    case.publish(b"a", minionize_id="1")
    case.publish(b"b", minionize_id="1")
    engine.dead_letter(taken(engine, 2), "failed", [{}, {}])
    assert [each.id for each in engine.dead()] == ["1", "1"]
    assert engine.requeue(["1", "1"]) == 2
    assert sorted(each.param for each in taken(engine, 2)) == ["a", "b"]
    assert list(engine.dead()) == []


def test_what_is_to_wait_for_ever_harms_nobody(case: Case) -> None:
    engine = case.opened()
    case.publish(b"never", minionize_not_before="1e300")
    case.publish(b"a")
    assert [each.param for each in taken(engine)] == ["a"]
    assert nothing(engine)


def test_a_retry_keeps_attributes_and_ordering_key(case: Case) -> None:
    case.link.call("CreateTopic", name=case.path("topic"))
    case.link.call(
        "CreateSubscription",
        name=case.path("subscription"),
        topic=case.path("topic"),
        ack_deadline_seconds=10,
        enable_message_ordering=True,
    )
    engine = case.opened()
    case.publish(b"a", key="k1", origin="elsewhere")
    case.publish(b"b", key="k2")
    deliveries = taken(engine, 2)
    engine.nack(deliveries)
    engine.dead_letter(taken(engine, 2), "failed", [{}, {}])
    assert engine.requeue([each.id for each in deliveries]) == 2
    again = {each.param: each.receipt.message for each in taken(engine, 2)}
    assert {param: message.ordering_key for param, message in again.items()} == {"a": "k1", "b": "k2"}
    assert again["a"].attributes["origin"] == "elsewhere"


# Dead params.


def test_what_the_service_has_taken_is_not_put_again(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each ordering key needs a call of its own; one that fails leaves the others done."""
    engine = case.opened()
    for key in ("x", "y", "z"):
        case.publish(key.encode(), key)
    deliveries = taken(engine, 3)
    call, fails = Link.call, iter([False, False, True])

    def answers(link: Link, method: str, /, **fields: Any) -> Any:
        if method == "Publish" and next(fails, False):
            raise NotConnected("gone")
        return call(link, method, **fields)

    monkeypatch.setattr(Link, "call", answers)
    with pytest.raises(NotConnected):
        engine.nack(deliveries)
    engine.nack(deliveries)
    assert sorted(each.param for each in taken(engine, 3)) == ["x", "y", "z"]
    assert nothing(engine)


def test_dead_letters_of_the_service_are_shown_and_made_anew(case: Case) -> None:
    engine = case.opened()
    dead = case.values["dead_topic"]
    name = f"projects/{PROJECT}/subscriptions/strict-{dead}"
    policy = {"dead_letter_topic": case.path("dead_topic"), "max_delivery_attempts": 5}
    case.link.call(
        "CreateSubscription",
        name=name,
        topic=case.path("topic"),
        ack_deadline_seconds=10,
        dead_letter_policy=policy,
    )
    strict = case.opened(subscription=f"strict-{dead}")
    case.publish(b"a")
    for times in range(5):
        (delivery,) = taken(strict)
        assert delivery.redelivered == (times > 0)
        assert delivery.attempt == 1
        strict.nack([delivery], charge=False)
    until(lambda: nothing(strict) and list(strict.dead()))
    (letter,) = strict.dead()
    assert (letter.param, letter.reason) == ("a", "dead-lettered by the broker")
    assert abs(letter.at - time.time()) < 60.0
    assert letter.evidence["CloudPubSubDeadLetterSourceSubscription"] == f"strict-{dead}"
    # Made anew by whom it may: for the subscription from which it came.
    engine.ack(taken(engine))
    assert engine.requeue([letter.id]) == 1
    assert [(each.param, each.id) for each in taken(strict)] == [("a", letter.id)]
    assert nothing(engine)


def test_a_dead_param_that_is_too_large_for_a_document(case: Case) -> None:
    engine = case.opened()
    big = "\u00fc" * 2_000_000  # as JSON three times as large
    assert engine.put([big]) == 1
    deliveries = taken(engine)
    engine.dead_letter(deliveries, "exit code 3", [{"exit_code": 3}])
    (letter,) = engine.dead()
    assert (letter.id, letter.param, letter.reason) == (deliveries[0].id, big, "exit code 3")
    assert engine.requeue([letter.id]) == 1
    assert taken(engine)[0].param == big


def test_evidence_as_it_stands(case: Case) -> None:
    """What a dead topic holds can be read by others: a document of JSON."""
    engine = case.opened()
    case.publish(b'{"x": 1}', content_type="application/json")
    engine.dead_letter(taken(engine), "failed", [{"exit_code": 3}])
    (message,) = case.pulled(f"projects/{PROJECT}/subscriptions/{case.values['dead_topic']}")
    document = json.loads(message.data)
    assert (document["body"], document["reason"], document["evidence"]) == ('{"x": 1}', "failed", {"exit_code": 3})


# Sizes.


def test_ten_thousand(case: Case) -> None:
    began = time.monotonic()
    engine = case.opened()
    assert engine.put(str(number) for number in range(10_000)) == 10_000
    found: set[str] = set()
    while len(found) < 10_000:
        deliveries = engine.receive(1000, 1.0)
        engine.ack(deliveries)
        found.update(str(each.param) for each in deliveries)
    assert time.monotonic() - began < 60.0
    assert nothing(engine)


def test_what_comes_slowly_does_not_wait(case: Case) -> None:
    engine = case.opened()

    def slowly() -> Iterator[str]:
        for name in "abc":
            time.sleep(0.1)
            yield name
            assert [each.param for each in taken(engine)] == [name]

    assert case.engine().put(slowly()) == 3


def test_a_param_that_is_too_large(case: Case) -> None:
    engine = case.opened()
    with pytest.raises(EngineError, match=r"11000000 bytes.*; 2 params were put") as caught:
        engine.put(["a", "b", "x" * 11_000_000, "c"])
    assert not isinstance(caught.value, NotConnected)
    assert sorted(str(each.param) for each in taken(engine, 2)) == ["a", "b"]
