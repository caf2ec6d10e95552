"""What the minions have said: outcomes of polls, read and counted."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from minionize.stats.wire import StatsWire
from mtop.poll.answer import Reader
from mtop.poll.connection import Connection, Outcome
from mtop.poll.trouble import Trouble, trouble_of

__all__ = ["Ear", "Heard", "newest"]


class Heard(NamedTuple):
    """The outcome of one poll. Without numbers and without trouble: they are as before.

    Attributes:
        key: Of the target.
        stats: Its numbers. Who says so, ``id``, may be another minion than was expected.
        trouble: Why there are none, in words that stand behind its name; no secret is in them.
        took: Seconds from the question, and the connection where there was none, to the answer.
        at: When, by the poller's clock.
    """

    key: str
    stats: StatsWire | None
    trouble: str | None
    took: float
    at: float


class Ear:
    """Reads outcomes.

    Attributes:
        polls: How many there were.
        failures: How many of them were troubles.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.polls = self.failures = 0
        self._clock = clock
        self._read = Reader()

    def __call__(self, connection: Connection, outcome: Outcome) -> Heard:
        """Read one. What cannot be read is a trouble."""
        now = self._clock()
        self.polls += 1
        stats: StatsWire | None = None
        trouble: str | None = None
        if isinstance(outcome, Trouble):
            trouble = str(outcome)
        elif outcome.body is not None:
            try:
                stats = self._read(outcome.body)
                connection.question.answered(outcome.etag, not stats["in_flight"]["count"], now)
            except Exception as error:  # a border: whatever was answered concerns this minion only
                trouble = str(trouble_of(error))
        self.failures += trouble is not None
        return Heard(connection.key, stats, trouble, now - connection.since, now)


def newest(heard: list[Heard]) -> list[Heard]:
    """Return the last outcome of each key; where that is "as before", the numbers that are meant go with it."""
    last: dict[str, Heard] = {}
    for each in heard:
        before = last.pop(each.key, None)
        if before is not None and each.stats is None and each.trouble is None:
            each = each._replace(stats=before.stats)
        last[each.key] = each
    return list(last.values())
