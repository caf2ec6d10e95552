"""Puts the numbers of a minion together, as they are sent. Any thread may ask; nothing is waited for."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from minionize.engine import Backlog, Engine
from minionize.stats import Rates, Stats
from minionize.stats.wire import (
    SCHEMA,
    BacklogSeen,
    Counters,
    InFlight,
    Latency,
    Rated,
    StatsWire,
)
from minionize.version import __version__
from minionize.worker.past import Past
from minionize.worker.resources import Resources
from minionize.worker.why import why

if TYPE_CHECKING:
    from minionize.worker.loop import Loop
    from minionize.worker.pump import Pump


class Numbers:
    """What a minion's counters, loop and engine thread say, in one answer."""

    def __init__(
        self,
        minion: str,
        engine: Engine,
        command: str,
        labels: Mapping[str, str],
        started: float,
        stats: Stats,
        past: Past,
        loop: Loop,
        pump: Pump,
    ) -> None:
        """Begin to count.

        Args:
            minion: Its id.
            engine: Its engine; only its names are asked for.
            command: What is run, without secrets.
            labels: Its labels.
            started: When it started, Unix seconds.
            stats: Its counters.
            past: What it remembers of runs that have ended.
            loop: Its loop.
            pump: Its engine thread.
        """
        self._id, self._command, self._labels, self._started = minion, command, dict(labels), started
        self._engine, self._queue = engine.name, engine.queue_name
        self._stats, self._past, self._loop, self._pump = stats, past, loop, pump
        # A clock that is set anew changes no age.
        self._began = time.monotonic() - max(0.0, time.time() - started)
        self._host, self._user = os.uname().nodename, _user()
        self._rates = Rates(self._began)
        self._resources = Resources()

    def tick(self) -> None:
        """Remember the counters, for the rates: about once a second."""
        self._rates.sample(time.monotonic(), self._stats.snapshot())

    def wire(self, window: float = 10.0, fully: bool = True) -> StatsWire:
        """Return all numbers.

        Args:
            window: Seconds over which the rates are taken.
            fully: Look at the children's use of processors and memory too.
        """
        now = time.monotonic()
        counters = self._stats.snapshot()
        in_flight = counters.pop("in_flight")
        loop, backlog = self._loop, self._pump.backlog
        backlog.wish()
        runs = loop.runs()
        oldest = max((now - run.began for run in runs), default=None)
        state = loop.state
        return StatsWire(
            schema=SCHEMA,
            id=self._id,
            host=self._host,
            pid=os.getpid(),
            user=self._user,
            version=__version__,
            engine=self._engine,
            queue=self._queue,
            command=self._command,
            labels=self._labels,
            state=state,
            why=self._why(state, len(runs), backlog.latest),
            started=self._started,
            uptime=now - self._began,
            slots=loop.slots,
            busy=len(runs),
            counters=cast(Counters, counters),
            rates=cast(Rated, self._rates.over(window, now, counters)),
            latency=self._latency(),
            in_flight=InFlight(count=in_flight, oldest=oldest),
            backlog=_seen(backlog.latest),
            resources=self._resources.read(fully),
        )

    def _why(self, state: str, busy: int, backlog: Backlog | None) -> str:
        loop, pump = self._loop, self._pump
        return why(
            state,
            busy=busy,
            slots=loop.slots,
            signal=None if loop.stopped_by is None else signal.Signals(loop.stopped_by).name,
            fault=loop.fault,
            trouble=pump.trouble,
            slowed=loop.slowed,
            expired=loop.expired,
            ended=pump.ended,
            backlog=backlog,
        )

    def _latency(self) -> Latency:
        latency = self._past.latency
        p50, p95, p99 = latency.quantiles(0.5, 0.95, 0.99)
        return Latency(
            count=latency.count, sum=latency.sum, p50=p50, p95=p95, p99=p99, buckets=latency.buckets()
        )  # fmt: skip


def _seen(backlog: Backlog | None) -> BacklogSeen | None:
    if backlog is None:
        return None
    return BacklogSeen(
        ready=backlog.ready, in_flight=backlog.in_flight, dead=backlog.dead, exact=backlog.exact, as_of=backlog.as_of
    )


def _user() -> str:
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
