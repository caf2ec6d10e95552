"""Lines are the same however they arrive."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from minionize.linefile.split import Overlong, Splitter

DATA = st.lists(st.sampled_from([b"\n", b"a", b"bcd", b"\r", b"\0", b"\xff", b" "])).map(b"".join)


def lines(data: bytes, cuts: list[int], separator: bytes = b"\n", longest: int = 1000) -> list[bytes]:
    splitter = Splitter(separator, longest)
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    found: list[bytes] = []
    for start, end in pairwise(edges):
        found += splitter.feed(data[start:end])
    return found + splitter.end()


@given(DATA, st.lists(st.integers(0, 1000)))
def test_any_pieces_give_the_lines_of_the_whole(data: bytes, cuts: list[int]) -> None:
    whole = data.split(b"\n")
    if not whole[-1]:
        whole.pop()
    assert lines(data, cuts) == whole


@given(DATA, st.lists(st.integers(0, 1000)), st.integers(1, 6))
@example(b"abcdef\nab\n", [3], 3)
def test_overlong_lines_are_the_same_in_any_pieces(data: bytes, cuts: list[int], longest: int) -> None:
    found = lines(data, cuts, longest=longest)
    whole = lines(data, [])
    assert [line if len(line) <= longest else "long" for line in whole] == [
        "long" if isinstance(line, Overlong) else line for line in found
    ]
    assert [bytes(line) for line in found] == [bytes(line) for line in whole], "short ones keep their beginning"


@given(DATA, st.lists(st.integers(0, 1000)))
def test_nul_separates_as_well(data: bytes, cuts: list[int]) -> None:
    swapped = data.translate(bytes.maketrans(b"\0\n", b"\n\0"))
    assert lines(swapped, cuts, b"\0") == [
        line.translate(bytes.maketrans(b"\0\n", b"\n\0")) for line in lines(data, cuts)
    ]


def test_the_line_under_way_is_seen() -> None:
    splitter = Splitter()
    splitter.feed(b"one\ntw")
    assert splitter.rest == b"tw"
    assert splitter.feed(b"o\n") == [b"two"]
    assert splitter.rest == b""


@pytest.mark.parametrize("pieces", [1, 4096])
def test_an_overlong_line_keeps_its_beginning_only(pieces: int) -> None:
    splitter = Splitter(longest=100_000)
    for _ in range(1_000_000 // pieces if pieces > 1 else 1):
        splitter.feed(b"x" * (pieces if pieces > 1 else 1_000_000))
    assert len(splitter.rest) == 4096
    (line, after) = [*splitter.feed(b"\nnext"), *splitter.end()]
    assert (type(line), len(line), after) == (Overlong, 4096, b"next")
