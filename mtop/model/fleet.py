"""The fleet: all minions that this mtop sees, what it hears of them, and what follows from it."""

from __future__ import annotations

import os
import re
from collections.abc import Container, Iterable, Iterator, Mapping
from urllib.parse import urlsplit

from minionize.registry import Announcement, Seen
from minionize.stats.wire import StatsWire
from mtop.model.blank import nothing_said
from mtop.model.events import Event, Events
from mtop.model.findings import Hosts
from mtop.model.history import History
from mtop.model.minion import URL_EVERY, Minion
from mtop.model.queues import Queues
from mtop.model.totals import Totals

__all__ = ["Fleet"]

_LONG = 120
_STEP = 1.0
_AT_ONCE = 100
"""Minions that are looked at in one step: it takes a few milliseconds."""


class Fleet:
    """Minions by key. Feeds tell it what they hear, then ``advance`` draws the conclusions.

    A minion that is announced has its id as its key, others the URL at which they were looked up. One that is known in
    several ways is shown once: as it is announced, so that its token goes where its announcement says, whoever else
    answers in its name.

    All times are by one clock of mtop's that only goes forward, unless they are called ``wall``.

    Args:
        user: Who may be shown what only one user may see: whose mtop this is.
        now: The time.
        host: Where this mtop runs; by default this host.

    Attributes:
        minions: All of them, by key.
        totals: Their sums.
        events: What has happened.
        past: Done, failed and redelivered per second, second by second.
    """

    def __init__(self, user: str, now: float, host: str | None = None) -> None:
        self.user = user
        self.minions: dict[str, Minion] = {}
        self.totals = Totals()
        self.events = Events()
        self.past = {name: History(_LONG, now, _STEP) for name in ("done", "failed", "redelivered")}
        self.now = now
        self._host = os.uname().nodename if host is None else host
        # An URL that leads to another place on each host.
        loopback = r"https?://(?:[^/?#]*@)?(?:127\.[\d.]*|localhost|\[::1\])(?:[:/?#]|$)"
        self._loops_back = re.compile(loopback, re.IGNORECASE).match
        self._found: dict[str, set[str]] = {}
        self._urls: set[str] = set()
        self._url_token: str | None = None
        self._url_every = URL_EVERY
        # By id: which of the URLs shows the minion. By URL: the key by which the minion there is shown instead.
        self._shown_at: dict[str, str] = {}
        self._leads_to: dict[str, str] = {}
        self._last: dict[str, tuple[StatsWire, float]] = {}
        self._forgotten: dict[str, float] = {}
        self._targets: dict[str, str] | None = None

    def __iter__(self) -> Iterator[Minion]:
        return iter(self.minions.values())

    def __len__(self) -> int:
        return len(self.minions)

    def mine(self, minion: Minion) -> bool:
        """Tell whether a minion can be controlled: it is this user's, and there is a way to it."""
        return self.why_not(minion) is None

    def why_not(self, minion: Minion) -> str | None:
        """Say why a minion cannot be controlled; None if it can."""
        return minion.why_not(self.user)

    # What is heard.

    def announced(self, place: str, found: Iterable[Seen], now: float, gone: Container[str] = ()) -> None:
        """Take all that one registry holds; minions that it holds no more are forgotten.

        Args:
            place: Which registry.
            found: All of it.
            now: The time when it was read.
            gone: Ids of minions whose processes are known to have ended.
        """
        self._targets = None
        ids: set[str] = set()
        for seen in found:
            id = seen.announcement["id"]
            if id in self._forgotten and self._forgotten[id] >= now - seen.age:
                continue
            ids.add(id)
            minion = self.minions.get(id)
            if minion is None:
                minion = self._add(Minion(id, seen.announcement, now, place))
            elif minion.place != place:
                if id in self._found.get(minion.place, ()):
                    # Whoever can write to another registry does not get hold of it.
                    continue
                minion.place = place
            minion.announced(seen, now, id in gone, self._is_apart(minion, seen.announcement))
            if seen.announcement["user"] not in ("", self.user):
                minion.token = None
        left = self._found.get(place, set()) - ids
        self._found[place] = ids
        self._drop(left - set().union(*self._found.values()), now)

    def looked_up(self, urls: Iterable[str], now: float, token: str | None = None, every: float = URL_EVERY) -> None:
        """Take URLs at which minions should be; those that are no more in the list are forgotten.

        Args:
            urls: All of them.
            now: The time.
            token: What all of their servers ask for, where that is known.
            every: Seconds between two polls, if they are more than a few: an answer stands for a heartbeat.
        """
        self._targets = None
        wanted = set(urls)
        before, self._urls = self._urls, wanted
        self._url_token, self._url_every = token, max(URL_EVERY, every)
        self._drop(before - wanted, now)
        for url in sorted(wanted - before):
            self._expect(url, now)
        for minion in map(self.minions.get, wanted):
            if minion is not None:
                minion.every = self._url_every

    def answered(self, key: str, said: StatsWire | None, now: float, took: float) -> None:
        """Take the answer to a poll; None: all is as in the last one."""
        if said is not None:
            self._last[key] = said, now
        said, since = self._last.get(key, (None, now))
        if key in self._urls:
            self._answered_url(key, said, now, took, since)
            return
        minion = self.minions.get(key)
        if minion is None:
            self._last.pop(key, None)
        elif said is not None and said["id"] != minion.id:
            minion.usurped = True
            self.unanswered(key, f"another minion answers there: {said['id']}", now)
            if minion.url is not None and self._leads_to.get(minion.url) == key:
                self._expect(minion.url, now)
        else:
            minion.answered(said, now, took, key, since)

    def unanswered(self, key: str, trouble: str, now: float) -> None:
        """Hear that a poll failed."""
        minion = self.minions.get(self._leads_to.get(key, key))
        # While it answers at one place, it does not matter that it does not at another.
        if minion is not None and (minion.by == key or not minion.reachable):
            minion.unanswered(trouble, now)

    def forget(self, keys: Iterable[str], now: float) -> None:
        """Leave these out, until they give a new sign of life."""
        for key in keys:
            self._forgotten[key] = now
            self._drop({key}, now)

    def targets(self) -> Mapping[str, str]:
        """Return whom to poll: URL by key. It is the same mapping for as long as nothing of it changes."""
        if self._targets is None:
            self._targets = self._find_targets()
        return self._targets

    def _find_targets(self) -> dict[str, str]:
        minions, leads_to = self.minions, self._leads_to
        found = {key: minion.url for key, minion in minions.items() if minion.url is not None and minion.pollable}
        for url in self._urls:
            # At an URL where nobody is shown any more somebody may be found again.
            if url not in leads_to or found.get(leads_to[url]) != url:
                found[url] = url
        return found

    # What follows.

    def advance(self, now: float, wall: float) -> list[Event]:
        """Draw the conclusions of all that was heard, and of the time that has passed.

        Args:
            now: The time.
            wall: The time, in Unix seconds, for events.

        Returns:
            What has happened since the last time.
        """
        found: list[Event] = []
        for some in self.steps(now, wall):
            found += some
        return found

    def steps(self, now: float, wall: float) -> Iterator[list[Event]]:
        """Do what ``advance`` does, step by step: between two of them a screen can answer its user.

        Yields:
            What was seen to have happened in this step.
        """
        self.now = now
        sums, queues, hosts = Totals(), Queues(), Hosts()
        everyone = list(self.minions.values())
        for start in range(0, len(everyone), _AT_ONCE):
            events = []
            for minion in everyone[start : start + _AT_ONCE]:
                minion.advance(now)
                sums.add(minion)
                queues.add(minion)
                hosts.add(minion)
                if minion.key in self.minions and (event := self.events.look_at(minion, wall)) is not None:
                    events.append(event)
            yield events
        self._point_out(everyone, hosts.black_holes(), sums)
        sums.work_at(queues.all())
        self.totals = sums
        for name, value in (("done", sums.done), ("failed", sums.failed), ("redelivered", sums.redelivered)):
            self.past[name].note(value, now)
        yield self.events.look_around(sums, wall)

    def _point_out(self, minions: Iterable[Minion], black_holes: Mapping[str, str], sums: Totals) -> None:
        sums.suspects = 0
        for minion in minions:
            minion.suspect = "" if minion.ended else black_holes.get(minion.said["host"], "")
            sums.suspects += bool(minion.suspect)

    # Minions that are known by URLs.

    def _answered_url(self, url: str, said: StatsWire | None, now: float, took: float, since: float) -> None:
        if said is not None:
            self._meet(url, said, now)
        minion = self.minions.get(self._leads_to.get(url, url))
        # What somebody says at another place only counts while the minion itself says nothing.
        if minion is not None and (minion.key == url or minion.by == url or not minion.reachable):
            minion.answered(said, now, took, url, since)

    def _meet(self, url: str, said: StatsWire, now: float) -> None:
        """See whom an URL leads to. Who is known already is not shown again."""
        id = said["id"]
        minion = self.minions.get(url)
        if minion is not None and minion.via != "nothing" and minion.id == id:
            return
        other = self._holder(id)
        if other is not None and other.key != url:
            self._hide(url, other.key)
            return
        if minion is None or minion.via != "nothing":
            # A new minion, with a past of its own, in the place of another.
            self._expect(url, now)
        self._shown_at[id] = url

    def _holder(self, id: str) -> Minion | None:
        """Return the minion that is shown with an id."""
        minion = self.minions.get(id)
        if minion is not None and id not in self._urls:
            return minion
        minion = self.minions.get(self._shown_at.get(id, ""))
        return minion if minion is not None and minion.via != "nothing" and minion.id == id else None

    def _expect(self, url: str, now: float) -> None:
        """Show that somebody should be at an URL."""
        self._targets = None
        self._leads_to.pop(url, None)
        self._remove(url)
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2] + parts.path.rstrip("/")
        self.minions[url] = minion = Minion(url, nothing_said(host, parts.hostname or ""), now, url)
        minion.url, minion.token, minion.every = url, self._url_token, self._url_every

    def _hide(self, url: str, key: str) -> None:
        self._leads_to[url] = key
        self._targets = None
        self._remove(url)

    def _add(self, minion: Minion) -> Minion:
        """Add one that is announced; it may be known by an URL."""
        self.minions[minion.key] = minion
        url = self._shown_at.get(minion.key)
        if url is not None and url in self.minions and self.minions[url].id == minion.key:
            self._hide(url, minion.key)
        return minion

    def _is_apart(self, minion: Minion, announcement: Announcement) -> bool:
        """Tell whether a minion can only be reached from its own host, and that is another one."""
        url = announcement["url"]
        if announcement["process"][0] == self._host or url is None:
            return False
        return minion.apart if url == minion.url else self._loops_back(url) is not None

    def _drop(self, keys: Iterable[str], now: float) -> None:
        for key in keys:
            self._remove(key)
            if key not in self._urls:
                self._last.pop(key, None)
            self._leads_to.pop(key, None)
            for url in [url for url, other in self._leads_to.items() if other == key]:
                self._expect(url, now)

    def _remove(self, key: str) -> None:
        self._targets = None
        minion = self.minions.pop(key, None)
        if minion is None:
            return
        self.events.forget((key,))
        if self._shown_at.get(minion.id) == key:
            del self._shown_at[minion.id]
