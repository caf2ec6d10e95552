"""The file ``inprogress``: one pickled set, read wholly and rewritten by each operation.

It is never emptied first, so that nothing that can happen in between loses it. Up to a page is written in one
piece. A longer one could be torn by a kill, so it is first written to the side-car, from where the next reader
repairs it.

Behind the pickle, where ParamSweeper does not look, stands a mark: with it, everything that a minion holds is
known to be in the set. ParamSweeper's own writing, or deleting or emptying the file, takes the mark away, and then
the leases are asked.
"""

from __future__ import annotations

import contextlib
import os
from typing import Any

from minionize.errors import EngineError
from minionize.sweepdir.fsio import PAGE, read_file, read_from, remove, replace, reserve, write_at
from minionize.sweepdir.layout import Layout
from minionize.sweepdir.pickles import Damage, dump, load_first

MARK = b"minionize\n"


class InProgress:
    """The params in progress, as last read.

    Attributes:
        params: The params, everybody's. Never changed in place.
        marked: Everything that any minion holds is among them.
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._raw = b""
        self.params: set[Any] = set()
        self.marked = False

    def read(self, fd: int, heal: bool = True) -> None:
        """Read the file.

        Args:
            fd: The locked file; -1: there is none.
            heal: Repair what a killed minion left half written.

        Raises:
            EngineError: It is damaged. Nothing was changed.
        """
        raw = read_from(fd, 0, os.fstat(fd).st_size) if fd >= 0 else b""
        if raw == self._raw:
            return
        if not raw:
            # What ParamSweeper leaves when it dies while writing; or somebody has reset it.
            self.params, self.marked, self._raw = set(), False, b""
            return
        try:
            self._parse(raw)
        except Damage as error:
            ahead = self._ahead(raw)
            if ahead is None:
                raise self._refusal(error) from error
            if heal:
                self._put(fd, ahead, len(raw))
            self._parse(ahead)

    def _parse(self, raw: bytes) -> None:
        params, end = load_first(raw, self._layout.inprogress)
        if not isinstance(params, (set, frozenset)):
            raise Damage(f"it holds one {type(params).__name__}")
        self.params = set(params)
        self.marked = raw.startswith(MARK, end)
        self._raw = raw

    def _ahead(self, raw: bytes) -> bytes | None:
        """Return what was being written when the file was torn, if that is what happened to it."""
        ahead = read_file(self._layout.ahead)
        if ahead is None or ahead[:PAGE] != raw[:PAGE]:
            return None
        return ahead

    def _refusal(self, error: Damage) -> EngineError:
        path = self._layout.inprogress
        return EngineError(
            f"{path} is damaged: it is no whole pickle ({error}). Nothing was changed. When no other program works "
            f"in {self._layout.folder}, remove this file: what was in progress, and is not held by a living minion, is "
            "ready again then"
        )

    def prepare(self, fd: int, params: set[Any], marked: bool) -> bytes:
        """Make ready to write, so that a full disk is found before anything is changed.

        Args:
            fd: The locked file.
            params: What is to be in progress.
            marked: Everything that any minion holds is among them.

        Returns:
            What to give to ``commit``.

        Raises:
            OSError: There is no room.
        """
        raw = dump(params) + (MARK if marked else b"")
        if self._raw and len(raw) > len(self._raw):
            reserve(fd, len(raw))
        if len(raw) > PAGE:
            replace(self._layout.ahead, raw)
        return raw

    def commit(self, fd: int, params: set[Any], raw: bytes) -> None:
        """Write what was prepared.

        Raises:
            OSError: It could not be written; the file is as it was.
        """
        if raw != self._raw:
            try:
                self._put(fd, raw, len(self._raw))
            except OSError:
                self._put_back(fd)
                raise
        if len(raw) > PAGE:
            remove(self._layout.ahead)
        self.params, self._raw = params, raw
        self.marked = raw.endswith(MARK)

    def write(self, fd: int, params: set[Any], marked: bool) -> None:
        """Write at once."""
        self.commit(fd, params, self.prepare(fd, params, marked))

    def _put(self, fd: int, raw: bytes, before: int) -> None:
        write_at(fd, raw, 0)
        if before > len(raw):
            os.ftruncate(fd, len(raw))

    def _put_back(self, fd: int) -> None:
        """Undo a write that failed in the middle, as far as that is possible on such a disk."""
        # Where it is not, the copy in the side-car remains, and with it the next reader repairs the file.
        with contextlib.suppress(OSError):
            self._put(fd, self._raw, os.fstat(fd).st_size)
