from __future__ import annotations

import math
from typing import Any

import msgspec
import pytest
from hypothesis import given

from minionize.stats.wire import StatsWire
from minionize.testing.announcements import make_announcement
from mtop.model.minion import Signs
from mtop.recording.rows import FIELDS, GLANCED, WORDS, Bad, Row, glance, pack, unpack
from tests.mtop.demo.watching import Watch
from tests.mtop.recording.making import numbers, signs

PLAIN = Signs("http", 3.0, False, False, 10.0)


def again(row: Row, numbers: list[int] | None = None) -> tuple[StatsWire, Signs]:
    return unpack(row, row["numbers"] if numbers is None else numbers)


@given(numbers(), signs)
def test_what_is_read_back_is_written_the_same(said: StatsWire, known: Signs) -> None:
    row = pack("key", said, known, 0.0)
    once = again(row)
    assert pack("key", *once, 0.0) == row
    assert again(pack("key", *once, 0.0)) == once
    assert msgspec.json.decode(msgspec.json.encode(row), type=Row) == row


def test_counters_and_texts_are_exact_and_all_else_nearly() -> None:
    for minion in Watch(40).fleet:
        said, known = again(pack(minion.key, minion.said, minion.signs(), 1_000.0))
        for name in ("id", "host", "user", "version", "engine", "queue", "command", "labels", "state", "why", "pid",
                     "slots", "busy", "counters"):  # fmt: skip
            assert said[name] == minion.said[name]
        assert said["uptime"] == pytest.approx(minion.said["uptime"], abs=0.02)
        assert said["started"] == pytest.approx(minion.said["started"], abs=0.001)
        for group in ("rates", "latency", "resources", "in_flight"):
            kept: Any = said[group]
            for name, value in minion.said[group].items():
                if isinstance(value, float):
                    assert math.isclose(kept[name], value, rel_tol=0.01, abs_tol=0.02)
        assert said["latency"]["buckets"] == minion.said["latency"]["buckets"]
        assert (said["backlog"] is None) == (minion.said["backlog"] is None)
        if said["backlog"] and minion.said["backlog"]:
            assert said["backlog"] == pytest.approx(minion.said["backlog"])
        assert (known.via, known.left, known.trouble) == (minion.signs().via, minion.signs().left, minion.trouble)
        assert known.heard_at + 1_000.0 == pytest.approx(minion.signs().heard_at, abs=0.01)


def test_neither_token_nor_url_is_kept() -> None:
    announcement = make_announcement("host-1-a", url="http://secret.example:1", token="s3cret")
    row = pack("host-1-a", announcement, PLAIN, 0.0)
    assert b"secret" not in msgspec.json.encode(row)
    assert b"s3cret" not in msgspec.json.encode(row)


@given(numbers(), signs)
def test_a_glance_sees_the_same(said: StatsWire, known: Signs) -> None:
    row = pack("key", said, known, 0.0)
    whole, recalled = again(row)
    assert glance(row, row["numbers"][:GLANCED]) == (whole["rates"], recalled)


@pytest.mark.parametrize(("field", "value"), [("via", -1), ("via", 4), ("state", -1), ("state", 99), ("rss", 2**51)])
def test_what_cannot_be_is_refused(field: str, value: int) -> None:
    row = pack("key", again(pack("key", make_announcement("a"), PLAIN, 0.0))[0], PLAIN, 0.0)
    row["numbers"][FIELDS.index(field)] = value
    with pytest.raises(Bad):
        again(row)


def test_texts_are_bounded() -> None:
    said = make_announcement("a", command="x" * 100_000, labels={str(number): "y" * 9_000 for number in range(900)})
    row = pack("key", said, PLAIN, 0.0)
    assert len(row["words"]) == len(WORDS)
    assert len(msgspec.json.encode(row)) < 60_000
