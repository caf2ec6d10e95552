"""Records as lines: strict whatever the values, and read back past what is torn."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minionize.errors import ReporterError
from minionize.records import AppendFile, encode, read_records
from minionize.testing.reporter import full_disk

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers() | st.tuples(st.integers()), inner),
    max_leaves=20,
)


def refuse(word: str) -> None:
    raise AssertionError(f"{word} is not JSON")


@given(VALUES)
def test_any_value_is_strict_json_on_one_line(value: Any) -> None:
    line = encode(value)
    json.loads(line, parse_constant=refuse)
    assert line.isascii()
    assert not any(ord(char) < 32 for char in line)


def test_what_holds_itself_ends() -> None:
    value: list[Any] = []
    value.append(value)
    assert "nested too deeply" in encode(value)


def test_infinity_and_nan() -> None:
    inf = float("inf")
    assert encode([float("nan"), inf, -inf, 1.5]) == '[null,"Infinity","-Infinity",1.5]'


def test_lines_that_are_no_records_are_skipped(tmp_path: Path) -> None:
    path = tmp_path / "records"
    path.write_bytes(b'{"id":"a"}\n{"id":"to\n\xff\xfe\n[1]\n\n{"id":"b"}\n{"id":"c"')
    assert [record["id"] for record in read_records(path)] == ["a", "b"]


def test_part_of_a_record_is_cut_off_when_the_disk_is_full(tmp_path: Path) -> None:
    path = tmp_path / "records"
    file = AppendFile(path)
    file.write(b"first\n")
    with full_disk(path, left=3), pytest.raises(ReporterError, match=str(path)):
        file.write(b"second\n")
    assert path.read_bytes() == b"first\n"
    file.write(b"third\n")
    file.close()
    assert path.read_bytes() == b"first\nthird\n"


def test_a_torn_line_is_ended_once(tmp_path: Path) -> None:
    path = tmp_path / "records"
    path.write_bytes(b"torn")
    file = AppendFile(path)
    file.write(b"a\n")
    file.write(b"b\n")
    file.close()
    assert path.read_bytes() == b"torn\na\nb\n"


def test_a_record_is_one_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    writes: list[bytes] = []
    write = os.write
    file = AppendFile(tmp_path / "records")

    def spy(fd: int, data: bytes) -> int:
        writes.append(data)
        return write(fd, data)

    monkeypatch.setattr(os, "write", spy)
    file.write(b"x" * 100_000 + b"\n")
    monkeypatch.undo()
    file.close()
    assert [len(data) for data in writes] == [100_001]
