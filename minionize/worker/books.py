"""Records and settles the runs that have ended, many at a time: most of that work costs as much for one as for many."""

from __future__ import annotations

import os
import time

from minionize.engine import Delivery, Undecodable
from minionize.settle import Ack, Dead, Nack, Verdict
from minionize.task import Outcome, OutcomeKind, Record, Task, evidence
from minionize.worker.pump import Pump
from minionize.worker.reasons import Reasons
from minionize.worker.reports import Reports
from minionize.worker.settlement import Settlement

# What has ended waits for company so long, in seconds, and until there is so much of it.
_COMPANY = 0.05
_CROWD = 256

_BACK = Nack(charge=False)
_WORDS = {Ack: "ack", Nack: "nack", Dead: "dead"}


class Books:
    """What has ended, until it is recorded and the engine thread has it.

    Attributes:
        dead: How many params were dead-lettered.
    """

    def __init__(self, minion: str, pump: Pump, reports: Reports, reasons: Reasons) -> None:
        self._minion, self._pump, self._reports, self._reasons = minion, pump, reports, reasons
        self._host = os.uname().nodename
        self._ended: list[tuple[Delivery, Task, Outcome, Verdict]] = []
        self._closed = 0.0
        self.dead = 0

    def __len__(self) -> int:
        """How many runs have ended and are not yet recorded."""
        return len(self._ended)

    def enter(self, delivery: Delivery, task: Task, outcome: Outcome, verdict: Verdict) -> None:
        """Take note of a run that has ended."""
        self._ended.append((delivery, task, outcome, verdict))

    def due(self) -> float | None:
        """Return when to ``close`` them at the latest, by the monotonic clock; None if nothing waits."""
        return self._closed + _COMPANY if self._ended or self._pump.unsettled else None

    def close(self, hurry: bool) -> None:
        """Record and settle all, if they are many or have waited for long enough.

        Args:
            hurry: Do it in any case.
        """
        waiting = len(self._ended) + self._pump.unsettled
        if not waiting:
            return
        now = time.monotonic()
        if hurry or waiting >= _CROWD or now - self._closed > _COMPANY:
            self._closed = now
            ended, self._ended = self._ended, []
            for index, entry in enumerate(ended):
                try:
                    self._settle(*entry)
                except BaseException:
                    # Something else than a failing reporter: this minion is about to be left by it.
                    self._ended = ended[index:]
                    raise
            self._pump.flush()

    def give_back(self, *deliveries: Delivery) -> None:
        """Give back what was not run, or not to its end."""
        for delivery in deliveries:
            self._pump.settle(Settlement(delivery, _BACK, OutcomeKind.PREEMPTED))

    def abandon(self) -> None:
        """Give back what has ended and could not be recorded."""
        self.give_back(*(delivery for delivery, *_ in self._ended))
        self._ended = []

    def bury(self, delivery: Delivery, reason: str, seq: int) -> None:
        """Dead-letter what was not even run."""
        now = time.time()
        param = delivery.param.raw if isinstance(delivery.param, Undecodable) else delivery.param
        task = Task(param, delivery.id, delivery.attempt, delivery.redelivered, 0, seq, self._minion)
        self.enter(delivery, task, Outcome(OutcomeKind.FAILED, now, now, reason=reason), Dead(reason))

    def _settle(self, delivery: Delivery, task: Task, outcome: Outcome, verdict: Verdict) -> None:
        record = Record(task, outcome, _WORDS[type(verdict)], self._host)
        self._reports.report(record)
        known = None
        if isinstance(verdict, Dead):
            self.dead += 1
            self._reasons.tell(task, verdict.reason)
            known = evidence(record)
        self._pump.settle(Settlement(delivery, verdict, outcome.kind, known))
