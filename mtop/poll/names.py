"""Addresses of hosts, looked up in threads of their own: a name server that is dead stalls no poll."""

from __future__ import annotations

import socket
import threading
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

from mtop.poll.trouble import Trouble

__all__ = ["Address", "LookUp", "Names"]

_THREADS = 4
_KEPT = 30.0
_TRUSTED = 5.0
"""Seconds for which a name that was not found, or whose address does not answer, is not looked up again."""

LookUp: TypeAlias = Callable[..., list[tuple[Any, ...]]]


class Address(NamedTuple):
    """Where a socket is connected to."""

    family: int
    place: Any


class _Found(NamedTuple):
    addresses: list[Address]
    trouble: str
    at: float


class Names:
    """Looks names up, and remembers them. All but ``_work`` is called by one thread.

    Args:
        ring: Called in another thread when there is something to take by ``arrived``.
        clock: Time, in seconds.
        look_up: Stands for ``socket.getaddrinfo``.
    """

    def __init__(self, ring: Callable[[], None], clock: Callable[[], float], look_up: LookUp) -> None:
        self._ring, self._clock, self._look_up = ring, clock, look_up
        self._known: dict[tuple[str, int], _Found] = {}
        self._asked: dict[tuple[str, int], set[Callable[[], None]]] = {}
        self._lock = threading.Lock()
        self._jobs: deque[tuple[str, int]] = deque()
        self._results: deque[tuple[tuple[str, int], _Found]] = deque()
        self._threads = 0
        self._closed = False

    def find(self, host: str, port: int, tell: Callable[[], None]) -> list[Address] | None:
        """Return the addresses of a host; None if it is being looked up, then ``tell`` is called by ``arrived``.

        Raises:
            Trouble: There are none.
        """
        place = (host, port)
        found = self._known.get(place)
        if found is None or self._clock() - found.at > (_TRUSTED if found.trouble else _KEPT):
            literal = _literal(host, port)
            if literal is not None:
                return literal
            self._ask(place, tell)
            return None
        if found.trouble:
            raise Trouble(found.trouble)
        return found.addresses

    def doubt(self, host: str, port: int) -> None:
        """Look a name up anew the next time: nobody answers there any more."""
        found = self._known.get((host, port))
        if found is not None and self._clock() - found.at > _TRUSTED:
            del self._known[host, port]

    def arrived(self) -> None:
        """Take what was found since the last time, and tell who waits for it."""
        while self._results:
            place, found = self._results.popleft()
            self._known[place] = found
            for tell in self._asked.pop(place, ()):
                tell()

    def close(self) -> None:
        """Look nothing up any more; waits for nothing."""
        with self._lock:
            self._closed = True
            self._jobs.clear()

    def _ask(self, place: tuple[str, int], tell: Callable[[], None]) -> None:
        if place in self._asked:
            self._asked[place].add(tell)
            return
        if len(self._known) > 1_000:
            self._known = {key: each for key, each in self._known.items() if self._clock() - each.at <= _KEPT}
        self._asked[place] = {tell}
        with self._lock:
            self._jobs.append(place)
            more = self._threads < _THREADS
            self._threads += more
        if more:
            # The system gives no way to end a look-up that hangs: nobody waits for it.
            thread = threading.Thread(target=self._work, name="mtop looks names up", daemon=True)
            try:
                thread.start()
            except RuntimeError:
                with self._lock:
                    self._threads -= 1
                raise Trouble("cannot be found: this host has no room for one more thread") from None

    def _work(self) -> None:
        while True:
            with self._lock:
                if self._closed or not self._jobs:
                    self._threads -= 1
                    return
                place = self._jobs.popleft()
            found = self._looked_up(*place)
            with self._lock:
                if not self._closed:
                    self._results.append((place, found))
                    self._ring()

    def _looked_up(self, host: str, port: int) -> _Found:
        try:
            found = self._look_up(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            why = error.strerror if isinstance(error, OSError) and error.strerror else "it is no name"
            return _Found([], f"cannot be found: {why} ({host[:100]})", self._clock())
        return _Found([Address(each[0], each[4]) for each in found], "", self._clock())


def _literal(host: str, port: int) -> list[Address] | None:
    """Return the address that a host is, where it is no name. No name server is asked."""
    if not (host[-1].isdigit() or ":" in host):
        return None
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except (OSError, UnicodeError):
        return None
    return [Address(each[0], each[4]) for each in found]
