"""Reporters that fail: no run is broken, it is said once, and the last line tells how much is missing."""

from __future__ import annotations

import pytest

from minionize.engines.memory import MemoryEngine
from minionize.errors import ReporterError
from minionize.reporter import Reporter
from minionize.task import Record
from tests.worker.running import make, words


class _Full(Reporter):
    name = "full"
    place = "the/disk"

    def report(self, record: Record) -> None:
        if record.task.param != 1:
            raise ReporterError("no space left")


def test_records_that_are_missing_are_counted_in_the_last_line(capfd: pytest.CaptureFixture[str]) -> None:
    minion, _ = make(words("true"), MemoryEngine(range(1, 4)))
    minion._reporters = [_Full()]
    assert minion.run() == 0
    said = capfd.readouterr().err
    assert said.count("reporter full failed, params run on: no space left") == 1
    assert said.endswith("records in the/disk, without 2 that could not be written\n")


def test_nothing_is_said_where_all_are_there(capfd: pytest.CaptureFixture[str]) -> None:
    minion, _ = make(words("true"), MemoryEngine([1]))
    minion._reporters = [_Full()]
    minion.run()
    assert capfd.readouterr().err.endswith("records in the/disk\n")
