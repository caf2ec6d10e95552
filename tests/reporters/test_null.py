"""The null reporter: the contract."""

from __future__ import annotations

from typing import ClassVar

from minionize.reporter import Reporter
from minionize.reporters.null import NullReporter
from minionize.testing import ReporterContract


class TestNull(ReporterContract):
    keeps: ClassVar[bool] = False
    lines: ClassVar[bool] = False

    def make_reporter(self) -> Reporter:
        return NullReporter()
