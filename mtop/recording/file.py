"""Reads a recording: finds its segments, and reads their lines as they are wanted."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import NamedTuple

from minionize.errors import SettingsError
from minionize.stats.decoding import bounded_decoder, refusals
from mtop.format import safe
from mtop.recording.codecs import Damaged, by_start
from mtop.recording.lines import FORMAT, LARGEST, Header, Line
from mtop.recording.rows import FIELDS, WORDS

__all__ = ["Recording"]

_PIECE = 1 << 18
_REMEDY = "mtop --record FILE makes one"


class Segment(NamedTuple):
    """A part of the file that can be read for itself: from when on, and which bytes."""

    at: float
    start: int
    end: int


class Recording:
    """A file. Nothing of it is kept in memory but where its segments are.

    Args:
        path: The file.

    Attributes:
        path: As it was given.
        header: Its first line.
        segments: What it consists of.
        length: Seconds from its start to its last line.
        torn: Whether it ends in the middle.

    Raises:
        SettingsError: It is none, or cannot be read.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        try:
            with open(path, "rb") as file:
                self._codec = by_start(path, file.read(4))
                self.segments = self._find_segments()
        except (OSError, ValueError) as error:
            raise SettingsError(f"--replay {path}: {getattr(error, 'strerror', None) or error}") from None
        self._refused = refusals()
        self._decode = bounded_decoder(Line)
        self.header = self._read_header()
        self.length, self.torn = self._find_end()

    def lines(self, number: int) -> Iterator[Line]:
        """Yield the lines of a segment.

        Raises:
            Damaged: It cannot be read on.
        """
        lines = self._raw(self.segments[number])
        if number == 0:
            next(lines, None)
        first = True
        for text in lines:
            try:
                line: Line = self._decode(text)
            except self._refused as error:
                raise Damaged(str(error)) from None
            if first and not line["whole"]:
                raise Damaged("it begins with what nothing is known before")
            first = False
            yield line

    def _raw(self, segment: Segment) -> Iterator[bytes]:
        begun: list[bytes] = []
        size = 0
        for piece in self._codec.pieces(self._bytes(segment)):
            *whole, rest = piece.split(b"\n")
            for line in whole:
                yield b"".join([*begun, line])
                begun, size = [], 0
            begun.append(rest)
            size += len(rest)
            if size > LARGEST:
                raise Damaged("a line is too long")
        if size:
            raise Damaged("it ends in the middle of a line")

    def _bytes(self, segment: Segment) -> Iterator[bytes]:
        try:
            with open(self.path, "rb") as file:
                file.seek(segment.start)
                left = segment.end - segment.start
                while left and (piece := file.read(min(left, _PIECE))):
                    left -= len(piece)
                    yield piece
        except OSError as error:
            raise Damaged(error.strerror or str(error)) from None

    def _find_segments(self) -> list[Segment]:
        marks = [(0.0, 0, 0)]
        size = os.path.getsize(self.path)
        for found, start, end in self._marks():
            if found / 1000 >= marks[-1][0]:
                marks.append((found / 1000, start, end))
        ends = [start for _, start, _ in marks[1:]]
        return [Segment(at, begin, end) for (at, _, begin), end in zip(marks, [*ends, size], strict=True)]

    def _marks(self) -> Iterator[tuple[int, int, int]]:
        """Find marks: when, their start in the file, and their end."""
        with open(self.path, "rb") as file:
            data, before = b"", 0
            while piece := file.read(1 << 20):
                data += piece
                for mark in self._codec.pattern.finditer(data):
                    yield int(mark[1]), before + mark.start(), before + mark.end()
                # A mark may stand across two pieces; none is found twice, for it is longer than what is kept.
                before += max(0, len(data) - self._codec.longest)
                data = data[-self._codec.longest :]

    def _read_header(self) -> Header:
        line = b""
        refused: tuple[type[Exception], ...] = (Damaged, *self._refused)
        try:
            line = next(self._raw(self.segments[0]), b"")
            header: Header = bounded_decoder(Header)(line)
        except refused:
            words = "it does not begin as one" if line else "it is empty, or was written no further than its first line"
            raise SettingsError(f"{self.path} is no recording of mtop: {words}; {_REMEDY}") from None
        if (header["mtop"], header["words"], header["fields"]) != (FORMAT, list(WORDS), list(FIELDS)):
            version = safe(header["version"], 30)
            raise SettingsError(f"{self.path} was recorded by another version of mtop ({version}); replay it with that")
        return header

    def _find_end(self) -> tuple[float, bool]:
        torn = False
        for number in range(len(self.segments) - 1, -1, -1):
            last = None
            try:
                for line in self.lines(number):
                    last = line["t"]
            except Damaged:
                torn = torn or number == len(self.segments) - 1
            if last is not None:
                return max(0.0, last), torn
        return 0.0, torn
