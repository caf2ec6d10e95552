"""A minion as its stats server sees it: what it may look at, what it may ask for."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from minionize.server.served import Refused
from minionize.stats.wire import ControlWire, FailuresWire, OutputWire, State, StatsWire, TaskWire
from minionize.worker.numbers import Numbers
from minionize.worker.past import Past
from minionize.worker.resources import Usage, usage_of
from minionize.worker.runner import Ending

if TYPE_CHECKING:
    from concurrent.futures import Future

    from minionize.worker.loop import Loop
    from minionize.worker.requeues import Requeues
    from minionize.worker.run import Run

_MOST_SLOTS = 4096


class ServedMinion:
    """Fulfils the contract ``minionize.server.served.Served``.

    Attributes:
        token: What clients must show.
        numbers: The numbers.
    """

    def __init__(
        self, minion: str, token: str, numbers: Numbers, past: Past, loop: Loop, requeues: Requeues
    ) -> None:  # fmt: skip
        self.token = token
        self._id, self.numbers, self._past, self._loop, self._requeues = minion, numbers, past, loop, requeues

    def stats(self, window: float = 10.0) -> StatsWire:
        """Return all numbers."""
        return self.numbers.wire(window)

    def tasks(self) -> list[TaskWire]:
        """Return the runs under way, by slot."""
        runs = sorted(self._loop.runs(), key=lambda run: run.task.slot)
        pids = {run.task.seq: self._loop.glimpse(run).pid for run in runs}
        usage = usage_of(pid for pid in pids.values() if pid is not None)
        now, wall = time.monotonic(), time.time()
        return [_task(run, pids[run.task.seq], usage, now, wall) for run in runs]

    def failures(self) -> FailuresWire:
        """Return the last failures, with their evidence."""
        return self._past.failures()

    def output(self, id: str) -> OutputWire | None:
        """Return the end of what a run has written."""
        run = self._find(id)
        if run is None:
            return None
        glimpse = self._loop.glimpse(run)
        return OutputWire(id=id, stdout=glimpse.stdout, stderr=glimpse.stderr)

    def control(self) -> ControlWire:
        """Return how things stand."""
        loop = self._loop
        state: State = loop.state
        return ControlWire(id=self._id, state=state, slots=loop.slots, busy=loop.busy)

    def pause(self) -> None:
        """Start and take no more until ``resume``."""
        self._loop.pause()

    def resume(self) -> None:
        """Go on after ``pause``."""
        self._loop.resume()

    def drain(self) -> None:
        """Finish what runs, take no more, and leave."""
        self._loop.drain()

    def resize(self, slots: int) -> None:
        """Change the number of slots.

        Raises:
            Refused: This minion cannot have so many.
        """
        most = min(_MOST_SLOTS, self._loop.most_slots or _MOST_SLOTS)
        if slots > most:
            raise Refused(f"this minion can have {most} slots at most")
        self._loop.resize(slots)

    def kill(self, id: str) -> bool:
        """End the run of a param, as a failure."""
        return self._end(id, Ending.KILLED)

    def requeue(self, id: str) -> bool:
        """End the run of a param and give it back, not charged."""
        return self._end(id, Ending.REQUEUED)

    def requeue_dead(self, ids: Sequence[str] | None = None) -> Future[int]:
        """Have dead params of the queue made ready again: these, or all; not by a minion that takes no more params."""
        return self._requeues.ask(ids, leaves=self._loop.draining)

    def _find(self, id: str) -> Run | None:
        return next((run for run in self._loop.runs() if run.task.id == id), None)

    def _end(self, id: str, why: Ending) -> bool:
        run = self._find(id)
        if run is None:
            return False
        if not self._loop.can_end:
            raise Refused("the function runs in the minion's own process, where it cannot be ended; give it two slots")
        self._loop.ask(partial(self._loop.end_run, run, why))
        return True


def _task(run: Run, pid: int | None, usage: dict[int, Usage], now: float, wall: float) -> TaskWire:
    task, age = run.task, now - run.began
    used = None if pid is None else usage.get(pid)
    return TaskWire(
        id=task.id,
        param=task.param,
        attempt=task.attempt,
        redelivered=task.redelivered,
        slot=task.slot,
        pid=pid,
        started=wall - age,
        age=age,
        cpu=None if used is None else used.seconds / max(age, 1e-3),
        rss=None if used is None else used.rss,
    )
