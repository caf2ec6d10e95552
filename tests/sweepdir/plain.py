"""Drives a plain ParamSweeper in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).with_name("plain_script.py")


class Plain:
    """A ParamSweeper in another process.

    Attributes:
        process: The process.
    """

    def __init__(self, folder: Path, params: Any = None) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(SCRIPT), str(folder), json.dumps(params)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._answer() == "ready"

    def _answer(self) -> Any:
        assert self.process.stdout is not None
        return json.loads(self.process.stdout.readline())

    def call(self, name: str, *values: Any) -> Any:
        """Call a method of the ParamSweeper."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps([name, *values]) + "\n")
        self.process.stdin.flush()
        return self._answer()


@contextmanager
def plain(folder: Path, params: Any = None) -> Iterator[Plain]:
    """Start a ParamSweeper; with ``params`` it writes them first."""
    if find_spec("execo_engine") is None:
        pytest.skip("execo is not installed")
    script = Plain(folder, params)
    try:
        yield script
    finally:
        script.process.kill()
        script.process.communicate()
