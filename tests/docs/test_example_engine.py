from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from examples import sqlite_engine
from examples.sqlite_engine import SqliteEngine
from minionize.engine import Engine
from minionize.testing import EngineContract, ManualClock


class TestSqliteEngine(EngineContract):
    @pytest.fixture(autouse=True)
    def _database(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.path = tmp_path / "params.db"
        self.clock = ManualClock()
        monkeypatch.setattr(sqlite_engine, "time", SimpleNamespace(time=self.clock, sleep=time.sleep))

    def make_engine(self) -> Engine:
        return SqliteEngine(path=str(self.path))

    def advance(self, seconds: float) -> None:
        self.clock.advance(seconds)


def test_it_has_40_lines() -> None:
    code = Path(sqlite_engine.__file__).read_text()
    assert sum(1 for line in code[code.index("\nclass ") :].splitlines() if line.strip()) == 40
