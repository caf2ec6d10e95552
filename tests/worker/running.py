"""What the worker's tests share: run a minion on a memory queue and see what became of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable as Function
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from minionize.callback import Callback
from minionize.cli.command import CommandLine
from minionize.engine import Engine
from minionize.engines.memory import MemoryEngine, MemoryQueue
from minionize.reporter import Reporter
from minionize.settings import load
from minionize.task import Param, Record
from minionize.worker.minion import Minion

ENVIRON = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "HOME": "/nonexistent",
    "LANG": "C.UTF-8",
    "MINION_REGISTRY": "none",
    "MINION_SERVER": "no",
}


class Kept(Reporter):
    """Keeps the records."""

    name = "kept"

    def __init__(self) -> None:
        super().__init__()
        self.records: list[Record] = []

    def report(self, record: Record) -> None:
        self.records.append(record)


@dataclass
class Ran:
    """A minion that has run."""

    code: int
    minion: Minion
    queue: MemoryQueue
    records: list[Record] = field(default_factory=list)

    @property
    def counters(self) -> dict[str, int]:
        """Those that are not 0."""
        return {name: value for name, value in self.minion.stats.snapshot().items() if value}

    @property
    def left(self) -> tuple[int, int, int, int]:
        """Done, dead, ready, in flight."""
        backlog = self.queue.backlog()
        return backlog.done or 0, backlog.dead or 0, backlog.ready or 0, backlog.in_flight or 0

    @property
    def record(self) -> Record:
        """The only record."""
        (record,) = self.records
        return record


def words(*argv: str, **options: bool) -> CommandLine:
    """A command line as on ``minionize``'s own."""
    return CommandLine(argv, **options)


def shell(script: str) -> CommandLine:
    """A shell script; the param is $1."""
    return CommandLine(("/bin/sh", "-c", script, "sh"), literal=True)


def make(
    callback: Callback, engine: Engine, *, environ: dict[str, str] | None = None, **settings: Any
) -> tuple[Minion, Kept]:
    """Make a minion that keeps its records."""
    kept = Kept()
    found = load(settings, ENVIRON if environ is None else environ, Path("/nonexistent"))
    return Minion(callback, found, engine, [kept]), kept


def run(
    callback: Callback,
    params: Iterable[Param] = ("p",),
    engine: MemoryEngine | None = None,
    **settings: Any,
) -> Ran:
    """Run a minion until its queue ends."""
    engine = MemoryEngine(params) if engine is None else engine
    minion, kept = make(callback, engine, **settings)
    return Ran(minion.run(), minion, engine.queue, kept.records)


def until(condition: Function[[], object], seconds: float = 30.0, what: str = "") -> None:
    """Wait for a condition, within a bound."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:g} s: {what or condition}")
        time.sleep(0.002)


@contextmanager
def running(minion: Minion) -> Iterator[list[int | BaseException]]:
    """Run a minion in a thread; the list holds its exit code, or what it raised, when the block is left."""
    ends: list[int | BaseException] = []

    def work() -> None:
        try:
            ends.append(minion.run())
        except BaseException as error:
            ends.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        until(lambda: minion.loop is not None, what="the minion's loop")
        yield ends
    finally:
        if minion.loop is not None and thread.is_alive() and not ends:
            thread.join(10.0)
        if thread.is_alive() and minion.loop is not None:
            minion.loop.stop(15)
            minion.loop.stop(15)
        thread.join(20.0)
        assert not thread.is_alive(), "the minion does not end"


def adds_up(counters: dict[str, int]) -> bool:
    """Whether what was received is what ended or is in flight."""
    ends = ("succeeded", "failed", "timed_out", "could_not_start", "preempted", "lease_lost", "in_flight")
    return counters["received"] == sum(counters[name] for name in ends)
