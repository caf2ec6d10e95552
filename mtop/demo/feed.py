"""``--demo N``: a feed whose fleet is made up, and always the same at the same time."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence

from minionize.registry import Seen
from minionize.stats.wire import FailuresWire, OutputWire, TaskWire
from mtop.demo import evidence
from mtop.demo.announcing import Registry, trouble
from mtop.demo.backlogs import Backlogs
from mtop.demo.cast import BEAT, Member, cast_of
from mtop.demo.numbers import BEGAN, said, speeds
from mtop.demo.obeying import obey
from mtop.demo.sweeps import ME
from mtop.feed import Cost, Feed, Unanswered
from mtop.model.fleet import Fleet
from mtop.model.history import CELLS
from mtop.model.minion import Minion
from mtop.orders import Order

__all__ = ["DemoFeed"]

_MOST_PER_SECOND = 1_000
"""So many minions answer in a second by themselves; of more, each does so less often: keys wait for what is made up."""

_READ_AT_ONCE = 250
"""Announcements that are read in one go, where there are many."""

_STEP = 5.0
_STEPS = 24
_TOOK = 0.004
_GOLDEN = (math.sqrt(5.0) - 1.0) / 2.0


class DemoFeed(Feed):
    """A fleet that is made up: a function of the seed and of the time since it was made, changed only by orders.

    Args:
        count: How many minions there are.
        seed: Which fleet.
        clock: The time, in seconds.
        interval: Seconds between two answers of a minion; by default 1, and more where they are thousands.

    Attributes:
        place: What it is.
        user: Whose minions most of them are.
    """

    def __init__(
        self, count: int, seed: int = 0, clock: Callable[[], float] = time.monotonic, interval: float | None = None
    ) -> None:
        self.place, self.user = "a demo: none of this is real", ME
        self._now = clock
        self._began = clock()
        self._members = cast_of(count, seed)
        self._by_id = {member.id: member for member in self._members}
        self._backlogs = Backlogs(self._members)
        self._registry = Registry(self._backlogs)
        self._slowest = max(1.0, count / _MOST_PER_SECOND)
        self._interval = interval or self._slowest
        self._due = [-math.inf] * count
        self._beats_at = -math.inf
        self._purged: set[str] = set()
        self._read: list[Seen] = []
        self._unread: list[Member] = []
        self._fleet: Fleet | None = None

    def clock(self) -> float:
        """Return the time."""
        return self._now()

    def wall(self) -> float:
        """Return the time of day: the demo always begins at the same one."""
        return BEGAN + self._now() - self._began

    def start(self) -> None:
        """There is nothing to begin."""

    def close(self) -> None:
        """There is nothing to end."""

    def set_interval(self, seconds: float) -> None:
        """Have every minion answer so often, if they are not too many."""
        self._interval = max(seconds, self._slowest)

    def cost(self) -> Cost:
        """Return what it would take to ask as many real ones."""
        x = self._now() - self._began
        failing = sum(trouble(member, x) is not None for member in self._members)
        return Cost(polls=len(self._members) / self._interval, failing=failing, took=_TOOK)

    def purge(self, minions: Sequence[Minion]) -> None:
        """Announce these no more."""
        self._purged.update(minion.id for minion in minions)
        self._beats_at = -math.inf

    def tell(self, fleet: Fleet) -> None:
        """Tell the fleet what there is to hear; one that is new also how fast minions were before."""
        now = self._now()
        x = now - self._began
        fresh = fleet is not self._fleet
        if fresh:
            self._fleet, self._registry = fleet, Registry(self._backlogs)
            self._due = [-math.inf] * len(self._members)
            self._unread = []
        if fresh or not self._beats_at <= x < self._beats_at + BEAT:
            self._beats_at = x
            self._read, self._unread = [], list(self._members)
        if self._unread:
            at_once = fresh or len(self._members) <= _MOST_PER_SECOND
            self._look(fleet, x, now, len(self._unread) if at_once else _READ_AT_ONCE)
        for number, due in enumerate(self._due):
            if x >= due:
                self._answer(fleet, self._members[number], x, now)
        if fresh:
            self._remember(fleet, x, now)

    def _look(self, fleet: Fleet, x: float, now: float, most: int) -> None:
        """Read what is announced, or some of it; the fleet is told when all is read."""
        some, self._unread = self._unread[:most], self._unread[most:]
        there = (member for member in some if member.shown <= x and member.id not in self._purged)
        self._read += (self._registry.seen(member, x) for member in there)
        if not self._unread:
            fleet.announced(self.place, self._read, now)

    def _answer(self, fleet: Fleet, member: Member, x: float, now: float) -> None:
        """Have a minion answer a poll, or not."""
        phase = (member.number * _GOLDEN) % 1.0 * self._interval
        self._due[member.number] = ((x - phase) // self._interval + 1.0) * self._interval + phase
        if member.id not in fleet.minions:
            return
        why = trouble(member, x)
        if why is not None:
            fleet.unanswered(member.id, why, now)
            return
        if x < member.course.left_at():
            numbers = None if self._rests(member, fleet, x) else said(member, x, self._backlogs.of(member, x))
            fleet.answered(member.id, numbers, now, _TOOK)

    def _rests(self, member: Member, fleet: Fleet, x: float) -> bool:
        """Tell whether nothing has changed since it last answered: its time goes on by itself."""
        minion = fleet.minions[member.id]
        if minion.via != "http" or minion.said["busy"] or minion.said["state"] not in ("paused", "idle"):
            return False
        return minion.said["state"] == member.course.standing(x).state

    def _remember(self, fleet: Fleet, x: float, now: float) -> None:
        """Fill the histories of a new fleet, as if somebody had looked on for a while."""
        steps = _STEPS if len(fleet) <= _MOST_PER_SECOND else CELLS
        for back in range(steps - 1, 0, -1):
            at = x - back * _STEP
            sums = [0.0, 0.0, 0.0]
            for minion in fleet:
                member = self._by_id[minion.key]
                if not member.born <= at <= min(member.dies, member.course.left_at()):
                    continue
                rates = speeds(member, at)
                sums = [sum + rate for sum, rate in zip(sums, rates, strict=True)]
                if back < CELLS:
                    minion.history.note(rates[0], now - back * _STEP)
            for second in range(int(_STEP)):
                for name, value in zip(("done", "failed", "redelivered"), sums, strict=True):
                    fleet.past[name].note(value, now - back * _STEP + second)

    # Questions and orders.

    async def tasks(self, minion: Minion) -> list[TaskWire]:
        """Return what runs in a minion."""
        return evidence.tasks(*self._asked(minion))

    async def failures(self, minion: Minion) -> FailuresWire:
        """Return the last failures of a minion."""
        return evidence.failures(*self._asked(minion))

    async def output(self, minion: Minion, task: str) -> OutputWire:
        """Return what a run has written until now."""
        return evidence.output(*self._asked(minion), task)

    async def order(self, minion: Minion, order: Order) -> str:
        """Have a minion do as it is told."""
        member, x = self._asked(minion)
        words = obey(member, order, x, self._backlogs)
        self._due[member.number] = x
        return words

    def _asked(self, minion: Minion) -> tuple[Member, float]:
        """Return who is asked, and when.

        Raises:
            Unanswered: It does not answer this user.
        """
        member, x = self._by_id.get(minion.key), self._now() - self._began
        if member is None:
            raise Unanswered("there is no such minion in the demo")
        if member.sweep.user != self.user:
            raise Unanswered(f"it belongs to {member.sweep.user}")
        why = trouble(member, x)
        if why is None and x >= member.course.left_at():
            why = "it has left"
        if why is not None:
            raise Unanswered(why)
        return member, x
