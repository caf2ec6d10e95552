"""The feed of a real fleet: where minions are found, what they say, and the way to each."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from minionize.plugins import load_registry
from minionize.stats.wire import FailuresWire, OutputWire, TaskWire
from mtop.feed import Cost, Feed
from mtop.live.places import Name, place_of
from mtop.live.sources import Announced, NameSource, RegistrySource, Watch
from mtop.live.tally import Tally
from mtop.model.fleet import Fleet
from mtop.model.minion import Minion
from mtop.orders import Order
from mtop.poll import Heard, Poller, poll_once

if TYPE_CHECKING:
    from mtop.live.asker import Asker

__all__ = ["LiveFeed"]

_WARM = 2.0
"""Seconds after which the HTTP client for questions is made: by then the first screen has been drawn."""

_PATIENCE = 0.9
"""Seconds that threads have to end."""


class LiveFeed(Feed):
    """Minions that are announced in registries, and those at URLs.

    Args:
        registries: Which registries, each as ``load_registry`` takes it; "" for the default one.
        urls: URLs of minions, and names with many of them: ``dns+http://NAME:PORT``.
        environ: Where to look for the home directory.
        interval: Seconds between two polls of a minion.
        timeout: Seconds that a poll may take.
        token: What minions at ``urls`` ask for. Those in registries are announced with theirs.
        clock: Time that only goes forward.
        wall: Unix seconds.

    Raises:
        SettingsError: A registry or an URL is none.
    """

    def __init__(
        self,
        registries: Sequence[str],
        urls: Sequence[str] = (),
        *,
        environ: Mapping[str, str] = os.environ,
        interval: float = 1.0,
        timeout: float = 2.0,
        token: str | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._clock, self._wall = clock, wall
        self._interval, self._timeout, self._token = interval, timeout, token
        places = [place_of(url) for url in urls]
        self._urls = [each for each in places if isinstance(each, str)]
        self._names = {str(each): Watch(NameSource(each), clock) for each in places if isinstance(each, Name)}
        self._registries: dict[str, Watch[Announced]] = {}
        for spec in dict.fromkeys(registries):
            registry = load_registry(spec, environ)
            if registry is not None and registry.place not in self._registries:
                self._registries[registry.place] = Watch(RegistrySource(registry), clock)
        self._found: dict[str, tuple[str, ...]] = {}
        self._told: tuple[set[str], float] = set(), interval
        self._aimed: Mapping[str, str] = {}
        self._poller: Poller | None = None
        self._fault = ""
        self._tally = Tally(clock())
        self._asker: Asker | None = None
        self._closed = threading.Event()
        self._warming: threading.Thread | None = None
        self.place = ", ".join(dict.fromkeys([*self._registries, *self._urls, *self._names])) or "nowhere"
        self.user = _user()

    def clock(self) -> float:
        """Return the time."""
        return self._clock()

    def wall(self) -> float:
        """Return the time of day."""
        return self._wall()

    def start(self) -> None:
        """Begin to look, and to poll."""
        self._poller = Poller(self._interval, self._timeout, self._clock)
        self._poller.start()
        for watch in self._watches():
            watch.start()
        self._warming = threading.Thread(target=self._warm, args=(self._ask(),), name="mtop gets ready", daemon=True)
        self._warming.start()

    def tell(self, fleet: Fleet) -> None:
        """Tell who was found, and what was answered; see to it that all of them are polled."""
        poller = self._poller
        if poller is not None:
            # First, as some of it may be an answer from where a minion is no more.
            self._tell_heard(fleet, self._heard(poller))
        self._tell_found(fleet)
        if poller is not None:
            self._aim(poller, fleet)

    def once(self, fleet: Fleet, within: float = 2.5) -> None:
        """Look once, ask all minions once, and draw the conclusions, without any thread.

        Args:
            fleet: Told all of it.
            within: Seconds that minions have to answer in all.
        """
        for watch in self._watches():
            watch.look()
        self._tell_found(fleet)
        now = self._clock()
        for minion in fleet:
            minion.advance(now)
        # Whoever is lost would make all the others wait.
        lost = {minion.key for minion in fleet if minion.ended}
        targets = {key: url for key, url in fleet.targets().items() if key not in lost}
        self._tell_heard(fleet, poll_once(targets, within, min(self._timeout, within), self._clock))
        fleet.advance(self._clock(), self._wall())

    def close(self) -> None:
        """End. A registry that hangs is left alone."""
        until = time.monotonic() + _PATIENCE
        self._closed.set()
        for watch in self._watches():
            watch.close()
        if self._poller is not None:
            self._poller.close()
        for watch in self._watches():
            watch.join(max(0.0, until - time.monotonic()))
        if self._warming is not None:
            # Python must not end in the middle of an import.
            self._warming.join(max(0.0, until - time.monotonic()))

    def set_interval(self, seconds: float) -> None:
        """Ask every minion so often."""
        self._interval = seconds
        if self._poller is not None:
            self._poller.set_interval(seconds)

    def troubles(self) -> list[str]:
        """Return what does not work, in words."""
        found = [words for watch in self._watches() for words in watch.troubles()]
        return [*found, self._fault] if self._fault else found

    def cost(self) -> Cost:
        """Return what polling takes."""
        return self._tally.cost(self._clock())

    def purge(self, minions: Sequence[Minion]) -> None:
        """Remove the announcements of those that have ended, soon."""
        # By its key: what a minion at an URL says is its id may be that of another.
        ids = [minion.key for minion in minions if minion.ended and minion.place in self._registries]
        if ids:
            for watch in self._registries.values():
                watch.forget(ids)

    async def tasks(self, minion: Minion) -> list[TaskWire]:
        """Ask a minion what runs in it."""
        return await self._ask().tasks(minion)

    async def failures(self, minion: Minion) -> FailuresWire:
        """Ask a minion for its last failures."""
        return await self._ask().failures(minion)

    async def output(self, minion: Minion, task: str) -> OutputWire:
        """Ask a minion for the end of what a run has written."""
        return await self._ask().output(minion, task)

    async def order(self, minion: Minion, order: Order) -> str:
        """Have a minion do something."""
        return await self._ask().order(minion, order)

    def _watches(self) -> list[Watch[Announced] | Watch[tuple[str, ...]]]:
        return [*self._registries.values(), *self._names.values()]

    def _tell_found(self, fleet: Fleet) -> None:
        for watch in self._registries.values():
            news = watch.news()
            if news is not None:
                fleet.announced(watch.place, news.found.found, news.at, news.found.gone)
        for name, names in self._names.items():
            addresses = names.news()
            if addresses is not None:
                self._found[name] = addresses.found
        wanted = {*self._urls}.union(*self._found.values())
        if (wanted, self._interval) != self._told:
            self._told = wanted, self._interval
            fleet.looked_up(wanted, self._clock(), self._token, self._interval)

    def _tell_heard(self, fleet: Fleet, heard: Sequence[Heard]) -> None:
        self._tally.note(heard, self._clock())
        for key, stats, trouble, took, at in heard:
            if trouble is None:
                fleet.answered(key, stats, at, took)
            else:
                fleet.unanswered(key, trouble, at)

    def _heard(self, poller: Poller) -> list[Heard]:
        if self._fault:
            return []
        try:
            return poller.heard()
        except RuntimeError as error:
            # Heartbeats go on; numbers that stand still would look like a fleet that does.
            self._fault = f"mtop polls no more, which is a fault of its own: {type(error.__cause__).__name__}"
            now = self._clock()
            return [Heard(key, None, "is polled no more", 0.0, now) for key in self._aimed]

    def _aim(self, poller: Poller, fleet: Fleet) -> None:
        targets = fleet.targets()
        if targets is self._aimed:
            return
        changed, self._aimed = targets != self._aimed, targets
        if changed:
            self._tally.aim(targets)
            poller.aim(targets)

    def _ask(self) -> Asker:
        if self._asker is None:
            from mtop.live.asker import Asker

            self._asker = Asker(self.user)
        return self._asker

    def _warm(self, asker: Asker) -> None:
        if not self._closed.wait(_WARM):
            asker.warm()


def _user() -> str:
    """Return who this is, as minions call their users."""
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
