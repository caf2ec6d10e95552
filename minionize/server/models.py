"""What the answers look like, for ``/docs`` and ``/openapi.json``: the names of ``stats/wire.py``, described.

The answers themselves are the TypedDicts of ``wire``, which a type checker has seen; nothing is checked again
when they are sent. A test holds both together. Version 1: names are added, never changed.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from minionize.server import examples
from minionize.stats.wire import State

Seconds = Annotated[float, Field(description="seconds")]
Moment = Annotated[float, Field(description="Unix seconds")]
Count = Annotated[int, Field(ge=0)]
Version = Annotated[
    Literal[1], Field(alias="schema", description="the version of the answer; names are only ever added")
]


def _shown(example: Any) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [example]})


class Counters(BaseModel):
    """What was counted since the minion started."""

    model_config = _shown(examples.COUNTERS)
    received: Annotated[int, Field(description="deliveries taken")]
    succeeded: Annotated[int, Field(description="runs that succeeded")]
    failed: Annotated[int, Field(description="runs that failed")]
    timed_out: Annotated[int, Field(description="runs that were ended by --timeout")]
    could_not_start: Annotated[int, Field(description="runs that could not be started here")]
    retried: Annotated[int, Field(description="given back as a charged attempt")]
    preempted: Annotated[int, Field(description="runs that were stopped because the minion had to stop")]
    redelivered: Annotated[int, Field(description="received again: attempt above 1, or so said the queue")]
    crashed: Annotated[int, Field(description="received after a run that ended without an outcome")]
    dead: Annotated[int, Field(description="params that were given up")]
    lease_lost: Annotated[int, Field(description="runs whose delivery was no longer ours")]


class Rates(BaseModel):
    """Per second, over the last `window` seconds. `failed` are failures and time-outs."""

    window: Seconds
    succeeded: float
    failed: float
    redelivered: float


class Latency(BaseModel):
    """How long runs took, whatever their outcome."""

    count: Count
    sum: Seconds
    p50: Annotated[float | None, Field(description="seconds; null before the first run has ended")]
    p95: Annotated[float | None, Field(description="seconds")]
    p99: Annotated[float | None, Field(description="seconds")]
    buckets: Annotated[
        list[tuple[float | None, int]], Field(description="[seconds, runs that took no longer]; at last [null, all]")
    ]


class InFlight(BaseModel):
    """Deliveries that were taken and are not settled yet."""

    count: Count
    oldest: Annotated[float | None, Field(description="age of the oldest one, in seconds")]


class Backlog(BaseModel):
    """What the queue holds, as it said at `as_of`; null where it cannot tell."""

    ready: int | None
    in_flight: int | None
    dead: int | None
    exact: Annotated[bool, Field(description="false: an estimate")]
    as_of: Moment


class Resources(BaseModel):
    """What the minion and its runs use."""

    cpu: Annotated[float, Field(description="cores used by the minion; 1.0 is one whole core")]
    rss: Annotated[int, Field(description="bytes of memory of the minion")]
    children_cpu: Annotated[float, Field(description="cores used by its runs")]
    children_rss: Annotated[int, Field(description="bytes of memory of its runs")]


class Stats(BaseModel):
    """All numbers of one minion. With `fields`, only the named ones, `schema` and `id`."""

    model_config = _shown(examples.STATS)
    schema_: Version
    id: Annotated[str, Field(description="id of the minion")]
    host: Annotated[str, Field(description="where it runs")]
    pid: int
    user: Annotated[str, Field(description="whose it is")]
    version: Annotated[str, Field(description="version of minionize")]
    engine: Annotated[str, Field(description="the kind of queue")]
    queue: Annotated[str, Field(description="the queue")]
    command: Annotated[str, Field(description="what is run for each param")]
    labels: Annotated[dict[str, str], Field(description="--label, and ids of the batch job")]
    state: State
    why: Annotated[str, Field(description="why it is in that state")]
    started: Moment
    uptime: Seconds
    slots: int
    busy: Annotated[int, Field(description="slots in which a param runs")]
    counters: Counters
    rates: Rates
    latency: Latency
    in_flight: InFlight
    backlog: Backlog | None
    resources: Resources


class Task(BaseModel):
    """One run under way."""

    model_config = _shown(examples.TASKS[0])
    id: Annotated[str, Field(description="id of the param")]
    param: Any
    attempt: Annotated[int | None, Field(description="1 for the first delivery; null where the queue cannot tell")]
    redelivered: bool | None
    slot: int
    pid: int | None
    started: Moment
    age: Seconds
    cpu: Annotated[float | None, Field(description="cores")]
    rss: Annotated[int | None, Field(description="bytes")]


class Failure(BaseModel):
    """One run that did not succeed, with its evidence."""

    model_config = _shown(examples.FAILURE)
    id: Annotated[str, Field(description="id of the param")]
    param: Any
    slot: int
    at: Moment
    cause: Annotated[str, Field(description="what failures are grouped by")]
    settled: Annotated[str, Field(description="ack, nack or dead")]
    outcome: str
    exit_code: int | None
    signal: int | None
    reason: str | None
    stderr: Annotated[str, Field(description="the end of stderr")]
    argv: list[str] | None
    host: str
    minion: str
    attempt: int | None
    started: Moment
    ended: Moment


class Cause(BaseModel):
    """Failures of one cause."""

    cause: str
    count: Count
    first: Moment
    last: Moment
    samples: Annotated[list[str], Field(description="ids of the last few params")]


class Failures(BaseModel):
    """The last failures, the newest first, and all of them by cause, the most frequent first."""

    model_config = _shown(examples.FAILURES)
    schema_: Version
    total: Annotated[int, Field(description="failures since the minion started")]
    causes: list[Cause]
    failures: list[Failure]


class Output(BaseModel):
    """The end of what a run has written; null where it does not come through the minion's hands."""

    model_config = _shown(examples.OUTPUT)
    id: str
    stdout: str | None
    stderr: str | None


class Control(BaseModel):
    """How things stand after a control was taken."""

    model_config = _shown(examples.CONTROL)
    id: Annotated[str, Field(description="id of the minion")]
    state: State
    slots: int
    busy: int


class Requeued(Control):
    """How things stand after dead params were made ready again."""

    model_config = _shown(examples.REQUEUED)
    requeued: Annotated[Count, Field(description="dead params that were made ready again")]


class Health(BaseModel):
    """The minion works."""

    model_config = _shown(examples.HEALTH)
    status: Literal["ok"]
    id: str
    state: State


class Slots(BaseModel):
    """How many slots there shall be."""

    model_config = ConfigDict(extra="forbid", strict=True, json_schema_extra={"examples": [{"slots": 4}]})
    slots: Annotated[int, Field(ge=1, le=10_000)]


class Requeue(BaseModel):
    """Which dead params are to be made ready again."""

    model_config = ConfigDict(
        extra="forbid", strict=True, json_schema_extra={"examples": [{"ids": ["a1c9e0774be21f58"]}]}
    )
    ids: Annotated[list[str] | None, Field(description="ids of params; null: all dead params of the queue")] = None


class Wrong(BaseModel):
    """One thing that is wrong with a request."""

    where: Annotated[str, Field(description="such as query.window or body.slots")]
    detail: str


class Problem(BaseModel):
    """An error, as RFC 9457 has it."""

    model_config = _shown(examples.PROBLEM)
    type: Annotated[str, Field(description="urn:minionize:problem:NAME")]
    title: str
    status: int
    detail: str
    instance: Annotated[str, Field(description="the path that was asked for")]
    errors: Annotated[list[Wrong], Field(description="with invalid only")] = []
