"""What the benchmarks share: clean environments, interleaved rounds, figures and their table."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Figure:
    """One number with its rounds.

    Attributes:
        name: What was measured.
        unit: "x" for a ratio, "/s" for a rate, "ms" or "s" for a time.
        rounds: One value for each round; the figure is their median.
        at_least, at_most: The target, if there is one.
    """

    name: str
    unit: str
    rounds: tuple[float, ...]
    at_least: float | None = None
    at_most: float | None = None

    @property
    def value(self) -> float:
        """The median of the rounds."""
        return statistics.median(self.rounds)

    @property
    def verdict(self) -> str:
        """Whether the target was reached; "" without one."""
        if self.at_least is None and self.at_most is None:
            return ""
        low, high = self.at_least or 0.0, float("inf") if self.at_most is None else self.at_most
        return "reached" if low <= self.value <= high else "MISSED"

    @property
    def target(self) -> str:
        """The target, in words."""
        if self.at_least is not None:
            return f">= {_number(self.at_least, self.unit)}"
        return "" if self.at_most is None else f"<= {_number(self.at_most, self.unit)}"

    def line(self) -> str:
        """Write its row of the table."""
        spread = f"{_number(min(self.rounds), '')} .. {_number(max(self.rounds), '')}"
        value = _number(self.value, self.unit)
        return f"  {self.name:<52} {value:>10}   {spread:<18} {self.target:<11} {self.verdict}".rstrip()


def _number(value: float, unit: str) -> str:
    text = f"{value:.2f}" if value < 20 else f"{value:.0f}"
    return f"{text} {unit}" if unit in ("ms", "s") else f"{text}{unit}"


@dataclass(frozen=True)
class Bench:
    """What a benchmark is told.

    Attributes:
        rounds: How often each competitor runs.
        scale: Share of the full number of params; less than 1 only to try the benchmark itself.
        work: An empty directory.
        say: Tells what is going on.
    """

    rounds: int
    scale: float
    work: Path
    say: Callable[[str], None]
    environ: Mapping[str, str] = field(default_factory=dict)

    def count(self, number: int) -> int:
        """Return how many params to run where the full benchmark has ``number``."""
        return max(20, int(number * self.scale))

    def fresh(self, name: str) -> Path:
        """Make an empty directory."""
        import tempfile

        return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.work))

    def interleaved(self, runs: Mapping[str, Callable[[], float]]) -> dict[str, tuple[float, ...]]:
        """Run all competitors in turn, once to warm up and then ``rounds`` times; every other round backwards.

        What else happens on the machine meets all of them alike, and what drifts cancels out.
        """
        values: dict[str, list[float]] = {name: [] for name in runs}
        for number in range(self.rounds + 1):
            for name in list(runs) if number % 2 else reversed(list(runs)):
                value = runs[name]()
                if number:
                    values[name].append(value)
                    self.say(f"round {number}/{self.rounds}  {name}: {value:.4g}")
        return {name: tuple(each) for name, each in values.items()}


def clean_environment(home: Path, **more: str) -> dict[str, str]:
    """Make an environment without settings of minionize, and without what slows Python down (no .pyc files, say)."""
    kept = {name: os.environ[name] for name in ("LANG", "TMPDIR", "LD_LIBRARY_PATH") if name in os.environ}
    path = f"{BIN}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    return {**kept, "PATH": path, "HOME": str(home), "LC_ALL": "C.UTF-8", "TERM": "dumb", **more}


class Done(NamedTuple):
    """What a command took.

    Attributes:
        seconds: By the clock.
        cpu: Seconds of processor time, all its children included.
        stdout: What it printed, if that was captured.
    """

    seconds: float
    cpu: float
    stdout: str


def run(
    argv: Sequence[str], cwd: Path, environ: Mapping[str, str], stdin: Path | None = None, stdout: int | None = None
) -> Done:
    """Run a command to its end.

    Raises:
        RuntimeError: It failed.
    """
    with open(stdin or os.devnull, "rb") as source:
        before, started = os.times(), time.perf_counter()
        done = subprocess.run(
            argv, cwd=cwd, env=environ, stdin=source, stdout=stdout or subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        seconds, after = time.perf_counter() - started, os.times()
    if done.returncode:
        raise RuntimeError(f"{' '.join(argv)}: exit code {done.returncode}\n{done.stderr.decode(errors='replace')}")
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return Done(seconds, cpu, (done.stdout or b"").decode())


def ratios(ours: Iterable[float], theirs: Iterable[float]) -> tuple[float, ...]:
    """Return ours / theirs, round by round."""
    return tuple(a / b for a, b in zip(ours, theirs, strict=True))


def lines(path: Path, number: int) -> Path:
    """Write a file with the numbers 1 to ``number``."""
    path.write_text("".join(f"{n}\n" for n in range(1, number + 1)))
    return path
