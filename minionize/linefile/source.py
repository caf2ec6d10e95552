"""Open what lines are read from, or say what is wrong with it; read it as it arrives."""

from __future__ import annotations

import itertools
import os
import select
import stat
import sys
import time
from collections.abc import Callable, Iterator

from minionize.engine import EngineError
from minionize.linefile.split import Splitter

_CHUNK = 1 << 17
_EXAMPLE = "pipe params in (seq 10 | minionize echo hello), or name a file by FILE_PATH"


class Source:
    """One descriptor to read lines from.

    Attributes:
        name: How messages call it.
        ended: Nothing will follow.
        regular: It is a regular file: its size is known, and it can be read without being consumed.
    """

    def __init__(self, path: str | None, fd: int = 0) -> None:
        self.name = "standard input" if path is None else path
        self.ended = False
        self.regular = False
        self._path = path
        self._fd = fd if path is None else -1
        self._took_over = False  # standard input is /dev/null meanwhile
        self._start = 0  # where in a regular file our part begins
        self._offset = 0
        self._poll = select.poll()

    def open(self) -> None:
        """Open it, where a file that was read before goes on.

        Raises:
            EngineError: It cannot be read from; the message names it and the remedy.
        """
        first = self._offset == 0
        if self._path is not None:
            try:
                # A named pipe without a writer must not block us here.
                self._fd = os.open(self._path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            except (OSError, ValueError) as error:
                raise EngineError(f"cannot read params from {self.name}: {_why(error)}; check FILE_PATH") from error
        self._check()
        self._take_over()
        if self.regular:
            if first:
                self._start = self._offset = os.lseek(self._fd, 0, os.SEEK_CUR)
            else:
                os.lseek(self._fd, self._offset, os.SEEK_SET)
        self._poll.register(self._fd, select.POLLIN)

    def _take_over(self) -> None:
        """Keep standard input to ourselves: a program that a function starts would read our params."""
        if self._path is None and self._fd == 0:
            self._fd = os.dup(0)
            self._took_over = True
            null = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
            os.dup2(null, 0)
            os.close(null)

    def _check(self) -> None:
        if self._path is None and self._fd == 0 and sys.__stdin__ is None:
            # It was closed when Python started; whatever has its number by now is something else.
            raise EngineError(f"{self.name} is closed: {_EXAMPLE}")
        try:
            info = os.fstat(self._fd)
        except OSError as error:
            raise EngineError(f"{self.name} is closed: {_EXAMPLE}") from error
        problem = ""
        if stat.S_ISDIR(info.st_mode):
            problem = f"{self.name} is a directory, not a file with one param per line"
        elif os.isatty(self._fd):
            problem = f"{self.name} is a terminal: {_EXAMPLE}"
        elif stat.S_ISBLK(info.st_mode) or (stat.S_ISCHR(info.st_mode) and not _is_null(info)):
            problem = f"{self.name} is a device, not a file with one param per line"
        if problem:
            self.close()
            raise EngineError(problem)
        self.regular = stat.S_ISREG(info.st_mode)

    def close(self) -> None:
        """Let go of the descriptor, if it was opened here."""
        if self._fd < 0:
            return
        if self.regular:
            self._offset = os.lseek(self._fd, 0, os.SEEK_CUR)
        self._poll = select.poll()
        if self._took_over:
            os.dup2(self._fd, 0)
        if self._took_over or self._path is not None:
            os.close(self._fd)
            self._fd = 0 if self._took_over else -1
            self._took_over = False

    def clear(self) -> None:
        """Empty a regular file, and begin anew with it.

        Raises:
            OSError: It cannot be emptied.
        """
        assert self._path is not None
        os.truncate(self._path, 0)
        self._start = self._offset = os.lseek(self._fd, 0, os.SEEK_SET)
        self.ended = False

    def is_same_file(self, path: str) -> bool:
        """Tell whether ``path`` names what is read here."""
        try:
            return os.path.samestat(os.fstat(self._fd), os.stat(path))
        except (OSError, ValueError):
            return False

    def read(self, timeout: float) -> bytes | None:
        """Return what has arrived within ``timeout`` seconds; b"" at the end, None if nothing came."""
        if self.ended or not (self.regular or self._poll.poll(timeout * 1000)):
            return None
        try:
            piece = os.read(self._fd, _CHUNK)
        except BlockingIOError:
            return None
        except OSError as error:
            raise EngineError(f"cannot read params from {self.name}: {_why(error)}") from error
        self.ended = not piece
        return piece

    def scan(self, splitter: Splitter) -> Iterator[bytes]:
        """Yield the lines of a regular file from its beginning, without moving on in it."""
        offset = self._start
        while piece := self.pread(offset):
            offset += len(piece)
            yield from splitter.feed(piece)
        yield from splitter.end()

    def census(self, splitter: Splitter) -> Census:
        """Count the lines of a regular file from its beginning, without moving on in it."""
        return Census(self, splitter, self._start)

    @property
    def size(self) -> int:
        """Bytes that a regular file has now."""
        return os.fstat(self._fd).st_size

    def pread(self, offset: int) -> bytes:
        """Return a piece of a regular file, without moving on in it."""
        return os.pread(self._fd, _CHUNK, offset)


class Census:
    """How many lines a file holds: counted once; what is appended is counted when it is asked again."""

    def __init__(self, source: Source, splitter: Splitter, offset: int) -> None:
        self._source = source
        self._splitter = splitter
        self._start = self._offset = offset
        self._number = 0
        self._count = 0

    def count(self, counts: Callable[[int, bytes], bool], seconds: float) -> tuple[int, bool]:
        """Return how many lines count, a last one without its separator included, and whether that is exact.

        Args:
            counts: Told the number and the bytes of a line, whether it does.
            seconds: For how long to count; a file that is not through then is estimated by its size, and
                goes on being counted at the next call.
        """
        end = time.monotonic() + seconds
        while piece := self._source.pread(self._offset):
            self._offset += len(piece)
            lines = self._splitter.feed(piece)
            self._count += sum(map(counts, itertools.count(self._number + 1), lines))
            self._number += len(lines)
            if time.monotonic() > end:
                whole = self._source.size - self._start
                return round(self._count * whole / (self._offset - self._start)), False
        rest = self._splitter.rest
        return self._count + (bool(rest) and counts(self._number + 1, rest)), True


def _is_null(info: os.stat_result) -> bool:
    return info.st_rdev == os.stat(os.devnull).st_rdev


def _why(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error)).lower()
