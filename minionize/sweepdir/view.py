"""What a minion knows of a sweep directory, brought up to date under the locks; and which params are ready.

Nothing here costs more with more params queued: what is done is read as it grows, and candidates come from one
walk over the params. Only when that walk is over and the counts say that there must be more is a new one begun.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from typing import Any

from minionize.sweepdir.clock import Clock
from minionize.sweepdir.dead import Dead
from minionize.sweepdir.done import Done
from minionize.sweepdir.fsio import signature
from minionize.sweepdir.ids import param_id
from minionize.sweepdir.inprogress import InProgress
from minionize.sweepdir.layout import Layout
from minionize.sweepdir.locks import Files, Locks
from minionize.sweepdir.returns import Returns
from minionize.sweepdir.sweeps import Sweeps

_WALK_APART = 1.0
_WALK_APART_MOST = 10.0


class View:
    """The state of a directory.

    Attributes:
        layout: Where it is.
        sweeps, done, inprogress, returns, dead: Its files, as last read.
    """

    def __init__(self, layout: Layout, locks: Locks, clock: Clock) -> None:
        self.layout, self._clock = layout, clock
        self.sweeps = Sweeps(layout, locks)
        self.done = Done(layout.done)
        self.inprogress = InProgress(layout)
        self.returns = Returns(layout.returns)
        self.dead = Dead(layout.dead)
        self._done_here = 0  # how many of the queue's params are done
        self._walk: Iterator[Any] | None = None
        self._walk_after = 0.0
        self._walk_apart = _WALK_APART
        self._again: list[tuple[str, Any]] = []
        self._seen: object = None

    # Bringing it up to date.

    def load_sweeps(self) -> None:
        """Load the params, if there are others than before.

        Raises:
            EngineError: They cannot be used.
        """
        if self.sweeps.changed():
            self.sweeps.load()
            self._walk = None
            self._count()

    def refresh(self, files: Files, heal: bool = True) -> None:
        """Read what others have changed.

        Args:
            files: The locked files.
            heal: Repair what killed minions left half written.

        Raises:
            EngineError: A file is damaged. Nothing was changed.
        """
        self.inprogress.read(files.inprogress, heal)
        # Before what is done: a param that became ready again may be done again by now.
        self.forget(self.returns.refresh())
        fresh = self.done.read(files.done, self.inprogress.params, heal)
        if fresh is None:
            self.dead.refresh()
            self._walk = None
            self._count()
        elif fresh:
            self._done_here += len(fresh & self.sweeps.params)

    def _count(self) -> None:
        self._done_here = len(self.done.params & self.sweeps.params)

    def add_done(self, files: Files, params: Iterable[Any]) -> None:
        """Write down that params are done, durable when the locks are let go; those that are already are passed over.

        Raises:
            OSError: They could not be written; none is done.
        """
        fresh = {param for param in params if param not in self.done.params}
        if fresh:
            self.done.add(files.done, fresh)
            files.sync = True
            self._done_here += len(fresh & self.sweeps.params)

    def forget(self, params: Iterable[Any]) -> None:
        """Hear that params that were done are ready again."""
        gone = self.done.params.intersection(params)
        self.done.params -= gone
        self._done_here -= len(gone & self.sweeps.params)

    def changed(self) -> bool:
        """Tell, without a lock, whether any file is another one than at the last call."""
        layout = self.layout
        paths = (layout.done, layout.inprogress, layout.sweeps, layout.returns)
        now = tuple([signature(path) for path in paths])
        if now == self._seen:
            return False
        self._seen = now
        return True

    # What is ready.

    @property
    def finished(self) -> bool:
        """Whether all params are done."""
        return self._done_here >= len(self.sweeps.params)

    def is_gone(self, param: Any) -> bool:
        """Tell whether a param is done or in progress."""
        return param in self.done.params or param in self.inprogress.params

    def running(self) -> set[Any]:
        """Return the queue's params in progress, those left out that are done already."""
        return (self.sweeps.params & self.inprogress.params) - self.done.params

    def walks_on(self) -> bool:
        """Tell whether the present walk has not come to its end."""
        return self._walk is not None or bool(self._again)

    def until_due(self) -> float:
        """Return for how many seconds to wait until a param's time has come; infinite if none waits."""
        due = self.returns.next_due()
        return float("inf") if due is None else max(0.0, due - self._clock.now())

    def delayed(self) -> int:
        """Return how many params wait for their time."""
        return len(self.returns.delayed(self._clock.now(), self.is_gone))

    def done_here(self) -> int:
        """Return how many of the queue's params are done, the dead included."""
        return self._done_here

    def ready(self) -> int:
        """Return how many params wait to be taken, those that wait for their time included."""
        return len(self.sweeps.params) - self._done_here - len(self.running())

    def put_again(self, params: Iterable[tuple[str, Any]]) -> None:
        """Take back what ``pick`` gave, because it could not be taken."""
        self._again.extend(params)

    def pick(self, most: int, barred: Container[str]) -> list[tuple[str, Any]]:
        """Choose up to ``most`` ready params: first those that came back and are due, then the next of the walk.

        Args:
            most: How many at most.
            barred: Ids that others hold although they are not in progress.

        Returns:
            Ids and params.
        """
        picked: dict[str, Any] = {}
        now = self._clock.now()
        while self._again and len(picked) < most:
            self._choose(*self._again.pop(), picked, barred)
        if len(picked) < most:
            for id, param in self.returns.due(now):
                self._choose(id, param, picked, barred)
                if len(picked) >= most:
                    break
        if len(picked) < most and not self._walk_on(most, picked, barred) and self._may_walk(len(picked)):
            self._walk = iter(self.sweeps.params - self.done.params if self._done_here else self.sweeps.params)
            before, begin = len(picked), self._clock.monotonic()
            self._walk_on(most, picked, barred)
            self._pace_walks(len(picked) > before, begin)
        return list(picked.items())

    def _choose(self, id: str, param: Any, picked: dict[str, Any], barred: Container[str]) -> None:
        if not self.is_gone(param) and id not in barred and param in self.sweeps.params:
            picked[id] = param

    def _walk_on(self, most: int, picked: dict[str, Any], barred: Container[str]) -> bool:
        """Go on with the walk; return whether that was enough."""
        if self._walk is None:
            return False
        done, running, waits = self.done.params, self.inprogress.params, self.returns.waits
        for param in self._walk:
            if param in done or param in running:
                continue
            id = param_id(param)
            if id in picked or id in barred or waits(id):
                continue
            picked[id] = param
            if len(picked) >= most:
                return True
        self._walk = None
        return False

    def _may_walk(self, picked: int) -> bool:
        """Tell whether a new walk would find anything, and whether it is time for one."""
        if self._clock.monotonic() < self._walk_after:
            return False
        return self.ready() - self.delayed() - picked > 0

    def _pace_walks(self, found: bool, begin: float) -> None:
        """A walk that found nothing, because others hold what is there by their lease alone, is not repeated soon."""
        if found:
            self._walk_after, self._walk_apart = 0.0, _WALK_APART
            return
        now = self._clock.monotonic()
        self._walk_after = now + max(self._walk_apart, 20.0 * (now - begin))
        self._walk_apart = min(2.0 * self._walk_apart, _WALK_APART_MOST)
