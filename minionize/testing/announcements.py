"""Announcements to test registries with: a good one, and everything that is none."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from minionize.announcement import LARGEST
from minionize.host import identity
from minionize.registry import Announcement
from minionize.stats.wire import SCHEMA, StatsWire

__all__ = ["TOKEN", "hostile", "make_announcement"]

TOKEN = "hush-0123456789abcdef"


def make_announcement(id: str = "host-1-a", *, every: float = 10.0, **changes: Any) -> Announcement:
    """Make an announcement of a minion in this process, every field filled; ``changes`` are those of the stats."""
    stats: StatsWire = {
        "schema": SCHEMA,
        "id": id,
        "host": "host",
        "pid": 1,
        "user": "user",
        "version": "1.0",
        "engine": "execo",
        "queue": "/home/user/sweeps",
        "command": "./a.out {}",
        "labels": {"job": "1287856"},
        "state": "running",
        "why": "",
        "started": 1_700_000_000.25,
        "uptime": 1234.5,
        "slots": 2,
        "busy": 2,
        "counters": {
            "received": 9,
            "succeeded": 4,
            "failed": 1,
            "timed_out": 1,
            "could_not_start": 0,
            "retried": 1,
            "preempted": 0,
            "redelivered": 1,
            "crashed": 0,
            "dead": 1,
            "lease_lost": 1,
        },
        "rates": {"window": 10.0, "succeeded": 0.4, "failed": 0.2, "redelivered": 0},
        "latency": {"count": 7, "sum": 7.5, "p50": 1, "p95": 1.5, "p99": None, "buckets": [(1.0, 3), (None, 7)]},
        "in_flight": {"count": 2, "oldest": 0.5},
        "backlog": {"ready": 10, "in_flight": 2, "dead": None, "exact": True, "as_of": 1_700_000_000.0},
        "resources": {"cpu": 0.05, "rss": 50_000_000, "children_cpu": 1.9, "children_rss": 0},
    }
    said: Announcement = {
        **stats,
        "url": "http://127.0.0.1:41234",
        "token": TOKEN,
        "heartbeat": 1_700_001_234.75,
        "every": every,
        "process": identity(),
        "left": None,
    }
    return {**said, **changes}  # type: ignore[typeddict-item]


def hostile(id: str) -> Iterator[tuple[str, bytes]]:
    """Yield what must not be taken for an announcement of ``id``, each with its name."""
    good: dict[str, Any] = json.loads(json.dumps(make_announcement(id)))
    text = json.dumps(good).encode()
    yield "empty", b""
    yield "torn", text[:-1]
    yield "torn early", text[: len(text) // 2]
    yield "twice", text + text
    yield "huge", text + b" " * LARGEST
    yield "megabytes", b"[" * 3_000_000
    yield "deep", b'{"a":' * 10_000
    yield "NULs", bytes(1000)
    yield "no UTF-8", text.replace(b"./a.out", b"\xff\xfe")
    yield "a list", b"[]"
    yield "a record", b'{"param": 1, "id": "1"}'
    yield "lines", b"1\n2\n"
    yield "NaN", text.replace(b"1234.5", b"NaN")
    yield "endless", text.replace(b"1234.5", b"1e999")
    yield "endless below", text.replace(b"1234.5", b"-1e999")
    yield "a number too long", text.replace(b"50000000", b"5" * 4000)
    yield "a number too large", text.replace(b"50000000", b"5" * 400)
    for name in good:
        yield f"without {name}", _dumps({key: value for key, value in good.items() if key != name})
        yield f"{name} of a wrong type", _dumps({**good, name: [None]})
    changes: dict[str, Any] = {
        "schema": 2,
        "url": ["javascript:alert(1)", "http://a b", "http://h\r\nx: y", "file:///etc/passwd", "http://", ""],
        "token": ["two\r\nlines", "\u00fc", "", "x" * 1000],
        "every": [0, -1, 1e9, True],
        "process": [["h", "b", "n", 0, 1], ["h", "b", "n", -1, 1], ["h", "b", "n", 1], ["h", "b", "n", "1", 1]],
        "left": ["now", True],
    }
    for name, values in changes.items():
        for value in values if isinstance(values, list) else [values]:
            yield f"{name} {str(value)[:30]!r}", _dumps({**good, name: value})
    deeper: dict[str, Any] = {
        "state": "lost",
        "labels": {"job": 1},
        "counters": {**good["counters"], "received": 1.5},
        "latency": {**good["latency"], "buckets": [[1, 2, 3]]},
        "backlog": {**good["backlog"], "exact": 1},
    }
    for name, value in deeper.items():
        yield f"{name} {str(value)[:30]}", _dumps({**good, name: value})


def _dumps(value: object) -> bytes:
    return json.dumps(value).encode()
