"""The first moments of each command, before it has read its command line."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

# Sends the signal just when click is being looked for.
_SCRIPT = """
import os, sys
class Sends:
    def find_spec(name, *more):
        if name == "click":
            os.kill(os.getpid(), 2)
sys.meta_path.insert(0, Sends)
sys.argv[1:] = ["--version"]
from {module} import {name}
{name}()
"""
_STARTS = [("minionize.cli.start", name) for name in ("minionize", "queue", "launch", "status")]


@pytest.mark.parametrize("ignored", [False, True], ids=["", "ignored"])
@pytest.mark.parametrize(("module", "name"), [*_STARTS, ("mtop.__main__", "main")])
def test_an_early_ctrl_c_shows_no_traceback(module: str, name: str, ignored: bool) -> None:
    def before() -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN if ignored else signal.SIG_DFL)

    words = [sys.executable, "-c", _SCRIPT.format(module=module, name=name)]
    done = subprocess.run(words, capture_output=True, text=True, preexec_fn=before)
    assert done.returncode == (0 if ignored else -signal.SIGINT)
    assert done.stderr == ""
    assert bool(done.stdout) is ignored
