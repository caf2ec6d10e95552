"""What feeds of the past have in common: a clock that can be stopped, sped up, and wound to and fro."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Callable, Iterator

from minionize.announcement import uncollected
from mtop.feed import Feed
from mtop.format import Glyphs
from mtop.model.fleet import Fleet

__all__ = ["SPEEDS", "Played"]

SPEEDS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
"""How fast it can be played."""

_MINUTE = 60.0
_OFTEN = 0.9
"""Seconds between two looks at what is played, unless a key was pressed."""

_STEP = 5.0
"""Seconds between two values in the history of a minion."""


class Played(Feed):
    """Plays what has been. The clock of its fleet are the seconds since the beginning.

    Args:
        length: Seconds that it lasts.
        clock: The time of now, which passes while it is played.

    Attributes:
        length: Seconds that it lasts.
        paused: Whether it stands still.
        speed: How many seconds pass in one.
    """

    live = False
    _back = _MINUTE

    def __init__(self, length: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.length = length
        self.paused = False
        self.speed = 1.0
        self._now = clock
        self._from, self._since = 0.0, clock()
        self._wound = False
        self._fleet: Fleet | None = None
        self._told = 0.0
        self._due = self._since

    # What keys do.

    @property
    def position(self) -> float:
        """Seconds since the beginning."""
        passed = 0.0 if self.paused else (self._now() - self._since) * self.speed
        return min(self.length, self._from + passed)

    @property
    def ended(self) -> bool:
        """Whether nothing comes any more."""
        return self.position >= self.length

    def toggle(self) -> None:
        """Stop, or go on; at the end: begin again."""
        if self.ended:
            self.seek(-self.length)
            self.paused = False
            return
        self._anchor(self.position)
        self.paused = not self.paused

    def seek(self, seconds: float) -> None:
        """Go forward by so many seconds, or back; no further than the ends. ``math.inf``: to the end."""
        to = max(0.0, min(self.length, self.position + seconds))
        self._anchor(to)
        self._wound = self._wound or to < self._told or to > self._told + _MINUTE

    def faster(self) -> None:
        """Play twice as fast, up to 64 times."""
        self._speed_up(1)

    def slower(self) -> None:
        """Play half as fast, down to a quarter."""
        self._speed_up(-1)

    def status(self, glyphs: Glyphs | None = None) -> str:
        """Say how it stands: whether it plays, how fast, where of what: ``▶ x4 00:12:03 / 00:41:07``."""
        glyphs = glyphs or Glyphs()
        sign = glyphs("■", "#") if self.ended else glyphs("‖", "=") if self.paused else glyphs("▶", ">")
        return f"{sign} x{self.speed:g} {_clock(self.position)} / {_clock(self.length)}"

    def _speed_up(self, by: int) -> None:
        self._anchor(self.position)
        self.speed = SPEEDS[max(0, min(len(SPEEDS) - 1, SPEEDS.index(self.speed) + by))]

    def _anchor(self, position: float) -> None:
        self._from = position
        self._since = self._due = self._now()

    # What a feed does.

    def clock(self) -> float:
        """Return the seconds since the beginning."""
        return self.position

    def start(self) -> None:
        """Begin to play."""
        self._anchor(self._from)

    def close(self) -> None:
        """Nothing is left open."""

    def wind(self, fleet: Fleet) -> bool:
        """Tell whether the time was wound, so that the fleet must be made anew."""
        wound, self._wound = self._wound, False
        return wound

    def tell(self, fleet: Fleet) -> None:
        """Tell the fleet how it was; one that is new also how fast it was in the minute before."""
        now = self.position
        fresh = fleet is not self._fleet or now < self._told
        if not fresh and (now == self._told or self._now() < self._due):
            return
        began = self._now()
        with uncollected():
            self._tell(fleet, now, fresh)
        # Of thousands of minions it may take half a second: then the screen comes first.
        self._due = began + max(_OFTEN, 4.0 * (self._now() - began))

    def _tell(self, fleet: Fleet, now: float, fresh: bool) -> None:
        if fresh:
            self._renew()
        for moment in self._moments(now, fresh):
            if fresh:
                self._show(fleet, moment)
            else:
                self._glance(fleet, moment)
            fresh = False
            _pass_by(fleet, moment)
        self._show(fleet, now)
        self._fleet, self._told = fleet, now

    def _moments(self, now: float, fresh: bool) -> Iterator[float]:
        """Yield the times before now at which nobody looked, and for which there is room in the histories."""
        oldest = max(0.0, now - self._back + _STEP)
        moment = oldest if fresh else max(oldest, self._told + _STEP)
        while moment < now:
            yield moment
            moment += _STEP

    @abstractmethod
    def _renew(self) -> None:
        """Take nothing for known to the fleet."""

    @abstractmethod
    def _show(self, fleet: Fleet, at: float) -> None:
        """Tell the fleet how it was at a time, which is never before the last one unless all is told anew."""

    @abstractmethod
    def _glance(self, fleet: Fleet, at: float) -> None:
        """Tell the fleet only how fast minions were, and whether they lived: what their histories are made of."""


def _pass_by(fleet: Fleet, moment: float) -> None:
    """Let histories know of a moment at which nobody looks."""
    sums = dict.fromkeys(fleet.past, 0.0)
    for minion in fleet:
        minion.advance(moment)
        sums["done"] += minion.rate
        sums["failed"] += minion.failed_rate
        sums["redelivered"] += minion.redelivered_rate
    for name, history in fleet.past.items():
        for back in range(int(_STEP) - 1, -1, -1):
            history.note(sums[name], moment - back)


def _clock(seconds: float) -> str:
    minutes, second = divmod(int(seconds), 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:{second:02}"
