"""The file engine: the contract for lines, JSON and NUL."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import pytest

from minionize.engine import Engine
from minionize.engines.file import FileEngine
from minionize.testing import EngineContract, ManualClock


class TestLines(EngineContract):
    quiet = 0.002
    holds_json = False
    values: ClassVar[dict[str, Any]] = {}
    bad: ClassVar[bytes] = b"y" * 1_100_000 + b"\n"

    @pytest.fixture(autouse=True)
    def _place(self, tmp_path: Path) -> None:
        self.path = tmp_path / "params"

    @cached_property
    def clock(self) -> ManualClock:
        return ManualClock()

    def make_engine(self) -> Engine:
        return FileEngine(clock=self.clock, longest=1_050_000, path=str(self.path), **self.values)

    def advance(self, seconds: float) -> None:
        self.clock.advance(seconds)

    def corrupt(self) -> None:
        with self.path.open("ab") as file:
            file.write(self.bad)


class TestNul(TestLines):
    values: ClassVar[dict[str, Any]] = {"null": True}
    bad: ClassVar[bytes] = b"y" * 1_100_000 + b"\0"


class TestJson(TestLines):
    holds_json = True
    values: ClassVar[dict[str, Any]] = {"decoder": "json"}
    bad: ClassVar[bytes] = b'{"half": \n'


class TestWithJournal(TestLines):
    @property
    def values(self) -> dict[str, Any]:  # type: ignore[override]
        return {"journal": str(self.path.with_suffix(".done"))}
