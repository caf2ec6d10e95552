"""Somebody who looks at a demo, by a clock that is set by hand."""

from __future__ import annotations

from mtop.demo.feed import DemoFeed
from mtop.model.fleet import Fleet
from mtop.model.minion import Minion

START = 1_000.0


class Watch:
    """A demo and its fleet."""

    def __init__(self, count: int, seed: int = 0, interval: float | None = None) -> None:
        self.now = START
        self.feed = DemoFeed(count, seed, lambda: self.now, interval)
        self.fleet = Fleet(self.feed.user, self.now)
        self.happened: list[str] = []
        self.look(0.0)

    def look(self, seconds: float) -> None:
        """Look, so much later."""
        self.now += seconds
        self.feed.tell(self.fleet)
        self.happened += (event.what for event in self.fleet.advance(self.now, self.feed.wall()))

    def watch(self, seconds: int) -> None:
        """Look once a second."""
        for _ in range(seconds):
            self.look(1.0)

    def one(self, state: str = "running", engine: str = "execo") -> Minion:
        """Return a minion of the user's in some state."""
        return next(
            minion
            for minion in self.fleet
            if minion.state == state and minion.said["engine"] == engine and self.fleet.mine(minion)
        )
