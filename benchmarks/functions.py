"""Python functions per second: no-op calls in one minion."""

from __future__ import annotations

import sys
from collections.abc import Callable

from benchmarks.harness import Bench, Figure, lines, run

CALLS = 20_000

NOOP = "def noop(param):\n    return None\n"
MEMORY = """\
import sys
from noop import noop
from minionize import FuncCallback, minionizer
from minionize.engines.memory import MemoryEngine

engine = MemoryEngine()
engine.put(range(int(sys.argv[1])))
raise SystemExit(minionizer(FuncCallback(noop), engine=engine, slots=int(sys.argv[2])).run())
"""


def measure(bench: Bench) -> list[Figure]:
    """Measure calls per second of whole commands, start and end included."""
    number = bench.count(CALLS)
    source = lines(bench.work / "calls", number)
    code = bench.fresh("functions")
    (code / "noop.py").write_text(NOOP)
    (code / "memory.py").write_text(MEMORY)

    def memory(slots: int) -> Callable[[], float]:
        argv = [sys.executable, "memory.py", str(number), str(slots)]
        return lambda: number / run(argv, code, bench.environ).seconds

    def file(slots: int) -> Callable[[], float]:
        argv = ["minionize", f"-j{slots}", "--function", "noop:noop"]
        return lambda: number / run(argv, code, {**bench.environ, "MINION_ENGINE": "file"}, source).seconds

    rates = bench.interleaved(
        {
            "memory engine, 1 slot (in the minion itself)": memory(1),
            "file engine, 1 slot (in the minion itself)": file(1),
            "memory engine, 2 slots (child processes)": memory(2),
            "file engine, 2 slots (child processes)": file(2),
        }
    )
    targets = {name: 5000.0 for name in rates if "1 slot" in name}
    return [Figure(name, "/s", values, at_least=targets.get(name)) for name, values in rates.items()]
