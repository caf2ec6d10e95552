"""The google engine: other subscriptions of the topic, topics and subscriptions that are missing, their names."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from minionize.engine import EngineError, NotConnected
from minionize.engines.google import GoogleEngine
from minionize.errors import SettingsError
from minionize.pubsub import link
from minionize.pubsub.link import Link
from tests.brokers.google import PubSubServer
from tests.engines.google_helpers import Case, nothing, taken

pytestmark = pytest.mark.broker


@pytest.fixture
def case(pubsub_server: PubSubServer) -> Iterator[Case]:
    case = Case(pubsub_server.host)
    yield case
    case.close()


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


def test_a_subscription_whose_topic_was_deleted(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """It stays, and gets nothing from a new topic of the same name."""
    monkeypatch.setitem(link._METHODS, "DeleteTopic", link._Method("Publisher", "DeleteTopicRequest", "", "topic"))
    engine = case.opened()
    case.link.call("DeleteTopic", topic=case.path("topic"))
    case.link.call("CreateTopic", name=case.path("topic"))
    for ask in (engine.open, engine.visit, lambda: engine.put(["a"])):
        with pytest.raises(EngineError, match=f"{case.path('subscription')} was deleted.*use another") as caught:
            ask()
        assert not isinstance(caught.value, NotConnected)


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


def test_a_dead_topic_of_its_own() -> None:
    values: dict[str, Any] = {"project": "p", "topic": "a", "subscription": "b", "emulator": "x"}
    for wrong in ("a", "b"):
        with pytest.raises(SettingsError, match="GOOGLE_DEAD_TOPIC"):
            GoogleEngine(dead_topic=wrong, **values)
