"""One look at a fleet."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from mtop.feed import Feed
from mtop.model.fleet import Fleet

if TYPE_CHECKING:
    from mtop.live.feed import LiveFeed

__all__ = ["Look", "Sight", "feed_look", "live_look"]


class Sight(NamedTuple):
    """What a look has shown.

    Attributes:
        fleet: The fleet, as it is.
        as_of: When that was, in Unix seconds.
        place: Where it was looked for.
        problems: What could not be looked at, in words.
    """

    fleet: Fleet
    as_of: float
    place: str
    problems: list[str]


Look: TypeAlias = Callable[[], Sight]
"""Looks again; returns the same fleet, as it is then."""


def feed_look(feed: Feed) -> Look:
    """Look at what a feed tells that needs nobody to answer: a synthetic fleet, a recording."""
    fleet = Fleet(feed.user, feed.clock())
    feed.start()

    def look() -> Sight:
        feed.tell(fleet)
        fleet.advance(feed.clock(), feed.wall())
        return Sight(fleet, feed.wall(), feed.place, feed.troubles())

    return look


def live_look(feed: LiveFeed) -> Look:
    """Look at real minions: each is asked once."""
    fleet = Fleet(feed.user, feed.clock())

    def look() -> Sight:
        feed.once(fleet)
        return Sight(fleet, feed.wall(), feed.place, feed.troubles())

    return look
