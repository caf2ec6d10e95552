"""The numbers of a minion as they are sent: by ``GET /stats``, in the registry's heartbeats, in a tombstone.

Scripts depend on these names: add, never rename. Times are Unix seconds, durations and ages are seconds.
"""

from __future__ import annotations

from typing import Literal, TypedDict

SCHEMA = 1
"""The version of all this. A reader of version 1 reads every later answer that says 1."""

State = Literal["starting", "running", "idle", "paused", "draining", "stopped"]


class Counters(TypedDict):
    """What was counted, since the minion started; the meaning of each is told in ``minionize.stats.counters``."""

    received: int
    succeeded: int
    failed: int
    timed_out: int
    could_not_start: int
    retried: int
    preempted: int
    redelivered: int
    crashed: int
    dead: int
    lease_lost: int


class Rated(TypedDict):
    """Per second, over the last ``window`` seconds. ``failed`` are failures and time-outs."""

    window: float
    succeeded: float
    failed: float
    redelivered: float


class Latency(TypedDict):
    """How long runs took, whatever their outcome; ``buckets``: [no longer than, so many], at last [null, all]."""

    count: int
    sum: float
    p50: float | None
    p95: float | None
    p99: float | None
    buckets: list[tuple[float | None, int]]


class InFlight(TypedDict):
    """Runs under way; ``oldest`` is the age of the oldest one."""

    count: int
    oldest: float | None


class BacklogSeen(TypedDict):
    """What the queue holds, as it said at ``as_of``."""

    ready: int | None
    in_flight: int | None
    dead: int | None
    exact: bool
    as_of: float


class Resources(TypedDict):
    """What the minion and its runs use: ``cpu`` in cores (1.0 is one whole core), ``rss`` in bytes."""

    cpu: float
    rss: int
    children_cpu: float
    children_rss: int


class StatsWire(TypedDict):
    """All numbers of one minion."""

    schema: int
    id: str
    host: str
    pid: int
    user: str
    version: str
    engine: str
    queue: str
    command: str
    labels: dict[str, str]
    state: State
    why: str
    started: float
    uptime: float
    slots: int
    busy: int
    counters: Counters
    rates: Rated
    latency: Latency
    in_flight: InFlight
    backlog: BacklogSeen | None
    resources: Resources


class TaskWire(TypedDict):
    """One run under way."""

    id: str
    param: object
    attempt: int | None
    redelivered: bool | None
    slot: int
    pid: int | None
    started: float
    age: float
    cpu: float | None
    rss: int | None


class FailureWire(TypedDict):
    """One run that did not succeed, with its evidence: ``cause`` is what failures are grouped by."""

    id: str
    param: object
    slot: int
    at: float
    cause: str
    settled: str
    outcome: str
    exit_code: int | None
    signal: int | None
    reason: str | None
    stderr: str
    argv: list[str] | None
    host: str
    minion: str
    attempt: int | None
    started: float
    ended: float


class CauseWire(TypedDict):
    """Failures of one cause; ``samples`` are ids of the last few params."""

    cause: str
    count: int
    first: float
    last: float
    samples: list[str]


class FailuresWire(TypedDict):
    """The last failures, the newest first, and all of them by cause, the most frequent first."""

    schema: int
    total: int
    causes: list[CauseWire]
    failures: list[FailureWire]


class OutputWire(TypedDict):
    """The end of what a run has written until now; null where it does not come through the minion's hands."""

    id: str
    stdout: str | None
    stderr: str | None


class ControlWire(TypedDict):
    """How things stand after a control was taken."""

    id: str
    state: State
    slots: int
    busy: int


class RequeuedWire(ControlWire):
    """How things stand after dead params were made ready again; ``requeued``: so many."""

    requeued: int
