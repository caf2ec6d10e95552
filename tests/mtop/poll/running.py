"""Pollers over fleets that are not there, with an end to every wait."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from mtop.poll.heard import Heard
from mtop.poll.poller import Poller

PATIENCE = 20.0


def wait(until: Callable[[], object]) -> None:
    """Wait for something."""
    end = time.monotonic() + PATIENCE
    while not until():
        assert time.monotonic() < end, "it does not come"
        time.sleep(0.005)


class Polling:
    """A poller that runs, and all that was heard."""

    def __init__(self, poller: Poller) -> None:
        self.poller = poller
        self.heard: list[Heard] = []

    def until(self, enough: Callable[[list[Heard]], object]) -> list[Heard]:
        """Listen until it is enough; return all that was heard."""
        end = time.monotonic() + PATIENCE
        while not enough(self.heard):
            assert time.monotonic() < end, f"this is all: {self.heard[-100:]}"
            time.sleep(0.005)
            self.heard += self.poller.heard()
        return self.heard

    def each(self, times: int, *keys: str) -> dict[str, list[Heard]]:
        """Listen until each of them was heard so often; return what each has said."""
        self.until(lambda heard: all(sum(each.key == key for each in heard) >= times for key in keys))
        return {key: [each for each in self.heard if each.key == key] for key in keys}


@contextmanager
def polling(targets: Mapping[str, str], interval: float = 0.05, timeout: float = 2.0) -> Iterator[Polling]:
    """Run a poller."""
    poller = Poller(interval, timeout)
    poller.start()
    try:
        poller.aim(targets)
        yield Polling(poller)
    finally:
        poller.close()


@contextmanager
def listening(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    """Call ``serve`` with each connection, each in a thread; yield the port."""
    stop = threading.Event()
    threads: list[threading.Thread] = []

    def one(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            serve(connection)

    def accept() -> None:
        while not stop.is_set():
            with suppress(TimeoutError):
                connection, _ = server.accept()
                connection.settimeout(5.0)
                threads.append(threading.Thread(target=one, args=(connection,)))
                threads[-1].start()

    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)
        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            stop.set()
            thread.join(10)
            for each in threads:
                each.join(10)


class NameServer:
    """Stands for ``socket.getaddrinfo``; ``dead`` ones hang until the end."""

    def __init__(self, **addresses: list[str]) -> None:
        self.addresses = addresses
        self.asked: list[str] = []
        self.end = threading.Event()

    def __call__(self, host: str, port: int, **_: Any) -> list[tuple[Any, ...]]:
        self.asked.append(host)
        if host.startswith("dead"):
            self.end.wait(20)
        if host == "x" * 70:
            raise UnicodeError("label too long")
        if host not in self.addresses:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in self.addresses[host]]
