"""The fleet: all minions that this mtop sees, what it hears of them, and what follows from it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from minionize.registry import Seen
from minionize.stats.wire import StatsWire
from mtop.model.blank import nothing_said
from mtop.model.events import Event, Events
from mtop.model.findings import mark_black_holes
from mtop.model.history import History
from mtop.model.minion import Minion
from mtop.model.totals import Totals, total

__all__ = ["Fleet"]

_LONG = 120
_STEP = 1.0


class Fleet:
    """Minions by key. Feeds tell it what they hear, then ``advance`` draws the conclusions.

    All times are by one clock of mtop's that only goes forward, unless they are called ``wall``.

    Args:
        user: Who may be shown what only one user may see: whose mtop this is.
        now: The time.

    Attributes:
        minions: All of them, by key.
        totals: Their sums.
        events: What has happened.
        past: Done, failed and redelivered per second, second by second.
    """

    def __init__(self, user: str, now: float) -> None:
        self.user = user
        self.minions: dict[str, Minion] = {}
        self.totals = Totals()
        self.events = Events()
        self.past = {name: History(_LONG, now, _STEP) for name in ("done", "failed", "redelivered")}
        self.now = now
        self._found: dict[str, set[str]] = {}
        self._urls: set[str] = set()
        self._known: dict[str, str] = {}
        self._forgotten: dict[str, float] = {}

    def __iter__(self) -> Iterator[Minion]:
        return iter(self.minions.values())

    def __len__(self) -> int:
        return len(self.minions)

    def mine(self, minion: Minion) -> bool:
        """Tell whether a minion can be controlled: it is this user's, and there is a way to it."""
        return self.why_not(minion) is None

    def why_not(self, minion: Minion) -> str | None:
        """Say why a minion cannot be controlled; None if it can."""
        if minion.ended:
            return f"it is {minion.state}"
        if minion.said["user"] and minion.said["user"] != self.user:
            return f"it belongs to {minion.said['user']}"
        if minion.url is None:
            return "it has no stats server (--no-server)"
        return None if minion.token else "its token is not known"

    # What is heard.

    def announced(self, place: str, found: Iterable[Seen], now: float) -> None:
        """Take all that one registry holds; minions that it holds no more are forgotten.

        Args:
            place: Which registry.
            found: All of it.
            now: The time.
        """
        keys: set[str] = set()
        for seen in found:
            id = seen.announcement["id"]
            key = self._known.get(id, id)
            if self._forgotten.get(key, -1.0) >= now - seen.age:
                continue
            keys.add(key)
            minion = self.minions.get(key)
            if minion is None:
                minion = self.minions[key] = Minion(key, seen.announcement, now, place)
            minion.announced(seen, now)
            if key != id:
                minion.url = key
        gone = self._found.get(place, set()) - keys
        self._found[place] = keys
        self._drop(gone - self._urls - set().union(*self._found.values()))

    def looked_up(self, urls: Iterable[str], now: float, token: str | None = None) -> None:
        """Take URLs at which minions should be; those that are no more in the list are forgotten.

        Args:
            urls: All of them.
            now: The time.
            token: What all of their servers ask for, where that is known.
        """
        wanted = set(urls)
        gone = self._urls - wanted
        self._known = {id: url for id, url in self._known.items() if url not in gone}
        self._drop(gone)
        self._urls = wanted
        for url in sorted(wanted - set(self.minions)):
            parts = urlsplit(url)
            host = parts.netloc.rpartition("@")[2] + parts.path.rstrip("/")
            self.minions[url] = minion = Minion(url, nothing_said(host, parts.hostname or ""), now, url)
            minion.url, minion.token = url, token

    def answered(self, key: str, said: StatsWire | None, now: float, took: float) -> None:
        """Take the answer to a poll; None: all is as it was."""
        minion = self.minions.get(key)
        if minion is None:
            return
        if said is not None and said["id"] != minion.id:
            if key not in self._urls:
                minion.unanswered(f"another minion answers there: {said['id']}", now)
                return
            self._met(key, said["id"])
        minion.answered(said, now, took)

    def unanswered(self, key: str, trouble: str, now: float) -> None:
        """Hear that a poll failed."""
        if key in self.minions:
            self.minions[key].unanswered(trouble, now)

    def forget(self, keys: Iterable[str], now: float) -> None:
        """Leave these out, until they give a new sign of life."""
        for key in keys:
            self._forgotten[key] = now
            self._drop({key})

    def targets(self) -> dict[str, str]:
        """Return whom to poll: URL by key."""
        return {
            minion.key: minion.url for minion in self.minions.values() if minion.url is not None and minion.pollable
        }

    # What follows.

    def advance(self, now: float, wall: float) -> list[Event]:
        """Draw the conclusions of all that was heard, and of the time that has passed.

        Args:
            now: The time.
            wall: The time, in Unix seconds, for events.

        Returns:
            What has happened since the last time.
        """
        self.now = now
        for minion in self.minions.values():
            minion.advance(now)
        mark_black_holes(self.minions.values())
        self.totals = sums = total(self.minions.values())
        for name, value in (("done", sums.done), ("failed", sums.failed), ("redelivered", sums.redelivered)):
            self.past[name].note(value, now)
        return self.events.look(self.minions.values(), sums, wall)

    def _met(self, url: str, id: str) -> None:
        """Learn who answers at a URL. It is shown once, also where a registry announces it."""
        self._known = {other: at for other, at in self._known.items() if at != url} | {id: url}
        twin = self.minions.get(id)
        if twin is not None:
            self.minions[url].token = self.minions[url].token or twin.token
            self._drop({id})

    def _drop(self, keys: Iterable[str]) -> None:
        for key in keys:
            self.minions.pop(key, None)
        self.events.forget(keys)
