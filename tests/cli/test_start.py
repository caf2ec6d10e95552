"""The first moments of ``minionize``, before it has read its command line."""

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
            os.kill(os.getpid(), {number})
sys.meta_path.insert(0, Sends)
sys.argv[1:] = ["--version"]
from minionize.__main__ import main
main()
"""


@pytest.mark.parametrize("ignored", [False, True], ids=["", "ignored"])
def test_an_early_ctrl_c_shows_no_traceback(ignored: bool) -> None:
    def before() -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN if ignored else signal.SIG_DFL)

    words = [sys.executable, "-c", _SCRIPT.format(number=int(signal.SIGINT))]
    done = subprocess.run(words, capture_output=True, text=True, preexec_fn=before)
    assert done.returncode == (0 if ignored else -signal.SIGINT)
    assert done.stderr == ""
    assert done.stdout.startswith("minionize") is ignored
