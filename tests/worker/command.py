"""Minions as processes of their own, as a user starts them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

MINIONIZE = (sys.executable, "-m", "minionize")


def environ(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """A plain environment."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": "/nonexistent",
        "LANG": "C.UTF-8",
        "TMPDIR": "/tmp",
        "MINION_REGISTRY": "none",
        **(more or {}),
    }


@contextmanager
def started(
    *args: str,
    cwd: Path,
    params: Iterable[object] | None = None,
    env: Mapping[str, str] | None = None,
    **how: Any,
) -> Iterator[subprocess.Popen[str]]:
    """Start a minion; whatever is left of it at the end is killed. ``params`` are fed as lines of a file."""
    feed: IO[str] | int = subprocess.DEVNULL
    if params is not None:
        path = cwd / "params.txt"
        path.write_text("".join(f"{param}\n" for param in params))
        feed = path.open()
    how = {"stdin": feed, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **how}
    minion = subprocess.Popen([*MINIONIZE, *args], cwd=cwd, env=environ(env), text=True, start_new_session=True, **how)
    if not isinstance(feed, int):
        feed.close()
    try:
        yield minion
    finally:
        if minion.poll() is None:
            os.kill(minion.pid, signal.SIGKILL)
        minion.communicate(timeout=60)


def minionize(*args: str, cwd: Path, timeout: float = 30.0, **more: Any) -> subprocess.CompletedProcess[str]:
    """Run a minion to its end."""
    with started(*args, cwd=cwd, **more) as minion:
        out, err = minion.communicate(timeout=timeout)
        return subprocess.CompletedProcess(args, minion.returncode, out, err)


def alive(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"
