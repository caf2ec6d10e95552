"""Real servers for tests: started on loopback and a free port, in a directory of their own, and stopped again."""

from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path

import pytest


def need(program: str, package: str) -> str:
    """The path of a server's program. Without it the test is skipped; under CI it fails."""
    path = shutil.which(program)
    if path is None:
        reason = f"{program} is not here; on Debian: apt install {package}"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return path


@cache
def _ports() -> Iterator[int]:
    # Below those that clients are given: one could be taken before its server listens.
    return iter(random.sample(range(10_000, 32_768), 20_000))


def free_port() -> int:
    """A port of loopback that nobody uses now, another one each time."""
    for port in _ports():
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise AssertionError("no port is free")


class Server(ABC):
    """One server; may be stopped and started again, with the same address."""

    patience = 20.0  # seconds until it must be ready

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def command(self) -> list[str]:
        """What starts it in the foreground."""

    @abstractmethod
    def is_ready(self) -> bool:
        """Whether it answers."""

    @property
    def log(self) -> Path:
        """What it has said."""
        return self.folder / "log"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(self.command(), cwd=self.folder, stdout=log, stderr=log)
        until = time.monotonic() + self.patience
        while not self.is_ready():
            if self._process.poll() is not None or time.monotonic() > until:
                self.stop()
                pytest.fail(f"{self.command()[0]} does not start:\n{self.log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.01)

    def stop(self) -> None:
        """Stop it, by force if need be. Idempotent."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    @property
    def pid(self) -> int:
        """Of the process that answers."""
        assert self._process is not None
        return self._process.pid

    def hang(self) -> None:
        """Let it take connections and answer nothing, until it is woken."""
        os.kill(self.pid, signal.SIGSTOP)
        # A thread that runs on another processor stops a moment later.
        until = time.monotonic() + self.patience
        while set(_states(self.pid)) != {"T"}:
            assert time.monotonic() < until, "it does not stop"
            time.sleep(0.001)

    def wake(self) -> None:
        """Let it go on."""
        os.kill(self.pid, signal.SIGCONT)


def _states(pid: int) -> Iterator[str]:
    """The state of each thread: T of one that is stopped."""
    for path in Path(f"/proc/{pid}/task").glob("*/stat"):
        with suppress(OSError):
            yield path.read_text().rpartition(")")[2].split()[0]
