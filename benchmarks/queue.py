"""minion-queue: filling a sweep directory and a file, looking at long queues, and what a minion's backlog costs."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.harness import Bench, Figure, lines, run
from minionize.engine import Engine

PARAMS = 1_000_000
FEW = 10_000
BACKLOGS = 2000
SWEEP = ["--sweep", "x=1:1000", "--sweep", "y=1:{}"]
# A process of its own for each: the peak is that of all children so far.
PEAK = """\
import resource, subprocess, sys
subprocess.run(["minion-queue", "-e", "file", "fill", sys.argv[1]], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)
"""


def measure(bench: Bench) -> list[Figure]:
    """Measure the commands, and the engine's backlog."""
    return [*_filling(bench), *_memory(bench), *_backlog(bench)]


def _filling(bench: Bench) -> list[Figure]:
    number = bench.count(PARAMS)
    params = lines(bench.work / "params", number)

    def seconds(*words: str, fill: bool = False, **environ: str) -> Callable[[], float]:
        def measured() -> float:
            folder = bench.fresh("queue")
            if not fill:
                run(["minion-queue", "fill", str(params)], folder, bench.environ)
            return run(["minion-queue", *words], folder, {**bench.environ, **environ}).seconds

        return measured

    product = [words.format(max(1, number // 1000)) for words in SWEEP]
    runs = {
        "fill a sweep directory, lines": seconds("fill", str(params), fill=True),
        "fill a sweep directory, --sweep": seconds("fill", *product, fill=True),
        "fill a file, lines": seconds("-e", "file", "fill", str(params), fill=True, FILE_PATH="params"),
        "status of a sweep directory": seconds("status"),
        "copy of a sweep directory to a file": seconds("copy", "--to", "file", "FILE_PATH=params"),
    }
    values = bench.interleaved(runs)
    targets = {"fill a sweep directory, lines": 30.0, "fill a sweep directory, --sweep": 30.0}
    return [Figure(f"{name}, {number:,}", "s", each, at_most=targets.get(name)) for name, each in values.items()]


def _memory(bench: Bench) -> list[Figure]:
    """How much the peak grows from few lines to many, while a file is filled."""
    many = lines(bench.work / "many", bench.count(PARAMS))
    few = lines(bench.work / "few", bench.count(FEW))

    def peak(path: Path) -> float:
        environ = {**bench.environ, "FILE_PATH": "params"}
        done = run([sys.executable, "-c", PEAK, str(path)], bench.fresh("peak"), environ, stdout=subprocess.PIPE)
        return float(done.stdout)

    rounds = [peak(many) / peak(few) for _ in range(bench.rounds)]
    return [Figure(f"peak memory, {PARAMS:,} lines / {FEW:,}, to a file", "x", tuple(rounds), at_most=1.2)]


def _backlog(bench: Bench) -> list[Figure]:
    """What it costs a minion to ask how much there is, in a queue where much waits, is held or is dead."""
    from minionize.engines.execo import ExecoEngine

    number = bench.count(100_000)
    engine = ExecoEngine(persistence_dir=str(bench.fresh("backlog") / "sweeps"))
    engine.put(str(each) for each in range(number))
    engine.open()
    part = number // 10
    dead = engine.receive(part, 1.0)
    engine.dead_letter(dead, "exit code 1", [{"exit_code": 1}] * len(dead))
    engine.nack(engine.receive(part, 1.0), delay=3600.0)
    engine.receive(part // 10, 1.0)
    rounds = tuple(_processor_time(engine.backlog, bench.count(BACKLOGS)) for _ in range(bench.rounds))
    rounds_busy = tuple(_busy(engine, bench.count(BACKLOGS) // 10) for _ in range(bench.rounds))
    engine.close()
    return [
        Figure(f"backlog of {number:,}, nothing has changed", "ms", rounds, at_most=1.0),
        Figure(f"backlog of {number:,}, one was acked before", "ms", rounds_busy),
    ]


def _processor_time(call: Callable[[], object], times: int) -> float:
    """Return how many milliseconds of a processor one call takes."""
    before = time.process_time()
    for _ in range(times):
        call()
    return (time.process_time() - before) * 1000.0 / times


def _busy(engine: Engine, times: int) -> float:
    """As above, each time after something has changed."""
    spent = 0.0
    for delivery in engine.receive(times, 1.0):
        engine.ack([delivery])
        spent += _processor_time(engine.backlog, 1)
    return spent / times
