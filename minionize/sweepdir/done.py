"""The file ``done``: a pickle for each param that is done. Read as it grows, appended to, never cut short."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from minionize.errors import EngineError
from minionize.sweepdir.fsio import append, read_from, write_at
from minionize.sweepdir.pickles import PROTOCOL, Damage, dump, hole, load_all


class Done:
    """The params that are done, as far as the file was read.

    Attributes:
        params: The params.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self.params: set[Any] = set()
        self._offset = 0
        self._inode = 0
        self._count = 0

    def read(self, fd: int, running: Iterable[Any], heal: bool = True) -> set[Any] | None:
        """Read what has come since the last time.

        Args:
            fd: The locked file; -1: there is none.
            running: The params in progress, one of which a torn record at the end may be of.
            heal: Cut off such a record. False: pass over it, and over what is just being written.

        Returns:
            The new params; None when the file was another one, so that all was read anew.

        Raises:
            EngineError: The file is damaged. Nothing was changed.
        """
        status = os.fstat(fd) if fd >= 0 else None
        size, inode = (status.st_size, status.st_ino) if status else (0, 0)
        anew = size < self._offset or inode != self._inode
        if anew:
            self.params, self._offset, self._inode, self._count = set(), 0, inode, 0
        elif size == self._offset:
            return set()
        data = read_from(fd, self._offset, size) if fd >= 0 else b""
        values, end, damage = load_all(data, self._path)
        fresh = set(values)
        fresh -= self.params
        self.params |= fresh
        self._offset += end
        self._count += len(values)
        if damage is not None:
            self._mend(fd, data[end:], running, damage, heal)
        return None if anew else fresh

    def _mend(self, fd: int, tail: bytes, running: Iterable[Any], damage: Damage, heal: bool) -> None:
        """Cut off what a minion that was killed while writing left: the beginning of a record."""
        if not heal:
            return
        for param in running:
            if any(dump(param, protocol).startswith(tail) for protocol in (PROTOCOL, 5, 3, 2)):
                os.ftruncate(fd, self._offset)
                return
        raise EngineError(
            f"{self._path} is damaged: after {self._count} good entries there is no pickle at byte {self._offset} "
            f"({damage}). Nothing was changed. Restore it, or keep a copy and cut it there, which makes what comes "
            f"after it ready again: truncate -s {self._offset} {self._path}"
        )

    def add(self, fd: int, params: Iterable[Any]) -> None:
        """Append params, all or none.

        Raises:
            OSError: They could not be written.
        """
        fresh = list(params)
        data = b"".join([dump(param) for param in fresh])
        append(fd, data, self._offset, sync=False)
        self._offset += len(data)
        self._count += len(fresh)
        self.params.update(fresh)

    def erase(self, fd: int, params: set[Any]) -> None:
        """Make holes of all records of these params, durably, moving nothing. ``params`` here stays as it is."""
        spans: list[tuple[int, int]] = []
        values, _, _ = load_all(read_from(fd, 0, self._offset), self._path, spans)
        for value, (begin, end) in zip(values, spans, strict=True):
            if value in params:
                write_at(fd, hole(end - begin), begin)
        os.fsync(fd)
