"""What the queues of the demo hold: what they began with, less what minions have taken from them."""

from __future__ import annotations

from collections.abc import Iterable

from minionize.stats.wire import BacklogSeen
from mtop.demo.cast import Member
from mtop.demo.numbers import BEGAN, dead, taken

__all__ = ["Backlogs"]

_EVERY = 5.0
"""Seconds for which an answer of a queue is good."""


class _Queue:
    """One queue. Params never run out: when it is empty, it is filled anew."""

    def __init__(self, members: list[Member]) -> None:
        self._members = members
        sweep = members[0].sweep
        standing = (member.course.standing(min(0.0, member.dies)) for member in members)
        pace = sum(each.busy / member.seconds for each, member in zip(standing, members, strict=True))
        self._full = int(max(pace, 1.0 / sweep.seconds) * sweep.left)
        self._taken = self._sum_taken(0.0)
        self._requeued = 0
        self._seen: BacklogSeen | None = None
        self._at = -1.0

    def at(self, x: float) -> BacklogSeen:
        """Return what it said the last time before x."""
        tick = x // _EVERY * _EVERY
        if self._seen is None or tick != self._at:
            self._at, self._seen = tick, self._ask(tick)
        return self._seen

    def _ask(self, x: float) -> BacklogSeen:
        left = self._full + self._requeued - (self._sum_taken(x) - self._taken)
        busy = sum(member.course.standing(x).busy for member in self._members if member.dies > x)
        ready = (left - 1) % self._full + 1 if self._full else max(0, left)
        exact = self._members[0].sweep.engine != "rabbitmq"
        return BacklogSeen(ready=ready, in_flight=busy, dead=self._sum_dead(x), exact=exact, as_of=BEGAN + x)

    def requeue(self, x: float) -> int:
        """Make all dead params ready again; return how many."""
        number = self._sum_dead(x)
        self._requeued += number
        self._seen = None
        return number

    def _sum_taken(self, x: float) -> int:
        return sum(taken(member, member.course.standing(min(x, member.dies))) for member in self._members)

    def _sum_dead(self, x: float) -> int:
        return max(0, sum(dead(member, min(x, member.dies)) for member in self._members) - self._requeued)


class Backlogs:
    """All queues.

    Args:
        members: All minions.
    """

    def __init__(self, members: Iterable[Member]) -> None:
        found: dict[object, list[Member]] = {}
        for member in members:
            found.setdefault(self._which(member), []).append(member)
        self._queues = {which: _Queue(some) for which, some in found.items()}

    def of(self, member: Member, x: float) -> BacklogSeen:
        """Return what the queue of a minion holds."""
        return self._queues[self._which(member)].at(x)

    def requeue(self, member: Member, x: float) -> int:
        """Make dead params of a minion's queue ready again; return how many."""
        return self._queues[self._which(member)].requeue(x)

    def _which(self, member: Member) -> object:
        """Tell queues apart: a file is each minion's own."""
        return member.number if member.sweep.engine == "file" else member.sweep.queue
