"""How soon the first param runs, and how soon --help is there."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from benchmarks.harness import Bench, Figure, run

ROUNDS = 20


def measure(bench: Bench) -> list[Figure]:
    """Measure milliseconds from exec, at least 20 times each."""
    if bench.scale >= 1:
        bench = replace(bench, rounds=max(bench.rounds, ROUNDS))
    # The param is a format: its program prints the time at which it runs.
    source = bench.work / "format"
    source.write_text("+%s.%N\n")
    sweep = bench.fresh("sweep")
    fill = "from execo_engine.sweep import ParamSweeper as P; P('sweeps', ['+%s.%N'], save_sweeps=True)"
    run([sys.executable, "-c", fill], sweep, bench.environ)

    def first(cwd: Callable[[], Path], stdin: Path | None) -> Callable[[], float]:
        def measured() -> float:
            directory = cwd()
            before = time.time()
            done = run(["minionize", "date"], directory, bench.environ, stdin, subprocess.PIPE)
            return (float(done.stdout) - before) * 1e3

        return measured

    def whole(*argv: str) -> Callable[[], float]:
        return lambda: run(argv, bench.work, bench.environ).seconds * 1e3

    def sweep_copy() -> Path:
        from shutil import copytree

        return copytree(sweep, bench.fresh("start") / "copy")

    times = bench.interleaved(
        {
            "first param, file engine": first(lambda: bench.fresh("start"), source),
            "first param, execo engine": first(sweep_copy, None),
            "minionize --help": whole("minionize", "--help"),
            "python -c pass": whole(sys.executable, "-c", "pass"),
            "date": whole("date"),
        }
    )
    targets = {"first param, file engine": 150.0, "minionize --help": 200.0}
    return [Figure(name, "ms", values, at_most=targets.get(name)) for name, values in times.items()]
