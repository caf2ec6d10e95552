"""What messages of others say of themselves may be anything: no server is needed."""

from __future__ import annotations

import urllib.request
from http.client import BadStatusLine, IncompleteRead
from types import SimpleNamespace
from typing import Any

import pytest

from minionize.engine import NotConnected
from minionize.message import ATTEMPTS
from minionize.pubsub.envelope import BEFORE, held_back
from minionize.pulsarclient.admin import Admin
from minionize.pulsarclient.knock import knock
from minionize.pulsarclient.link import Access
from minionize.pulsarclient.message import Message

ACCESS = Access("pulsar://localhost:6650", "", "")


@pytest.mark.parametrize("words", ["inf", "-inf", "nan", "1e999", "soon"])
def test_a_time_that_is_none_holds_nothing_back(words: str) -> None:
    assert held_back(SimpleNamespace(attributes={BEFORE: words})) == 0.0


@pytest.mark.parametrize("words", ["9" * 5000, "-1", "1.5", "many"])
def test_attempts_that_are_no_number(words: str) -> None:
    at = SimpleNamespace(ledger_id=int, entry_id=int, partition=int, batch_index=lambda: -1)
    raw = SimpleNamespace(data=bytes, properties=lambda: {ATTEMPTS: words}, message_id=lambda: at)
    assert Message(raw).attempts == 0


@pytest.mark.parametrize("error", [BadStatusLine("?"), IncompleteRead(b""), RecursionError()])
def test_a_rest_interface_that_is_none(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """The work does not depend on it."""

    def answer(*_: Any, **__: Any) -> Any:
        raise error

    monkeypatch.setattr(urllib.request, "urlopen", answer)
    assert Admin("http://localhost:6650", ACCESS).backlog("t", "s", "d") is None


def test_a_rest_interface_that_answers_something_else(monkeypatch: pytest.MonkeyPatch) -> None:
    admin = Admin("http://localhost:8080", ACCESS)
    monkeypatch.setattr(admin, "_get", lambda url: ["no statistics"])
    assert admin.knows_subscription("t", "s") is False
    assert Admin("http://localhost:port", ACCESS).holders("t", "s") is None


def test_a_host_that_cannot_be() -> None:
    with pytest.raises(NotConnected, match="cannot be reached"):
        knock("pulsar://a..b:6650", "", "")
