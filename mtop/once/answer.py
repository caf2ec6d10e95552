"""The answer of ``--json``. Scripts depend on these names: add, never rename. Times are Unix seconds."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from math import isfinite
from typing import Any, TypedDict

from mtop.columns import Column, Value
from mtop.model.minion import Minion
from mtop.model.queues import Queue
from mtop.model.totals import Totals

__all__ = ["SCHEMA", "Answer", "BacklogWire", "FleetWire", "QueueWire", "RatesWire", "answer", "line"]

SCHEMA = 1
"""The version of all this. A reader of version 1 reads every later answer that says 1."""


class RatesWire(TypedDict):
    """Runs per second, of late; ``failed`` are failures and time-outs."""

    done: float
    failed: float
    redelivered: float


class BacklogWire(TypedDict):
    """What all queues hold; null where none can tell. ``eta``: seconds until they are empty, null if not known."""

    ready: int | None
    in_flight: int | None
    dead: int | None
    exact: bool
    eta: float | None
    stalled: bool


class QueueWire(BacklogWire):
    """One queue; ``rate``: params that leave it per second; ``minions``: how many work at it."""

    engine: str
    name: str
    rate: float
    minions: int


class FleetWire(TypedDict):
    """All minions together: those of the filter, where there is one.

    ``live`` counts those that are neither stale, lost, stopped nor unknown. ``lost_params`` were in flight in lost
    minions. ``counters`` are those of ``/stats``. ``troubles``: why the exit status is 1. ``problems``: what could not
    be looked at.
    """

    place: str
    minions: int
    live: int
    stale: int
    lost: int
    stopped: int
    unknown: int
    slots: int
    busy: int
    lost_params: int
    stragglers: int
    suspects: int
    rates: RatesWire
    counters: dict[str, int]
    backlog: BacklogWire
    queues: list[QueueWire]
    troubles: list[str]
    problems: list[str]


class Answer(TypedDict):
    """The whole; ``minions`` have the names of columns as their keys."""

    schema: int
    as_of: float
    fleet: FleetWire
    minions: list[dict[str, Value]]


def answer(
    sums: Totals,
    minions: Iterable[Minion],
    columns: Sequence[Column],
    *,
    as_of: float,
    place: str,
    troubles: Sequence[str] = (),
    problems: Sequence[str] = (),
) -> Answer:
    """Put an answer together.

    Args:
        sums: Of these minions.
        minions: Them, in order.
        columns: What is told of each.
        as_of: When they were looked at.
        place: Where.
        troubles: What is not well.
        problems: What could not be looked at.
    """
    states = sums.states
    fleet = FleetWire(
        place=place, minions=sums.minions, live=sums.live, stale=states["stale"], lost=states["lost"],
        stopped=states["stopped"], unknown=states["unknown"], slots=sums.slots, busy=sums.busy,
        lost_params=sums.lost_params, stragglers=sums.stragglers, suspects=sums.suspects,
        rates=RatesWire(done=sums.done, failed=sums.failed, redelivered=sums.redelivered), counters=sums.counters,
        backlog=_backlog(sums), queues=[_queue(queue) for queue in sums.queues], troubles=list(troubles),
        problems=list(problems),
    )  # fmt: skip
    told = [{column.key: column.value(minion) for column in columns} for minion in minions]
    return Answer(schema=SCHEMA, as_of=as_of, fleet=fleet, minions=told)


def line(answer: Answer) -> str:
    """Write an answer as one line of ASCII."""
    encoder = json.JSONEncoder(separators=(",", ":"), allow_nan=False)
    try:
        return encoder.encode(answer) + "\n"
    except ValueError:
        # Sums of what a minion made up: they have no end, and JSON has no word for that.
        return encoder.encode(_finite(answer)) + "\n"


def _backlog(of: Totals | Queue) -> BacklogWire:
    return BacklogWire(
        ready=of.ready, in_flight=of.in_flight, dead=of.dead, exact=of.exact, eta=of.eta, stalled=of.stalled
    )


def _queue(queue: Queue) -> QueueWire:
    return QueueWire(
        **_backlog(queue), engine=queue.engine, name=queue.name, rate=queue.rate, minions=queue.minions
    )  # fmt: skip


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not isfinite(value) else value
