"""What a minion and its runs use of the processors and of the memory."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from typing import NamedTuple

from minionize.stats.wire import Resources as ResourcesWire

_EVERY = 3.0
_SHARE = 4000  # looking at the children may take one part in so many of the time


class Usage(NamedTuple):
    """What a process and its descendants use: processor time in seconds, memory in bytes."""

    seconds: float
    rss: int


class Resources:
    """Reads them, the children's not more often than it is cheap to look at all processes of the system."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._at = clock()
        self._due = self._at
        self._spent = (_own_seconds(), _reaped_seconds())
        self._known = ResourcesWire(cpu=0.0, rss=own_rss(), children_cpu=0.0, children_rss=0)

    def read(self, fully: bool = True) -> ResourcesWire:
        """Return what is used, as it was a few seconds ago at most.

        Args:
            fully: Look at the children too. The first time that takes tens of milliseconds, for an import.
        """
        now = self._clock()
        if not fully or now < self._due:
            return self._known
        children = [used for used in map(_usage, _descendants(os.getpid())) if used is not None]
        spent = (_own_seconds(), _reaped_seconds() + sum(each.seconds for each in children))
        elapsed = max(now - self._at, 1e-3)
        cpu, children_cpu = (max(0.0, new - old) / elapsed for new, old in zip(spent, self._spent, strict=True))
        self._known = ResourcesWire(
            cpu=cpu, rss=own_rss(), children_cpu=children_cpu, children_rss=sum(each.rss for each in children)
        )
        self._at, self._spent = now, spent
        self._due = now + max(_EVERY, _SHARE * (self._clock() - now))
        return self._known


def usage_of(pids: Iterable[int]) -> dict[int, Usage]:
    """Tell what these processes and their descendants use; those that have ended are missing."""
    found: dict[int, Usage] = {}
    for pid in pids:
        each = [_usage(process) for process in (pid, *_descendants(pid))]
        if each[0] is not None:
            known = [used for used in each if used is not None]
            found[pid] = Usage(sum(used.seconds for used in known), sum(used.rss for used in known))
    return found


def own_rss() -> int:
    """Return the resident memory of this process, in bytes; 0 where the system does not tell."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0


def _own_seconds() -> float:
    times = os.times()
    return times.user + times.system


def _reaped_seconds() -> float:
    times = os.times()
    return times.children_user + times.children_system


def _descendants(pid: int) -> list[int]:
    """List the children of a process, their children, and so on."""
    found, new = [], [pid]
    try:
        while new:
            new = [child for parent in new for child in _children(parent)]
            found += new
    except FileNotFoundError:
        return _all_descendants(pid)
    return found


def _children(pid: int) -> list[int]:
    """Ask the kernel for the children of one process: psutil would look at all processes of the system.

    Raises:
        FileNotFoundError: This kernel does not tell (CONFIG_PROC_CHILDREN).
    """
    children: list[int] = []
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return children
    for thread in threads:
        try:
            with open(f"/proc/{pid}/task/{thread}/children", "rb", buffering=0) as file:
                children += map(int, file.read().split())
        except FileNotFoundError:
            if os.path.exists(f"/proc/{pid}/task/{thread}"):
                raise
        except OSError:
            continue  # it has just ended
    return children


def _all_descendants(pid: int) -> list[int]:
    import psutil

    try:
        return [process.pid for process in psutil.Process(pid).children(recursive=True)]
    except psutil.Error:
        return []


def _usage(pid: int) -> Usage | None:
    """Look at one process; None if it has ended."""
    import psutil

    try:
        process = psutil.Process(pid)
        with process.oneshot():
            times = process.cpu_times()
            spent = times.user + times.system + times.children_user + times.children_system
            return Usage(spent, process.memory_info().rss)
    except psutil.Error:
        return None
