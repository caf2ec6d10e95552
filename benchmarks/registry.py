"""How long it takes to find a fleet of a thousand minions, and what a heartbeat costs."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

from benchmarks.harness import Bench, Figure, ratios
from minionize.registries.directory import DirectoryRegistry
from minionize.registry import Announcement, Registry
from minionize.stats.histogram import Histogram
from minionize.testing.announcements import make_announcement

MINIONS = 1_000
BEATS = 200


def measure(bench: Bench) -> list[Figure]:
    """Measure reads of all announcements beside plain ``json.load`` of the same files, and heartbeats."""
    number = bench.count(MINIONS)
    folder = bench.fresh("registry")
    with redis(bench) as also:
        registries: dict[str, Registry] = {"directory": DirectoryRegistry(str(folder), {}), **also}
        for registry in registries.values():
            for minion in range(number):
                registry.announce(announcement(f"node-{minion}-abcdef"))

        def plain() -> float:
            began = time.perf_counter()
            found = []
            for path in folder.glob("*.json"):
                with path.open() as file:
                    found.append(json.load(file))
            return _since(began, len(found), number)

        def read(registry: Registry) -> Callable[[], float]:
            def measured() -> float:
                began = time.perf_counter()
                found = registry.read()
                return _since(began, len(found), number)

            return measured

        def beat(registry: Registry) -> Callable[[], float]:
            last = announcement("node-0-abcdef")

            def measured() -> float:
                began = time.perf_counter()
                for _ in range(BEATS):
                    registry.announce(last)
                return (time.perf_counter() - began) * 1e3 / BEATS

            return measured

        reads = {f"{number} read, {name}": read(each) for name, each in registries.items()}
        beats = {f"a heartbeat, {name}": beat(each) for name, each in registries.items()}
        times = bench.interleaved({**reads, "the same files, by json.load": plain, **beats})
        for registry in registries.values():
            registry.close()
    ours = f"{number} read, directory"
    figures = [Figure(name, "ms", values, at_most=50.0 if name == ours else None) for name, values in times.items()]
    return [
        *figures,
        Figure("read, directory / json.load", "x", ratios(times[ours], times["the same files, by json.load"])),
    ]


def announcement(id: str) -> Announcement:
    """Make one as of a minion that has run for a while: 5,000 runs of about two seconds."""
    made = make_announcement(id, command="./simulate --seed {seed} --out results/{name}", uptime=5_123.123)
    stats, histogram, chance = made, Histogram(), Random(id)
    for _ in range(200):
        histogram.add(chance.lognormvariate(0.7, 0.7))
    stats["counters"] = {**stats["counters"], "received": 5_000, "succeeded": 4_990}
    buckets = [(bound, count * 25) for bound, count in histogram.buckets()]
    p50, p95, p99 = histogram.quantiles(0.5, 0.95, 0.99)
    stats["latency"] = {"count": 5_000, "sum": 10_234.567, "p50": p50, "p95": p95, "p99": p99, "buckets": buckets}
    return made


@contextmanager
def redis(bench: Bench) -> Iterator[dict[str, Registry]]:
    """A registry in a Redis server of our own; none where there is no such server."""
    if shutil.which("redis-server") is None:
        bench.say("redis-server is not here: left out")
        yield {}
        return
    from minionize.registries.redis import RedisRegistry
    from tests.brokers.redis import RedisServer

    folder: Path = bench.fresh("redis")
    server = RedisServer(folder)
    server.start()
    try:
        yield {"redis": RedisRegistry(server.url, {})}
    finally:
        server.stop()


def _since(began: float, found: int, expected: int) -> float:
    taken = (time.perf_counter() - began) * 1e3
    if found != expected:
        raise RuntimeError(f"{found} announcements found, not {expected}")
    return taken
