"""What a minion counts. The counters add up at any instant.

received = succeeded + failed + timed_out + could_not_start + preempted + lease_lost + in flight
"""

from __future__ import annotations

import threading
from collections.abc import Iterable

from minionize.task import OutcomeKind

COUNTERS = (
    "received",
    "succeeded",
    "failed",
    "timed_out",
    "could_not_start",
    "retried",
    "preempted",
    "redelivered",
    "crashed",
    "dead",
    "lease_lost",
)
"""The names of the counters. Scripts depend on them: add, never rename.

received: deliveries taken. succeeded, failed, timed_out, could_not_start, preempted: how they ended, once
they are settled. lease_lost: deliveries that were no longer ours when they were to be settled. retried:
given back as a charged attempt. redelivered: received with attempt > 1 or the queue's redelivered flag.
crashed: received after a run that ended without an outcome, because its minion died. dead: dead-lettered.
"""


class Stats:
    """The counters of one minion. Every change is one step, so every snapshot adds up."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counters = dict.fromkeys(COUNTERS, 0)
        self._in_flight = 0

    def receive(self, redelivered: Iterable[bool], crashed: int) -> None:
        """Count deliveries: for each one whether it was delivered before; and how many came after a crash."""
        flags = list(redelivered)
        with self._lock:
            self._counters["received"] += len(flags)
            self._counters["redelivered"] += sum(flags)
            self._counters["crashed"] += crashed
            self._in_flight += len(flags)

    def settle(self, kind: OutcomeKind, *, retried: bool = False, dead: bool = False) -> None:
        """Count one settled delivery."""
        with self._lock:
            self._counters[kind.value] += 1
            self._counters["retried"] += retried
            self._counters["dead"] += dead
            self._in_flight -= 1

    def lose(self) -> None:
        """Count one delivery that is no longer ours."""
        with self._lock:
            self._counters["lease_lost"] += 1
            self._in_flight -= 1

    def snapshot(self) -> dict[str, int]:
        """Return all counters and ``in_flight``, as they were at one instant."""
        with self._lock:
            return {**self._counters, "in_flight": self._in_flight}
