from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from minionize.cli.queue import main


class Terminal:
    """Runs ``minion-queue`` in this process, in an empty directory with an empty environment."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, *words: str, stdin: str | bytes = b"", **environ: str) -> Result:
        env = {"PATH": os.defpath, "HOME": str(self.folder), **environ}
        result = CliRunner().invoke(main, words, input=stdin, env=env)
        # A SystemExit with its code is how it should end; anything else is a traceback for the user.
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    def json(self, *words: str, **more: Any) -> Any:
        """What it answers to ``--json``."""
        result = self(*words, "--json", **more)
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    def jsonl(self, *words: str, **more: Any) -> list[Any]:
        """Each line that it answers to ``--json``."""
        result = self(*words, "--json", **more)
        assert result.exit_code == 0, result.output
        return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.fixture
def queue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    for name in list(os.environ):
        if name.startswith(("MINION", "FILE_", "EXECO_", "REPORTER_", "DRY", "XDG_STATE")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return Terminal(tmp_path)
