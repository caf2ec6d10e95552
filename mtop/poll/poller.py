"""Polls a whole fleet: from one thread, or once and inline."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

from mtop.poll.board import Board
from mtop.poll.connection import Connection, Outcome
from mtop.poll.descriptors import room_for
from mtop.poll.heard import Ear, Heard, newest
from mtop.poll.schedule import Schedule
from mtop.poll.trouble import Trouble
from mtop.poll.where import Where, find

__all__ = ["Cost", "Poller"]

_KEPT = 4
"""Outcomes of a target that are kept until they are taken; of more, only the newest."""

_PATIENCE = 1.0


class Cost(NamedTuple):
    """What polling costs, since it began.

    Attributes:
        polls: How many have ended.
        failures: How many of them were troubles.
        received: Bytes of answers.
        late: How many began late: then this machine cannot keep up.
        in_flight: How many are under way.
        open: Connections.
        cpu: Seconds of the thread's processor time.
    """

    polls: int = 0
    failures: int = 0
    received: int = 0
    late: int = 0
    in_flight: int = 0
    open: int = 0
    cpu: float = 0.0


class Poller:
    """Asks every target for its numbers once an interval, in a thread of its own.

    Its methods may be called from any one thread; none waits, but for ``close``.

    Args:
        interval: Seconds between two polls of a target.
        timeout: Seconds that one may take in all.
        clock: Time that only goes forward, in seconds.
        random: Returns a number from [0, 1).
    """

    def __init__(
        self,
        interval: float = 1.0,
        timeout: float = 2.0,
        clock: Callable[[], float] = time.monotonic,
        random: Callable[[], float] | None = None,
    ) -> None:
        self._clock = clock
        self._schedule = Schedule(interval, random or _random())
        self._ear = Ear(clock)
        self._board = Board(timeout, self._finished, clock)
        self._connections: dict[str, Connection | Trouble] = {}
        self._urls: dict[str, str] = {}
        self._new: list[Heard] = []
        self._closed = False
        self._error: Exception | None = None
        self._cpu = 0.0
        # What one thread leaves for the other.
        self._lock = threading.Lock()
        self._heard: list[Heard] = []
        self._aim: Mapping[str, str] | None = None
        self._interval: float | None = None
        self._thread = threading.Thread(target=self._run, name="mtop polls", daemon=True)

    @property
    def cost(self) -> Cost:
        """What it costs."""
        board, ear = self._board, self._ear
        late = self._schedule.late
        return Cost(ear.polls, ear.failures, board.received, late, board.in_flight, board.open, self._cpu)

    def start(self) -> None:
        """Begin; once."""
        self._thread.start()

    def aim(self, targets: Mapping[str, str]) -> None:
        """Say whom to poll from now on: the URL for each key. What stays the same keeps its connection and its turn."""
        with self._lock:
            self._aim = dict(targets)
        self._board.ring()

    def set_interval(self, interval: float) -> None:
        """Poll so often from now on."""
        with self._lock:
            self._interval = interval
        self._board.ring()

    def heard(self) -> list[Heard]:
        """Take all outcomes since the last time, in their order. Where they are not taken, only the newest are kept.

        Raises:
            RuntimeError: Polling has come to an end, by a fault of mtop.
        """
        if self._error is not None:
            raise RuntimeError("mtop polls no more") from self._error
        with self._lock:
            heard, self._heard = self._heard, []
        return heard

    def close(self) -> None:
        """End, and close all connections. Idempotent."""
        self._closed = True
        if self._thread.is_alive():
            self._board.ring()
            self._thread.join(_PATIENCE)
        elif self._thread.ident is None:
            self._board.close()

    # All below runs in the thread.

    def _run(self) -> None:
        try:
            while not self._closed:
                self._round()
        except Exception as error:  # told by ``heard``: numbers that stand still would not show it
            self._error = error
        finally:
            self._board.close()

    def _round(self) -> None:
        self._take_orders()
        board, schedule, now = self._board, self._schedule, self._clock()
        for key in schedule.due(now, board.most - board.in_flight):
            target = self._connections[key]
            if isinstance(target, Trouble):
                self._hear(key, Heard(key, None, str(target), 0.0, now))
            else:
                board.ask(target, now)
        self._publish()
        board.turn(schedule.wait(self._clock()) if board.in_flight < board.most else None)

    def _take_orders(self) -> None:
        if self._aim is None and self._interval is None:
            return
        with self._lock:
            aim, self._aim = self._aim, None
            interval, self._interval = self._interval, None
        if interval is not None:
            self._schedule.set_interval(interval, self._clock())
        if aim is not None:
            self._retarget(aim)

    def _retarget(self, urls: Mapping[str, str]) -> None:
        before = self._urls
        gone = {key for key, url in before.items() if urls.get(key) != url}
        for key in gone:
            self._schedule.remove(key)
            target = self._connections.pop(key)
            if isinstance(target, Connection):
                self._board.drop(target)
        if gone:
            with self._lock:
                self._heard = [each for each in self._heard if each.key not in gone]
        new = [key for key, url in urls.items() if before.get(key) != url]
        for key in new:
            self._connections[key] = _target(key, urls[key], self._board)
        self._urls = dict(urls)
        if len(urls) > self._board.most:
            self._board.most = room_for(len(urls), self._board.open)
        self._schedule.add(new, self._clock())

    def _finished(self, connection: Connection, outcome: Outcome) -> None:
        self._hear(connection.key, self._ear(connection, outcome))

    def _hear(self, key: str, heard: Heard) -> None:
        self._schedule.done(key, heard.trouble is None, heard.at)
        self._new.append(heard)

    def _publish(self) -> None:
        if self._new:
            self._cpu = time.thread_time()
            with self._lock:
                self._heard += self._new
                if len(self._heard) > _KEPT * len(self._urls):
                    self._heard = newest(self._heard)
            self._new.clear()


def _target(key: str, url: str, board: Board) -> Connection | Trouble:
    try:
        where: Where = find(url)
    except Trouble as trouble:
        return trouble
    return Connection(key, where, board)


def _random() -> Callable[[], float]:
    from random import random

    return random
