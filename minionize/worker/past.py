"""What is remembered of the runs that have ended: how long they took, and the last failures with their evidence."""

from __future__ import annotations

from collections import deque
from typing import Any, NamedTuple, cast

from minionize.cause import cause_of
from minionize.stats.histogram import Histogram
from minionize.stats.wire import SCHEMA, CauseWire, FailuresWire, FailureWire
from minionize.task import OutcomeKind, Param, Record, evidence, param_text

_KEPT = 100
_CAUSES = 200
_OTHERS = "other causes"
_SAMPLES = 5
_LONGEST = 4096  # characters of a param that are kept: a hundred failures must not hold a hundred long params

_FAILURES = (OutcomeKind.FAILED, OutcomeKind.TIMED_OUT, OutcomeKind.COULD_NOT_START)


class _Cause:
    __slots__ = ("count", "first", "last", "samples")

    def __init__(self, at: float) -> None:
        self.count, self.first, self.last = 0, at, at
        self.samples: deque[str] = deque(maxlen=_SAMPLES)


class _Failure(NamedTuple):
    id: str
    param: Param
    slot: int
    cause: str
    settled: str
    evidence: dict[str, Any]


class Past:
    """Learns of each run that has ended, from one thread; any thread may look.

    Attributes:
        latency: How long runs took.
    """

    def __init__(self) -> None:
        self.latency = Histogram()
        self._total = 0
        self._failures: deque[_Failure] = deque(maxlen=_KEPT)
        self._causes: dict[str, _Cause] = {}

    def add(self, record: Record) -> None:
        """Learn of one."""
        task, outcome = record.task, record.outcome
        if task.slot:
            self.latency.add(outcome.duration)
        if outcome.kind in _FAILURES:
            proof = evidence(record)
            cause = cause_of(proof)
            self._count(cause, task.id, outcome.ended)
            self._failures.append(_Failure(task.id, _cut(task.param), task.slot, cause, record.settled, proof))

    def _count(self, name: str, id: str, at: float) -> None:
        if name not in self._causes and len(self._causes) >= _CAUSES:
            name = _OTHERS
        cause = self._causes.setdefault(name, _Cause(at))
        cause.count += 1
        cause.last = at
        cause.samples.append(id)
        self._total += 1

    def failures(self) -> FailuresWire:
        """Return the last failures, the newest first, and all of them by cause, the most frequent first."""
        # Copied before it is looked at: the main thread may add to it meanwhile.
        known = sorted(self._causes.items(), key=lambda item: -item[1].count)
        return FailuresWire(
            schema=SCHEMA,
            total=self._total,
            causes=[_cause(name, each) for name, each in known],
            failures=[_wire(each) for each in reversed(list(self._failures))],
        )


def _cause(name: str, cause: _Cause) -> CauseWire:
    return CauseWire(
        cause=name, count=cause.count, first=cause.first, last=cause.last, samples=list(cause.samples)
    )  # fmt: skip


def _wire(failure: _Failure) -> FailureWire:
    named = {name: getattr(failure, name) for name in ("id", "param", "slot", "cause", "settled")}
    return cast(FailureWire, {**named, "at": failure.evidence["ended"], **failure.evidence})


def _cut(param: Param) -> Param:
    text = param_text(param)
    return param if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
