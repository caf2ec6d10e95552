from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from minionize.cli.launch import main

_STAND_IN = """\
#!/bin/bash
here=${0%/*} name=${0##*/}
{ printf '%q ' "$name" "$@"; echo; } >>"$here/calls"
cat >"$here/$name.stdin"
cat "$here/$name.answer" 2>/dev/null
cat "$here/$name.error" >&2 2>/dev/null && exit 7
exit 0
"""


class Programs:
    """Stand-ins for a scheduler's programs: they note how they were called, and answer what they were told."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()

    def add(self, *names: str) -> None:
        """Put some into PATH."""
        for name in names:
            path = self.folder / name
            path.write_text(_STAND_IN)
            path.chmod(0o755)

    def answer(self, name: str, words: str) -> None:
        """Have one print something."""
        (self.folder / f"{name}.answer").write_text(words)

    def fail(self, name: str, words: str) -> None:
        """Have one say what is wrong, and fail with 7."""
        (self.folder / f"{name}.error").write_text(words)

    def stdin(self, name: str) -> str:
        """What one was given to read the last time."""
        return (self.folder / f"{name}.stdin").read_text()

    @property
    def calls(self) -> list[list[str]]:
        """The command lines, in order."""
        path = self.folder / "calls"
        return [shlex.split(line) for line in path.read_text().splitlines()] if path.exists() else []


class Terminal:
    """Runs ``minion-launch`` in this process, in an empty directory with an environment that holds nothing of ours."""

    def __init__(self, folder: Path, programs: Programs) -> None:
        self.folder, self.programs = folder, programs

    def __call__(self, *words: str, **environ: str) -> Result:
        path = f"{self.programs.folder}:{environ.pop('PATH', '/nowhere')}"
        result = CliRunner().invoke(main, words, env={"PATH": path, "HOME": str(self.folder), **environ})
        # A SystemExit with its code is how it should end; anything else is a traceback for the user.
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    def text(self, *words: str, **environ: str) -> str:
        """What it prints."""
        result = self(*words, **environ)
        assert result.exit_code == 0, result.output
        return result.stdout

    def refusal(self, *words: str, status: int = 2, **environ: str) -> str:
        """What it says when it refuses."""
        result = self(*words, **environ)
        assert (result.exit_code, result.stdout) == (status, ""), result.output
        assert result.stderr.startswith("minion-launch: error: ")
        return result.stderr.removeprefix("minion-launch: error: ")


@pytest.fixture
def programs(tmp_path: Path) -> Programs:
    return Programs(tmp_path / "programs")


@pytest.fixture
def launch(tmp_path: Path, programs: Programs, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    ours = (
        "MINION",
        "FILE_",
        "EXECO_",
        "REPORTER_",
        "DRY",
        "REDIS_",
        "RABBITMQ_",
        "KAFKA_",
        "PULSAR_",
        "GOOGLE_",
        "XDG_",
    )
    for name in list(os.environ):
        if name.startswith(ours):
            monkeypatch.delenv(name)
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return Terminal(folder, programs)


PROGRAM = str(Path(sys.executable).with_name("minionize"))
