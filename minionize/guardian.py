"""Sees a minion die, and ends what it left running.

A minion that is killed by SIGKILL cannot end its children. So each minion starts this file as a small
process of its own, which waits for the end of a pipe that the minion holds, or of the minion itself: what
the minion forked may hold the pipe, too. The guardian then kills every process that has the minion's id in
its environment. Thereby also grandchildren in sessions of their own are found, and a child that was just
being started. What a function in the minion itself forked has the minion's environment, but holds the pipe.
A minion that ends in good order kills its guardian.

It runs as ``python -I -S guardian.py FD MINION_ID PID [COMMAND...]``: standard library only, no imports of the
package. COMMAND is run at the end: it removes the minion's containers, say.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import time
from collections.abc import Callable


def marked(name: str, value: str, *more: str) -> list[int]:
    """Return the processes whose environment holds NAME=value, this one excepted; zombies have none.

    Args:
        name: Name of the variable.
        value: Its value.
        more: Further ``NAME=value`` texts that must be there too.
    """
    wanted = {os.fsencode(text) for text in (f"{name}={value}", *more)}
    first = os.fsencode(f"{name}={value}")
    found = []
    me = os.getpid()
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or int(entry) == me:
            continue
        try:
            with open(f"/proc/{entry}/environ", "rb") as file:
                environ = file.read()
        except OSError:
            continue  # ended meanwhile, or another user's
        if first in environ and wanted <= set(environ.split(b"\0")):
            found.append(int(entry))
    return found


def kill_marked(name: str, value: str, *more: str, timeout: float = 2.0) -> int:
    """Kill every process whose environment holds NAME=value, until none is left.

    Args:
        name: Name of the variable.
        value: Its value.
        more: Further ``NAME=value`` texts that must be there too.
        timeout: For how many seconds at most; a process in an uninterruptible wait cannot be killed.

    Returns:
        How many processes were killed.
    """
    return _kill(lambda: marked(name, value, *more), timeout)


def holders(pipe: int) -> list[int]:
    """Return the other processes that hold an end of a pipe."""
    ours = os.fstat(pipe)
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or int(entry) == os.getpid():
            continue
        with contextlib.suppress(OSError):  # ended meanwhile, or another user's
            for fd in os.listdir(f"/proc/{entry}/fd"):
                if os.path.samestat(ours, os.stat(f"/proc/{entry}/fd/{fd}")):
                    found.append(int(entry))
                    break
    return found


def _kill(find: Callable[[], list[int]], timeout: float) -> int:
    killed: set[int] = set()
    deadline = time.monotonic() + timeout
    while found := find():
        for pid in found:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
                killed.add(pid)
        if time.monotonic() > deadline:
            break
        time.sleep(0.002)
    return len(killed)


def await_end(fd: int, pid: int) -> None:
    """Wait until the pipe has no writer any more, or our parent has ended.

    Args:
        fd: The pipe.
        pid: Process id of the parent.
    """
    poll = select.poll()
    poll.register(fd, 0)  # a hang-up is told unasked
    with contextlib.suppress(OSError):
        poll.register(os.pidfd_open(pid), select.POLLIN)
    # Asked last: if it is our parent still, the pid was its own all the time.
    if os.getppid() == pid:
        poll.poll()


def main(fd: int, minion: str, pid: int, last: list[str]) -> None:
    """Wait for the minion's end, then kill what it left; at last run a command line, if there is one."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(number, signal.SIG_IGN)
    await_end(fd, pid)
    _kill(lambda: [*marked("MINION_ID", minion), *holders(fd)], 2.0)
    # A child that was being started when the minion died may show its environment only now.
    time.sleep(0.1)
    kill_marked("MINION_ID", minion)
    if last:
        with contextlib.suppress(OSError):
            os.posix_spawnp(last[0], last, os.environ)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4:])
