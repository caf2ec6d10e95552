"""From the counts to the summary that is handed out. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from minionize.stats.histogram import BOUNDS, quantile
from minionize.status.run import FAILURES, OUTCOMES
from minionize.status.summary import Summary, Tally
from minionize.status.timeline import Series, Timeline
from minionize.status.wire import (
    SCHEMA,
    Activity,
    Durations,
    FailureGroup,
    Group,
    Minion,
    Outcome,
    Status,
    Times,
    Waste,
)

__all__ = ["Read", "answer"]

STEPS = 240
"""How many steps a timeline has at most."""

_HOST_STEPS = 64
_FEWEST = 20
_PER_STEP = 5  # runs that a step should hold, where there are few
_WASTED = tuple(name != "succeeded" for name in OUTCOMES)


class Read(NamedTuple):
    """What was read, and when."""

    as_of: float
    places: Sequence[str]
    files: int
    left_out: int
    passed_over: int


def answer(summary: Summary, read: Read, steps: int = STEPS) -> Status:
    """Write everything down.

    Args:
        summary: The counts.
        read: Where they are from.
        steps: How many steps the timeline may have.
    """
    tallies = list(summary.minions.values())
    first = min((tally.first for tally in tallies), default=None)
    last = max((tally.last for tally in tallies), default=None)
    outcomes = {name: _outcome(tallies, index) for index, name in enumerate(OUTCOMES)}
    count = outcomes["succeeded"]["count"]
    return Status(
        schema=SCHEMA,
        as_of=read.as_of,
        places=list(read.places),
        files=read.files,
        records=summary.records,
        left_out=read.left_out,
        passed_over=read.passed_over,
        first=first,
        last=last,
        rate=count / (last - first) if first is not None and last is not None and last > first else None,
        outcomes=outcomes,
        settled=dict(summary.settled),
        waste=_waste(outcomes),
        durations=_durations(summary, sum(each["seconds"] for each in outcomes.values())),
        times=_times(
            summary.timeline.series(min(steps, max(_FEWEST, summary.records // _PER_STEP))), first or 0.0, last or 0.0
        ),
        failures=_failures(summary),
        hosts=_groups(tallies, lambda tally: tally.host, summary.hosts),
        jobs=_groups(tallies, lambda tally: tally.job, {}),
        minions=[_minion(tally) for tally in sorted(tallies, key=lambda tally: (tally.first, tally.minion))],
        minions_at_once=_at_once(tallies),
    )


def _outcome(tallies: Iterable[Tally], index: int) -> Outcome:
    chosen = [(tally.counts[index], tally.seconds[index]) for tally in tallies]
    return Outcome(count=sum(count for count, _ in chosen), seconds=sum(seconds for _, seconds in chosen))


def _waste(outcomes: dict[str, Outcome]) -> Waste:
    failed = sum(outcomes[name]["seconds"] for name in OUTCOMES if name in FAILURES)
    preempted = outcomes["preempted"]["seconds"]
    total = sum(each["seconds"] for each in outcomes.values())
    wasted = failed + preempted
    return Waste(
        seconds=wasted, failed=failed, preempted=preempted, total=total, share=wasted / total if total else None
    )


def _durations(summary: Summary, seconds: float) -> Durations:
    counts = [sum(column) for column in zip(*summary.durations, strict=True)]
    used = [index for index, count in enumerate(counts) if count]
    chosen = slice(used[0], used[-1] + 1) if used else slice(0)
    # The buckets are wider than the truth: nothing took longer than the longest.
    quantiles = [quantile(counts, share) for share in (0.5, 0.95, 0.99)]
    p50, p95, p99 = (None if each is None else min(each, summary.longest) for each in quantiles)
    return Durations(
        count=sum(counts),
        sum=seconds,
        p50=p50,
        p95=p95,
        p99=p99,
        longest=summary.longest if used else None,
        bounds=[*BOUNDS, None][chosen],
        buckets={name: each[chosen] for name, each in zip(OUTCOMES, summary.durations, strict=True) if any(each)},
    )


def _times(series: Series | None, first: float, last: float) -> Times | None:
    if series is None:
        return None
    start, step = series.start, series.step
    spans = [step] * len(series.in_flight)
    # The first and the last step are not whole; a sliver of one says nothing about a rate.
    spans[0] -= min(step / 2, max(0.0, first - start))
    spans[-1] -= min(step / 2, max(0.0, start + len(spans) * step - last))
    ended = {name: counts for name, counts in series.ended.items() if any(counts)}
    rates = {
        name: [round(count / span, 6) for count, span in zip(counts, spans, strict=True)]
        for name, counts in ended.items()
    }
    return Times(start=start, step=step, ended=ended, rates=rates, in_flight=series.in_flight)


def _failures(summary: Summary) -> list[FailureGroup]:
    total = sum(cause.count for cause in summary.causes.found.values())
    ordered = sorted(summary.causes.found.items(), key=lambda item: (-item[1].count, item[0]))
    return [
        FailureGroup(
            cause=name,
            count=cause.count,
            share=cause.count / total,
            seconds=cause.seconds,
            first=cause.first,
            last=cause.last,
            samples=cause.samples,
        )
        for name, cause in ordered
    ]


def _by_outcome(tallies: Iterable[Tally]) -> dict[str, int]:
    columns = zip(*(tally.counts for tally in tallies), strict=True)
    return {name: sum(column) for name, column in zip(OUTCOMES, columns, strict=True) if any(column)}


def _wasted(tally: Tally) -> float:
    return sum(seconds for seconds, is_waste in zip(tally.seconds, _WASTED, strict=True) if is_waste)


def _groups(
    tallies: Iterable[Tally], name_of: Callable[[Tally], str | None], activity: dict[str, Timeline]
) -> list[Group]:
    members: dict[str | None, list[Tally]] = {}
    for tally in tallies:
        members.setdefault(name_of(tally), []).append(tally)
    groups = [
        Group(
            name=name,
            minions=len(each),
            hosts=len({tally.host for tally in each}),
            records=sum(sum(tally.counts) for tally in each),
            outcomes=_by_outcome(each),
            seconds=sum(sum(tally.seconds) for tally in each),
            wasted=sum(map(_wasted, each)),
            first=min(tally.first for tally in each),
            last=max(tally.last for tally in each),
            activity=_activity(activity.get(name) if name is not None else None),
        )
        for name, each in members.items()
    ]
    return sorted(groups, key=lambda group: (-group["records"], group["name"] or ""))


def _activity(timeline: Timeline | None) -> Activity | None:
    series = timeline.series(_HOST_STEPS) if timeline else None
    return Activity(start=series.start, step=series.step, in_flight=series.in_flight) if series else None


def _minion(tally: Tally) -> Minion:
    return Minion(
        minion=tally.minion,
        host=tally.host,
        job=tally.job,
        slots=tally.slots,
        records=sum(tally.counts),
        outcomes=_by_outcome([tally]),
        seconds=sum(tally.seconds),
        wasted=_wasted(tally),
        first=tally.first,
        last=tally.last,
    )


def _at_once(tallies: Iterable[Tally]) -> int:
    """Count how many minions there were at the same time, at most."""
    changes = sorted(change for tally in tallies for change in ((tally.first, 0, 1), (tally.last, 1, -1)))
    highest = alive = 0
    for _, _, change in changes:
        alive += change
        highest = max(highest, alive)
    return highest
