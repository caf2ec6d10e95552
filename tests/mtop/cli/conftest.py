from __future__ import annotations

import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mtop.cli.main import main


class Terminal:
    """Runs ``mtop`` in this process, in an empty directory with an empty environment."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, *words: str, **environ: str) -> Result:
        result = CliRunner().invoke(main, words, env={"PATH": os.defpath, "HOME": str(self.folder), **environ})
        # A SystemExit with its code is how it should end; anything else is a traceback for the user.
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result


@pytest.fixture
def mtop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    for name in list(os.environ):
        if name.startswith(("MINION", "XDG_", "COLUMNS", "NO_COLOR", "TEXTUAL", "LC_", "LANG")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return Terminal(tmp_path)
