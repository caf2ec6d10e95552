"""CONTRACT of the worker with what runs its params: processes, functions here, functions in child processes."""

from __future__ import annotations

import signal
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from enum import Enum
from typing import Any, NamedTuple

from minionize.callback import Callback, Context, DefaultCallback
from minionize.errors import CallbackError
from minionize.guardian import kill_marked
from minionize.task import Outcome, OutcomeKind, Task

USERS = (Exception, SystemExit, GeneratorExit)
"""What is caught at the border around the user's code: all that code for one param raises is that param's failure."""


ANNOUNCED = ("MINION_PARAM", "MINION_PARAM_ID", "MINION_ATTEMPT", "MINION_SLOT")
"""The variables that tell a run which param it has."""


class Ending(Enum):
    """Why the worker ends a run before it has ended by itself."""

    TIMED_OUT = "timed out"
    PREEMPTED = "preempted"
    LEASE_LOST = "lease lost"
    KILLED = "killed on request"
    REQUEUED = "given back on request"


class Glimpse(NamedTuple):
    """What can be seen of a run from outside.

    Attributes:
        pid: Its process; None where there is none.
        stdout: The end of its output until now; None where that does not come through our hands.
        stderr: The end of its errors, likewise.
    """

    pid: int | None = None
    stdout: str | None = None
    stderr: str | None = None


class Finished(NamedTuple):
    """A run that has ended.

    Attributes:
        task: What was run.
        outcome: How it ended.
        verdict: "ack" or "nack" where the callback itself said how to settle; else None.
    """

    task: Task
    outcome: Outcome
    verdict: str | None = None


OnFinished = Callable[[Finished], None]


class Runner(ABC):
    """Runs tasks, and reports each one exactly once to ``on_finished``, in the main thread."""

    #: How many slots it can serve at most; None for any number.
    most_slots: int | None = None
    #: Whether ``end`` can end a run.
    can_end: bool = True

    @abstractmethod
    def start(self, task: Task) -> None:
        """Begin a run. It may have ended already when this returns."""

    @abstractmethod
    def end(self, seq: int, why: Ending) -> None:
        """Ask the run with this sequence number to end: TERM, after the grace KILL. Harmless if it has ended."""

    @abstractmethod
    def kill(self) -> None:
        """End all runs at once."""

    def glimpse(self, seq: int) -> Glimpse:
        """Look at a run; any thread may, at any time, also when the run has just ended."""
        return Glimpse()

    def tick(self, now: float) -> float | None:
        """Do what is due (time-outs, the end of a grace); return when to come back, by the monotonic clock."""
        return None

    def close(self) -> None:  # noqa: B027 - nothing to let go of by default
        """Let go of everything. No run is left."""


class Deadlines:
    """What is due when: few entries, looked at often."""

    def __init__(self) -> None:
        self._due: dict[int, float] = {}
        self._next: float | None = None

    def set(self, seq: int, when: float) -> None:
        """Set (or move) the deadline of a run."""
        self._due[seq] = when
        self._next = when if self._next is None else min(self._next, when)

    def drop(self, seq: int) -> None:
        """Forget a run's deadline."""
        if self._due.pop(seq, None) is not None and not self._due:
            self._next = None

    def pop(self, now: float) -> list[int]:
        """Take the runs whose deadline has come."""
        if self._next is None or now < self._next:
            return []
        due = [seq for seq, when in self._due.items() if when <= now]
        for seq in due:
            del self._due[seq]
        self._next = min(self._due.values(), default=None)
        return due

    @property
    def next(self) -> float | None:
        """The next deadline; it may already have been dropped."""
        return self._next


class Hooks:
    """Calls a callback's ``setup`` and ``teardown`` around a process, where it has any of its own.

    Attributes:
        has_setup: Whether it has a ``setup``.
        has_teardown: Whether it has a ``teardown``.
    """

    def __init__(self, callback: Callback) -> None:
        self._callback = callback
        self.has_setup = _overrides(callback, "setup")
        self.has_teardown = _overrides(callback, "teardown", "teardown_ok", "teardown_ko")

    def setup(self, task: Task, context: Context) -> BaseException | None:
        """Call ``setup``; return what it raised."""
        try:
            self._callback.setup(task.param, context)
        except USERS as error:
            return error
        return None

    def teardown(self, task: Task, context: Context, cause: BaseException | None) -> BaseException | None:
        """Call ``teardown`` with what ended the run, None where it succeeded; return what it raised."""
        try:
            self._callback.teardown(task.param, context, cause)
        except USERS as error:
            return error
        return None


def earliest(*times: float | None) -> float | None:
    """Return the first of some times; None where there is none."""
    return min((when for when in times if when is not None), default=None)


def _overrides(callback: Callback, *names: str) -> bool:
    ours = (Callback, DefaultCallback)
    own = [getattr(type(callback), name, None) for name in names]
    return any(
        method is not None and all(method is not getattr(kind, name, None) for kind in ours)
        for name, method in zip(names, own, strict=True)
    )


def kill_run(task: Task, *more: str) -> None:
    """Kill what a run left behind, also outside its process group.

    Args:
        task: The run.
        more: What else is in its environment, as ``NAME=value``.
    """
    # The slot: a param whose lease was lost may be running here again already.
    kill_marked("MINION_ID", task.minion, f"MINION_SLOT={task.slot}", *more, timeout=0.5)


def failure(reason: str, started: float, **more: Any) -> Outcome:
    """Make the outcome of a run that failed."""
    return Outcome(OutcomeKind.FAILED, started, time.time(), reason=reason, **more)


def unusable(error: CallbackError, started: float, **more: Any) -> Outcome:
    """Make the outcome of a run whose callback says that no param can be run here."""
    return Outcome(OutcomeKind.COULD_NOT_START, started, time.time(), reason=str(error), stop=True, **more)


def describe(error: BaseException) -> str:
    """Say an exception in one line: its kind and its words."""
    words = str(error).strip()
    return f"{type(error).__name__}: {words}" if words else type(error).__name__


def ended_from_here(why: Ending, timeout: float | None) -> tuple[OutcomeKind, str]:
    """Tell the outcome, and its reason in words, of a run that the worker has ended."""
    if why is Ending.TIMED_OUT:
        return OutcomeKind.TIMED_OUT, f"ran longer than {timeout or 0.0:g} s"
    return OutcomeKind.FAILED if why is Ending.KILLED else OutcomeKind.PREEMPTED, why.value


def verdict_of_exit(code: int | None, number: int | None) -> tuple[OutcomeKind, str | None]:
    """Tell the outcome, and its reason in words, from an exit code or the signal that ended a process."""
    if code == 0:
        return OutcomeKind.SUCCEEDED, None
    if number is None:
        words = f"exit code {code}" if code is not None else "its exit code is unknown: something else waited for it"
        return OutcomeKind.FAILED, words
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = f"signal {number}"
    return OutcomeKind.FAILED, f"killed by {name}"
