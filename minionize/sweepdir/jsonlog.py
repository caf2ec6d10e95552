"""A file of JSON Lines in the side-car: appended to under the locks, read by everybody as it grows."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from typing import Any

from minionize.sweepdir.fsio import append, open_for_change, read_from


class JsonLog:
    """One log. A torn last line, of a writer that was killed, is passed over and closed by the next writer.

    Attributes:
        bad: How many lines could not be read.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.bad = 0
        self._offset = 0
        self._inode = 0

    def news(self) -> tuple[bool, list[dict[str, Any]]]:
        """Read the lines that have come since the last time.

        Returns:
            Whether the log is another one, so that everything known from it is void; the lines.
        """
        try:
            fd = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError):
            anew, self._offset, self._inode = self._offset > 0, 0, 0
            return anew, []
        try:
            status = os.fstat(fd)
            anew = self._offset > 0 and (status.st_size < self._offset or status.st_ino != self._inode)
            if anew:
                self._offset = self.bad = 0
            self._inode = status.st_ino
            if status.st_size == self._offset:
                return anew, []
            data = read_from(fd, self._offset, status.st_size)
        finally:
            os.close(fd)
        whole = data.rfind(b"\n") + 1
        self._offset += whole
        return anew, self._parse(data[:whole])

    def _parse(self, data: bytes) -> list[dict[str, Any]]:
        lines = []
        for line in data.split(b"\n"):
            if not line:
                continue
            try:
                entry = json.loads(line)
                if not isinstance(entry["id"], str):
                    raise TypeError
            except (ValueError, TypeError, KeyError, RecursionError):
                self.bad += 1
            else:
                lines.append(entry)
        return lines

    def add(self, entries: Iterable[Mapping[str, Any]], sync: bool = False) -> None:
        """Append lines, all or none; ``news`` must have been read under the same locks.

        Raises:
            OSError: They could not be written.
        """
        text = "".join(json.dumps(entry, separators=(",", ":")) + "\n" for entry in entries)
        data = text.encode("ascii")
        fd = open_for_change(self.path)
        try:
            status = os.fstat(fd)
            size = status.st_size
            if size and os.pread(fd, 1, size - 1) != b"\n":
                data = b"\n" + data
            append(fd, data, size, sync)
            self._inode, self._offset = status.st_ino, size + len(data)
        finally:
            os.close(fd)
