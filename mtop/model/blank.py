"""The numbers of a minion that has said nothing yet."""

from __future__ import annotations

from minionize.stats.wire import SCHEMA, Counters, InFlight, Latency, Rated, Resources, StatsWire

__all__ = ["nothing_said"]


def nothing_said(id: str, host: str = "") -> StatsWire:
    """Make the numbers of a minion of which only the place is known."""
    return StatsWire(
        schema=SCHEMA, id=id, host=host, pid=0, user="", version="", engine="", queue="", command="", labels={},
        state="starting", why="", started=0.0, uptime=0.0, slots=0, busy=0,
        counters=Counters(received=0, succeeded=0, failed=0, timed_out=0, could_not_start=0, retried=0, preempted=0,
                          redelivered=0, crashed=0, dead=0, lease_lost=0),
        rates=Rated(window=10.0, succeeded=0.0, failed=0.0, redelivered=0.0),
        latency=Latency(count=0, sum=0.0, p50=None, p95=None, p99=None, buckets=[]),
        in_flight=InFlight(count=0, oldest=None), backlog=None,
        resources=Resources(cpu=0.0, rss=0, children_cpu=0.0, children_rss=0),
    )  # fmt: skip
