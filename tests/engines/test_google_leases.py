"""The google engine: exactly-once, deadlines, delays, what comes again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest

from minionize.engine import LeaseLost
from minionize.engines.google import GoogleEngine
from minionize.pubsub import leases
from minionize.pubsub.link import Link
from minionize.testing.rules.lease import LeaseRules
from tests.acceptance.running import until
from tests.brokers.google import PubSubServer
from tests.engines.google_helpers import Case, nothing, taken

pytestmark = pytest.mark.broker


@pytest.fixture
def case(pubsub_server: PubSubServer) -> Iterator[Case]:
    case = Case(pubsub_server.host)
    yield case
    case.close()


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
