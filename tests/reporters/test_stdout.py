"""The stdout reporter: the contract, on a true descriptor."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from minionize.records import read_records
from minionize.reporter import Reporter
from minionize.reporters.stdout import StdoutReporter
from minionize.testing import ReporterContract
from minionize.testing.reporter import make_record


class TestStdout(ReporterContract):
    @pytest.fixture(autouse=True)
    def _place(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        self.path = tmp_path / "out"
        self.patch = monkeypatch
        with self.path.open("a") as self.out:
            yield

    def make_reporter(self) -> Reporter:
        self.patch.setattr(sys, "stdout", self.out)  # here, as pytest sets its own at the start of each case
        return StdoutReporter()

    def make_hopeless(self) -> Reporter:
        self.patch.setattr(sys, "stdout", None)
        return StdoutReporter()

    def records(self) -> list[dict[str, Any]]:
        return list(read_records(self.path))

    def raw(self) -> bytes:
        return self.path.read_bytes()

    def full(self) -> AbstractContextManager[None]:
        return self.broken_pipe()

    @contextmanager
    def broken_pipe(self) -> Iterator[None]:
        keep = os.dup(sys.stdout.fileno())
        read, write = os.pipe()
        os.close(read)
        os.dup2(write, sys.stdout.fileno())
        try:
            yield
        finally:
            os.dup2(keep, sys.stdout.fileno())
            os.close(keep)
            os.close(write)


def test_a_stdout_without_descriptor(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    StdoutReporter().report(make_record("id"))
    assert out.getvalue().count("\n") == 1
    assert '"id":"id"' in out.getvalue()


def test_what_was_printed_before_comes_before(capfd: pytest.CaptureFixture[str]) -> None:
    print("mine", end="\n")
    StdoutReporter().report(make_record())
    assert capfd.readouterr().out.startswith('mine\n{"param":')
