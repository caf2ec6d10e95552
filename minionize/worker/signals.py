"""Turns the signals that stop a minion into calls, and wakes the loop."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any

STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR2, signal.SIGHUP)
"""TERM: Slurm, Kubernetes, kill. INT: the terminal. USR2: OAR's checkpoint. HUP: the terminal is gone."""
DRAINING = signal.SIGUSR1
"""Has what runs finished, and nothing more begun: a hook of Kubernetes, before TERM."""


class Waker:
    """A pipe that wakes the loop, from any thread and from signals."""

    def __init__(self) -> None:
        self.fd, self._end = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._open = True
        # Reentrant: a signal may come while the main thread holds it.
        self._lock = threading.RLock()

    @property
    def end(self) -> int:
        """The descriptor to write to."""
        return self._end

    def wake(self) -> None:
        """Wake the loop. A full pipe has woken it already; a loop that has ended needs it no more."""
        with self._lock, contextlib.suppress(BlockingIOError):
            if self._open:
                os.write(self._end, b"w")

    def awake(self) -> None:
        """Empty the pipe: the loop is awake."""
        with contextlib.suppress(BlockingIOError):
            os.read(self.fd, 65536)

    def close(self) -> None:
        """Close the pipe."""
        with self._lock:
            self._open = False
            os.close(self.fd)
            os.close(self._end)


class Signals:
    """While it is entered, the signals call ``stop``; afterwards all is as it was.

    In a thread other than the main one, which cannot have signals, it does nothing.
    """

    def __init__(self, stop: Callable[[int], None], waker: Waker) -> None:
        self._stop, self._waker = stop, waker
        self._before: dict[int, Any] = {}
        self._wakeup = -1
        self._active = threading.current_thread() is threading.main_thread()

    def __enter__(self) -> Signals:
        """Set the handlers. A signal that is ignored (nohup, a shell's background job) stays so."""
        if self._active:
            self._wakeup = signal.set_wakeup_fd(self._waker.end, warn_on_full_buffer=False)
            for number in (*STOPPING, DRAINING):
                if signal.getsignal(number) is not signal.SIG_IGN:
                    self._before[number] = signal.signal(number, self._handle)
            if signal.getsignal(signal.SIGCHLD) is signal.SIG_IGN:
                # Inherited from a careless parent: the kernel would throw the exit codes of our children away.
                self._before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        return self

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self._stop(number)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Set the former handlers again."""
        if self._active:
            for number, handler in self._before.items():
                signal.signal(number, handler if handler is not None else signal.SIG_DFL)
            signal.set_wakeup_fd(self._wakeup)
