"""The numbers of a minion of the demo, at any time. They add up like those of a real one."""

from __future__ import annotations

import math
from typing import NamedTuple

from minionize.stats.wire import SCHEMA, BacklogSeen, Counters, InFlight, Latency, Rated, Resources, StatsWire
from mtop.demo.cast import Member
from mtop.demo.course import Standing

__all__ = ["BEGAN", "Ended", "bad_of", "dead", "ended", "kind_of", "said", "speeds", "taken"]

BEGAN = 1_773_223_200.0
"""The time of day when the demo begins: 11 March 2026, 10:00 UTC."""

_WINDOW = 10.0
_GIVEN_BACK, _SPECIAL, _LOST, _TIMED_OUT = 0.45, 0.2, 0.25, 0.15
"""Shares of shares: of what did not succeed, what is given back; of that, what is no failure; of that, lost leases; of
what is dead, what timed out. So each number only grows, and all of them add up."""


class Ended(NamedTuple):
    """What became of runs, of all that ended by themselves."""

    succeeded: int
    failed: int
    timed_out: int
    preempted: int
    lease_lost: int
    retried: int
    dead: int


def ended(member: Member, number: int) -> Ended:
    """Tell what became of so many runs."""
    bad = bad_of(member, number)
    given_back = int(bad * _GIVEN_BACK)
    special = int(given_back * _SPECIAL)
    lost = int(special * _LOST)
    timed_out = int((bad - given_back) * _TIMED_OUT)
    return Ended(
        number - bad, bad - special - timed_out, timed_out, special - lost, lost, given_back - special, bad - given_back
    )


def bad_of(member: Member, number: int) -> int:
    """Return how many of so many runs did not succeed."""
    return int(number * member.bad + member.turn)


def kind_of(bad: int) -> tuple[str | None, str]:
    """Tell the outcome of a run that did not succeed after so many others, and how it was settled; None: no failure."""
    before, after = int(bad * _GIVEN_BACK), int((bad + 1) * _GIVEN_BACK)
    if after > before:
        return (None if int(after * _SPECIAL) > int(before * _SPECIAL) else "failed"), "nack"
    dead = bad - before
    return ("timed_out" if int((dead + 1) * _TIMED_OUT) > int(dead * _TIMED_OUT) else "failed"), "dead"


def taken(member: Member, stands: Standing) -> int:
    """Return how many params it has received."""
    return stands.ended + stands.busy + len(member.killed) + len(member.given_back)


def dead(member: Member, x: float) -> int:
    """Return how many params it has given up."""
    return ended(member, member.course.ended(x)).dead + len(member.killed)


def speeds(member: Member, x: float) -> tuple[float, float, float]:
    """Return how many runs succeeded, failed, and came again, per second of the last ten."""
    now, then = member.course.ended(x), member.course.ended(x - _WINDOW)
    bad = bad_of(member, now) - bad_of(member, then)
    again = int(now * member.again + member.turn) - int(then * member.again + member.turn)
    return (now - then - bad) / _WINDOW, bad / _WINDOW, again / _WINDOW


def said(member: Member, x: float, backlog: BacklogSeen | None) -> StatsWire:
    """Return what a minion says of itself.

    Args:
        member: The minion.
        x: When, in seconds since the demo began.
        backlog: What its queue says.
    """
    x = min(x, member.dies)
    stands = member.course.standing(x)
    if stands.state == "stopped":
        x = member.course.left_at()
    sweep, busy = member.sweep, stands.busy
    succeeded, failed, again = speeds(member, x) if stands.state != "stopped" else (0.0, 0.0, 0.0)
    swing = math.sin(x / 7.0 + 6.0 * member.turn)
    return StatsWire(
        schema=SCHEMA, id=member.id, host=member.host, pid=member.pid, user=sweep.user, version=member.version,
        engine=sweep.engine, queue=sweep.queue, command=sweep.command, labels=member.labels, state=stands.state,
        why=_why(stands), started=BEGAN + member.born, uptime=max(0.0, x - member.born), slots=stands.slots, busy=busy,
        counters=_counters(member, stands),
        rates=Rated(window=_WINDOW, succeeded=succeeded, failed=failed, redelivered=again),
        latency=_latency(member, stands.ended),
        in_flight=InFlight(count=busy, oldest=stands.oldest if busy else None), backlog=backlog,
        resources=Resources(
            cpu=0.004 + 0.0004 * busy, rss=52_428_800 + 4_096 * int(200 * swing),
            children_cpu=busy * sweep.cores * (0.96 + 0.04 * swing),
            children_rss=busy * int(sweep.memory * (0.8 + 0.2 * swing))),
    )  # fmt: skip


def _counters(member: Member, stands: Standing) -> Counters:
    done = ended(member, stands.ended)
    received = taken(member, stands)
    redelivered = int(received * member.again + member.turn)
    killed = len(member.killed)
    return Counters(
        received=received, succeeded=done.succeeded, failed=done.failed + killed, timed_out=done.timed_out,
        could_not_start=0, retried=done.retried, preempted=done.preempted + len(member.given_back),
        redelivered=redelivered, crashed=redelivered // 8, dead=done.dead + killed, lease_lost=done.lease_lost,
    )  # fmt: skip


def _latency(member: Member, count: int) -> Latency:
    if not count:
        return Latency(count=0, sum=0.0, p50=None, p95=None, p99=None, buckets=[])
    if member.kept is None or member.kept[0] != count:
        p50, p95, p99 = member.quantiles
        buckets = [(bound, int(count * share)) for bound, share in member.below]
        member.kept = count, Latency(
            count=count, sum=count * member.seconds, p50=p50, p95=p95, p99=p99, buckets=buckets
        )  # fmt: skip
    return member.kept[1]


def _why(stands: Standing) -> str:
    state, busy = stands.state, stands.busy
    if state in ("draining", "stopped"):
        return "it was asked to drain"
    if state == "paused":
        return f"it was asked to pause; {busy} still running" if busy else "it was asked to pause"
    if state == "starting":
        return "it is connecting to its queue"
    if busy >= stands.slots:
        return "all slots are busy"
    words = f"{busy} of {stands.slots} slots busy: " if busy else ""
    return words + ("params are ready and will be taken" if state == "running" else "the queue is empty")
