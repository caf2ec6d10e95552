"""What is special to the google engine: exactly-once, copies of others, ordering keys, dead letters of the service."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from typing import Any, ClassVar

import pytest

from minionize.engine import Delivery, EngineError, LeaseLost, NotConnected, Undecodable
from minionize.engines.google import GoogleEngine
from minionize.errors import SettingsError
from minionize.pubsub import leases
from minionize.pubsub.link import Link
from minionize.testing.rules.lease import LeaseRules
from tests.acceptance.running import until
from tests.brokers.google import PROJECT, PubSubServer, running

pytestmark = pytest.mark.broker

NUMBERS = count()


@pytest.fixture(scope="module")
def pubsub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PubSubServer]:
    with running(tmp_path_factory.mktemp("pubsub")) as server:
        yield server


class Case:
    """A topic of its own, and what is done behind the engine's back."""

    def __init__(self, host: str) -> None:
        number = next(NUMBERS)
        self.values: dict[str, Any] = {
            "project": PROJECT,
            "topic": f"params-{number}",
            "subscription": f"minions-{number}",
            "dead_topic": f"dead-{number}",
            "emulator": host,
        }
        self.link = Link(host, "")
        self.made: list[GoogleEngine] = []

    def path(self, key: str) -> str:
        """The whole name of topic, subscription or dead_topic."""
        kind = "subscriptions" if key == "subscription" else "topics"
        return f"projects/{PROJECT}/{kind}/{self.values[key]}"

    def engine(self, **more: Any) -> GoogleEngine:
        """Make another minion's engine."""
        self.made.append(GoogleEngine(quiet=0.1, **{**self.values, **more}))
        return self.made[-1]

    def opened(self, **more: Any) -> GoogleEngine:
        """Make an engine, declare its queue and open it."""
        engine = self.engine(**more)
        engine.declare()
        engine.open()
        return engine

    def publish(self, body: bytes, key: str = "", **attributes: str) -> None:
        """Put a message as others do."""
        attributes = {name.replace("_", "-"): value for name, value in attributes.items()}
        message = {"data": body, "attributes": attributes, "ordering_key": key}
        self.link.call("Publish", topic=self.path("topic"), messages=[message])

    def pulled(self, subscription: str) -> list[Any]:
        """Take what is there, as others do."""
        return [each.message for each in self.link.pull(subscription, 100)]

    def close(self) -> None:
        """Close all."""
        for engine in self.made:
            engine.close()
        self.link.hang_up()


@pytest.fixture
def case(pubsub: PubSubServer) -> Iterator[Case]:
    case = Case(pubsub.host)
    yield case
    case.close()


def taken(engine: GoogleEngine, number: int = 1) -> list[Delivery]:
    """Receive so many."""
    found: list[Delivery] = []

    def come() -> bool:
        found.extend(engine.receive(number - len(found), 0.05))
        return len(found) == number

    until(come)
    return found


def nothing(engine: GoogleEngine) -> bool:
    """Whether nothing is ready."""
    return engine.receive(100, 0.1) == []


# Exactly once.


class TestExactlyOnce(LeaseRules):
    """The rules of leases, where the service itself refuses what is late."""

    delay: ClassVar[float] = 0.6

    @pytest.fixture(autouse=True)
    def _case(self, case: Case) -> None:
        self.case = case
        make_exactly_once(case)

    def make_engine(self) -> GoogleEngine:
        """Make another minion's engine."""
        return self.case.engine(ack_deadline=1)


def make_exactly_once(case: Case) -> None:
    """Create topic and subscription."""
    case.link.call("CreateTopic", name=case.path("topic"))
    case.link.call(
        "CreateSubscription",
        name=case.path("subscription"),
        topic=case.path("topic"),
        ack_deadline_seconds=10,
        enable_exactly_once_delivery=True,
    )


def test_the_service_refuses_what_is_late_though_our_clock_does_not(case: Case) -> None:
    make_exactly_once(case)
    engine, other = case.opened(ack_deadline=1), case.opened()
    case.publish(b"a")
    case.publish(b"b")
    stale = taken(engine, 2)
    until(lambda: len(other.receive(2, 0.05)) > 0, 10.0)
    until(lambda: time.clock_gettime(time.CLOCK_BOOTTIME) > max(each.receipt.until for each in stale))
    for each in stale:
        each.receipt.until += 100.0  # as if our clock had stood still
    assert engine.extend(stale) == stale
    for settle in (engine.ack, engine.nack, lambda them: engine.nack(them, charge=False)):
        with pytest.raises(LeaseLost) as caught:
            settle(stale)
        assert list(caught.value.lost) == stale


def test_settling_twice_is_no_lost_lease(case: Case) -> None:
    make_exactly_once(case)
    engine = case.opened()
    for settle in (engine.ack, engine.nack, lambda them: engine.nack(them, charge=False)):
        case.publish(b"a")
        held = taken(engine)
        settle(held)
        settle(held)
        settle([])
        engine.ack(engine.receive(10, 0.1))
        assert nothing(engine)


def test_an_ack_whose_answer_was_lost_is_no_lost_lease(case: Case) -> None:
    make_exactly_once(case)
    engine = case.opened()
    case.publish(b"a")
    deliveries = taken(engine)
    case.link.acknowledge(case.path("subscription"), [deliveries[0].receipt.lease])
    deliveries[0].receipt.unsure = True
    engine.ack(deliveries)
    assert nothing(engine)


# Other subscriptions of the topic.


def test_a_retry_is_for_its_own_subscription(case: Case) -> None:
    ours, theirs = case.opened(), case.opened(subscription=f"others-{case.values['topic']}")
    case.publish(b"a")
    theirs.ack(taken(theirs))
    ours.nack(taken(ours))
    (again,) = taken(ours)
    assert (again.param, again.attempt) == ("a", 2)
    assert nothing(theirs)
    ours.dead_letter([again], "failed", [{}])
    assert ours.requeue([again.id]) == 1
    assert nothing(theirs)
    assert [each.id for each in taken(ours)] == [again.id]
    assert list(theirs.peek()) == []


def test_a_copy_for_others_is_removed(case: Case) -> None:
    engine = case.opened()
    case.publish(b"a", minionize_for="projects/minions/subscriptions/theirs")
    assert list(engine.peek()) == []
    assert nothing(engine)
    engine.close()
    assert case.pulled(case.path("subscription")) == []


def test_very_many_copies_for_others_do_not_hold_up(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = case.opened()
    case.publish(b"a", minionize_for="projects/minions/subscriptions/theirs")
    (copy,) = case.link.pull(case.path("subscription"), 1)
    monkeypatch.setattr(Link, "pull", lambda *_: [copy])
    monkeypatch.setattr(Link, "acknowledge", lambda *_: None)
    began = time.monotonic()
    assert engine.receive(1, 0.0) == []
    assert time.monotonic() - began < 2.0


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
    case.publish(b"a", minionize_attempts="many", minionize_not_before="soon")
    (delivery,) = taken(engine)
    assert (delivery.param, delivery.attempt) == ("a", 1)


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


def test_a_dead_topic_of_its_own() -> None:
    values: dict[str, Any] = {"project": "p", "topic": "a", "subscription": "b", "emulator": "x"}
    for wrong in ("a", "b"):
        with pytest.raises(SettingsError, match="GOOGLE_DEAD_TOPIC"):
            GoogleEngine(dead_topic=wrong, **values)


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


# Leases and time.


def test_a_subscription_with_a_shorter_deadline(case: Case) -> None:
    """The lease is ours from the first moment, whatever the subscription says."""
    case.link.call("CreateTopic", name=case.path("topic"))
    case.link.call(
        "CreateSubscription", name=case.path("subscription"), topic=case.path("topic"), ack_deadline_seconds=10
    )
    engine = case.opened(ack_deadline=300)
    case.publish(b"a")
    (delivery,) = taken(engine)
    assert 290.0 < (delivery.lease or 0.0) <= 300.0


def test_a_long_delay_is_kept_by_whoever_gets_it(case: Case) -> None:
    engine = case.opened(ack_deadline=1)
    case.publish(b"a")
    (delivery,) = taken(engine)
    engine.nack([delivery], delay=3000.0)
    assert nothing(engine)
    assert nothing(case.opened())
    assert list(engine.peek()) == []
    time.sleep(1.2)
    assert nothing(engine), "it is not held by its first lease"


def test_an_idle_minion_asks_less_often(case: Case) -> None:
    engine = case.opened()
    assert nothing(engine)
    asked = engine._looked
    engine._found -= 60.0
    assert engine.receive(1, 0.2) == []
    assert engine._looked == asked
    case.publish(b"a")
    assert until(lambda: engine.receive(1, 0.2), 3.0)[0].param == "a"
    case.publish(b"b")
    began = time.monotonic()
    assert taken(engine)[0].param == "b"
    assert time.monotonic() - began < 1.0


class Again:
    """A message as the service delivers it once more."""

    def __init__(self, message: Any) -> None:
        self.message, self.ack_id, self.delivery_attempt = message, f"again-{message.message_id}", 0


def test_what_is_held_or_done_is_not_run_when_it_comes_again(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """The service delivers at least once: to whoever holds a message already, too."""
    engine = case.opened()
    engine.put(["done", "held", "given back"])
    taken_now = {each.param: each for each in taken(engine, 3)}
    engine.ack([taken_now["done"]])
    engine.nack([taken_now["given back"]], charge=False)
    acked: list[str] = []
    with monkeypatch.context() as patch:
        again = [Again(each.receipt.message) for each in taken_now.values()]
        patch.setattr(Link, "pull", lambda *_: again)
        patch.setattr(Link, "acknowledge", lambda _, __, leases: acked.extend(leases))
        assert [each.param for each in engine.receive(3, 0.0)] == ["given back"]
    assert acked == [f"again-{taken_now['done'].id}"]
    held = taken_now["held"].receipt
    assert held.lease == f"again-{taken_now['held'].id}"


def test_what_is_remembered_is_bounded(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "_REMEMBERED", 2)
    engine = case.opened()
    engine.put("abc")
    for _ in range(3):
        engine.ack(taken(engine))
    assert len(engine._leases._done) == 2
    assert len(engine._leases._held) == 0


# What is missing.


def test_a_minion_makes_its_subscription(case: Case, caplog: pytest.LogCaptureFixture) -> None:
    case.link.call("CreateTopic", name=case.path("topic"))
    engine = case.engine(dead_topic="")
    with pytest.raises(EngineError, match="minion-queue fill"):
        engine.visit()
    with caplog.at_level(logging.WARNING, "minionize.google"):
        engine.open()
        engine.open()
    assert [record.getMessage() for record in caplog.records] == [
        f"made {case.path('subscription')}, which was not there: "
        f"it gets what is put into {case.path('topic')} from now on"
    ]
    engine.visit()


@pytest.mark.parametrize("missing", ["topic", "dead_topic"])
def test_a_missing_topic_is_named(case: Case, missing: str) -> None:
    case.opened(dead_topic="").close()
    engine = case.engine(**{missing: "missing"} | ({"subscription": "other"} if missing == "topic" else {}))
    with pytest.raises(EngineError, match=r"no projects/minions/topics/missing: .*minion-queue fill") as caught:
        engine.open()
    assert not isinstance(caught.value, NotConnected)
    assert caught.value.__cause__ is not None


def test_a_subscription_of_another_topic(case: Case) -> None:
    case.opened().close()
    with pytest.raises(EngineError, match="GOOGLE_SUBSCRIPTION"):
        case.engine(topic="another").open()


def test_a_name_that_is_none(case: Case) -> None:
    with pytest.raises(EngineError, match="GOOGLE_TOPIC_ID"):
        case.engine(topic="x").put(["a"])


def test_a_queue_by_whole_names(case: Case) -> None:
    case.opened().put(["a"])
    engine = case.opened(
        project="elsewhere", topic=case.path("topic"), subscription=case.path("subscription"), dead_topic=""
    )
    assert taken(engine)[0].param == "a"
    assert engine.queue_name == f"elsewhere/{case.values['subscription']}"


def test_features_of_an_instance(case: Case) -> None:
    assert case.engine().features == replace(GoogleEngine.features, dead_letter=True)
    assert case.engine(dead_topic="").features == GoogleEngine.features


def test_evidence_as_it_stands(case: Case) -> None:
    """What a dead topic holds can be read by others: a document of JSON."""
    engine = case.opened()
    case.publish(b'{"x": 1}', content_type="application/json")
    engine.dead_letter(taken(engine), "failed", [{"exit_code": 3}])
    (message,) = case.pulled(f"projects/{PROJECT}/subscriptions/{case.values['dead_topic']}")
    document = json.loads(message.data)
    assert (document["body"], document["reason"], document["evidence"]) == ('{"x": 1}', "failed", {"exit_code": 3})
