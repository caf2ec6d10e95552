"""The summary as it is handed out: ``minion-status --json``, and what every view is made from.

Scripts depend on these names: add, never rename. Times are Unix seconds, durations are seconds.
"""

from __future__ import annotations

from typing import TypedDict

__all__ = ["SCHEMA", "Activity", "Durations", "FailureGroup", "Group", "Minion", "Outcome", "Status", "Times", "Waste"]

SCHEMA = 1
"""The version of all this. A reader of version 1 reads every later answer that says 1."""


class Outcome(TypedDict):
    """How many runs ended so, and how long they took together."""

    count: int
    seconds: float


class Waste(TypedDict):
    """Seconds spent for nothing: in runs that failed, timed out or could not start, and in those that were preempted.

    ``share`` is their part of ``total``, the seconds of all runs; null without any.
    """

    seconds: float
    failed: float
    preempted: float
    total: float
    share: float | None


class Durations(TypedDict):
    """How long runs took, whatever their outcome.

    ``bounds`` are upper bounds of buckets, in seconds; the last bucket has none. ``buckets``: for each outcome that
    there was, how many runs there were in each bucket.
    """

    count: int
    sum: float
    p50: float | None
    p95: float | None
    p99: float | None
    longest: float | None
    bounds: list[float | None]
    buckets: dict[str, list[int]]


class Times(TypedDict):
    """What happened when, in steps of ``step`` seconds from ``start`` on.

    ``ended``: for each outcome that there was, how many runs ended in each step; ``rates``: the same per second (the
    first and the last step are not whole); ``in_flight``: how many runs were under way, on average, of those that
    have a record, which comes when a run has ended.
    """

    start: float
    step: float
    ended: dict[str, list[int]]
    rates: dict[str, list[float]]
    in_flight: list[float]


class FailureGroup(TypedDict):
    """Failures of one cause; ``share`` is their part of all failures, ``samples`` are ids of a few params."""

    cause: str
    count: int
    share: float
    seconds: float
    first: float
    last: float
    samples: list[str]


class Activity(TypedDict):
    """How many runs a host had in flight, on average, in steps of ``step`` seconds from ``start`` on."""

    start: float
    step: float
    in_flight: list[float]


class Group(TypedDict):
    """What the minions of a host or a job did together. ``name`` is null where the job is not known.

    ``activity`` is null for a job.
    """

    name: str | None
    minions: int
    hosts: int
    records: int
    outcomes: dict[str, int]
    seconds: float
    wasted: float
    first: float
    last: float
    activity: Activity | None


class Minion(TypedDict):
    """What one minion did: from the start of its first run to the end of its last one."""

    minion: str
    host: str
    job: str | None
    slots: int
    records: int
    outcomes: dict[str, int]
    seconds: float
    wasted: float
    first: float
    last: float


class Status(TypedDict):
    """All of it. ``first`` and ``last``: the start of the first run and the end of the last one; null without any.

    ``passed_over`` are lines that were no record; ``left_out`` are records that the filters left out. ``settled``
    counts ack, nack and dead. Failures, hosts and jobs come in falling order, minions in the order of their start.
    """

    schema: int
    as_of: float
    places: list[str]
    files: int
    records: int
    left_out: int
    passed_over: int
    first: float | None
    last: float | None
    rate: float | None
    outcomes: dict[str, Outcome]
    settled: dict[str, int]
    waste: Waste
    durations: Durations
    times: Times | None
    failures: list[FailureGroup]
    hosts: list[Group]
    jobs: list[Group]
    minions: list[Minion]
    minions_at_once: int
