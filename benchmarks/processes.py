"""Processes per second: /bin/true for each line of stdin, two at a time, beside xargs and GNU parallel."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from benchmarks.harness import Bench, Figure, lines, ratios, run

PARAMS = 3000
PARAMS_PARALLEL = 600


OURS, XARGS, PARALLEL = "minionize -j2, json reporter", "xargs -P2 -n1", "parallel -j2"


def measure(bench: Bench) -> list[Figure]:
    """Measure rates: whole commands, start and end included."""
    number, fewer = bench.count(PARAMS), bench.count(PARAMS_PARALLEL)
    many, few = lines(bench.work / "many", number), lines(bench.work / "few", fewer)
    cpu: dict[str, list[float]] = {}

    def rate(name: str, argv: list[str], stdin: Path, params: int, **environ: str) -> Callable[[], float]:
        spent = cpu.setdefault(name, [])

        def measured() -> float:
            done = run(argv, bench.fresh("processes"), {**bench.environ, **environ}, stdin)
            spent.append(done.cpu / params * 1e3)
            return params / done.seconds

        return measured

    minionize = ["minionize", "-j2", "/bin/true"]
    runs = {
        OURS: rate(OURS, minionize, many, number, MINION_ENGINE="file", MINION_REPORTER="json"),
        XARGS: rate(XARGS, ["xargs", "-P2", "-n1", "/bin/true"], many, number),
    }
    if shutil.which("parallel", path=bench.environ["PATH"]):
        runs[PARALLEL] = rate(PARALLEL, ["parallel", "--will-cite", "-j2", "/bin/true", "{}"], few, fewer)
    else:
        bench.say("no GNU parallel here (apt install parallel): left out")
    rates = bench.interleaved(runs)
    figures = [Figure("minionize / xargs", "x", ratios(rates[OURS], rates[XARGS]), at_least=1.0)]
    if PARALLEL in rates:
        figures.append(Figure("minionize / parallel", "x", ratios(rates[OURS], rates[PARALLEL]), at_least=5.0))
    figures += [Figure(name, "/s", values) for name, values in rates.items()]
    # The first of them is the warm-up.
    return figures + [Figure(f"CPU per param, {name}", "ms", tuple(cpu[name][1:])) for name in rates]
