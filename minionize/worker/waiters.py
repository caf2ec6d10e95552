"""Threads that wait for children, each for one run at a time, and begin the slot's next run themselves.

Linux wakes a thread that waits for its child on the processor that the child leaves. The one thread that
waits for all descriptors is woken where it ran last: there it puts another run aside, and the processor
that has just become free stays idle until the next run is started. With two slots on two processors these
threads start a fifth more runs per second; see docs/decisions.md.

Nothing happens in two threads at a time: whoever does something for the minion has the turn.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue

# Beyond so many, runs are waited for by the thread that waits for everything else.
_MOST = 64
# Threads that still wait for children that cannot be killed are left alone, after so many seconds.
_PATIENCE = 1.0
# While one of these threads wants to start a run, no other may hold it up for the 5 ms that are Python's default.
_SWITCH = 0.0002

_Job = tuple[int, Callable[[], None]]


class _Waiter:
    def __init__(self) -> None:
        self.jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self.next: _Job | None = None


class Waiters:
    """The threads; they come as they are needed, and stay."""

    def __init__(
        self, turn: threading.Lock, after: Callable[[], None], failed: Callable[[BaseException], None]
    ) -> None:
        """Have none yet.

        Args:
            turn: Held by whoever works for the minion; ``watch`` is called with it.
            after: Called with the turn after each end: begins what can begin.
            failed: Told, with the turn, what was raised; nobody else hears of it.
        """
        self._turn, self._after, self._failed = turn, after, failed
        self._threads: list[tuple[threading.Thread, _Waiter]] = []
        self._idle: list[_Waiter] = []
        self._current: _Waiter | None = None
        self._interval = sys.getswitchinterval()
        sys.setswitchinterval(_SWITCH)

    def watch(self, pid: int, ended: Callable[[], None]) -> bool:
        """Call ``ended`` when a child of this process has ended; False if there is no thread for it."""
        job = (pid, ended)
        if self._current is not None and self._current.next is None:
            self._current.next = job
        elif self._idle:
            self._idle.pop().jobs.put(job)
        else:
            return self._add(job)
        return True

    def _add(self, job: _Job) -> bool:
        if len(self._threads) >= _MOST:
            return False
        waiter = _Waiter()
        thread = threading.Thread(target=self._serve, args=(waiter,), name=f"waiter {len(self._threads)}", daemon=True)
        try:
            thread.start()
        except RuntimeError:
            return False
        waiter.jobs.put(job)
        self._threads.append((thread, waiter))
        return True

    def _serve(self, waiter: _Waiter) -> None:
        while (job := waiter.jobs.get()) is not None:
            while job is not None:
                pid, ended = job
                with suppress(ChildProcessError):
                    # Only looks: until it is reaped, its pid and its group are nobody else's.
                    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
                with self._turn:
                    self._current = waiter
                    try:
                        ended()
                        self._after()
                    except BaseException as error:  # the border of the thread
                        self._failed(error)
                    self._current = None
                    job, waiter.next = waiter.next, None
                    if job is None:
                        self._idle.append(waiter)

    def close(self) -> None:
        """End the threads. No run is left."""
        for _, waiter in self._threads:
            waiter.jobs.put(None)
        until = time.monotonic() + _PATIENCE
        for thread, _ in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
        sys.setswitchinterval(self._interval)
