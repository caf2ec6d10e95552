from __future__ import annotations

import io
import json
import os
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as some

from minionize.errors import SettingsError
from minionize.queue import sources
from minionize.queue.sources import from_csv, from_json, from_lines, pieces


def stream(data: bytes) -> io.BufferedReader:
    return io.BufferedReader(io.BytesIO(data))


@given(some.lists(some.binary().map(lambda data: data.replace(b"\n", b""))), some.booleans())
def test_lines_are_those_of_the_stream(lines: list[bytes], ended: bool) -> None:
    data = b"\n".join(lines) + b"\n" * (ended and bool(lines))
    expected = data.split(b"\n")
    if not expected[-1]:
        expected.pop()
    assert list(pieces(stream(data), "x")) == list(enumerate(expected, 1))


def test_a_line_comes_before_the_next_is_written() -> None:
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb") as file, os.fdopen(writer, "wb", buffering=0) as end:
        lines = from_lines(file, "pipe")
        end.write(b"one\ntwo")
        assert next(lines) == "one"
        threading.Timer(0.01, lambda: end.write(b" words\n")).start()
        assert next(lines) == "two words"


def test_blank_lines_and_line_ends_are_no_params() -> None:
    assert list(from_lines(stream(b"a\r\n\n  \n b \nlast"), "x")) == ["a", " b ", "last"]
    assert list(from_lines(stream(b"a\nb\0\0c"), "x", null=True)) == ["a\nb", "", "c"]


def test_who_forgot_that_params_end_with_nul_is_told() -> None:
    with pytest.raises(SettingsError, match=r"x, line 2: holds a NUL byte; -0 is for"):
        list(from_lines(stream(b"a\nb\0c\n"), "x"))


def test_bytes_that_are_no_text_survive() -> None:
    (param,) = from_lines(stream(b"\xff\xfe\n"), "x")
    assert param.encode("utf-8", "surrogateescape") == b"\xff\xfe"


def test_a_line_that_never_ends_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "LONGEST", 200_000)
    with pytest.raises(SettingsError, match="big, line 2: longer than 200000 bytes"):
        list(from_lines(stream(b"a\n" + b"x" * 400_000), "big"))


def test_json_lines() -> None:
    assert list(from_json(stream(b'{"a": [1]}\n\n"b"\n1.5\nnull'), "x")) == [{"a": [1]}, "b", 1.5, None]


@pytest.mark.parametrize(
    "line", [b"{", b"NaN", b"[Infinity]", b"\xff", b"1 2", b"[" * 100_000, b"9" * 5000], ids=lambda line: line[:6]
)
def test_a_line_that_is_no_json_is_named(line: bytes) -> None:
    lines = from_json(stream(b"1\n" + line + b"\n3"), "some.jsonl")
    assert next(lines) == 1
    with pytest.raises(SettingsError, match=r"^some\.jsonl, line 2: "):
        next(lines)


@given(some.recursive(some.none() | some.booleans() | some.integers() | some.text(), some.lists, max_leaves=5))
def test_any_json_survives(value: object) -> None:
    assert list(from_json(stream(json.dumps(value).encode()), "x")) == [value]


def test_a_row_is_a_mapping() -> None:
    table = b'\xef\xbb\xbfname,size\r\n"a, b",1\n\n"two\nlines",007\n\xff,\n'
    rows = list(from_csv(stream(table), "x"))
    assert rows == [
        {"name": "a, b", "size": "1"},
        {"name": "two\nlines", "size": "007"},
        {"name": "\udcff", "size": ""},
    ]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (b"", "x: empty"),
        (b"\0ELF\n", "line 1: holds a NUL byte"),
        (b"a,a\n", "line 1: a stands there twice"),
        (b"a,\n", "line 1: a name is missing"),
        (b"a,b\n1,2\n1\n", "line 3: 1 values for 2 names: a, b"),
        (b"a,b\n1,2,3\n", "line 2: 3 values for 2 names"),
        (b'a\n"x\n', "not CSV"),
        (b'a\n"x"y\n', "line 2: not CSV"),
    ],
)
def test_a_wrong_table_says_where(table: bytes, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        list(from_csv(stream(table), "x"))
