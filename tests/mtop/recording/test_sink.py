from __future__ import annotations

import gzip
import os
import stat
import subprocess
import zlib
from pathlib import Path
from typing import Any

import pytest

from minionize.errors import SettingsError
from mtop.recording.codecs import Codec, Damaged, by_name, by_start
from mtop.recording.sink import Sink

HEADER = b'{"mtop":1}\n'


def codecs() -> list[Any]:
    """All that this Python has."""
    found: list[Any] = [pytest.param(by_name("x.gz"), id="gzip")]
    try:
        return [*found, pytest.param(by_name("x.zst"), id="zstd")]
    except SettingsError:
        return [*found, pytest.param(None, id="zstd", marks=pytest.mark.skip("this Python has no zstd"))]


def read(codec: Codec, data: bytes) -> bytes:
    return b"".join(codec.pieces([data]))


@pytest.mark.parametrize("codec", codecs())
def test_what_is_written_is_read(codec: Codec) -> None:
    compressor = codec.compressor()
    data = compressor.write(b"one\n") + compressor.flush()
    parts: list[bytes] = []
    with pytest.raises(Damaged, match="ends in the middle"):
        parts.extend(codec.pieces([data]))
    assert b"".join(parts) == b"one\n"
    data += compressor.write(b"two\n") + compressor.finish()
    assert read(codec, data) == b"one\ntwo\n"
    assert b"".join(codec.pieces([data[:7], data[7:]])) == b"one\ntwo\n"


@pytest.mark.parametrize("codec", codecs())
def test_every_reader_skips_marks(codec: Codec) -> None:
    compressor = codec.compressor()
    whole = codec.compressor().finish() + codec.mark(61.5) + compressor.write(b"x") + compressor.finish()
    assert read(codec, whole) == b"x"
    marks = [int(mark[1]) for mark in codec.pattern.finditer(whole)]
    assert marks == [61_500]
    assert len(codec.mark(0.0)) == codec.longest + 1
    assert codec.pattern.fullmatch(codec.mark(1e12))


@pytest.mark.parametrize("codec", codecs())
def test_what_explodes_comes_in_bounded_pieces(codec: Codec) -> None:
    compressor = codec.compressor()
    bomb = compressor.write(bytes(200 << 20)) + compressor.finish()
    assert max(len(piece) for piece, _ in zip(codec.pieces([bomb]), range(50), strict=False)) <= 64 << 20


@pytest.mark.parametrize("codec", codecs())
@pytest.mark.parametrize("junk", [b"", b"\x1f\x8b", b"junk junk junk junk junk"])
def test_what_is_damaged_is_said_to_be(codec: Codec, junk: bytes) -> None:
    compressor = codec.compressor()
    with pytest.raises(Damaged):
        read(codec, (compressor.write(b"x" * 100) + compressor.flush())[:-3] + junk)


def test_what_is_not_compressed_is_no_recording() -> None:
    with pytest.raises(SettingsError, match="no recording"):
        by_start("x", b"{\"mt")  # fmt: skip


def test_zstd_without_zstd_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        raise ImportError(name)

    monkeypatch.setattr("mtop.recording.codecs.import_module", missing)
    with pytest.raises(SettingsError, match=r"pip install zstandard.*\.gz"):
        by_name("x.zst")


def test_a_new_file_is_the_users_alone(tmp_path: Path) -> None:
    path = tmp_path / "new.gz"
    sink = Sink(str(path), HEADER)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    # Readable although it is not closed.
    assert zlib.decompressobj(31).decompress(path.read_bytes()) == HEADER
    sink.begin(0.0)
    sink.write(b"one\n")
    sink.flush()
    sink.begin(60.0)
    sink.write(b"two\n")
    sink.close()
    sink.close()
    assert gzip.decompress(path.read_bytes()) == HEADER + b"one\ntwo\n"
    assert subprocess.run(["gzip", "-dc", path], capture_output=True, check=True).stdout == HEADER + b"one\ntwo\n"
    assert sink.size == path.stat().st_size


def test_a_file_with_something_in_it_stays(tmp_path: Path) -> None:
    path = tmp_path / "old.gz"
    path.write_bytes(b"mine")
    with pytest.raises(SettingsError, match=r"there is such a file.*another name"):
        Sink(str(path), HEADER)
    assert path.read_bytes() == b"mine"


def test_an_empty_file_will_do(tmp_path: Path) -> None:
    path = tmp_path / "empty.gz"
    path.touch(0o644)
    Sink(str(path), HEADER).close()
    assert gzip.decompress(path.read_bytes()) == HEADER
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_places_that_take_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "no" / "such.gz", "/dev/null", tmp_path / "pipe", "a\0b"):
        with pytest.raises(SettingsError, match="--record"):
            Sink(str(path), HEADER)


def test_a_disk_without_room_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(fd: int, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("mtop.recording.sink.os.write", full)
    with pytest.raises(SettingsError, match="No space left"):
        Sink(str(tmp_path / "x.gz"), HEADER)
    assert list(tmp_path.iterdir()) == []
