"""Runs a callback's functions in this process, one at a time: for one slot."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable

from minionize.callback import Callback, Context
from minionize.errors import CallbackError
from minionize.task import Outcome, OutcomeKind, Task
from minionize.worker.calling import announce, call
from minionize.worker.output import Output
from minionize.worker.runner import Ending, Finished, Glimpse, OnFinished, Runner


class Interrupted(BaseException):
    """Raised in the user's function when the minion is stopped."""


class InlineRunner(Runner):
    """Calls setup, process and teardown here. A run has ended when ``start`` returns."""

    most_slots = 1
    can_end = False

    def __init__(
        self,
        callback: Callback,
        output: Output,
        on_finished: OnFinished,
        stop: Callable[[int], None],
    ) -> None:
        """Make it ready.

        Args:
            callback: What is called.
            output: Our own streams.
            on_finished: Called for each run that has ended.
            stop: Stops the minion, by the number of a signal.
        """
        self._callback, self._output, self._on_finished, self._stop = callback, output, on_finished, stop
        self._calling = False

    def interrupt(self) -> None:
        """End the function that is running; called by a signal handler, in the same thread."""
        if self._calling:
            raise Interrupted

    def start(self, task: Task) -> None:
        """Call the functions for a task."""
        context = Context(task)
        started = time.time()
        announce(task)
        try:
            self._calling = True
            outcome = call(self._callback, task, context)
            self._calling = False
        except Interrupted:
            self._calling = False
            outcome = Outcome(OutcomeKind.PREEMPTED, started, time.time(), reason=Ending.PREEMPTED.value)
        except KeyboardInterrupt:
            # Not by our handler of the signal: a notebook's, or the function's own.
            self._calling = False
            outcome = Outcome(OutcomeKind.PREEMPTED, started, time.time(), reason="KeyboardInterrupt")
            self._stop(signal.SIGINT)
        except CallbackError:
            self._calling = False
            raise
        self._on_finished(Finished(task, self._shown(outcome), context.verdict))

    def _shown(self, outcome: Outcome) -> Outcome:
        """Flush what was printed; what nobody could read is to be run again."""
        sink = self._output.stdout
        try:
            if sys.stdout is not None:
                sys.stdout.flush()
        except OSError as error:
            sink.error = error
            _silence()
        except ValueError:
            pass  # the user's code has closed it
        if sink.error is None and (outcome.kind is OutcomeKind.SUCCEEDED or not sink.broken()):
            return outcome
        words = f"stdout takes no output any more: {sink.error.strerror if sink.error else 'nobody reads it'}"
        return outcome._replace(kind=OutcomeKind.PREEMPTED, reason=words, stop=True)

    def glimpse(self, seq: int) -> Glimpse:
        """Say where it runs: here."""
        return Glimpse(os.getpid())

    def end(self, seq: int, why: Ending) -> None:
        """Do nothing: the loop does not run while the function does."""

    def kill(self) -> None:
        """Do nothing, as above."""


def _silence() -> None:
    """Keep Python from complaining about the lost stdout at its exit."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.close(null)
