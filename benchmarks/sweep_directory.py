"""The execo engine: beside minionize 0.3.4, 8 minions beside one, and short queues beside long ones."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from shutil import copytree, rmtree

from benchmarks.harness import Bench, Figure, ratios, run
from benchmarks.old_release import install

PARAMS = 5000
LENGTHS = (1_000, 10_000, 100_000, 1_000_000)
TAKEN = 800

FILL = """\
import sys
from execo_engine.sweep import ParamSweeper

ParamSweeper("sweeps", range(int(sys.argv[1])), save_sweeps=True)
"""
EXECO = {"MINION_ENGINE": "execo"}
MINION = ["minionize", "-j2", "true"]


def measure(bench: Bench) -> list[Figure]:
    """Measure the three of them."""
    return [*_competition(bench), *_lengths(bench)]


def _filled(bench: Bench, number: int) -> Callable[[], Path]:
    """Fill a sweep directory once; return what makes a copy of it."""
    template = bench.fresh(f"sweep{number}")
    run([sys.executable, "-c", FILL, str(number)], template, bench.environ)
    return lambda: copytree(template, bench.fresh("copy") / "run")


def _competition(bench: Bench) -> list[Figure]:
    number = bench.count(PARAMS)
    copy = _filled(bench, number)

    def rate(argv: list[str]) -> Callable[[], float]:
        return lambda: number / run(argv, copy(), {**bench.environ, **EXECO}).seconds

    def fleet(minions: int, *options: str) -> Callable[[], float]:
        return lambda: number / _together([["minionize", *options, "true"]] * minions, copy(), bench)

    # Pairs, so that what is compared is run one right after the other.
    figures = []
    old = install(bench)
    if old is not None:
        figures += _pair(
            bench, "minionize / 0.3.4", 4.0, {"minionize -j2": rate(MINION), "0.3.4": rate([str(old), "true"])}
        )
    for slots in ("-j2", "-j1"):
        pair = {f"8 minions {slots}": fleet(8, slots), f"1 minion {slots}": fleet(1, slots)}
        figures += _pair(bench, f"8 minions / 1 minion, {slots} each", 1.0, pair)
    return figures


def _pair(bench: Bench, name: str, target: float, runs: dict[str, Callable[[], float]]) -> list[Figure]:
    """Measure two, and the ratio of the first to the second."""
    rates = bench.interleaved(runs)
    ratio = Figure(name, "x", ratios(*rates.values()), at_least=target)
    return [ratio, *(Figure(each, "/s", values) for each, values in rates.items())]


def _together(commands: list[list[str]], cwd: Path, bench: Bench) -> float:
    """Start several minions at once; return the seconds until the last one has ended."""
    environ = {**bench.environ, **EXECO}
    null = subprocess.DEVNULL
    started = time.perf_counter()
    minions = [subprocess.Popen(argv, cwd=cwd, env=environ, stdin=null, stdout=null, stderr=null) for argv in commands]
    codes = [minion.wait() for minion in minions]
    seconds = time.perf_counter() - started
    if any(codes):
        raise RuntimeError(f"minions ended with {codes}")
    return seconds


def _lengths(bench: Bench) -> list[Figure]:
    """The same number of params out of queues of different lengths; reading the queue is counted apart."""
    loads: dict[str, list[float]] = {}
    taken = bench.count(TAKEN)
    runs = {}
    for length in LENGTHS:
        number = max(taken, bench.count(length))
        bench.say(f"filling a sweep directory with {number} params")
        name = f"{length:,} params queued"
        runs[name] = _length(bench, _filled(bench, number), taken, loads.setdefault(name, []))
    rates = bench.interleaved(runs)
    shortest, longest = f"{LENGTHS[0]:,} params queued", f"{LENGTHS[-1]:,} params queued"
    figures = [
        Figure(f"rate with {longest} / {LENGTHS[0]:,}", "x", ratios(rates[longest], rates[shortest]), at_least=0.9)
    ]
    figures += [Figure(name, "/s", values) for name, values in rates.items()]
    return figures + [Figure(f"first param, {name}", "s", tuple(values[1:])) for name, values in loads.items()]


def _length(bench: Bench, copy: Callable[[], Path], taken: int, loads: list[float]) -> Callable[[], float]:
    argv = ["minionize", "-j2", "--max-params", str(taken), "--results", "records.jsonl", "true"]

    def measured() -> float:
        directory = copy()
        before = time.time()
        run(argv, directory, {**bench.environ, **EXECO})
        records: list[dict[str, float]] = [json.loads(line) for line in (directory / "records.jsonl").open()]
        rmtree(directory)
        if len(records) != taken:
            raise RuntimeError(f"{len(records)} records instead of {taken}")
        first = min(record["started"] for record in records)
        loads.append(first - before)
        return (taken - 1) / (max(record["ended"] for record in records) - first)

    return measured
