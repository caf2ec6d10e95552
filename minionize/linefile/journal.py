"""The done-journal: ids of params that are done, one a line, only ever appended to."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable

from minionize.engine import EngineError, NotConnected

_LETTERS = frozenset(b"0123456789abcdef-")


class Journal:
    """What is done, so that a rerun goes on where an earlier run stopped.

    Args:
        path: The file; it is made at the first write.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._fd = -1
        self._torn = False

    def load(self) -> frozenset[str]:
        """Return the ids that are done. A torn last line is no id, so it matches nothing.

        Raises:
            EngineError: The file can be neither read nor made, or is something else.
        """
        try:
            with open(self.path, "rb") as file:
                lines = file.read().split(b"\n")
            if not os.access(self.path, os.W_OK):
                raise PermissionError(13, "permission denied")
        except FileNotFoundError:
            self._check_directory()
            return frozenset()
        except (OSError, ValueError) as error:
            raise EngineError(f"cannot use the journal {self.path}: {error}; check FILE_JOURNAL") from error
        if not _LETTERS.issuperset(lines[0]):
            raise EngineError(f"{self.path} is no journal of this engine; name another file by FILE_JOURNAL")
        return frozenset(line.decode("ascii", "replace") for line in lines if line)

    def _check_directory(self) -> None:
        directory = os.path.dirname(self.path) or "."
        if not os.path.isdir(directory):
            raise EngineError(f"cannot make the journal {self.path}: no directory {directory}; check FILE_JOURNAL")
        if not os.access(directory, os.W_OK):
            raise EngineError(f"cannot make the journal {self.path}: {directory} is not writable; check FILE_JOURNAL")

    def add(self, ids: Iterable[str]) -> None:
        """Append ids, by one write.

        Raises:
            NotConnected: They could not be written, all or in part; adding them again is right.
        """
        try:
            if self._fd < 0:
                self._fd = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o666)
                self._torn = self._ends_torn()
            data = ("\n" * self._torn + "".join(f"{id}\n" for id in ids)).encode()
            self._torn = True
            if os.write(self._fd, data) < len(data):
                raise OSError(28, "no space left on device")
            self._torn = False
        except OSError as error:
            raise NotConnected(f"cannot write the journal {self.path}: {error.strerror or error}") from error

    def _ends_torn(self) -> bool:
        size = os.fstat(self._fd).st_size
        return size > 0 and os.pread(self._fd, 1, size - 1) != b"\n"

    def clear(self) -> None:
        """Forget what is done.

        Raises:
            OSError: The file cannot be emptied.
        """
        with contextlib.suppress(FileNotFoundError):
            os.truncate(self.path, 0)

    def close(self) -> None:
        """Close the file."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
