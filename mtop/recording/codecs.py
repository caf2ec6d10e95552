"""How recordings are made small: gzip, or zstd where Python has it.

A recording is a chain of segments, each compressed for itself. Before each stands a mark: a few bytes that every reader
of the format skips, by which a segment and its time are found without reading what stands before it.
"""

from __future__ import annotations

import re
import struct
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from importlib import import_module
from typing import Any, ClassVar, Protocol

from minionize.errors import SettingsError

__all__ = ["Codec", "Compressor", "Damaged", "by_name", "by_start"]

_PIECE = 1 << 18
_SMALL = 512


class Damaged(ValueError):  # noqa: N818 - an answer about a file, seen by nobody but its reader
    """What is compressed cannot be read on from here."""


class Compressor(Protocol):
    """Compresses one segment."""

    def write(self, data: bytes) -> bytes:
        """Take more; return what is ready."""

    def flush(self) -> bytes:
        """Return what else was taken, so that it can be read."""

    def finish(self) -> bytes:
        """Return the end."""


class Codec(ABC):
    """One way to compress.

    Attributes:
        magic: How a file begins.
        pattern: Finds marks; its group is their time, in milliseconds.
        longest: Bytes of a mark, less one.
    """

    magic: ClassVar[bytes]
    pattern: ClassVar[re.Pattern[bytes]]
    longest: ClassVar[int]

    @abstractmethod
    def mark(self, at: float) -> bytes:
        """Make the mark of a segment that begins at this second."""

    @abstractmethod
    def compressor(self) -> Compressor:
        """Begin a segment."""

    @abstractmethod
    def pieces(self, compressed: Iterable[bytes]) -> Iterator[bytes]:
        """Yield what is in there, in pieces of bounded size.

        Raises:
            Damaged: It cannot be read on, or it has no end.
        """


def by_name(path: str) -> Codec:
    """Return the codec for a new file.

    Raises:
        SettingsError: Python cannot write such files.
    """
    return _zstd(path) if path.endswith(".zst") else _Gzip()


def by_start(path: str, start: bytes) -> Codec:
    """Return the codec of a file, by its first four bytes.

    Raises:
        SettingsError: There is none, or Python does not have it.
    """
    if start.startswith(_Gzip.magic):
        return _Gzip()
    if start == _Zstd.magic:
        return _zstd(path)
    raise SettingsError(f"{path} is no recording of mtop: neither gzip nor zstd; mtop --record FILE makes one")


def _zstd(path: str) -> Codec:
    try:
        return _NewZstd()
    except ImportError:
        pass
    try:
        return _Zstd()
    except ImportError:
        remedy = "pip install zstandard, or give a name that ends in .gz"
        raise SettingsError(f"{path}: this Python has no zstd; {remedy}") from None


class _Flushing:
    """Compresses by an object whose ``flush`` is told what for."""

    def __init__(self, compressor: Any, block: int, end: int) -> None:
        self._compressor, self._block, self._end = compressor, block, end

    def write(self, data: bytes) -> bytes:
        return bytes(self._compressor.compress(data))

    def flush(self) -> bytes:
        return bytes(self._compressor.flush(self._block))

    def finish(self) -> bytes:
        return bytes(self._compressor.flush(self._end))


class _Gzip(Codec):
    magic = b"\x1f\x8b\x08"
    # An empty member, whose name is the time.
    pattern = re.compile(rb"\x1f\x8b\x08\x08\0\0\0\0\0\xffmtop-(\d{12})\0\x03\0\0\0\0\0\0\0\0\0")
    longest = 37

    def mark(self, at: float) -> bytes:
        return b"\x1f\x8b\x08\x08\0\0\0\0\0\xffmtop-%012d\0\x03\0\0\0\0\0\0\0\0\0" % _milliseconds(at)

    def compressor(self) -> Compressor:
        return _Flushing(zlib.compressobj(6, zlib.DEFLATED, 31), zlib.Z_SYNC_FLUSH, zlib.Z_FINISH)

    def pieces(self, compressed: Iterable[bytes]) -> Iterator[bytes]:
        reader = zlib.decompressobj(31)
        try:
            for data in compressed:
                while data:
                    if reader.eof:
                        reader = zlib.decompressobj(31)
                    yield reader.decompress(data, _PIECE)
                    data = reader.unconsumed_tail or reader.unused_data
            yield reader.flush()
        except zlib.error as error:
            raise Damaged(str(error)) from None
        _check_end(reader.eof)


class _Zstd(Codec):
    """By the package ``zstandard``."""

    magic = b"\x28\xb5\x2f\xfd"
    # A frame that readers skip.
    pattern = re.compile(rb"\x5b\x2a\x4d\x18\x11\0\0\0mtop-(\d{12})")
    longest = 24

    def __init__(self) -> None:
        self._zstd: Any = import_module("zstandard")

    def mark(self, at: float) -> bytes:
        words = b"mtop-%012d" % _milliseconds(at)
        return struct.pack("<II", 0x184D2A5B, len(words)) + words

    def compressor(self) -> Compressor:
        zstd = self._zstd
        compressor = zstd.ZstdCompressor(level=6).compressobj()
        return _Flushing(compressor, zstd.COMPRESSOBJ_FLUSH_BLOCK, zstd.COMPRESSOBJ_FLUSH_FINISH)

    def pieces(self, compressed: Iterable[bytes]) -> Iterator[bytes]:
        reader = self._zstd.ZstdDecompressor().decompressobj()
        try:
            for data in compressed:
                # This reader gives all that is in a piece, at most 128 KiB for four bytes: so small ones.
                for at in range(0, len(data), _SMALL):
                    rest = data[at : at + _SMALL]
                    while rest:
                        if reader.eof:
                            reader = self._zstd.ZstdDecompressor().decompressobj()
                        yield reader.decompress(rest)
                        rest = reader.unused_data
        except self._zstd.ZstdError as error:
            raise Damaged(str(error)) from None
        _check_end(reader.eof)


class _NewZstd(_Zstd):
    """By Python's own module, which came with 3.14."""

    def __init__(self) -> None:
        self._zstd = import_module("compression.zstd")

    def compressor(self) -> Compressor:
        compressor = self._zstd.ZstdCompressor(level=6)
        return _Flushing(compressor, compressor.FLUSH_BLOCK, compressor.FLUSH_FRAME)

    def pieces(self, compressed: Iterable[bytes]) -> Iterator[bytes]:
        reader = self._zstd.ZstdDecompressor()
        try:
            for data in compressed:
                while data or not (reader.eof or reader.needs_input):
                    if reader.eof:
                        reader = self._zstd.ZstdDecompressor()
                    yield reader.decompress(data, _PIECE)
                    data = reader.unused_data
        except self._zstd.ZstdError as error:
            raise Damaged(str(error)) from None
        _check_end(reader.eof)


def _check_end(there: bool) -> None:
    if not there:
        raise Damaged("it ends in the middle")


def _milliseconds(at: float) -> int:
    return min(max(0, round(at * 1000)), 10**12 - 1)
