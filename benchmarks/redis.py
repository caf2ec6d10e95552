"""Functions out of Redis: no-op calls in one minion, beside one worker each of Dramatiq, Celery, RQ."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.harness import Bench, Figure, lines, ratios, run
from tests.brokers.redis import RedisServer

CALLS = 20_000
CALLS_OF_PEERS = 2_000  # they are slower, and to fill their queues takes longer still
FEWEST = 500  # so that they are seen at work
PATIENCE = 600.0

NOOP = "def noop(param):\n    return None\n"
DRAMATIQ = """\
import os, sys
import dramatiq
from dramatiq.brokers.redis import RedisBroker
dramatiq.set_broker(RedisBroker(url=os.environ["URL"]))

@dramatiq.actor
def noop(param):
    return None

if __name__ == "__main__":
    for number in range(int(sys.argv[1])):
        noop.send(number)
"""
CELERY = """\
import os, sys
from celery import Celery
app = Celery("peer_celery", broker=os.environ["URL"])

@app.task(ignore_result=True)
def noop(param):
    return None

if __name__ == "__main__":
    with app.producer_pool.acquire(block=True) as producer:
        for number in range(int(sys.argv[1])):
            noop.apply_async((number,), producer=producer)
"""
RQ = """\
import os, sys
from redis import Redis
from rq import Queue
from noop import noop

if __name__ == "__main__":
    queue = Queue(connection=Redis.from_url(os.environ["URL"]))
    data = [Queue.prepare_data(noop, (number,), result_ttl=0) for number in range(int(sys.argv[1]))]
    queue.enqueue_many(data)
"""


class Peer(NamedTuple):
    """Another worker.

    Attributes:
        module: Which must be installed.
        argv: Starts it, with as many threads as stand in its name.
        left: What tells how many calls are left.
    """

    module: str
    code: str
    argv: list[str]
    left: Callable[[Any], int]


QUIET = ["--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "error"]


def _dramatiq(threads: int) -> Peer:
    argv = ["dramatiq", "-p1", f"-t{threads}", "peer_dramatiq"]
    return Peer("dramatiq", DRAMATIQ, argv, lambda redis: redis.hlen("dramatiq:default.msgs"))


PEERS = {
    "Dramatiq, 1 thread": _dramatiq(1),
    "Dramatiq, 8 threads": _dramatiq(8),
    "Celery, solo": Peer(
        "celery",
        CELERY,
        ["celery", "-A", "peer_celery", "worker", "-Psolo", *QUIET],
        lambda redis: redis.llen("celery") + redis.hlen("unacked"),
    ),
    "RQ, without a fork for each": Peer(
        "rq",
        RQ,
        ["rq", "worker", "--url", "{url}", "--burst", "--quiet", "-w", "rq.worker.SimpleWorker"],
        lambda redis: redis.llen("rq:queue:default"),
    ),
}


def measure(bench: Bench) -> list[Figure]:
    """Measure calls per second; queues are filled before. Of minions whole commands, start and end included."""
    if shutil.which("redis-server") is None:
        bench.say("redis-server is not here: left out")
        return []
    with server(bench) as url:
        code = bench.fresh("code")
        (code / "noop.py").write_text(NOOP)
        runs = {
            f"minionize, {slots} slot{'s' if slots > 1 else ''}": minion(bench, url, code, slots) for slots in (1, 8)
        }
        for name, each in PEERS.items():
            if find_spec(each.module) is None:
                bench.say(f"{each.module} is not installed: left out")
                continue
            (code / f"peer_{each.module}.py").write_text(each.code)
            runs[name] = peer(bench, url, code, each)
        rates = bench.interleaved(runs)
    figures = [Figure(f"{name}: calls out of Redis", "/s", values) for name, values in rates.items()]
    for slots in (1, 8):
        theirs = rates.get(f"Dramatiq, {slots} thread{'s' if slots > 1 else ''}")
        if theirs:
            ours = ratios(rates[f"minionize, {slots} slot{'s' if slots > 1 else ''}"], theirs)
            figures.append(Figure(f"minionize / Dramatiq, {slots} at a time", "x", ours, at_least=1.0))
    return figures


@contextmanager
def server(bench: Bench) -> Iterator[str]:
    """The URL of a Redis server of our own."""
    folder: Path = bench.fresh("redis")
    redis = RedisServer(folder)
    redis.start()
    try:
        yield redis.url
    finally:
        redis.stop()


def emptied(url: str) -> Any:
    """A client of the server, which holds nothing now."""
    from redis import Redis

    client = Redis.from_url(url, protocol=2)
    client.flushall()
    return client


def minion(bench: Bench, url: str, code: Path, slots: int) -> Callable[[], float]:
    """One minion; with one slot functions run in itself, with more in processes of its own."""
    number = bench.count(CALLS)
    source = lines(code / "calls", number)
    environ = {**bench.environ, "MINION_ENGINE": "redis", "REDIS_URL": url, "REDIS_STREAM": "calls"}
    argv = ["minionize", f"-j{slots}", "--exit-when-empty", "0", "--function", "noop:noop"]

    def rate() -> float:
        with emptied(url) as redis:
            run(["minion-queue", "fill", str(source)], code, environ)
            seconds = run(argv, code, environ).seconds
            if redis.xlen("calls"):
                raise RuntimeError("not all calls were made")
            return number / seconds

    return rate


def peer(bench: Bench, url: str, code: Path, peer: Peer) -> Callable[[], float]:
    """One worker process of a peer, from its first calls until nothing is left: its start is not counted."""
    number = max(FEWEST, bench.count(CALLS_OF_PEERS))
    environ = {**bench.environ, "URL": url, "PYTHONPATH": str(code)}
    argv = [word.replace("{url}", url) for word in peer.argv]

    def rate() -> float:
        with emptied(url) as redis:
            run([sys.executable, f"peer_{peer.module}.py", str(number)], code, environ)
            if peer.left(redis) != number:
                raise RuntimeError(f"{peer.module}: {peer.left(redis)} of {number} calls wait")
            with worker(argv, code, environ) as process:
                first = wait(process, lambda: peer.left(redis), number - 1)
                began = time.perf_counter()
                last = wait(process, lambda: peer.left(redis), 0)
                return (first - last) / (time.perf_counter() - began)

    return rate


def wait(process: subprocess.Popen[bytes], left: Callable[[], int], most: int) -> int:
    """Wait until no more than ``most`` calls are left; return how many there are."""
    until = time.monotonic() + PATIENCE
    while (number := left()) > most:
        if process.poll() is not None or time.monotonic() > until:
            raise RuntimeError(f"{process.args!r} does not work: exit code {process.poll()}")
        time.sleep(0.01)
    return number


@contextmanager
def worker(argv: list[str], code: Path, environ: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """A worker of a peer, which is ended afterwards."""
    nowhere = subprocess.DEVNULL
    process = subprocess.Popen(argv, cwd=code, env=environ, stdin=nowhere, stdout=nowhere, stderr=nowhere)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
