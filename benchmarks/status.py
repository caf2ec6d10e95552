"""minion-status: a million records, in the time and the memory that they take."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.harness import BIN, Bench, Figure

RECORDS = 1_000_000
MINIONS = 16

# Runs a command and tells its seconds and the most memory that it had: of itself alone, so in a process of its own.
WRAPPER = """\
import resource, subprocess, sys, time
before = time.perf_counter()
code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode
print(time.perf_counter() - before, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)
sys.exit(code)
"""


def measure(bench: Bench) -> list[Figure]:
    """Measure reading the records of 16 minions, 5 % of them failures, beside reading their lines with json alone."""
    number = bench.count(RECORDS)
    report = bench.fresh("report")
    bench.say(f"writing {number} records")
    written = _write(report, number)
    memory: list[float] = []

    def status(*words: str) -> Callable[[], float]:
        def measured() -> float:
            seconds, megabytes = _measured([str(BIN / "minion-status"), str(report), *words], bench)
            memory.append(megabytes)
            return seconds

        return measured

    times = bench.interleaved(
        {
            f"{number:,} records": status(),
            f"{number:,} records, --json": status("--json"),
            f"{number:,} records, --html": status("--html", str(bench.work / "page.html")),
            "json.loads of each line": lambda: _loads(report, bench),
        }
    )
    targets = {f"{number:,} records": 6.0}
    figures = [Figure(name, "s", values, at_most=targets.get(name)) for name, values in times.items()]
    figures.append(Figure(f"memory, MB ({written / 1e6:.0f} MB of records)", "", tuple(memory), at_most=300.0))
    return figures


def _measured(argv: list[str], bench: Bench) -> tuple[float, float]:
    done = subprocess.run(
        [sys.executable, "-c", WRAPPER, *argv], env=bench.environ, capture_output=True, text=True, check=True
    )
    seconds, megabytes = done.stdout.split()
    return float(seconds), float(megabytes)


def _loads(report: Path, bench: Bench) -> float:
    before = time.perf_counter()
    code = "import json, sys\nfor name in sys.argv[1:]:\n    for line in open(name, 'rb'):\n        json.loads(line)"
    subprocess.run([sys.executable, "-c", code, *map(str, report.iterdir())], env=bench.environ, check=True)
    return time.perf_counter() - before


def _write(report: Path, number: int) -> int:
    """Write records as the json reporter does; return their bytes."""
    chance = random.Random(1)
    for minion in range(MINIONS):
        started = 1.79e9
        with (report / f"node{minion % 4}-{1000 + minion}-6a{minion:04x}.jsonl").open("w") as file:
            for index in range(minion, number, MINIONS):
                record = _record(chance, minion, index, started)
                started = record["ended"] + 0.01
                file.write(json.dumps(record, separators=(",", ":")) + "\n")
    return sum(path.stat().st_size for path in report.iterdir())


def _record(chance: random.Random, minion: int, index: int, started: float) -> dict[str, Any]:
    duration = chance.expovariate(0.4)
    failed, preempted = chance.random() < 0.05, chance.random() < 0.01
    outcome = "failed" if failed else "preempted" if preempted else "succeeded"
    stderr = f"Traceback (most recent call last):\nValueError: bad value {index} in '/tmp/x{index}'\n" if failed else ""
    return {
        "param": {"x": index, "mode": "a" * 40, "seed": chance.random()}, "id": f"{index}-{index:024x}", "attempt": 1,
        "redelivered": False, "outcome": outcome, "exit_code": 1 if failed else 0, "signal": None,
        "reason": "exit code 1" if failed else None, "settled": "dead" if failed else "ack", "started": started,
        "ended": started + duration, "duration": duration, "host": f"node{minion % 4}",
        "minion": f"node{minion % 4}-{1000 + minion}-6a{minion:04x}", "slot": 1 + index % 2, "pid": 1000 + index % 9999,
        "result": None, "stdout": None, "stderr": stderr, "stdout_bytes": None, "stderr_bytes": len(stderr),
    }  # fmt: skip
