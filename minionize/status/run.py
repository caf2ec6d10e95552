"""What is kept of a record while it is counted: a few of its fields."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from minionize.task import OutcomeKind

__all__ = ["FAILURES", "LATEST", "OUTCOMES", "Labels", "Moment", "Run"]

OUTCOMES: tuple[str, ...] = tuple(kind.value for kind in OutcomeKind)
"""The outcomes, in the order in which they are counted and shown."""

FAILURES = frozenset({"failed", "timed_out", "could_not_start"})
"""The outcomes that have a cause; who is preempted has done nothing wrong."""

LATEST = 1e11
"""Unix seconds beyond which nothing is a time; it would only stretch the plots."""

Moment = Annotated[float, msgspec.Meta(ge=0.0, le=LATEST)]
"""Unix seconds."""


class Labels(msgspec.Struct, gc=False):
    """Of a minion's labels the one that is counted by."""

    job: str | None = None


class Run(msgspec.Struct, gc=False):
    """One run: the fields of a record that are counted, under their names. Whatever else a record holds is passed over.

    Attributes:
        job: Id of the batch job, where it is known; or in the labels.
    """

    outcome: Literal["succeeded", "failed", "timed_out", "preempted", "could_not_start"]
    started: Moment
    ended: Moment
    minion: str = ""
    host: str = ""
    id: str = ""
    slot: int = 1
    settled: str | None = None
    exit_code: int | None = None
    signal: int | None = None
    reason: str | None = None
    stderr: str | None = None
    job: str | None = None
    labels: Labels | None = None
