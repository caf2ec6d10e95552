"""The files in which records stand, and what was added to them since they were last read."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from minionize.status.readers.lines import Lines
from minionize.status.readers.table import Table, whole_rows
from minionize.status.run import Run

__all__ = ["Batch", "Replaced", "Tail", "is_report"]

_PIECE = 1 << 20
_LONGEST = 64 << 20  # bytes of one line; what is longer is no record
_UID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def is_report(name: str) -> bool:
    """Tell by its name whether a file of a directory may hold records: 0.3.4 named its files by a bare uid."""
    return not name.startswith(".") and (name.endswith((".jsonl", ".json", ".csv")) or bool(_UID.fullmatch(name)))


class Replaced(Exception):  # noqa: N818 - no fault: what was read of the file is no longer so
    """A file is shorter than it was, or another one: all has to be read anew."""


class Batch(NamedTuple):
    """Some runs, and how many bytes they stood in."""

    runs: list[Run]
    size: int


class Tail:
    """One file that may grow.

    Args:
        path: The file. A pipe will do, which is read once.

    Attributes:
        path: As it was given.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._at = 0
        self._identity: tuple[int, int] | None = None
        self._format: Lines | Table | None = None

    @property
    def passed_over(self) -> int:
        """How many lines were no records."""
        return self._format.passed_over if self._format else 0

    def read(self) -> Iterator[Batch]:
        """Yield what has been added since it was last read. A torn last line is left for the next time.

        Raises:
            OSError: It cannot be read.
            Replaced: It is no longer the file that it was.
        """
        with open(self.path, "rb", buffering=0) as file:
            status = os.fstat(file.fileno())
            if stat.S_ISREG(status.st_mode):
                self._check(status)
                file.seek(self._at)
            elif self._identity:
                return
            self._identity = status.st_dev, status.st_ino
            yield from self._batches(file)

    def _check(self, status: os.stat_result) -> None:
        known = self._identity in (None, (status.st_dev, status.st_ino))
        if not known or status.st_size < self._at:
            raise Replaced(self.path)

    def _batches(self, file: BinaryIO) -> Iterator[Batch]:
        rest = b""
        while piece := file.read(_PIECE):
            data = rest + piece
            whole = self._whole(data)
            rest = data[whole:]
            if len(rest) > _LONGEST:
                # Without its beginning the end of such a line is no record either.
                whole, rest = len(data), b""
            self._at += whole
            yield Batch(self._runs(data[:whole]), len(piece))
        if rest and self._format is not None:
            runs = self._format.end(rest)
            self._at += len(rest) if runs else 0
            yield Batch(runs, 0)

    def _whole(self, data: bytes) -> int:
        if self._format is None:
            self._format = self._found_format(data)
        return whole_rows(data) if isinstance(self._format, Table) else data.rfind(b"\n") + 1

    def _found_format(self, data: bytes) -> Lines | Table | None:
        """Tell by the first line which format it is; None as long as there is none."""
        if data.lstrip()[:1] in (b"{", b"["):
            return Lines()
        line, end, _ = data.partition(b"\n")
        header = Table.header(line) if end else None
        if header:
            return Table(header)
        return Lines() if end else None

    def _runs(self, whole: bytes) -> list[Run]:
        if not whole or self._format is None:
            return []
        if isinstance(self._format, Table) and self._at == len(whole):
            # The first row is the header.
            whole = whole.partition(b"\n")[2]
        return self._format.runs(whole)
