"""The progress bar, on a terminal."""

from __future__ import annotations

import os
import pty
import re
from pathlib import Path

import pytest

from minionize.worker.progress import wanted
from tests.worker.command import started
from tests.worker.running import until


def _terminal(cwd: Path, *args: str, params: int = 6) -> tuple[int, str, str]:
    """Run a minion whose stderr is a terminal; return exit code, stdout, and what the terminal got."""
    ours, theirs = pty.openpty()
    shown = b""
    os.set_blocking(ours, False)
    with started(
        *args, cwd=cwd, params=range(params), stderr=theirs, env={"TERM": "xterm", "COLUMNS": "120"}
    ) as minion:
        os.close(theirs)

        def over() -> bool:
            nonlocal shown
            try:
                shown += os.read(ours, 65536)
            except OSError:  # nothing now, or the other end is closed
                return minion.poll() is not None
            return False

        until(over, 20.0)
        out = minion.stdout.read() if minion.stdout else ""
    os.close(ours)
    return minion.returncode, out, shown.decode()


def _lines(shown: str) -> list[str]:
    """What stands on the lines at last: what was cleared is gone, and what has no width does not count."""
    rows = [row.rpartition("\x1b[2K")[2] for row in shown.replace("\r\n", "\n").split("\n")]
    return [re.sub(r"\x1b\[[?0-9;]*[a-zA-Z]|\r", "", row) for row in rows]


def test_the_bar_shares_no_line_with_what_programs_say(tmp_path: Path) -> None:
    code, out, shown = _terminal(
        tmp_path, "--slow-down", "0", "sh", "-c", 'sleep 0.25; echo "says $1" >&2; exit 3', "sh"
    )
    assert code == 1
    assert out == ""
    lines = _lines(shown)
    assert [line for line in lines if "says" in line] == [f"says {n}" for n in range(6)]
    assert [line for line in lines if line.startswith("minionize:")]
    assert not [line for line in lines if "minionize:" in line and "/6" in line]
    assert re.search(r"[1-5]/6", shown), "there was a bar"
    assert "6/6" not in lines[-2], "and it is gone at the end"


def test_no_progress(tmp_path: Path) -> None:
    _, _, shown = _terminal(tmp_path, "--no-progress", "sh", "-c", "sleep 0.2")
    assert "\x1b" not in shown


@pytest.mark.parametrize("setting", [True, False])
def test_the_user_decides(setting: bool) -> None:
    assert wanted(setting) is setting


def test_a_pipe_gets_no_bar() -> None:
    assert wanted(None) is False
