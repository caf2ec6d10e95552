"""Minions are killed at random while they take and settle: nothing is lost, nothing is held twice at once."""

from __future__ import annotations

import os
import pickle
import random
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.sweepdir.helpers import make_sweep, opened
from tests.sweepdir.plain import Plain, plain

SCRIPT = Path(__file__).with_name("stress_script.py")
PARAMS = 500
MINIONS = 6
KILLS = 30


def _start(folder: Path, watched: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, str(SCRIPT), str(folder), str(watched)])


def _kill(minions: list[subprocess.Popen[bytes]]) -> None:
    for minion in minions:
        minion.kill()
        minion.wait()


def _work(script: Plain | None) -> None:
    """Let a plain script do a little, too."""
    if script is None:
        time.sleep(0.02)
        return
    param = script.call("get_next")
    time.sleep(0.02)
    if param is not None:
        script.call("done" if param % 2 else "cancel", param)


@pytest.mark.slow
@pytest.mark.parametrize("with_script", [False, True])
def test_random_kills(tmp_path: Path, with_script: bool) -> None:
    """Every param ends done, and the directory clean."""
    folder, watched = make_sweep(tmp_path / "sweeps", set(range(PARAMS))), tmp_path / "watched"
    watched.mkdir()
    chance = random.Random(7)
    with ExitStack() as stack:
        script = stack.enter_context(plain(folder)) if with_script else None
        minions = [_start(folder, watched) for _ in range(MINIONS)]
        stack.callback(_kill, minions)
        time.sleep(0.3)
        for _ in range(KILLS):
            _work(script)
            number = chance.randrange(MINIONS)
            minions[number].kill()
            minions[number].wait()
            minions[number] = _start(folder, watched)
        assert [minion.wait(60) for minion in minions] == [0] * MINIONS
        if script:
            script.call("update")
            assert script.call("get_done") == sorted(range(PARAMS), key=str)
    assert not (watched / "twice").exists()
    engine = opened(folder)
    backlog = engine.backlog()
    assert (backlog.ready, backlog.in_flight, backlog.dead, backlog.done) == (0, 0, 0, PARAMS)
    engine.close()
    assert pickle.loads((folder / "inprogress").read_bytes()) == set()
    # One that was killed while making its lease leaves that; it is removed when it is old.
    assert [name for name in os.listdir(folder / "minionize" / "leases") if not name.endswith(".tmp")] == []
