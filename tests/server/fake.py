"""A minion that is not there: what the server is told, and a server over it in a thread."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from copy import deepcopy
from typing import NamedTuple

from minionize.errors import SettingsError
from minionize.server import examples
from minionize.server.serve import Server
from minionize.server.served import Refused
from minionize.stats.wire import ControlWire, FailuresWire, OutputWire, State, StatsWire, TaskWire

TOKEN = "s3cret-token"


class FakeMinion:
    """Passes for a minion: remembers what it was told."""

    def __init__(self) -> None:
        self.token = TOKEN
        self.wire = deepcopy(examples.STATS)
        self.running = deepcopy(examples.TASKS)
        self.failed = deepcopy(examples.FAILURES)
        self.told: list[str] = []
        self.windows: list[float] = []
        self.broken: Exception | None = None
        self.requeued: int | Exception | Future[int] = 3

    def _check(self) -> None:
        if self.broken is not None:
            raise self.broken

    def stats(self, window: float = 10.0) -> StatsWire:
        self._check()
        self.windows.append(window)
        return deepcopy(self.wire)

    def tasks(self) -> list[TaskWire]:
        self._check()
        return self.running

    def failures(self) -> FailuresWire:
        self._check()
        return self.failed

    def output(self, id: str) -> OutputWire | None:
        return OutputWire(id=id, stdout="out", stderr=None) if self._runs(id) else None

    def control(self) -> ControlWire:
        wire = self.wire
        return ControlWire(id=wire["id"], state=wire["state"], slots=wire["slots"], busy=wire["busy"])

    def _told(self, word: str) -> None:
        self._check()
        if self.wire["state"] == "stopped":
            raise Refused("the minion has stopped")
        self.told.append(word)

    def _become(self, word: str, state: State) -> None:
        self._told(word)
        self.wire["state"] = state

    def pause(self) -> None:
        self._become("pause", "paused")

    def resume(self) -> None:
        self._become("resume", "running")

    def drain(self) -> None:
        self._become("drain", "draining")

    def resize(self, slots: int) -> None:
        if slots > 100:
            raise SettingsError("too few files may be open here")
        self.told.append(f"resize {slots}")
        self.wire["slots"] = slots

    def _runs(self, id: str) -> bool:
        return any(task["id"] == id for task in self.running)

    def kill(self, id: str) -> bool:
        self.told.append(f"kill {id}")
        return self._runs(id)

    def requeue(self, id: str) -> bool:
        self.told.append(f"requeue {id}")
        return self._runs(id)

    def requeue_dead(self, ids: Sequence[str] | None = None) -> Future[int]:
        self._told("requeue all dead" if ids is None else f"requeue dead {ids}")
        if isinstance(self.requeued, Future):
            return self.requeued
        ended: Future[int] = Future()
        if isinstance(self.requeued, Exception):
            ended.set_exception(self.requeued)
        else:
            ended.set_result(self.requeued)
        return ended


class Live(NamedTuple):
    """A server that runs, and its minion."""

    minion: FakeMinion
    server: Server
    address: tuple[str, int]

    @property
    def url(self) -> str:
        return "http://{}:{}".format(*self.address)

    def connect(self) -> socket.socket:
        """Open a connection without any manners."""
        return socket.create_connection(self.address, timeout=10)

    def raw(self, request: bytes) -> bytes:
        """Send bytes; return all that comes back until the server hangs up."""
        with self.connect() as connection:
            connection.sendall(request)
            return b"".join(iter(lambda: connection.recv(65_536), b""))


def listener() -> socket.socket:
    return socket.create_server(("127.0.0.1", 0), backlog=256)


@contextmanager
def serving(minion: FakeMinion | None = None, send_buffer: int | None = None) -> Iterator[Live]:
    """Run a server in a thread.

    Args:
        minion: What it serves.
        send_buffer: Bytes that the system takes of an answer which is not read.
    """
    minion = minion or FakeMinion()
    sock = listener()
    if send_buffer is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
    address = sock.getsockname()
    server = Server(minion, sock)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield Live(minion, server, address)
    finally:
        server.stop()
        thread.join(10)
        assert not thread.is_alive(), "the server did not stop"
