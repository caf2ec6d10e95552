"""Recordings for the tests: of a demo, by a clock that is set by hand."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast, get_args

from hypothesis import strategies as st

from minionize.stats import COUNTERS
from minionize.stats.wire import State, StatsWire
from mtop.demo.feed import DemoFeed
from mtop.feed import Feed
from mtop.model.blank import nothing_said
from mtop.model.fleet import Fleet
from mtop.model.minion import Signs
from mtop.recording.played import Played
from mtop.recording.record import RecordingFeed

START = 1_000.0


class Clock:
    """A clock that is set by hand."""

    def __init__(self, now: float = START) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def record(
    path: Path, seconds: int, count: int = 12, each: Callable[[Fleet, int], None] = lambda fleet, second: None
) -> Fleet:
    """Record a demo; look at it once a second, and do something each time. Return the fleet as it was at the end."""
    clock = Clock()
    feed = RecordingFeed(DemoFeed(count, clock=clock), str(path))
    fleet = Fleet(feed.user, clock.now)
    feed.start()
    for second in range(seconds + 1):
        feed.tell(fleet)
        fleet.advance(clock.now, feed.wall())
        each(fleet, second)
        clock.now += 1.0
        settle(feed)
    feed.close()
    assert feed.troubles() == []
    return fleet


def settle(feed: RecordingFeed) -> None:
    """Wait until what was told is written."""
    while feed.waiting:
        os.sched_yield()


class Viewer:
    """Somebody who plays what was recorded, as the screen does it."""

    def __init__(self, feed: Played, clock: Clock) -> None:
        self.feed, self.clock = feed, clock
        self.fleet = Fleet(feed.user, feed.clock())
        feed.start()
        self.look()

    def look(self, seconds: float = 0.0) -> None:
        """Look, so much later by the clock on the wall."""
        self.clock.now += seconds
        if self.feed.wind(self.fleet):
            self.fleet = Fleet(self.feed.user, self.feed.clock())
        self.feed.tell(self.fleet)
        self.fleet.advance(self.feed.clock(), self.feed.wall())

    def seek(self, seconds: float) -> None:
        """Wind, and look."""
        self.feed.seek(seconds)
        self.look()


def known(fleet: Fleet) -> dict[str, tuple[StatsWire, Signs]]:
    """All that the minions of a fleet know."""
    return {minion.key: (minion.said, minion.signs()) for minion in fleet}


def shown(fleet: Fleet) -> dict[str, object]:
    """What is shown of a fleet, roughly: recordings round."""
    return {
        minion.key: (
            minion.said["host"], minion.said["labels"], minion.said["counters"], minion.said["busy"], minion.via,
            minion.said["in_flight"]["count"], minion.state, minion.trouble, round(minion.uptime), minion.said["why"],
        )
        for minion in fleet
    }  # fmt: skip


class Scripted(Feed):
    """Tells what the test has put in."""

    user, place = "user", "a script"

    def __init__(self) -> None:
        self.now = START
        self.script: Callable[[Fleet], None] = lambda fleet: None
        self.closed = self.started = False
        self.wound = False

    def clock(self) -> float:
        return self.now

    def wall(self) -> float:
        return 1_700_000_000.0 + self.now

    def start(self) -> None:
        self.started = True

    def tell(self, fleet: Fleet) -> None:
        self.script(fleet)

    def close(self) -> None:
        self.closed = True

    def wind(self, fleet: Fleet) -> bool:
        return self.wound

    def troubles(self) -> list[str]:
        return ["a trouble of its own"]


BIG = 2**53 - 1
_COUNT = st.integers(-BIG, BIG) | st.integers(0, 1_000)
_NUMBER = st.floats(-float(BIG), float(BIG)) | st.floats(0.0, 1e5)
_MAYBE = st.none() | _NUMBER
_TEXT = st.text(max_size=12) | st.sampled_from(["\ud800", "x" * 3_000, "\x1b[2J", "日本", "a\nb"])
_STATE: st.SearchStrategy[State] = st.sampled_from(get_args(State))


@st.composite
def numbers(draw: st.DrawFn) -> StatsWire:
    """What a minion may say, hostile ones too."""
    said: dict[str, Any] = {**nothing_said(draw(_TEXT), draw(_TEXT))}
    said |= {name: draw(_TEXT) for name in ("user", "version", "engine", "queue", "command", "why")}
    said |= {name: draw(_COUNT) for name in ("pid", "slots", "busy")}
    said |= {"labels": draw(st.dictionaries(_TEXT, _TEXT, max_size=3)), "state": draw(_STATE)}
    said |= {name: draw(_NUMBER) for name in ("started", "uptime")}
    said["counters"] = {name: draw(_COUNT) for name in COUNTERS}
    said["rates"] = {name: draw(_NUMBER) for name in ("window", "succeeded", "failed", "redelivered")}
    said["latency"] = {
        "count": draw(_COUNT), "sum": draw(_NUMBER), **{name: draw(_MAYBE) for name in ("p50", "p95", "p99")},
        "buckets": [(bound, draw(_COUNT)) for bound in draw(st.lists(_MAYBE, max_size=4))],
    }  # fmt: skip
    said["in_flight"] = {"count": draw(_COUNT), "oldest": draw(_MAYBE)}
    if draw(st.booleans()):
        held = {name: draw(st.none() | _COUNT) for name in ("ready", "in_flight", "dead")}
        said["backlog"] = {**held, "exact": draw(st.booleans()), "as_of": draw(_NUMBER)}
    said["resources"] = {
        "cpu": draw(_NUMBER), "rss": draw(_COUNT), "children_cpu": draw(_NUMBER), "children_rss": draw(_COUNT),
    }  # fmt: skip
    return cast(StatsWire, said)


_TIME = st.floats(0.0, 1e6)

signs = st.builds(
    Signs, st.sampled_from(["http", "heartbeat", "final", "nothing"]), st.floats(0.1, 86_400.0), st.booleans(),
    st.booleans(), _TIME, st.none() | _TIME, st.none() | _TIME, st.none() | _TIME, st.none() | st.just("refused"),
    st.none() | st.floats(0.0, 60.0),
)  # fmt: skip
