from __future__ import annotations

import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from minionize.cli.run import main


class Terminal:
    """Runs ``minionize`` in this process, in an empty directory with an empty environment.

    Standard input is what ``params`` holds, by FILE_PATH: the runner's own is none that a file engine can read.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.params = folder / "params.txt"

    def __call__(self, *words: str, params: str | None = None, **environ: str) -> Result:
        if params is not None:
            self.params.write_bytes(params.encode("utf-8", "surrogateescape"))
            environ["FILE_PATH"] = "params.txt"
        result = CliRunner().invoke(main, words, env={"PATH": os.defpath, **environ})
        # A SystemExit with its code is how it should end; anything else is a traceback for the user.
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result


@pytest.fixture
def minionize(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    for name in list(os.environ):
        if name.startswith(("MINION", "FILE_", "EXECO_", "REPORTER_", "DRY")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return Terminal(tmp_path)
