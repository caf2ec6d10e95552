"""Asks a fleet once, without a thread."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from mtop.poll.board import Board
from mtop.poll.connection import Connection, Outcome
from mtop.poll.descriptors import room_for
from mtop.poll.heard import Ear, Heard
from mtop.poll.trouble import Trouble
from mtop.poll.where import find

__all__ = ["poll_once"]

_AT_ONCE = 256


def poll_once(
    targets: Mapping[str, str],
    within: float = 5.0,
    timeout: float = 2.0,
    clock: Callable[[], float] = time.monotonic,
) -> list[Heard]:
    """Ask every target once.

    Args:
        targets: The URL for each key.
        within: Seconds until it must be over.
        timeout: Seconds that one poll may take.
        clock: Time that only goes forward.

    Returns:
        One outcome for each key, in the order in which they came.
    """
    heard: list[Heard] = []
    ear = Ear(clock)

    def finished(connection: Connection, outcome: Outcome) -> None:
        heard.append(ear(connection, outcome))

    until = clock() + within
    board = Board(timeout, finished, clock)
    try:
        board.most = room_for(min(_AT_ONCE, len(targets)))
        waiting: list[Connection] = []
        for key, url in targets.items():
            try:
                waiting.append(Connection(key, find(url), board))
            except Trouble as trouble:
                heard.append(Heard(key, None, str(trouble), 0.0, clock()))
        waiting.reverse()
        while (waiting or board.in_flight) and (now := clock()) < until:
            while waiting and board.in_flight < board.most:
                board.ask(waiting.pop(), now)
            board.turn(until - now)
    finally:
        board.close()
    missing = targets.keys() - {each.key for each in heard}
    heard += [
        Heard(key, None, f"was not heard within {within:g} s", within, until) for key in targets if key in missing
    ]
    return heard
