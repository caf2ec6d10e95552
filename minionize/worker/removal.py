"""Ends what a run has outside its processes, a container say, before its param is settled."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Mapping

from minionize.callback import Callback
from minionize.child import Child, Exit, find_program
from minionize.events import Events
from minionize.task import Task

# For so long a container engine may take to end one container, in seconds.
_PATIENCE = 30.0


class Removal:
    """Runs the callback's command line for that, one child for each run."""

    def __init__(
        self, callback: Callback, events: Events, null: int, environ: Mapping[str, str], say: Callable[[str], None]
    ) -> None:
        """Make it ready.

        Args:
            callback: Tells the command line.
            events: Where the children are watched.
            null: Descriptor of the null device.
            environ: Their environment.
            say: Told when one fails.
        """
        self._callback, self._events, self._null, self._say = callback, events, null, say
        # Without the minion's id: what ends the processes of a run must not end these.
        self._env = {os.fsencode(k): os.fsencode(v) for k, v in environ.items() if not k.startswith("MINION_")}
        self._path = environ.get("PATH", os.defpath)
        self._until: dict[int, tuple[float, Child]] = {}

    def run(self, task: Task, then: Callable[[], None]) -> None:
        """End what a run has left, then call ``then``; at once where it has nothing outside its processes."""
        argv = self._callback.removal(task.minion, task.slot)
        if not argv:
            then()
            return

        def ended(end: Exit) -> None:
            del self._until[task.seq]
            if end.code != 0:
                self._complain(task)
            then()

        null = self._null
        try:
            path = find_program(argv[0], self._path)
            child = Child(self._events.watch_exit, path, argv, self._env, null, null, null, ended)
        except OSError:
            self._complain(task)
            then()
            return
        self._until[task.seq] = (time.monotonic() + _PATIENCE, child)

    def _complain(self, task: Task) -> None:
        self._say(f"the run of param {task.id} could not be ended; its container may still run")

    def tick(self, now: float) -> float | None:
        """Kill those that take too long; return when to come back, by the monotonic clock."""
        for until, child in self._until.values():
            if now >= until:
                child.send(signal.SIGKILL)
        return min((until for until, _ in self._until.values() if until > now), default=None)
