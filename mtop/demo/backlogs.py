"""What the queues of the demo hold: what they began with, less what minions have taken from them."""

from __future__ import annotations

from collections.abc import Iterable

from minionize.stats.wire import BacklogSeen
from mtop.demo.cast import Member
from mtop.demo.numbers import BEGAN, dead, taken

__all__ = ["Backlogs"]

_EVERY = 5.0
"""Seconds for which an answer of a queue is good."""

_FEW = 300
_AT_ONCE = 2
"""Members of a larger queue that are counted in one go: whoever looks on must not wait until all are."""


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
        self._asking: tuple[float, list[tuple[int, int, int]]] | None = None

    def at(self, x: float) -> BacklogSeen:
        """Return what it said the last time before x."""
        tick = x // _EVERY * _EVERY
        if self._seen is None or (len(self._members) <= _FEW and tick != self._at):
            self._at, self._seen = tick, self._ask(tick)
        elif tick != self._at:
            self._ask_some(tick)
        return self._seen

    def _ask_some(self, tick: float) -> None:
        """Count some more members; when all are counted, that is the answer."""
        asked, found = self._asking or (tick, [])
        for member in self._members[len(found) : len(found) + _AT_ONCE]:
            found.append(self._counted(member, asked))
        self._asking = asked, found
        if len(found) == len(self._members):
            self._at, self._seen, self._asking = asked, self._answer(asked, found), None

    def _ask(self, x: float) -> BacklogSeen:
        return self._answer(x, [self._counted(member, x) for member in self._members])

    def _counted(self, member: Member, x: float) -> tuple[int, int, int]:
        """Return what a minion has taken, what it holds, and what of it is dead."""
        then = min(x, member.dies)
        standing = member.course.standing(then)
        return taken(member, standing), standing.busy if member.dies > x else 0, dead(member, then)

    def _answer(self, x: float, counted: list[tuple[int, int, int]]) -> BacklogSeen:
        gone, busy, died = (sum(each) for each in zip(*counted, strict=True))
        left = self._full + self._requeued - (gone - self._taken)
        ready = (left - 1) % self._full + 1 if self._full else max(0, left)
        exact = self._members[0].sweep.engine != "rabbitmq"
        return BacklogSeen(
            ready=ready, in_flight=busy, dead=max(0, died - self._requeued), exact=exact, as_of=BEGAN + x
        )  # fmt: skip

    def requeue(self, x: float) -> int:
        """Make all dead params ready again; return how many."""
        number = self._sum_dead(x)
        self._requeued += number
        self._seen = self._asking = None
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
