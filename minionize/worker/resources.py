"""What a minion and its runs use of the processors and of the memory."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, NamedTuple

from minionize.stats.wire import Resources as ResourcesWire

if TYPE_CHECKING:
    from psutil import Process

_EVERY = 2.0
_SHARE = 1000  # looking at all processes may take one part in so many of the time


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
        children = _descendants(os.getpid())
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
    import psutil

    wanted = set(pids)
    found = {pid: Usage(0.0, 0) for pid in wanted}
    owner: dict[int, int] = {}
    try:
        processes = psutil.Process().children(recursive=True)
        # A parent comes before its children.
        for process in processes:
            pid = process.pid
            parent = process.ppid()
            owner[pid] = pid if pid in wanted else owner.get(parent, 0)
            mine = owner[pid]
            if mine:
                used = _usage(process)
                found[mine] = Usage(found[mine].seconds + used.seconds, found[mine].rss + used.rss)
    except psutil.Error:
        pass
    return {pid: used for pid, used in found.items() if pid in owner}


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


def _descendants(pid: int) -> list[Usage]:
    import psutil

    try:
        return [_usage(process) for process in psutil.Process(pid).children(recursive=True)]
    except psutil.Error:
        return []


def _usage(process: Process) -> Usage:
    import psutil

    try:
        times = process.cpu_times()
        spent = times.user + times.system + times.children_user + times.children_system
        return Usage(spent, process.memory_info().rss)
    except psutil.Error:
        return Usage(0.0, 0)
