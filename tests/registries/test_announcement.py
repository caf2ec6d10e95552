"""Announcements as bytes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minionize.announcement import LARGEST, LONGEST, Decoder, encode, is_id
from minionize.errors import RegistryError
from minionize.host import new_minion_id
from minionize.testing.announcements import hostile, make_announcement
from minionize.testing.registry import plainly

ID = "host-1-a"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda each: st.lists(each, max_size=3) | st.dictionaries(st.text(max_size=5), each, max_size=3),
    max_leaves=8,
)


def paths(value: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """The way to every field."""
    inside = [each for key in value for each in paths(value[key], (*path, key))] if isinstance(value, dict) else []
    return [*([path] if path else []), *inside]


WHOLE = json.loads(encode(make_announcement(ID)))


@given(path=st.sampled_from(paths(WHOLE)), value=JSON)
def test_any_other_value_is_taken_for_what_it_is_or_not_at_all(path: tuple[str, ...], value: Any) -> None:
    """What is read back can be worked with like what a minion writes: its types are those of the wire."""
    changed = json.loads(json.dumps(WHOLE))
    *way, last = path
    place = changed
    for name in way:
        place = place[name]
    before = place[last]
    place[last] = value
    taken = Decoder()(ID, json.dumps(changed).encode())
    if taken is not None:
        assert plainly(taken) == plainly(changed)
        assert isinstance(value, type(before) if not isinstance(before, float) else float | int) or path in MAYBE


MAYBE = {
    ("url",), ("token",), ("left",), ("backlog",), ("in_flight", "oldest"),
    ("latency", "p50"), ("latency", "p95"), ("latency", "p99"),
    ("backlog", "ready"), ("backlog", "in_flight"), ("backlog", "dead"),
}  # fmt: skip


@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    assert Decoder()(ID, data) is None


@pytest.mark.parametrize(("name", "data"), list(hostile(ID)), ids=lambda value: value if isinstance(value, str) else "")
def test_hostile(name: str, data: bytes) -> None:
    if name not in ("huge", "megabytes"):
        assert Decoder()(ID, data) is None, name


def test_ids() -> None:
    assert is_id(new_minion_id())
    assert is_id("node-1.site_x-17-0a1b")
    for bad in ("", ".", "..", ".a", "a/b", "a b", "a\n", "a\0", "../a", "x" * 201, "a\udcff"):
        assert not is_id(bad), bad


def test_texts_are_cut_only_where_it_would_be_too_large() -> None:
    long = "x" * (LONGEST + 1)
    assert json.loads(encode(make_announcement(ID, command=long)))["command"] == long
    data = encode(make_announcement(ID, command=long * 100, labels={"job": long}))
    assert len(data) < LARGEST
    stats = json.loads(data)
    assert stats["command"] == stats["labels"]["job"] == "x" * LONGEST + "..."
    with pytest.raises(RegistryError, match="give fewer labels"):
        encode(make_announcement(ID, labels={str(number): "x" * 100 for number in range(1000)}))


def test_nothing_of_it_can_move_a_cursor_or_break_a_line() -> None:
    data = encode(make_announcement(ID, command="\x1b[2J\n\x00\u2028\udcff\x9b"))
    assert all(32 <= byte < 127 for byte in data)
