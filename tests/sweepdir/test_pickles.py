"""Pickles: holes, mappings, and ids."""

from __future__ import annotations

import enum
import io
import pickle
from collections import namedtuple
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minionize.sweepdir import HashableDict
from minionize.sweepdir.ids import param_id
from minionize.sweepdir.pickles import dump, freeze, from_text, hole, load_all, load_first, to_text

SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(), st.binary(),
)  # fmt: skip
PARAMS = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner).map(tuple), st.frozensets(inner), st.dictionaries(st.text(), inner).map(HashableDict)
    ),
    max_leaves=8,
)


def test_holes_of_every_length() -> None:
    """Any unpickler reads exactly the hole, whatever stands behind it, and finds nothing that is a param."""
    for length in (*range(2, 300), 65535, 65541, 70000):
        data = hole(length)
        assert len(data) == length
        stream = io.BytesIO(data + dump(7))
        value = pickle.load(stream)
        assert value is None or (isinstance(value, bytes) and not value.strip(b"\0"))
        assert stream.tell() == length
        assert load_all(dump(1) + data + dump(2), "")[:2] == ([1, 2], len(data) + 10)


@settings(max_examples=50)
@given(st.lists(PARAMS, max_size=5))
def test_records_come_back(params: list[Any]) -> None:
    """What is written is read, also bytes that look like what a hole holds."""
    params += [b"", b"\0\0", None]
    values, end, damage = load_all(b"".join(map(dump, params)), "")
    assert (values, damage) == (params, None)
    assert end == sum(len(dump(param)) for param in params)


@given(PARAMS)
def test_no_record_is_shorter_than_a_hole(param: Any) -> None:
    """So every record can be made one."""
    for protocol in range(6):
        assert len(dump(param, protocol)) >= 2


@given(PARAMS, PARAMS)
def test_ids_are_as_equality(one: Any, other: Any) -> None:
    """Equal params have the same id, others have not."""
    assert (param_id(one) == param_id(other)) == (one == other)


@given(PARAMS)
def test_ids_are_stable(param: Any) -> None:
    """Also after a way through a file."""
    assert param_id(from_text(to_text(param), "")) == param_id(param)
    assert len(param_id(param)) == 16


def test_ids_of_equal_params_of_several_types() -> None:
    """They are one entry of a set, so they are one param."""
    pair = namedtuple("pair", "a b")
    color = enum.StrEnum("color", {"RED": "red"})
    assert len({param_id(value) for value in (1, 1.0, True, 1 + 0j)}) == 1
    assert param_id(pair(1, 2)) == param_id((1, 2))
    assert param_id(color.RED) == param_id("red")
    assert param_id(HashableDict(b=1, a=2)) == param_id({"a": 2, "b": 1})
    assert len({param_id(value) for value in (1, "1", b"1", (1,), None, 1.5, frozenset({1}), 2**70, "None")}) == 9


def test_ids_never_change() -> None:
    """Logs of older versions name params by them."""
    assert param_id(5) == "1572f38360429010"
    assert param_id("a b") == "dbaa1427124debd0"
    assert param_id(HashableDict(arg1=1, arg2="foo")) == "ba3e51c485b06422"


def test_mapping_hashes_once_and_is_pickled_without_its_hash() -> None:
    """Hashes of texts differ from process to process."""
    param = HashableDict(arg2="foo", arg1=1)
    assert hash(param) == hash((("arg1", 1), ("arg2", "foo")))
    assert dump(param) == dump(HashableDict(arg2="foo", arg1=1))
    assert b"execo_engine.sweep" in dump(param)
    assert b"minionize" not in dump({param, HashableDict(arg1=2)})
    loaded, _ = load_first(dump({param}), "")
    assert loaded == {param}
    assert type(next(iter(loaded))) is HashableDict


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
def test_mapping_in_every_protocol(protocol: int) -> None:
    """Old directories hold old ones."""
    param = HashableDict(arg1=1)
    data = dump(param, protocol)
    assert b"execo_engine" in data
    assert b"minionize" not in data
    assert load_first(data, "")[0] == param


def test_bytes_that_look_like_a_class() -> None:
    """A param is data, whatever it looks like."""
    for protocol in (2, 4):
        like = dump(HashableDict(), protocol).replace(b"execo_engine.sweep", b"minionize.sweepdir")
        for value in (like, {like}, {like, HashableDict(arg1=1)}, HashableDict(arg1=like), (like, HashableDict())):
            assert load_first(dump(value, protocol), "")[0] == value


def test_json_values_become_params() -> None:
    """Mappings and lists are not hashable; what they become is."""
    frozen = freeze({"a": [1, {"b": [2]}], "c": {"d": None}})
    assert hash(frozen)
    assert frozen == {"a": (1, {"b": (2,)}), "c": {"d": None}}
