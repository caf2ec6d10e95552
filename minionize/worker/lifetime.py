"""Ends a minion before its job or its lifetime does: takes no param that would not fit, gives back what still runs."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from minionize.host import age_of_oldest
from minionize.stats.histogram import Histogram
from minionize.worker.schedulers import Answer, End, Scheduler, ends_of, jobs_of

if TYPE_CHECKING:
    from minionize.worker.controls import Controls

_LOOK = 1.0  # seconds between two looks at how long runs take
_BEFORE_ASKING = 1.0  # the first param comes first
_ANSWER = 20.0  # seconds that a scheduler may take to answer
_SHARE = 0.95
_FOR_EVER = float("inf")


class Plan(NamedTuple):
    """What is done when, by the monotonic clock.

    Attributes:
        warn: What still runs gets TERM.
        kill: What still runs gets KILL.
        end: The end.
    """

    warn: float
    kill: float
    end: float


def plan(began: float, end: float, grace: float, margin: float) -> Plan:
    """Make it. Grace and margin take half of the time at most: a short lifetime is for work too.

    Args:
        began: When the minion began.
        end: When it must be gone.
        grace: Seconds from TERM to KILL.
        margin: Seconds between all's end and the end.
    """
    wanted = grace + margin
    scale = min(1.0, max(0.0, end - began) / 2 / wanted) if wanted else 1.0
    kill = end - margin * scale
    return Plan(kill - grace * scale, kill, end)


def start_of_job(scheduler: Scheduler, environ: Mapping[str, str]) -> float:
    """Return for how many seconds a job has been running: since its first process that we descend from began."""
    return age_of_oldest(scheduler.job, environ[scheduler.job])


class Lifetime:
    """Sees when a minion's time is over, and has its loop end in time.

    The main thread calls ``tick``; ``learn`` any thread that has the turn; ``rings`` a handler of signals.
    """

    def __init__(
        self,
        values: Mapping[str, Any],
        environ: Mapping[str, str],
        latency: Histogram,
        say: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        age: Callable[[Scheduler, Mapping[str, str]], float] = start_of_job,
    ) -> None:
        """Read what the variables say.

        Args:
            values: The settings.
            environ: The variables.
            latency: How long runs took.
            say: Tells the user.
            clock: Seconds, monotonic.
            wall: Unix seconds.
            age: For how many seconds a job has been running.
        """
        self._environ, self._latency, self._say, self._clock, self._age = environ, latency, say, clock, age
        self._expect: float | None = values["expect"]
        self._grace, self._margin = values["grace"], values["margin"]
        self._began = clock()
        self._ends: list[End] = []
        self._unknown: list[Scheduler] = []
        if values["max_lifetime"]:
            self._ends.append(End(self._began + values["max_lifetime"], "the lifetime", "--max-lifetime"))
        for scheduler in jobs_of(environ):
            end = ends_of(scheduler, environ, partial(age, scheduler, environ), clock, wall, say)
            if end is not None:
                self._ends.append(end)
            elif scheduler.ask is not None:
                self._unknown.append(scheduler)
        self._next = 0.0
        self._warned = self._rung = False
        self._unsaid: list[str] = []
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None
        self._loop: Controls

    @property
    def end(self) -> End | None:
        """The first of all ends that are known; None if there is none."""
        return min(self._ends, default=None)

    @property
    def limited(self) -> bool:
        """Whether an end is known, or may become known."""
        return bool(self._ends or self._unknown)

    @property
    def plan(self) -> Plan | None:
        """What is done when; None as long as no end is known."""
        end = self.end
        return None if end is None else plan(self._began, end.at, self._grace, self._margin)

    def too_late(self) -> str | None:
        """Say why a param that begins now would not fit, by what variables and ``--expect`` tell; None if it would."""
        now, due = self._clock(), self.plan
        return None if due is None else self._late(now, due, self._expect)

    def start(self, loop: Controls, interrupts: bool) -> None:
        """Begin.

        Args:
            loop: What is to end in time.
            interrupts: Whether a run keeps the main thread, so that only a signal can end it.
        """
        self._loop = loop
        loop.on_long = self.learn
        self.tick(self._clock())
        if self._unknown or (interrupts and threading.current_thread() is threading.main_thread()):
            self._thread = threading.Thread(target=self._watch, args=(interrupts,), name="lifetime", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Have the thread end; say what could not be said."""
        self._closed.set()
        if self._thread is not None:
            self._thread.join()
        self._tell()

    # The main thread's side.

    def tick(self, now: float) -> float:
        """Do what is due; return when to come back."""
        self._tell()
        if now < self._next:
            return self._next
        self._next = now + _LOOK
        due, loop = self.plan, self._loop
        if due is None:
            return self._next
        before = (loop.draining, loop.abandoning, loop.hurried)
        if now >= due.kill:
            self._warn(now)
            loop.hurry()
            self._next = _FOR_EVER
        elif now >= due.warn:
            self._warn(now)
            self._next = due.kill
        else:
            self._consider(now, due)
        self._tell()
        # What is asked of the loop it does in its next round.
        return self._next if before == (loop.draining, loop.abandoning, loop.hurried) else now

    def learn(self, duration: float) -> None:
        """Hear of a run that took longer than there is time left: it is not yet among those that were counted."""
        now, due = self._clock(), self.plan
        if due is not None and now < due.warn:
            self._decide(now, due, self._usual(duration))

    def rings(self, number: int) -> bool:
        """Tell whether a signal is our own, for a run that must end now; then have the loop end."""
        if not self._rung or number != signal.SIGUSR2:
            return False
        self._rung = False
        self._warn(self._clock())
        return True

    def _consider(self, now: float, due: Plan) -> None:
        expected = self._usual() if self._expect is None else self._expect
        self._decide(now, due, expected)
        if self._loop.draining:
            self._next = min(self._next, due.warn)
            return
        self._next = min(self._next, due.warn - (expected or 0.0))
        if self._expect is None:
            # What takes no longer than this need not be looked at before the next time.
            self._loop.longest = due.warn - now - _LOOK

    def _usual(self, *more: float) -> float | None:
        """Return what nearly all runs stay below, in seconds; None if there was none."""
        latency = self._latency.copy() if more else self._latency
        for duration in more:
            latency.add(duration)
        return latency.quantiles(_SHARE)[0]

    def _decide(self, now: float, due: Plan, expected: float | None) -> None:
        late = self._late(now, due, expected)
        if late is not None and not self._loop.draining:
            self._expire(f"{late}: this minion takes no more")

    def _late(self, now: float, due: Plan, expected: float | None) -> str | None:
        if now + (expected or 0.0) < due.warn:
            return None
        if expected is None:
            return self._when(now)
        takes = f"takes {_count(expected)} s (--expect)" if self._expect else f"takes about {_count(expected)} s"
        # What would end in time but for the others' leaving: the numbers alone would look wrong.
        less = f", less {_count(due.end - due.warn)} s for grace and margin" if now + expected < due.end else ""
        return f"{self._when(now)}{less}, and a param {takes}"

    def _warn(self, now: float) -> None:
        if self._warned:
            return
        self._warned = True
        busy = self._loop.busy
        if busy or not self._loop.draining:
            then = "what still runs is ended and given back" if busy else "this minion takes no more"
            self._expire(f"{self._when(now)}: {then}")
        self._loop.abandon()

    def _when(self, now: float) -> str:
        end = self.end
        return "" if end is None else f"{end.what} ends in {_count(max(0.0, end.at - now))} s ({end.source})"

    def _expire(self, why: str) -> None:
        self._unsaid.append(why)
        self._loop.expire(why)

    def _tell(self) -> None:
        # Not where it is decided: that may be a handler of signals, in the middle of whatever the thread was saying.
        while self._unsaid:
            self._say(self._unsaid.pop(0))

    # The thread's side.

    def _watch(self, interrupts: bool) -> None:
        if self._unknown and not self._closed.wait(_BEFORE_ASKING):
            from minionize.worker.asking import ask

            for scheduler in self._unknown:
                self._hear(scheduler, ask(scheduler, self._environ, _ANSWER, self._closed, self._say))
        due = self.plan
        if interrupts and due is not None and not self._closed.wait(max(0.0, due.warn - self._clock())):
            self._rung = True
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR2)

    def _hear(self, scheduler: Scheduler, answer: Answer) -> None:
        left = answer.left
        if answer.length is not None:
            left = answer.length - self._age(scheduler, self._environ)
        if left is not None and left > 0.0:
            self._ends.append(End(self._clock() + left, "the job", scheduler.name))


def _count(seconds: float) -> str:
    return f"{seconds:.0f}" if seconds >= 10.0 else f"{seconds:.2g}"
