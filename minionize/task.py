"""The values that travel with a param: Task, Outcome, Record. Frozen; standard library only.

They are named tuples, for some are made for each param, and a frozen dataclass takes four times as long to make.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple

Param = Any
"""What the queue holds: a string, or any JSON value (execo: any hashable Python object)."""


class OutcomeKind(StrEnum):
    """How a run ended."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    PREEMPTED = "preempted"
    COULD_NOT_START = "could_not_start"


class Task(NamedTuple):
    """One param in one slot: what a callback is told beside the param.

    Attributes:
        param: The param.
        id: Its id, stable over redeliveries.
        attempt: 1 for the first delivery; None where the queue cannot tell.
        redelivered: Whether it was delivered before; None where the queue cannot tell.
        slot: The slot, from 1.
        seq: How many params this minion has started, from 1.
        minion: Id of the minion.
    """

    param: Param
    id: str
    attempt: int | None
    redelivered: bool | None
    slot: int
    seq: int
    minion: str


class Outcome(NamedTuple):
    """How a run ended, with its evidence.

    Attributes:
        kind: The outcome.
        exit_code: Exit code of the program; None where there is none.
        signal: Number of the signal that ended it; None where there is none.
        reason: Why it did not succeed, in words; None when it did.
        result: What a function returned, as a JSON value.
        started, ended: Unix seconds.
        pid: Process of the run; None if none was started.
        argv: Command line of the run; None for functions.
        stdout, stderr: Captured output, capped; None where it was not captured.
        stdout_bytes, stderr_bytes: Its whole size in bytes.
        stderr_tail: The end of stderr, for the evidence.
        stop: The minion must not take another param (the fault is this minion's).
    """

    kind: OutcomeKind
    started: float
    ended: float
    exit_code: int | None = None
    signal: int | None = None
    reason: str | None = None
    result: Any = None
    pid: int | None = None
    argv: tuple[str, ...] | None = None
    stdout: str | None = None
    stderr: str | None = None
    stdout_bytes: int | None = None
    stderr_bytes: int | None = None
    stderr_tail: str = ""
    stop: bool = False

    @property
    def duration(self) -> float:
        """Seconds from start to end."""
        return max(0.0, self.ended - self.started)


RECORD_FIELDS = (
    "param", "id", "attempt", "redelivered", "outcome", "exit_code", "signal", "reason", "settled",
    "started", "ended", "duration", "host", "minion", "slot", "pid", "result",
    "stdout", "stderr", "stdout_bytes", "stderr_bytes",
)  # fmt: skip
"""The fields of a record, in their order. Scripts depend on them: add, never rename."""


class Record(NamedTuple):
    """What a reporter gets: one settled delivery.

    Attributes:
        task: What was run.
        outcome: How it ended.
        settled: "ack", "nack" or "dead".
        host: Name of the host.
    """

    task: Task
    outcome: Outcome
    settled: str
    host: str

    def fields(self) -> dict[str, Any]:
        """Return the record as a mapping, with exactly the names of RECORD_FIELDS."""
        task, outcome = self.task, self.outcome
        return {
            "param": task.param,
            "id": task.id,
            "attempt": task.attempt,
            "redelivered": task.redelivered,
            "outcome": outcome.kind.value,
            "exit_code": outcome.exit_code,
            "signal": outcome.signal,
            "reason": outcome.reason,
            "settled": self.settled,
            "started": outcome.started,
            "ended": outcome.ended,
            "duration": outcome.duration,
            "host": self.host,
            "minion": task.minion,
            "slot": task.slot,
            "pid": outcome.pid,
            "result": outcome.result,
            "stdout": outcome.stdout,
            "stderr": outcome.stderr,
            "stdout_bytes": outcome.stdout_bytes,
            "stderr_bytes": outcome.stderr_bytes,
        }


def evidence(record: Record) -> dict[str, Any]:
    """Return why a param is dead: what goes with it into the dead letters and the list of failures."""
    task, outcome = record.task, record.outcome
    return {
        "outcome": outcome.kind.value,
        "exit_code": outcome.exit_code,
        "signal": outcome.signal,
        "reason": outcome.reason,
        "stderr": outcome.stderr_tail,
        "argv": None if outcome.argv is None else list(outcome.argv),
        "host": record.host,
        "minion": task.minion,
        "attempt": task.attempt,
        "started": outcome.started,
        "ended": outcome.ended,
    }


def plain(value: Any) -> Any:
    """Make a JSON value of anything: for ``json.dumps(default=plain)``."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value, key=repr)
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape")
    return str(value)


# json.dumps would make an encoder for each call.
_ENCODE = json.JSONEncoder(default=plain, separators=(",", ":")).encode


def to_json(value: Any) -> str:
    """Write any value as one line of JSON; what JSON has no form for becomes text."""
    try:
        return _ENCODE(value)
    except (TypeError, ValueError, RecursionError):
        # Keys that are no strings, or a structure that holds itself.
        return json.dumps(str(value))


def param_text(param: Param) -> str:
    """Write a param as one text: a string as it is, anything else as JSON."""
    if isinstance(param, str):
        return param
    return str(param) if type(param) is int else to_json(param)
