"""Queues on their real servers: params per second with 1, 2 and 8 minions, and what 64 params in flight cost."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from importlib import import_module
from itertools import count
from pathlib import Path

import psutil
import pytest

from benchmarks.harness import Bench, Figure, lines, run
from minionize.records import read_records
from tests.brokers.server import Server

PARAMS = 10_000
MINIONS = (1, 2, 8)
PATIENCE = 300.0  # seconds for one run
HELD = 64
WATCHED = 21.0  # seconds: a third of the lease of a minute, within which each lease is renewed once

NOOP = "def noop(param):\n    return None\n"

Settings = Callable[[Server, str], dict[str, str]]

QUEUES: dict[str, tuple[str, Settings]] = {
    "redis": ("RedisServer", lambda server, name: {"REDIS_URL": _of(server, "url"), "REDIS_STREAM": name}),
    "rabbitmq": ("RabbitServer", lambda server, name: {"RABBITMQ_URL": _of(server, "url"), "RABBITMQ_QUEUE": name}),
    "kafka": ("KafkaServer", lambda server, name: {"KAFKA_BOOTSTRAP": _of(server, "address"), "KAFKA_TOPIC": name}),
    "pulsar": ("PulsarServer", lambda server, name: {"PULSAR_CONNECTION": _of(server, "url"), "PULSAR_TOPIC": name}),
    "google": (
        "PubSubServer",
        lambda server, name: {
            "PUBSUB_EMULATOR_HOST": _of(server, "host"),
            "GOOGLE_PROJECT_ID": "bench",
            "GOOGLE_TOPIC_ID": name,
            "GOOGLE_SUBSCRIPTION": f"{name}-minions",
        },
    ),
}
"""For each engine: its server in ``tests/brokers``, and the settings that lead to a queue there."""


def measure(bench: Bench) -> list[Figure]:
    """Measure one engine after the other, each on a server of its own."""
    figures = []
    for engine in QUEUES:
        with _server(bench, engine) as settings:
            if settings is not None:
                figures += _rates(bench, engine, settings)
                figures.append(_leases(bench, engine, settings))
    return figures


@contextmanager
def _server(bench: Bench, engine: str) -> Iterator[Callable[[str], dict[str, str]] | None]:
    """Start the server of an engine; one that is not here is left out."""
    kind, settings = QUEUES[engine]
    try:
        more = {"more": {"num.partitions": str(max(MINIONS))}} if engine == "kafka" else {}
        server: Server = getattr(import_module(f"tests.brokers.{engine}"), kind)(bench.fresh(engine), **more)
        server.start()
    except pytest.skip.Exception as reason:
        bench.say(f"{engine}: left out, {reason}")
        yield None
        return
    try:
        yield lambda name: {**bench.environ, "MINION_ENGINE": engine, **settings(server, name)}
    finally:
        server.stop()


def _of(server: Server, name: str) -> str:
    return str(getattr(server, name))


def _rates(bench: Bench, engine: str, settings: Callable[[str], dict[str, str]]) -> list[Figure]:
    number = bench.count(PARAMS)
    source = lines(bench.work / f"{engine}-params", number)
    names = (f"rate-{n}" for n in count())

    def rate(minions: int) -> float:
        folder, environ = bench.fresh(f"{engine}-rate"), settings(next(names))
        (folder / "noop.py").write_text(NOOP)
        run(["minion-queue", "fill"], folder, environ, source)
        words = ["--reporter", "json", "--no-server", "--function", "noop:noop"]
        _together(minions, ["minionize", *words], folder, environ, number)
        return _first_to_last(folder / "minion-report", number)

    counts = MINIONS if bench.scale >= 1 else MINIONS[:1]
    rates = bench.interleaved({f"{engine}, {n} minion{'s' if n > 1 else ''}": partial(rate, n) for n in counts})
    return [Figure(name, "/s", values) for name, values in rates.items()]


def _together(minions: int, argv: list[str], folder: Path, environ: Mapping[str, str], number: int) -> None:
    """Run minions until there are so many records."""
    reports, until = folder / "minion-report", time.monotonic() + PATIENCE
    with (folder / "log").open("wb") as log:
        started = [subprocess.Popen(argv, cwd=folder, env=environ, stdout=log, stderr=log) for _ in range(minions)]
        try:
            while sum(path.read_bytes().count(b"\n") for path in reports.glob("*")) < number:
                if time.monotonic() > until or any(each.poll() for each in started):
                    raise RuntimeError(f"{' '.join(argv)}: not all were run\n{(folder / 'log').read_text()}")
                time.sleep(0.05)
        finally:
            for each in started:
                each.terminate()
            for each in started:
                each.wait(60)


def _first_to_last(reports: Path, number: int) -> float:
    """Runs per second between the first start and the last end."""
    records = list({record["id"]: record for path in reports.iterdir() for record in read_records(path)}.values())
    if len(records) != number:
        raise RuntimeError(f"{len(records)} params of {number} were run")
    first, last = min(record["started"] for record in records), max(record["ended"] for record in records)
    return float(number / (last - first))


def _leases(bench: Bench, engine: str, settings: Callable[[str], dict[str, str]]) -> Figure:
    """Processor time of a minion whose 64 slots sleep, beyond that of one which reads a file."""
    watched = WATCHED if bench.scale >= 1 else 1.0
    folder = bench.fresh(f"{engine}-leases")
    source, environ = lines(folder / "params", HELD), settings("leases")
    run(["minion-queue", "fill"], folder, environ, source)
    held = _share(folder, environ, source, watched)
    plain = _share(folder, {**environ, "MINION_ENGINE": "file", "FILE_PATH": str(source)}, source, watched)
    bench.say(f"{engine}: {held:.2f} % of a core with {HELD} in flight, {plain:.2f} % with a file")
    return Figure(f"{engine}, {HELD} params in flight: of a core", "%", (max(held - plain, 0.01),), at_most=1.0)


def _share(folder: Path, environ: Mapping[str, str], source: Path, watched: float) -> float:
    """Percent of a core that a minion takes while all its slots sleep."""
    begun = folder / "begun"
    begun.unlink(missing_ok=True)
    argv = ["minionize", f"-j{HELD}", "--no-server", "sh", "-c", "echo >> begun; exec sleep 600"]
    with (folder / "log").open("wb") as log:
        minion = subprocess.Popen(argv, cwd=folder, env=environ, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        while not begun.exists() or begun.read_bytes().count(b"\n") < HELD:
            if minion.poll() is not None:
                raise RuntimeError(f"it ended:\n{(folder / 'log').read_text()}")
            time.sleep(0.05)
        # What the start has left to do is over then.
        time.sleep(min(watched, 2.0))
        process = psutil.Process(minion.pid)
        before, began = process.cpu_times(), time.monotonic()
        time.sleep(watched)
        after = process.cpu_times()
        return 100.0 * (after.user + after.system - before.user - before.system) / (time.monotonic() - began)
    finally:
        with suppress(ProcessLookupError):
            minion.terminate()
        minion.wait(60)
