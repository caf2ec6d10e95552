"""Minions to tell a fleet of: plain ones, and any that the wire lets through."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast, get_args

from hypothesis import strategies as st

from minionize.registry import Announcement, Seen
from minionize.stats import COUNTERS
from minionize.stats.wire import State, StatsWire
from minionize.testing.announcements import make_announcement
from mtop.model.blank import nothing_said

USER = "fred"
HERE = "here"
AFAR = ("afar", "boot", "pidns", 7, 7)
EVERY = 10.0


def says(id: str = "a-1-x", counters: Mapping[str, int] | None = None, **changes: Any) -> StatsWire:
    """Numbers of a minion that is 1,000 s old and has one slot; ``changes`` are other ones."""
    said: dict[str, Any] = {**nothing_said(id, "a"), "user": USER, "state": "running", "engine": "execo", "queue": "q"}
    said |= {"slots": 1, "started": 5_000.0, "uptime": 1_000.0}
    said["counters"] |= counters or {}
    return cast(StatsWire, said | changes)


def backlog(ready: int | None, as_of: float = 6_000.0, **changes: Any) -> dict[str, Any]:
    """What a queue holds; ``as_of``: the numbers of ``says`` are told at 6,000 by the minion's clock."""
    return {"ready": ready, "in_flight": 0, "dead": 0, "exact": True, "as_of": as_of, **changes}


def announces(id: str = "a-1-x", **changes: Any) -> Announcement:
    """An announcement with the numbers of ``says``."""
    way: dict[str, Any] = {"url": f"http://{id}:1", "token": f"token-of-{id}", "process": AFAR, "every": EVERY}
    return make_announcement(**{**says(id), **way, **changes})


def tombstone(id: str = "a-1-x", **changes: Any) -> Announcement:
    """The last announcement of a minion."""
    return announces(id, **{"url": None, "token": None, "left": 6_000.0, "state": "stopped", **changes})


def seen(*announcements: Announcement, age: float = 0.0) -> list[Seen]:
    """What a registry holds, all written so many seconds ago."""
    return [Seen(announcement, age) for announcement in announcements]


_BIG = 2**53 - 1
counts = st.integers(0, 5) | st.integers(-_BIG, _BIG)
numbers = st.floats(0.0, 1e4) | st.floats(-float(_BIG), float(_BIG))
texts = st.sampled_from(["", "q", "file", "memory", "execo", "\x1b[31m", "\udcff"]) | st.text(max_size=5)
ids = st.sampled_from(["a", "b", "c"])


@st.composite
def any_stats(draw: st.DrawFn) -> StatsWire:
    """Whatever the wire lets through, sense or not."""
    return says(
        draw(ids),
        {name: draw(counts) for name in COUNTERS},
        host=draw(ids),
        user=draw(st.sampled_from([USER, "", "eve"])),
        engine=draw(texts),
        queue=draw(texts),
        state=draw(st.sampled_from(get_args(State))),
        started=draw(numbers),
        uptime=draw(numbers),
        slots=draw(counts),
        busy=draw(counts),
        rates={"window": draw(numbers), **{name: draw(numbers) for name in ("succeeded", "failed", "redelivered")}},
        latency={
            "count": draw(counts),
            "sum": draw(numbers),
            **{name: draw(st.none() | numbers) for name in ("p50", "p95", "p99")},
            "buckets": draw(st.lists(st.tuples(st.none() | numbers, counts), max_size=3)),
        },
        in_flight={"count": draw(counts), "oldest": draw(st.none() | numbers)},
        backlog=draw(st.none() | any_backlogs()),
        resources={"cpu": draw(numbers), "rss": draw(counts), "children_cpu": 0.0, "children_rss": 0},
    )


def any_backlogs() -> st.SearchStrategy[dict[str, Any]]:
    """Whatever a queue may be said to hold."""
    known = st.none() | counts
    return st.builds(backlog, known, numbers, in_flight=known, dead=known, exact=st.booleans())


@st.composite
def any_announcements(draw: st.DrawFn) -> Announcement:
    """Whatever a registry lets through."""
    said: dict[str, Any] = {
        **draw(any_stats()),
        "url": draw(st.sampled_from([None, "http://a:1", "http://127.0.0.1:1", "http://[", "http://:0"])),
        "token": draw(st.sampled_from([None, "hush"])),
        "process": draw(st.sampled_from([AFAR, (HERE, "b", "n", 1, 1)])),
        "every": draw(st.floats(0.01, 86_400.0)),
        "left": draw(st.none() | numbers),
    }
    return make_announcement(**said)
