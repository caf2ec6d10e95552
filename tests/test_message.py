"""Params as messages: whatever goes in comes out, and what cannot be read says why."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minionize.engine import EngineError, Undecodable
from minionize.message import JSON, Codec, Dead, batches, counted
from minionize.testing import ManualClock

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


@pytest.mark.parametrize("decoder", ["identity", "json"])
@given(param=VALUES)
def test_any_value_comes_back_whatever_the_decoder(decoder: str, param: Any) -> None:
    codec = Codec(decoder)
    assert codec.decode(*codec.encode(param)) == param


@given(body=st.binary())
def test_a_text_is_any_bytes(body: bytes) -> None:
    codec = Codec("identity")
    assert codec.encode(codec.decode(body)) == (body, "")


def test_the_decoder_is_for_messages_that_say_nothing() -> None:
    assert Codec("identity").decode(b"7") == "7"
    assert Codec("json").decode(b"7") == 7
    assert Codec("identity").decode(b"7", JSON) == 7
    assert Codec("json").decode(b"7", "text/plain") == 7
    assert Codec("identity").decode(b"7", " Application/JSON; charset=utf-8") == 7


@pytest.mark.parametrize(
    ("body", "why"), [(b'{"half', "no JSON: "), (b"\xff", "no JSON: "), (b"[" * 100_000, "nested too deeply")]
)
def test_what_cannot_be_read_says_why(body: bytes, why: str) -> None:
    bad = Codec("json").decode(body)
    assert isinstance(bad, Undecodable)
    assert why in bad.why
    assert bad.raw == body.decode("utf-8", "surrogateescape")


@pytest.mark.parametrize("param", [{1, 2}, b"bytes", {(1, 2): 3}, [object()]])
def test_what_has_no_form_in_json_is_refused(param: Any) -> None:
    with pytest.raises(EngineError, match="no form in JSON"):
        Codec("json").encode(param)


@given(body=st.binary(), reason=st.text(st.characters(codec="utf-8")))
def test_a_dead_param_keeps_its_evidence(body: bytes, reason: str) -> None:
    dead = Dead.now("7", body, JSON, reason, {"exit_code": 3, "stderr": "no \udcff"})
    data = dead.encode()
    assert data.isascii()
    assert Dead.decode(data) == dead
    assert dead.letter(Codec("identity")).reason == reason


def test_a_dead_param_is_decoded_as_the_live_one() -> None:
    assert Dead.now("7", b'{"a": 1}', JSON, "", {}).letter(Codec("identity")).param == {"a": 1}
    assert Dead.now("7", b"1", "", "", {}).letter(Codec("identity")).param == "1"


@pytest.mark.parametrize("data", [b"", b"param", b"\xff", b"7", b"{}", b'{"minionize-dead": 1}', b"[" * 100_000])
def test_what_is_no_dead_param_is_told_apart(data: bytes) -> None:
    assert Dead.decode(data) is None
    assert Dead.decode(json.dumps({"minionize-dead": 1, "id": 1, "body": "", "evidence": 7}).encode()) is None
    dead = Dead.now("7", b"", "", "", {}).encode()
    for number in (b"1e999", b"NaN", b"1" + b"0" * 400, b'"x"'):
        assert Dead.decode(dead.partition(b'"at":')[0] + b'"at":' + number + b"}") is None


def test_a_text_that_cannot_be_written_is_an_error() -> None:
    with pytest.raises(EngineError, match="is no text"):
        Codec("identity").encode("\ud800")


def test_batches_grow_while_items_come_quickly() -> None:
    found = list(batches(range(3000), lambda each: 1, 10_000, ManualClock()))
    assert [len(batch) for batch in found[:5]] == [1, 2, 4, 8, 16]
    assert max(map(len, found)) == 1000
    assert [item for batch in found for item in batch] == list(range(3000))


def test_what_comes_slowly_does_not_wait() -> None:
    clock = ManualClock()

    def slowly() -> Iterator[int]:
        for number in range(5):
            clock.advance(1.0)
            yield number

    assert list(batches(slowly(), lambda each: 1, 10_000, clock)) == [[0], [1], [2], [3], [4]]


def test_no_batch_is_too_large_but_for_a_single_item() -> None:
    sizes = [40, 40, 40, 300, 40, 10]
    found = list(batches(sizes, lambda each: each, 100, ManualClock()))
    assert [item for batch in found for item in batch] == sizes
    assert all(sum(batch) <= 100 or batch == [300] for batch in found)


def test_what_came_before_a_bad_item_is_in_a_batch() -> None:
    def items() -> Iterator[int]:
        yield from range(6)
        raise EngineError("the seventh")

    found = batches(items(), lambda each: 1, 10_000, ManualClock())
    assert [next(found) for _ in range(3)] == [[0], [1, 2], [3, 4, 5]]
    with pytest.raises(EngineError, match="the seventh"):
        next(found)


@pytest.mark.parametrize(
    ("words", "count"),
    [("0", 0), ("12", 12), ("", None), ("-1", None), ("1.0", None), ("\u0663", None), ("9" * 19, None)],
)
def test_counts_of_others(words: str, count: int | None) -> None:
    assert counted(words) == count
