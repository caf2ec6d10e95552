"""A minion that is process 1, in a container, is its own init.

The kernel makes process 1 the parent of all orphans, and it must wait for them, or they stay as zombies. The
minion itself waits for its own children only. So process 1 forks: the minion is its child, and it does nothing
but wait for orphans and pass signals on.
"""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress

from minionize.errors import ExitCode

__all__ = ["be_init"]

_PASSED_ON = frozenset(
    {signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGCONT}
)
# A terminal sends these to the minion as well.
_OF_TERMINALS = (signal.SIGINT, signal.SIGQUIT)
_SI_KERNEL = 128
# So long may the guardian of a minion that was killed still have something to do.
_PATIENCE = 3.0


def be_init() -> None:
    """Where this is process 1: fork. Return in the minion only; process 1 ends when the minion has ended.

    Its exit code is that of the minion, or 128 + the number of the signal that has ended it.
    """
    if os.getpid() != 1:
        return
    # Ignored, perhaps: the kernel would throw the exit code of the minion away.
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    # Process 1 gets no signal that it neither handles nor blocks.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {*_PASSED_ON, signal.SIGCHLD})
    minion = os.fork()
    if minion == 0:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return
    code = _lead(minion)
    if code < 0:
        _await_rest(time.monotonic() + _PATIENCE)
    os._exit(code if code >= 0 else ExitCode.SIGNAL - code)


def _lead(minion: int) -> int:
    """Wait for orphans and pass signals on until the minion has ended; return its exit code, negative for a signal."""
    while True:
        info = signal.sigwaitinfo({*_PASSED_ON, signal.SIGCHLD})
        if info.si_signo == signal.SIGCHLD:
            ended = _reap()
            if minion in ended:
                return ended[minion]
        elif info.si_code != _SI_KERNEL or info.si_signo not in _OF_TERMINALS:
            os.kill(minion, info.si_signo)


def _reap() -> dict[int, int]:
    """Wait for all children that have ended; return their exit codes by pid."""
    found: dict[int, int] = {}
    with suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG)) != (0, 0):
            found[ended[0]] = os.waitstatus_to_exitcode(ended[1])
    return found


def _await_rest(until: float) -> None:
    """Wait for all others. When process 1 ends, the kernel kills what is left."""
    with suppress(ChildProcessError):
        while (left := until - time.monotonic()) > 0:
            if os.waitpid(-1, os.WNOHANG) == (0, 0):
                signal.sigtimedwait({signal.SIGCHLD}, left)
