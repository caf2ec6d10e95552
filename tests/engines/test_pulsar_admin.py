"""The pulsar engine and the REST interface of its server: who holds what, what is there, what is made."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any
from urllib.error import HTTPError
from uuid import uuid4

import pytest

from minionize.engine import Holder
from tests.acceptance.running import until
from tests.brokers.pulsar import PulsarServer
from tests.brokers.server import free_port
from tests.engines.pulsar_helpers import Minions, nothing_comes, take

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
