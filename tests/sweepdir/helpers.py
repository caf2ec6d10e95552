"""Directories to test on, and a clock that tests move."""

from __future__ import annotations

import os
import pickle
import time
from pathlib import Path
from typing import Any

from minionize.engines.execo import ExecoEngine
from minionize.sweepdir.clock import Clock


class MovedClock(Clock):
    """The true clock, moved forward: time passes at no cost. Ages are true, so ``age`` makes files older.

    Attributes:
        moved: By how many seconds.
    """

    def __init__(self) -> None:
        super().__init__()
        self.moved = 0.0

    def monotonic(self) -> float:
        """Seconds that only grow."""
        return time.monotonic() + self.moved

    def now(self) -> float:
        """The file system's time."""
        return time.time() + self.moved

    def advance(self, folder: Path, seconds: float) -> None:
        """Let time pass for processes and files alike."""
        self.moved += seconds
        for path in [folder / "minionize" / "scan", *(folder / "minionize" / "leases").glob("*")]:
            if path.exists():
                status = path.stat()
                os.utime(path, (status.st_atime - seconds, status.st_mtime - seconds))


def make_sweep(folder: Path, params: Any) -> Path:
    """Write a sweep directory as ParamSweeper does."""
    folder.mkdir(exist_ok=True)
    (folder / "sweeps").write_bytes(pickle.dumps(params))
    return folder


def engine_on(folder: Path, minion: str = "m1", clock: Clock | None = None, **values: Any) -> ExecoEngine:
    """Make an engine, not opened."""
    engine = ExecoEngine(clock=clock, persistence_dir=str(folder), **values)
    engine.minion = minion
    return engine


def opened(folder: Path, minion: str = "m1", clock: Clock | None = None, **values: Any) -> ExecoEngine:
    """Make an engine and open it."""
    engine = engine_on(folder, minion, clock, **values)
    engine.open()
    return engine


def contents(folder: Path) -> dict[str, bytes]:
    """Read every file of a directory, to compare."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
