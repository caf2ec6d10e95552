"""Runs a callback's functions in this process, one at a time: for one slot."""

from __future__ import annotations

import os
import sys
import time

from minionize.callback import Callback, Context
from minionize.errors import CallbackError
from minionize.task import Outcome, OutcomeKind, Task
from minionize.worker.calling import call
from minionize.worker.runner import Ending, Finished, OnFinished, Runner


class Interrupted(BaseException):
    """Raised in the user's function when the minion is stopped."""


class InlineRunner(Runner):
    """Calls setup, process and teardown here. A run has ended when ``start`` returns."""

    most_slots = 1

    def __init__(self, callback: Callback, on_finished: OnFinished) -> None:
        self._callback, self._on_finished = callback, on_finished
        self._calling = False

    @property
    def calling(self) -> bool:
        """Whether the user's function is running now."""
        return self._calling

    def interrupt(self) -> None:
        """End the function that is running; called by a signal handler, in the same thread."""
        if self._calling:
            raise Interrupted

    def start(self, task: Task) -> None:
        """Call the functions for a task."""
        context = Context(task)
        started = time.time()
        try:
            self._calling = True
            outcome = call(self._callback, task, context)
            self._calling = False
        except Interrupted:
            self._calling = False
            outcome = Outcome(OutcomeKind.PREEMPTED, started, time.time(), reason=Ending.PREEMPTED.value)
        except CallbackError:
            self._calling = False
            raise
        try:
            if sys.stdout is not None:
                sys.stdout.flush()
        except OSError as error:
            outcome = Outcome(
                OutcomeKind.PREEMPTED, started, time.time(), reason=f"stdout: {error.strerror}", stop=True
            )  # fmt: skip
            _silence()
        self._on_finished(Finished(task, outcome, context.verdict))

    def end(self, seq: int, why: Ending) -> None:
        """Do nothing: the loop does not run while the function does."""

    def kill(self) -> None:
        """Do nothing, as above."""


def _silence() -> None:
    """Keep Python from complaining about the lost stdout at its exit."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.close(null)
