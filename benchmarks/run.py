"""Runs the benchmarks and prints a table: ``python benchmarks/run.py [NAME]...``. See README.md beside it."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
NAMES = (
    "processes",
    "sweep_directory",
    "start",
    "functions",
    "server",
    "registry",
    "queue",
    "status",
    "mtop",
    "brokers",
    "redis",
)


def main() -> int:
    """Run what is asked for; the exit code is 1 if a target was missed."""
    parser = argparse.ArgumentParser(description="Measures minionize beside its peers, in interleaved rounds.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which: {', '.join(NAMES)} (all of them)")
    parser.add_argument("--rounds", type=int, default=5, help="how often each competitor runs (5)")
    parser.add_argument(
        "--scale", type=float, default=1.0, help="share of the params; below 1 there are no targets (1)"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all numbers there")
    parser.add_argument("--quiet", action="store_true", help="do not tell of each round")
    options = parser.parse_args()
    unknown = set(options.names) - set(NAMES)
    if unknown:
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    if not (Path(sys.executable).parent / "minionize").exists():
        parser.error(
            f"{sys.executable} has no minionize; in a checkout: ./check venv, then .venv/bin/python {__file__}"
        )
    # When this is run as a file: its own directory goes, for queue.py there is no module of Python's.
    sys.path[:] = [str(ROOT), *(each for each in sys.path if each not in (str(ROOT), str(ROOT / "benchmarks")))]
    results = {name: _measured(name, options) for name in options.names or NAMES}
    if options.json:
        options.json.write_text(json.dumps({"machine": _machine(), "figures": results}, indent=2) + "\n")
    return int(
        options.scale >= 1 and any(figure["verdict"] == "MISSED" for figures in results.values() for figure in figures)
    )


def _measured(name: str, options: argparse.Namespace) -> list[dict[str, Any]]:
    from benchmarks.harness import Bench, clean_environment

    def say(words: str) -> None:
        if not options.quiet:
            print(f"{name}: {words}", file=sys.stderr, flush=True)

    load = os.getloadavg()[0]
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="minionize-benchmark-") as work:
        environ = clean_environment(Path(work), XDG_STATE_HOME=work)
        figures = import_module(f"benchmarks.{name}").measure(
            Bench(options.rounds, options.scale, Path(work), say, environ)
        )
    if options.scale < 1:
        figures = [replace(figure, at_least=None, at_most=None) for figure in figures]
    print(f"{name}  ({time.monotonic() - started:.0f} s; load average before {load:.1f}, {os.cpu_count()} CPUs)")
    for figure in figures:
        print(figure.line())
    sys.stdout.flush()
    return [
        {
            "name": figure.name,
            "unit": figure.unit,
            "median": figure.value,
            "rounds": figure.rounds,
            "target": figure.target,
            "verdict": figure.verdict,
        }
        for figure in figures
    ]


def _machine() -> dict[str, Any]:
    return {
        "cpus": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "load": os.getloadavg(),
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


if __name__ == "__main__":
    sys.exit(main())
