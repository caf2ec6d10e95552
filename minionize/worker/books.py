"""Records and settles the runs that have ended, many at a time: most of that work costs as much for one as for many."""

from __future__ import annotations

import os
import time
from collections import deque

from minionize.engine import Delivery, Undecodable
from minionize.settle import Ack, Dead, Nack, Verdict
from minionize.task import Outcome, OutcomeKind, Record, Task, evidence
from minionize.worker.past import Past
from minionize.worker.pump import Pump
from minionize.worker.reasons import Reasons
from minionize.worker.reports import Reports
from minionize.worker.settlement import Settlement

COMPANY = 0.05
"""What has ended waits for company so long, in seconds; longer where the queue takes long to settle."""

_LONGEST = 0.5
_SHARE = 30  # settling may take one part in so many of the time
_CROWD = 256  # or until there is so much of it

_BACK = Nack(charge=False)
_Entry = tuple[Delivery, Task, Outcome, Verdict]
_WORDS = {Ack: "ack", Nack: "nack", Dead: "dead"}


class Books:
    """What has ended, until it is recorded and the engine thread has it."""

    def __init__(self, minion: str, pump: Pump, reports: Reports, reasons: Reasons, past: Past) -> None:
        self._minion, self._pump, self._reports, self._reasons = minion, pump, reports, reasons
        self._past = past
        self._host = os.uname().nodename
        self._ended: list[_Entry] = []
        self._chosen: deque[_Entry] = deque()
        self._closed = 0.0

    def __len__(self) -> int:
        """How many runs have ended and are not yet recorded."""
        return len(self._ended) + len(self._chosen)

    def enter(self, delivery: Delivery, task: Task, outcome: Outcome, verdict: Verdict) -> None:
        """Take note of a run that has ended."""
        self._ended.append((delivery, task, outcome, verdict))

    def due(self) -> float | None:
        """Return when to ``close`` them at the latest, by the monotonic clock; None if nothing waits."""
        return self._closed + self._company() if self._ended or self._pump.unsettled else None

    def _company(self) -> float:
        return min(_LONGEST, max(COMPANY, _SHARE * self._pump.effort))

    def close(self, hurry: bool) -> None:
        """Choose all for ``write``, if they are many or have waited for long enough.

        Args:
            hurry: Do it in any case.
        """
        waiting = len(self._ended) + self._pump.unsettled
        if not waiting:
            return
        now = time.monotonic()
        if hurry or waiting >= _CROWD or now - self._closed > self._company():
            self._closed = now
            self._chosen.extend(self._ended)
            self._ended.clear()
            if not self._chosen:
                self._pump.flush()

    def write(self) -> bool:
        """Record and settle what was chosen; tell whether that was anything. Meanwhile others may ``enter``."""
        if not self._chosen:
            return False
        while self._chosen:
            # What something else than a failing reporter raises leaves it there, to be given back.
            self._settle(*self._chosen[0])
            self._chosen.popleft()
        self._pump.flush()
        return True

    def give_back(self, *deliveries: Delivery) -> None:
        """Give back what was not run, or not to its end."""
        for delivery in deliveries:
            self._pump.settle(Settlement(delivery, _BACK, OutcomeKind.PREEMPTED))

    def abandon(self) -> None:
        """Give back what has ended and could not be recorded."""
        self.give_back(*(delivery for delivery, *_ in (*self._chosen, *self._ended)))
        self._chosen.clear()
        self._ended.clear()

    def bury(self, delivery: Delivery, reason: str, seq: int) -> None:
        """Dead-letter what was not even run."""
        now = time.time()
        param = delivery.param.raw if isinstance(delivery.param, Undecodable) else delivery.param
        task = Task(param, delivery.id, delivery.attempt, delivery.redelivered, 0, seq, self._minion)
        self.enter(delivery, task, Outcome(OutcomeKind.FAILED, now, now, reason=reason), Dead(reason))

    def _settle(self, delivery: Delivery, task: Task, outcome: Outcome, verdict: Verdict) -> None:
        record = Record(task, outcome, _WORDS[type(verdict)], self._host)
        self._reports.report(record)
        self._past.add(record)
        known = None
        if isinstance(verdict, Dead):
            self._reasons.tell(task, verdict.reason)
            known = evidence(record)
        self._pump.settle(Settlement(delivery, verdict, outcome.kind, known))
