"""Recordings that are torn, foreign or hostile."""

from __future__ import annotations

import gzip
import json
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minionize.errors import SettingsError
from mtop.recording.codecs import by_name
from mtop.recording.replay import ReplayFeed
from tests.mtop.recording.making import Clock, Viewer, known, record


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("recording") / "x.gz"
    record(path, 65, count=2)
    return path.read_bytes()


@pytest.fixture(scope="module")
def texts(small: bytes) -> list[bytes]:
    return gzip.decompress(small).splitlines(keepends=True)


def play(path: Path) -> Viewer | None:
    """Play all of it; whatever is in there, nothing comes out but words. None if it is no recording, and is said so."""
    clock = Clock(0.0)
    try:
        feed = ReplayFeed(str(path), clock)
    except SettingsError as error:
        return None if str(path) in str(error) else pytest.fail(f"{error} does not name the file")
    seen = Viewer(feed, clock)
    for seek in (1.0, 30.0, 1e9, -20.0, 1e9):
        seen.seek(seek)
    assert all(isinstance(trouble, str) for trouble in seen.feed.troubles())
    return seen


def played(path: Path) -> Viewer:
    """Play what is a recording."""
    seen = play(path)
    assert seen is not None
    return seen


@pytest.mark.parametrize("step", [29, pytest.param(1, marks=pytest.mark.slow)])
def test_whatever_is_missing_at_the_end_the_rest_is_played(small: bytes, tmp_path: Path, step: int) -> None:
    path = tmp_path / "torn.gz"
    longest = -1.0
    for length in range(0, len(small), step):
        path.write_bytes(small[:length])
        seen = play(path)
        length_seen = -1.0 if seen is None else seen.feed.length
        assert length_seen >= longest, f"{length} bytes"
        longest = length_seen
    assert longest >= 64


def test_what_is_torn_is_said(small: bytes, tmp_path: Path) -> None:
    path = tmp_path / "torn.gz"
    path.write_bytes(small[:-50])
    assert [trouble for trouble in played(path).feed.troubles() if "ends in the middle" in trouble]
    path.write_bytes(small)
    assert played(path).feed.troubles() == []


def test_damage_costs_a_minute_at_most(tmp_path: Path) -> None:
    path = tmp_path / "x.gz"
    record(path, 200, count=3)
    clock = Clock(0.0)
    good = Viewer(ReplayFeed(str(path), clock), clock)
    good.seek(150.0)
    data = bytearray(path.read_bytes())
    second = [mark.start() for mark in by_name("x.gz").pattern.finditer(bytes(data))][1]
    data[second + 60 : second + 90] = b"?" * 30
    path.write_bytes(bytes(data))
    bad = Viewer(ReplayFeed(str(path), clock), clock)
    bad.seek(90.0)
    assert "left out" in bad.feed.troubles()[0]
    bad.seek(60.0)
    assert known(bad.fleet) == known(good.fleet)
    assert bad.feed.length == 200.0


@given(data=st.data())
def test_flipped_bytes_raise_nothing(
    data: st.DataObject, small: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    broken = bytearray(small)
    for at in data.draw(st.lists(st.integers(0, len(small) - 1), min_size=1, max_size=4)):
        broken[at] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("flipped") / "x.gz"
    path.write_bytes(bytes(broken))
    play(path)


def packed(data: bytes) -> bytes:
    """The same bytes at any time: they name a case."""
    return gzip.compress(data, mtime=0)


@pytest.mark.parametrize(
    "data",
    [
        b"", b"x", b"hello, world\n", b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"\x1f\x8b\x08\x00" + bytes(50),
        packed(b""), packed(b"hello\n"), packed(b"{}\n"), packed(b"[1]\n" * 1_000),
        packed(b'{"mtop":1}\n'), packed(b"\xff" * 1_000), packed(b"x" * 100_000_000),
        zlib.compress(b"hello"), packed(b"[" * 100_000 + b"\n"),
    ],
)  # fmt: skip
def test_what_is_no_recording_is_said_to_be_none(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "foreign.gz"
    path.write_bytes(data)
    with pytest.raises(SettingsError, match=r"foreign\.gz"):
        ReplayFeed(str(path))


def changed(texts: list[bytes], number: int, **changes: Any) -> bytes:
    """A recording in which one line is another."""
    line = {**json.loads(texts[number]), **changes}
    return gzip.compress(b"".join([*texts[:number], json.dumps(line).encode() + b"\n", *texts[number + 1 :]]))


def test_a_recording_of_another_version(texts: list[bytes], tmp_path: Path) -> None:
    path = tmp_path / "new.gz"
    for changes in ({"mtop": 2}, {"fields": ["x"]}, {"version": "\x1b[2J" + "9" * 500, "words": []}):
        path.write_bytes(changed(texts, 0, **changes))
        with pytest.raises(SettingsError, match="another version") as error:
            ReplayFeed(str(path))
        assert "\x1b" not in str(error.value)
        assert len(str(error.value)) < 300


@pytest.mark.parametrize(
    "changes",
    [
        {"t": "soon"}, {"t": -5}, {"t": 1e300}, {"t": 9e15}, {"t": None}, {"wall": "noon"}, {"whole": 1},
        {"gone": [9]}, {"gone": [-1]}, {"gone": [0] * 50}, {"gone": "all"}, {"words": [[0, 1]]},
        {"words": [[0, 0, "other"]]}, {"words": [[5, 0, "x"]]}, {"words": [[0, 1, "\x1b[2J" * 9]]},
        {"changes": [[0, [], [99, 99]]]}, {"changes": [[13, [], [77, 77]]]}, {"changes": [[400, [0], [1]]]},
        {"changes": [[20, [], [2**52, 2**52]]]}, {"changes": [[20, [-1], [1]]]}, {"changes": [[20, [0], [1e99]]]},
        {"changes": {"a": 1}}, {"rows": [{}]}, {"rows": [[]]}, {"rows": [{"words": [], "numbers": []}]},
        {"changes": [[field, [], [2**49] * 2] for field in range(50)]}, {"unknown": "field"},
    ],
)  # fmt: skip
@pytest.mark.parametrize("number", [1, 5, -1])
def test_hostile_lines(texts: list[bytes], tmp_path: Path, number: int, changes: dict[str, Any]) -> None:
    path = tmp_path / "hostile.gz"
    path.write_bytes(changed(texts, number % len(texts), **changes))
    seen = play(path)
    if seen is not None:
        assert len(seen.fleet) <= 3
        assert seen.feed.status()


def test_a_line_that_never_ends_is_not_held_in_memory(texts: list[bytes], tmp_path: Path) -> None:
    path = tmp_path / "bomb.gz"
    compressor = zlib.compressobj(9, zlib.DEFLATED, 31)
    with path.open("wb") as file:
        file.write(compressor.compress(b"".join(texts[:10])))
        for _ in range(100):
            file.write(compressor.compress(b" " * (1 << 20)))
        file.write(compressor.flush())
    seen = played(path)
    assert seen.feed.length == 8.0
    assert "ends in the middle" in seen.feed.troubles()[0]


def test_marks_that_lie(texts: list[bytes], tmp_path: Path) -> None:
    codec, path = by_name("x.gz"), tmp_path / "lies.gz"
    body = b"".join(texts[1:])
    parts = [gzip.compress(texts[0]), codec.mark(50.0), gzip.compress(body), codec.mark(3.0), codec.mark(60.0)]
    path.write_bytes(b"".join([*parts, gzip.compress(texts[2]), codec.mark(70.0), b"junk"]))
    assert played(path).feed.status()
