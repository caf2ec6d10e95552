"""What the records of a report hold of single runs: read from the files when somebody asks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from minionize.cause import cause_of
from minionize.stats.wire import SCHEMA, CauseWire, FailuresWire, FailureWire, OutputWire, TaskWire
from mtop.feed import Unanswered
from mtop.recording.past import Past
from mtop.recording.runs import CODES, Ran, Runs
from mtop.recording.sources import BAD, Source, Whole

__all__ = ["Evidence"]

_SHOWN = 100
_READ = 1_000
"""Failures of a minion whose causes are looked at: the last ones. Reading them takes time."""

_SAMPLES = 5
_TAIL = 4_096


class Evidence:
    """Reads records again.

    Args:
        runs: All runs.
        sources: The files in which they stand.
    """

    def __init__(self, runs: Runs, sources: Sequence[Source]) -> None:
        self._runs, self._sources = runs, sources
        self._bad = {code for code, (outcome, _, _) in enumerate(CODES) if outcome in BAD}

    def tasks(self, past: Past, wall: float) -> list[TaskWire]:
        """Return the runs of a minion that were under way at a time.

        Raises:
            Unanswered: They cannot be read any more. So do all of these.
        """
        found = [self._whole(run) for run in past.under_way(wall)]
        return [
            TaskWire(
                id=record.id, param=record.param, attempt=record.attempt, redelivered=record.redelivered,
                slot=record.slot, pid=record.pid, started=record.started, age=max(0.0, wall - record.started), cpu=None,
                rss=None,
            )
            for record in sorted(found, key=lambda record: record.slot)
        ]  # fmt: skip

    def output(self, past: Past, wall: float, id: str) -> OutputWire:
        """Return what a run that was under way has written by its end: nobody knows how much it was at that time."""
        for run in past.under_way(wall):
            record = self._whole(run)
            if record.id == id:
                return OutputWire(id=id, stdout=_tail(record.stdout), stderr=_tail(record.stderr))
        raise Unanswered("it does not run any more")

    def failures(self, ran: Ran, wall: float) -> FailuresWire:
        """Return the failures of a minion up to a time."""
        found = sorted(self._failed(ran, wall), key=self._runs.ended.__getitem__)
        last = [_failure(self._whole(run), ran) for run in found[-_READ:]]
        causes: dict[str, list[FailureWire]] = {}
        for failure in last:
            causes.setdefault(failure["cause"], []).append(failure)
        known = sorted(causes.items(), key=lambda cause: -len(cause[1]))
        return FailuresWire(
            schema=SCHEMA, total=len(found), causes=[_cause(name, some) for name, some in known],
            failures=last[: -_SHOWN - 1 : -1],
        )  # fmt: skip

    def _failed(self, ran: Ran, wall: float) -> Iterator[int]:
        runs = self._runs
        for slot in ran.slots:
            for run in range(slot.first, slot.last):
                if runs.ended[run] > wall:
                    break
                if runs.codes[run] in self._bad:
                    yield run

    def _whole(self, run: int) -> Whole:
        source = self._sources[self._runs.files[run]]
        try:
            return source.whole(self._runs.places[run])
        except (OSError, ValueError) as error:
            raise Unanswered(f"the record cannot be read any more: {error}") from None


def _cause(name: str, failures: Sequence[FailureWire]) -> CauseWire:
    return CauseWire(
        cause=name, count=len(failures), first=failures[0]["at"], last=failures[-1]["at"],
        samples=[failure["id"] for failure in failures[-_SAMPLES:]],
    )  # fmt: skip


def _failure(record: Whole, ran: Ran) -> FailureWire:
    stderr = _tail(record.stderr) or ""
    known = {
        "outcome": record.outcome, "exit_code": record.exit_code, "signal": record.signal, "reason": record.reason,
        "stderr": stderr,
    }  # fmt: skip
    return FailureWire(
        id=record.id, param=record.param, slot=record.slot, at=record.ended, cause=cause_of(known),
        settled=record.settled, outcome=record.outcome, exit_code=record.exit_code, signal=record.signal,
        reason=record.reason, stderr=stderr, argv=None, host=record.host, minion=ran.name, attempt=record.attempt,
        started=record.started, ended=record.ended,
    )  # fmt: skip


def _tail(text: str | None) -> str | None:
    return None if text is None else text[-_TAIL:]
