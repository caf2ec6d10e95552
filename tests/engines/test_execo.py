"""The execo engine keeps the engine contract."""

from __future__ import annotations

from pathlib import Path

import pytest

from minionize.engine import Engine
from minionize.engines.execo import ExecoEngine
from minionize.testing.engine import EngineContract
from tests.sweepdir.helpers import MovedClock


class TestExeco(EngineContract):
    """On a directory of its own for each case."""

    @pytest.fixture(autouse=True)
    def _directory(self, tmp_path: Path) -> None:
        self.folder = tmp_path / "sweeps"
        self.clock = MovedClock()

    def make_engine(self) -> Engine:
        """Make another minion's engine."""
        return ExecoEngine(clock=self.clock, persistence_dir=str(self.folder), lease=30.0)

    def advance(self, seconds: float) -> None:
        """Let time pass for processes and files."""
        self.clock.advance(self.folder, seconds)
