"""``--results``: the contract for lines, tables and directories."""

from __future__ import annotations

import csv
import json
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, ClassVar

import pytest

from minionize.reporter import Reporter
from minionize.reporters.results import ResultsReporter
from minionize.testing import ReporterContract
from minionize.testing.reporter import full_disk, make_record


class TestLines(ReporterContract):
    name: ClassVar[str] = "out.jsonl"

    @pytest.fixture(autouse=True)
    def _place(self, tmp_path: Path) -> None:
        self.place = tmp_path / "deep"

    def make_reporter(self) -> Reporter:
        return ResultsReporter(self.place / self.name)

    def make_hopeless(self) -> Reporter:
        self.place.write_text("a file where a directory should be")
        return self.make_reporter()

    def files(self) -> list[Path]:
        return sorted(self.place.glob("out*"), key=lambda path: (len(path.name), path.name))


class TestTable(TestLines):
    name: ClassVar[str] = "out.csv"
    lines: ClassVar[bool] = False

    def records(self) -> list[dict[str, Any]]:
        limit = csv.field_size_limit(10_000_000)
        rows = []
        for path in self.files():
            with path.open(newline="", encoding="utf-8") as file:
                rows += list(csv.DictReader(file))
        csv.field_size_limit(limit)
        return [
            {key: decoded(key, cell) for key, cell in row.items()} for row in rows if row["stderr_bytes"] is not None
        ]

    # A table has one form for a text and for what JSON makes of a value, and none for odd bytes.
    def test_what_json_can_say_is_kept(self) -> None:
        values = ["text", "two\nlines\r\n", "lone\rreturn", "\u00fc", 'quotes "and", commas; \\', {"a": [1, None]}, 7]
        reporter = self.opened()
        for value in values:
            reporter.report(make_record(param=value, result=value))
        assert [record["param"] for record in self.records()] == values


def decoded(key: str, cell: str) -> Any:
    if cell == "":
        return None
    texts = ("id", "outcome", "reason", "settled", "host", "minion", "stdout", "stderr")
    try:
        return cell if key in texts else json.loads(cell)
    except ValueError:
        return cell


class TestDirectory(ReporterContract):
    lines: ClassVar[bool] = False

    @pytest.fixture(autouse=True)
    def _place(self, tmp_path: Path) -> None:
        self.place = tmp_path / "deep" / "out"

    def make_reporter(self) -> Reporter:
        return ResultsReporter(f"{self.place}/")

    def make_hopeless(self) -> Reporter:
        self.place.parent.write_text("a file where a directory should be")
        return self.make_reporter()

    def files(self) -> list[Path]:
        return sorted(self.place.glob("[!.]*.json"), key=lambda path: path.stat().st_mtime_ns)

    def records(self) -> list[dict[str, Any]]:
        return [json.loads(path.read_text()) for path in self.files()]

    def full(self) -> AbstractContextManager[None]:
        return full_disk()

    # Each param has a file of its own here, which nothing tears.
    def test_a_torn_record_harms_no_other(self) -> None:
        reporter = self.opened()
        reporter.report(make_record("a", stdout="out \udcff", stderr=None))
        assert sorted(path.name for path in self.place.iterdir()) == ["a.json", "a.stdout"]
        assert (self.place / "a.stdout").read_bytes() == b"out \xff"

    def test_what_json_can_say_is_kept(self) -> None:
        reporter = self.opened()
        reporter.report(make_record("a", {"b": [1, None]}))
        assert self.records()[0]["param"] == {"b": [1, None]}
