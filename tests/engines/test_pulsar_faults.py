"""The pulsar engine when something fails half-way: no server is needed."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from minionize.engine import NotConnected
from minionize.engines.pulsar import PulsarEngine
from tests.engines.pulsar_helpers import params


class Line:
    """A consumer."""

    topic, held = "t", 0

    def __init__(self) -> None:
        self.acked: list[str] = []
        self.inbox: Any = None

    def acknowledge(self, message: Any) -> None:
        self.acked.append(message.position)


class Inbox:
    """Has got messages."""

    def __init__(self, *messages: Any) -> None:
        self.line, self.messages = Line(), messages
        self.line.inbox = self

    def has_returned(self, patience: float = 0.0) -> bool:
        return False

    def take(self, most: int, timeout: float) -> Sequence[tuple[Line, Any]]:
        return [(self.line, message) for message in self.messages]


class Message(SimpleNamespace):
    """One of somebody else."""

    def __init__(self, name: str, batch: int = 1) -> None:
        super().__init__(position=name, id=name, body=name.encode(), batch=batch, properties={})
        self.content_type, self.attempts, self.redelivered = "", 0, False
        self.partition_key = self.ordering_key = None

    def is_for(self, subscription: str) -> bool:
        return True

    def buried(self, reason: str, evidence: Any) -> tuple[bytes, dict[str, str]]:
        return self.body, {}

    def put_back(self, subscription: str, attempts: int) -> dict[str, str]:
        return {}


def engine_with(*messages: Any) -> PulsarEngine:
    engine = PulsarEngine(topic="t")
    engine._inbox = Inbox(*messages)  # type: ignore[assignment]
    return engine


def test_what_nobody_heard_of_is_delivered_when_it_comes_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """It came together with a batch that could not be put anew then."""

    def fails(*_: Any) -> None:
        raise NotConnected("gone")

    engine = engine_with(Message("p"), Message("batch", batch=2))
    monkeypatch.setattr(engine, "_break_up", fails)
    with pytest.raises(NotConnected):
        engine.receive(2, 0.0)
    engine._inbox = Inbox(Message("p"))  # type: ignore[assignment]
    assert params(engine.receive(2, 0.0)) == ["p"]


class Link:
    """Its producers are refused what they are told to be refused, once."""

    place = "here"

    def __init__(self, *refused: bytes) -> None:
        self.refused, self.put = list(refused), list[bytes]()

    def producer(self, topic: str, pending: int) -> Any:
        def send(body: bytes, confirmed: Any, **_: Any) -> None:
            name = next((name for name in self.refused if name in body), b"")
            if name:
                self.refused.remove(name)
            else:
                self.put.append(body)
            confirmed(SimpleNamespace(name="Disconnected" if name else "Ok"), None)

        return SimpleNamespace(send_async=send)


@pytest.mark.parametrize("settle", ["nack", "dead_letter"])
def test_what_the_server_has_confirmed_is_not_put_again(settle: str) -> None:
    """The rest of a batch is tried again."""
    engine = engine_with(Message("one"), Message("two"), Message("three"))
    engine._link = link = Link(b"two")  # type: ignore[assignment]
    taken = engine.receive(3, 0.0)
    words: tuple[Any, ...] = ("failed", [{}, {}, {}]) if settle == "dead_letter" else ()
    with pytest.raises(NotConnected):
        getattr(engine, settle)(taken, *words)
    getattr(engine, settle)(taken, *words)
    names = (b"one", b"two", b"three")
    assert [name for body in link.put for name in names if name in body] == list(names)
    assert engine._inbox.line.acked == ["one", "two", "three"]  # type: ignore[union-attr]
