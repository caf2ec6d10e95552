"""A fleet is asked once, inline."""

from __future__ import annotations

import os
import threading
import time

import pytest

from mtop.poll import Heard, poll_once
from mtop.poll.board import Board
from mtop.poll.connection import Connection
from tests.mtop.fleet_server import GOOD, HOSTILE, fleet
from tests.mtop.poll.running import wait


def by_key(heard: list[Heard]) -> dict[str, Heard]:
    assert len({each.key for each in heard}) == len(heard)
    return {each.key: each for each in heard}


def test_everyone_is_heard_once() -> None:
    with fleet(300, [*GOOD, *HOSTILE], dead=3) as urls:
        before, threads = len(os.listdir("/dev/fd")), threading.active_count()
        heard = by_key(poll_once({**urls, "none": "node:80"}, within=30.0, timeout=2.0))
        assert threading.active_count() == threads
        # The fleet's ends of these connections are files of this process too.
        wait(lambda: len(os.listdir("/dev/fd")) <= before)
    assert heard.keys() == {*urls, "none"}
    good = {key for key in heard if key.startswith("node") or key in GOOD}
    assert {key for key, each in heard.items() if each.trouble is None} == good
    assert all(each.stats for key, each in heard.items() if key in good)


def test_it_has_an_end() -> None:
    with fleet(2, ["hang"]) as urls:
        start = time.monotonic()
        heard = by_key(poll_once(urls, within=1.0, timeout=60.0))
        assert 0.95 < time.monotonic() - start < 30.0
    assert heard["hang"].trouble == "was not heard within 1 s"
    assert sum(each.stats is not None for each in heard.values()) == 2


def test_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []

    class Watched(Board):
        def ask(self, connection: Connection, now: float) -> None:
            super().ask(connection, now)
            asked.append((self.in_flight, self.open))

    monkeypatch.setattr("mtop.poll.once.room_for", lambda wanted: 2)
    monkeypatch.setattr("mtop.poll.once.Board", Watched)
    with fleet(20) as urls:
        assert all(each.stats for each in poll_once(urls))
    assert max(asked) == (2, 2)


def test_nobody() -> None:
    assert poll_once({}) == []
