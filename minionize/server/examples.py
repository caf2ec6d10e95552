"""Examples of all answers, for ``/docs``. One minion at work, seen at one instant."""

from __future__ import annotations

from minionize.stats.wire import (
    BacklogSeen,
    CauseWire,
    ControlWire,
    Counters,
    FailuresWire,
    FailureWire,
    InFlight,
    Latency,
    OutputWire,
    Rated,
    RequeuedWire,
    Resources,
    StatsWire,
    TaskWire,
)

_ID = "node7-4242-1785312000-9f3a"
_NOW = 1785315600.0

COUNTERS = Counters(
    received=1283,
    succeeded=1270,
    failed=4,
    timed_out=1,
    could_not_start=0,
    retried=2,
    preempted=3,
    redelivered=6,
    crashed=1,
    dead=3,
    lease_lost=1,
)

STATS = StatsWire(
    schema=1,
    id=_ID,
    host="node7",
    pid=4242,
    user="alice",
    version="1.0.0",
    engine="execo",
    queue="/home/alice/sweep",
    command="./a.out --size {size}",
    labels={"job": "12345", "campaign": "night"},
    state="running",
    why="4 of 4 slots are busy",
    started=1785312000.0,
    uptime=3600.0,
    slots=4,
    busy=4,
    counters=COUNTERS,
    rates=Rated(window=10.0, succeeded=0.4, failed=0.0, redelivered=0.0),
    latency=Latency(
        count=1279,
        sum=14100.5,
        p50=9.8,
        p95=24.1,
        p99=38.0,
        buckets=[(5.0, 204), (10.0, 655), (25.0, 1230), (None, 1279)],
    ),
    in_flight=InFlight(count=4, oldest=17.2),
    backlog=BacklogSeen(ready=8713, in_flight=32, dead=3, exact=True, as_of=_NOW - 1.5),
    resources=Resources(cpu=0.02, rss=54_525_952, children_cpu=3.9, children_rss=2_147_483_648),
)

TASKS = [
    TaskWire(
        id="5f2b8c01d7e94a36",
        param={"size": 4096},
        attempt=1,
        redelivered=False,
        slot=1,
        pid=4310,
        started=_NOW - 17.2,
        age=17.2,
        cpu=0.98,
        rss=536_870_912,
    )
]

FAILURE = FailureWire(
    id="a1c9e0774be21f58",
    param={"size": 65536},
    slot=2,
    at=_NOW - 60.0,
    cause="exit code 1: out of memory: N bytes",
    settled="dead",
    outcome="failed",
    exit_code=1,
    signal=None,
    reason="exit code 1",
    stderr="out of memory: 68719476736 bytes\n",
    argv=["./a.out", "--size", "65536"],
    host="node7",
    minion=_ID,
    attempt=1,
    started=_NOW - 61.5,
    ended=_NOW - 60.0,
)

FAILURES = FailuresWire(
    schema=1,
    total=3,
    causes=[
        CauseWire(cause=FAILURE["cause"], count=3, first=_NOW - 1800.0, last=_NOW - 60.0, samples=["a1c9e0774be21f58"])
    ],
    failures=[FAILURE],
)

OUTPUT = OutputWire(id="5f2b8c01d7e94a36", stdout="step 1 of 3\nstep 2 of 3\n", stderr="")

CONTROL = ControlWire(id=_ID, state="paused", slots=4, busy=2)

REQUEUED = RequeuedWire(id=_ID, state="running", slots=4, busy=4, requeued=3)

HEALTH = {"status": "ok", "id": _ID, "state": "running"}

PROBLEM = {
    "type": "urn:minionize:problem:not-running",
    "title": "No such run",
    "status": 404,
    "detail": "no param of the id 5f2b8c01d7e94a36 is running here",
    "instance": "/tasks/5f2b8c01d7e94a36/kill",
}
