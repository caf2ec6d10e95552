"""Where minions are found: registries and names. Each is looked at again and again, in a thread of its own."""

from __future__ import annotations

import queue
import socket
import threading
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Generic, NamedTuple, TypeVar

from minionize.registry import Registry, RegistryError, Seen, liveness
from mtop.live.places import Name, url_at

__all__ = ["Announced", "NameSource", "News", "RegistrySource", "Source", "Watch"]

_LEAST, _MOST = 2.0, 15.0
"""Seconds between two looks. More than a few missed heartbeats would make minions stale that are not."""

_SHARE = 20.0
"""So many times longer than a look takes is waited for the next one: a registry must not be busy with us."""

_RESOLVED = 10.0
_SLOW = 6.0
"""Seconds after which it is said that a source does not answer."""

T = TypeVar("T")


class Source(ABC, Generic[T]):
    """Somewhere minions are found. One thread at a time calls it.

    Attributes:
        place: Where that is, for people; never holds a secret.
        least: Seconds between two looks, at least.
    """

    place: str
    least: float = _LEAST

    @abstractmethod
    def look(self) -> T:
        """Return all that is there.

        Raises:
            RegistryError: That cannot be told.
        """

    def forget(self, ids: Sequence[str]) -> None:
        """Remove minions that are no more.

        Raises:
            RegistryError: They cannot be removed.
        """

    def close(self) -> None:
        """Let go. Idempotent."""


class Announced(NamedTuple):
    """What a registry holds.

    Attributes:
        found: All announcements.
        gone: Ids of those whose processes are known to have ended.
    """

    found: list[Seen]
    gone: frozenset[str]


class RegistrySource(Source[Announced]):
    """A registry."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self.place = registry.place

    def look(self) -> Announced:
        """Read it, and see which of the processes on this host have ended."""
        found = self._registry.read()
        return Announced(found, frozenset(_gone(found)))

    def forget(self, ids: Sequence[str]) -> None:
        """Remove their announcements."""
        self._registry.forget(ids)

    def close(self) -> None:
        """Close the registry."""
        self._registry.close()


class NameSource(Source[tuple[str, ...]]):
    """A name; each of its addresses is the place of a minion.

    Args:
        name: The name.
        look_up: Stands for ``socket.getaddrinfo``.
    """

    least = _RESOLVED

    def __init__(self, name: Name, look_up: Callable[..., Iterable[tuple[object, ...]]] = socket.getaddrinfo) -> None:
        self._name, self._look_up = name, look_up
        self.place = str(name)

    def look(self) -> tuple[str, ...]:
        """Look the name up; return URLs."""
        name = self._name
        try:
            found = self._look_up(name.name, name.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            why = error.strerror if isinstance(error, OSError) and error.strerror else "it is no name"
            raise RegistryError(f"cannot look up {name.name}: {why}; check the name in {name}") from error
        addresses = {str(address[0]) for *_, address in found if isinstance(address, tuple)}
        # What is behind a "%" means something on one link only.
        return tuple(sorted(url_at(name.scheme, each, name.port, name.path) for each in addresses if "%" not in each))


class News(NamedTuple, Generic[T]):
    """What a look has found.

    Attributes:
        found: All of it.
        at: When the look began.
    """

    found: T
    at: float


class Watch(Generic[T]):
    """Looks at one source again and again. What it found last is kept until somebody takes it.

    Args:
        source: What is looked at.
        clock: By which the fleet lives.

    Attributes:
        place: Where that is.
    """

    def __init__(self, source: Source[T], clock: Callable[[], float]) -> None:
        self._source, self._clock = source, clock
        self.place = source.place
        self._news: deque[News[T]] = deque(maxlen=1)
        self._jobs: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._closed = threading.Event()
        self._trouble = self._unforgotten = ""
        self._began: float | None = None
        # A registry may never answer: nobody waits for the thread that asks it.
        self._thread = threading.Thread(target=self._run, name=f"mtop looks at {self.place}"[:100], daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """Let the thread end as soon as it can; waits for nothing."""
        self._closed.set()
        self._jobs.put(lambda: None)
        if not self._thread.is_alive():
            self._source.close()

    def join(self, seconds: float) -> None:
        """Wait for the thread to end, but not for long."""
        if self._thread.is_alive():
            self._thread.join(seconds)

    def news(self) -> News[T] | None:
        """Take what was found since the last time; None if there is nothing new."""
        try:
            return self._news.pop()
        except IndexError:
            return None

    def troubles(self) -> list[str]:
        """Say what does not work."""
        began = self._began
        hangs = began is not None and self._clock() - began > _SLOW
        found = [f"{self.place} does not answer"] if hangs else [self._trouble]
        return [words for words in (*found, self._unforgotten) if words]

    def forget(self, ids: Sequence[str]) -> None:
        """Remove minions from there, soon."""
        self._jobs.put(lambda: self._forget(ids))

    def look(self) -> None:
        """Look once, in whichever thread this is."""
        self._began = began = self._clock()
        self._trouble = self._tried(lambda: self._news.append(News(self._source.look(), began)))
        self._began = None

    def _forget(self, ids: Sequence[str]) -> None:
        self._unforgotten = self._tried(lambda: self._source.forget(ids))

    def _tried(self, action: Callable[[], object]) -> str:
        """Do something; return what went wrong, in words."""
        try:
            action()
        except RegistryError as error:
            return str(error)
        except Exception as error:  # a registry of somebody's package may raise anything, its words hold anything
            return f"{self.place} cannot be used: {type(error).__name__}"
        return ""

    def _run(self) -> None:
        while not self._closed.is_set():
            began = time.monotonic()
            self.look()
            took = time.monotonic() - began
            self._rest(max(self._source.least, min(_MOST, _SHARE * took)))
        with suppress(queue.Empty):
            while True:
                self._jobs.get_nowait()()
        self._source.close()

    def _rest(self, seconds: float) -> None:
        """Wait; meanwhile do what is asked for."""
        until = time.monotonic() + seconds
        while not self._closed.is_set():
            try:
                self._jobs.get(timeout=max(0.0, until - time.monotonic()))()
            except queue.Empty:
                return


def _gone(found: Iterable[Seen]) -> Iterable[str]:
    for announcement, _ in found:
        if announcement["left"] is None and liveness(Seen(announcement, 0.0)) == "lost":
            yield announcement["id"]
