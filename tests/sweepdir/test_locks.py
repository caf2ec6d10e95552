"""The locks: held as ParamSweeper holds them, never waited for without end."""

from __future__ import annotations

import errno
import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from minionize.errors import EngineError, NotConnected
from minionize.sweepdir.layout import Layout
from minionize.sweepdir.locks import Locks
from minionize.sweepdir.mounts import doubtful_locks
from tests.sweepdir.helpers import MovedClock, engine_on, make_sweep, opened

HOLDS = """
import fcntl, sys
file = open(sys.argv[1], "ab+")
fcntl.lockf(file, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


class SleepyClock(MovedClock):
    """A wait costs no time."""

    def sleep(self, seconds: float) -> None:
        """Pass the time."""
        self.moved += seconds


@pytest.fixture(params=["done", "inprogress"])
def holder(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Somebody who holds a lock and does not let go, as a process that is stopped."""
    make_sweep(tmp_path, {1, 2})
    command = [sys.executable, "-c", HOLDS, str(tmp_path / request.param)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_lock_that_is_never_let_go(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    """The error names file and holder, and that it may work later."""
    clock = SleepyClock()
    begin = clock.monotonic()
    engine = engine_on(tmp_path, clock=clock)
    with pytest.raises(NotConnected, match=rf"has been locked for 60 s by pid {holder.pid}"):
        engine.open()
    assert 55.0 < clock.monotonic() - begin < 65.0
    holder.kill()
    holder.wait()
    engine.open()
    assert len(engine.receive(5, 0.0)) == 2


def test_without_contention_one_call_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is asked twice, and nobody waits."""
    engine = opened(make_sweep(tmp_path, {1, 2}))
    calls: list[int] = []
    true = fcntl.lockf

    def lockf(fd: int, kind: int) -> None:
        calls.append(kind)
        true(fd, kind)

    monkeypatch.setattr(fcntl, "lockf", lockf)
    taken = engine.receive(2, 0.0)
    engine.ack(taken)
    assert calls == [fcntl.LOCK_EX | fcntl.LOCK_NB] * 4 + [fcntl.LOCK_UN]


def test_held_while_it_lasts(tmp_path: Path) -> None:
    """Nothing that is done under the locks drops them by closing a descriptor of the same file."""
    layout = Layout(str(make_sweep(tmp_path, {1, 2})))
    locks = Locks(layout, MovedClock())
    ask = (
        "import fcntl, sys\nfor path in sys.argv[1:]:\n    try: fcntl.lockf(open(path, 'ab+'), fcntl.LOCK_EX | 4)\n"
        "    except OSError: print('locked')\n    else: print('free')"
    )
    command = [sys.executable, "-c", ask, layout.done, layout.inprogress]
    engine = opened(tmp_path)
    taken = engine.receive(1, 0.0)
    queue = engine._queue
    assert queue is not None
    with queue.stake.locked() as files:
        queue.stake.hold(files, queue.view.pick(1, frozenset()))
        queue.view.dead.refresh()
        queue.view.add_done(files, [taken[0].param])
        assert subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.split() == ["locked"] * 2
    with locks.hold():
        pass
    assert subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.split() == ["free"] * 2


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.EOPNOTSUPP, errno.EINVAL])
def test_no_locks_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    """A file system without locks is told at once, with what to do."""
    make_sweep(tmp_path, {1, 2})

    def lockf(*arguments: Any) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(fcntl, "lockf", lockf)
    with pytest.raises(EngineError, match=r"cannot be locked.*mount") as caught:
        opened(tmp_path)
    assert not isinstance(caught.value, NotConnected)
    assert sorted(engine_on(tmp_path).peek()) == [1, 2]


def test_a_file_deleted_while_waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lock on a file that is not there any more is none."""
    layout = Layout(str(make_sweep(tmp_path, {1})))
    locks = Locks(layout, MovedClock())
    true = fcntl.lockf
    deleted: list[int] = []

    def lockf(fd: int, kind: int) -> None:
        true(fd, kind)
        if not deleted:
            deleted.append(fd)
            os.unlink(layout.done)

    monkeypatch.setattr(fcntl, "lockf", lockf)
    with locks.hold() as files:
        assert os.fstat(files.done).st_ino == os.stat(layout.done).st_ino


@pytest.mark.parametrize(
    ("kind", "options", "doubtful"),
    [
        ("nfs4", "rw,local_lock=none", False),
        ("nfs", "rw,nolock,addr=10.0.0.1", True),
        ("nfs", "rw,local_lock=all", True),
        ("nfs4", "rw,local_lock=posix", True),
        ("ext4", "rw,nolock", False),
    ],
)
def test_mounts_whose_locks_others_do_not_see(tmp_path: Path, kind: str, options: str, doubtful: bool) -> None:
    """The table of mounts tells."""
    device = tmp_path.stat().st_dev
    table = tmp_path / "mountinfo"
    table.write_text(
        "22 1 0:21 / /proc rw - proc proc rw\n"
        f"40 1 {os.major(device)}:{os.minor(device)} / /home rw,relatime shared:1 - {kind} server:/home {options}\n"
    )
    found = doubtful_locks(str(tmp_path), str(table))
    assert (found is not None) is doubtful
    if found:
        assert "/home is mounted with" in found
    assert doubtful_locks(str(tmp_path), str(tmp_path / "none")) is None
