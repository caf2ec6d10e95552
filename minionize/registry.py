"""CONTRACT: a registry is where minions announce themselves, and where a fleet is found.

One thread at a time calls a registry. Whatever fails is a RegistryError; nothing stops for it, and the next
heartbeat tries again. Ages are told by one clock, the registry's own: hosts' clocks are never compared.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import ClassVar, Literal, NamedTuple

from minionize.errors import RegistryError
from minionize.host import Identity, is_gone
from minionize.stats.wire import StatsWire

__all__ = [
    "LONGEST_BEAT",
    "Announcement",
    "Liveness",
    "Registry",
    "RegistryError",
    "Seen",
    "kept_for",
    "liveness",
]

STALE, LOST = 3, 10
"""So many heartbeats may be missing before a minion is no longer live, and before it is given up."""

LONGEST_BEAT = 86_400.0
"""Seconds between two heartbeats, at most."""

DAY = 86_400.0
"""Seconds for which a tombstone is kept; what is lost is kept for a week."""

Liveness = Literal["live", "stale", "lost", "stopped"]


class Announcement(StatsWire):
    """What a minion says of itself: with its start, with each heartbeat, and at its end (a tombstone).

    All that ``GET /stats`` answers, and beside it: ``url`` and ``token`` lead to its server, null where it has none.
    ``heartbeat``: when this was written, by its host; ages are told by the registry's clock. ``every``: seconds between
    heartbeats. ``process``: the fields of ``host.Identity``. ``left``: when it left, by its host; else null.
    """

    url: str | None
    token: str | None
    heartbeat: float
    every: float
    process: tuple[str, str, str, int, int]
    left: float | None


class Seen(NamedTuple):
    """An announcement, as it was found.

    Attributes:
        announcement: What the minion says. Its texts are the minion's: make them printable before a terminal sees them.
        age: Seconds since it was written, by the registry's clock.
    """

    announcement: Announcement
    age: float


def liveness(seen: Seen) -> Liveness:
    """Judge by an announcement whether its minion lives.

    Returns:
        "stopped": it has left. "lost": its process is gone from this host, or ten heartbeats are missing.
        "stale": three are missing. "live": none of these.
    """
    announcement, age = seen
    if announcement["left"] is not None:
        return "stopped"
    if age > LOST * announcement["every"] or is_gone(Identity(*announcement["process"])):
        return "lost"
    return "stale" if age > STALE * announcement["every"] else "live"


def kept_for(announcement: Announcement) -> float:
    """Return after how many seconds without a heartbeat an announcement may be cleaned away."""
    if announcement["left"] is not None:
        return DAY
    return max(7 * DAY, LOST * announcement["every"])


class Registry(ABC):
    """Where minions announce themselves. Subclass it, one file each, under ``registries/``.

    Attributes:
        name: Its name: that of the file, or of the entry point.
        place: Where it is, for messages; never holds a secret.
        passed_over: How many entries the last ``read`` could not take for announcements.
    """

    name: ClassVar[str] = ""

    def __init__(self, place: str, environ: Mapping[str, str]) -> None:
        """Take the place; touch nothing.

        Args:
            place: What the user wrote behind ``dir:``, or a whole URL; "" for the default place.
            environ: Where to look for the home directory and the like.

        Raises:
            SettingsError: The place cannot be understood.
        """
        self.place = place
        self.passed_over = 0

    @abstractmethod
    def announce(self, announcement: Announcement) -> None:
        """Write a whole announcement in the place of the minion's last one: its start, and each heartbeat.

        A minion that was forgotten meanwhile is there again. The first call of an object also cleans away,
        cheaply, what others left behind longer ago than ``kept_for``. Takes five seconds at most.

        Raises:
            RegistryError: It could not be written. What was there before is still there, whole.
        """

    def leave(self, announcement: Announcement) -> None:
        """Write the tombstone: the final numbers, the time, and no way to a server that is no more.

        Raises:
            RegistryError: It could not be written.
        """
        left = time.time() if announcement["left"] is None else announcement["left"]
        self.announce({**announcement, "url": None, "token": None, "left": left, "state": "stopped"})

    @abstractmethod
    def read(self) -> list[Seen]:
        """Return all announcements, tombstones too. What is none (torn, foreign, hostile, huge) is passed over.

        Raises:
            RegistryError: Nothing can be read.
        """

    @abstractmethod
    def forget(self, ids: Iterable[str]) -> int:
        """Remove announcements; return how many there were. Ids that are not there are no error.

        Raises:
            RegistryError: They cannot be removed.
        """

    def close(self) -> None:  # noqa: B027 - nothing to close by default
        """Let go. Idempotent."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.place!r})"
