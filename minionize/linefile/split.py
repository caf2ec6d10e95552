"""Cut a stream of bytes into lines, however it arrives in pieces (pure)."""

from __future__ import annotations

LONGEST = 64 * 1024 * 1024
"""Bytes that a line may have."""

_HEAD = 4096  # bytes kept of a line that is too long


class Overlong(bytes):
    """The beginning of a line that was too long; the rest of it is gone."""


class Splitter:
    """Feed it pieces; it returns the lines that are complete, without their separator.

    A line costs its own length, not its number of pieces. One that is longer than ``longest`` comes as Overlong.
    """

    def __init__(self, separator: bytes = b"\n", longest: int = LONGEST) -> None:
        self._separator = separator
        self._longest = longest
        self._pieces: list[bytes] = []
        self._size = 0  # of the line under way

    def feed(self, piece: bytes) -> list[bytes]:
        """Take the next piece; return the lines that it completes."""
        lines = piece.split(self._separator)
        last = lines.pop()
        if lines:
            if self._size:
                self._keep(lines[0])
                lines[0] = self._cut()
            if len(piece) > self._longest:
                lines = [self._checked(line) for line in lines]
        self._keep(last)
        return lines

    @property
    def rest(self) -> bytes:
        """What has come of the line under way (its beginning only, if it is too long)."""
        return b"".join(self._pieces)

    def end(self) -> list[bytes]:
        """Tell that nothing follows; return the last line if it had no separator."""
        return [self._cut()] if self._size else []

    def _keep(self, piece: bytes) -> None:
        if not piece:
            return
        self._size += len(piece)
        if self._size <= self._longest:
            self._pieces.append(piece)
        else:
            self._pieces = [b"".join([*self._pieces, piece])[:_HEAD]]

    def _cut(self) -> bytes:
        line = b"".join(self._pieces)
        if self._size > self._longest:
            line = Overlong(line)
        self._pieces, self._size = [], 0
        return line

    def _checked(self, line: bytes) -> bytes:
        if len(line) <= self._longest or isinstance(line, Overlong):
            return line
        return Overlong(line[:_HEAD])
