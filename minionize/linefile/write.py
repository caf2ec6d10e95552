"""Append lines to a file."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from collections.abc import Iterable

from minionize.engine import EngineError

_CHUNK = 1 << 17


def append(path: str, lines: Iterable[bytes], separator: bytes) -> int:
    """Append lines, each with its separator, making the file if there is none; return how many. Durable then.

    Whatever ends it, the file holds whole lines: those that came before.

    Raises:
        EngineError: The file cannot be written; the message tells how many lines it holds by now.
    """
    try:
        file = _Appended(path, separator)
    except (OSError, ValueError) as error:
        raise _unwritable(path, error, 0) from error
    try:
        try:
            for line in lines:
                file.add(line)
        except EngineError as error:
            if file.failed:
                raise
            file.flush()
            raise EngineError(f"{error} ({file.written} params were put before it)") from error
        file.flush()
        file.sync()
    finally:
        file.close()
    return file.written


class _Appended:
    """A file that is appended to, in large pieces and by one writer at a time.

    Attributes:
        written: How many lines are in it.
        failed: Whether it can be written no more.
    """

    def __init__(self, path: str, separator: bytes) -> None:
        self._path, self._separator = path, separator
        self._fd = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o666)
        self._lines: list[bytes] = []
        self._size = 0
        self.written = 0
        self.failed = False

    def add(self, line: bytes) -> None:
        """Take a line; it is written when many have come."""
        self._lines.append(line)
        self._size += len(line)
        if self._size >= _CHUNK or len(self._lines) >= _CHUNK >> 4:
            self.flush()

    def flush(self) -> None:
        """Write what was taken, as far as there is room for whole lines.

        Raises:
            EngineError: There is no more room, or the file cannot be written.
        """
        lines, self._lines, self._size = self._lines, [], 0
        if not lines:
            return
        # Two that fill the same file take turns. Where locks do not work, there is hopefully one.
        with contextlib.suppress(OSError):
            fcntl.flock(self._fd, fcntl.LOCK_EX)
        try:
            self._put(lines)
        except OSError as error:
            self.failed = True
            raise _unwritable(self._path, error, self.written) from error
        finally:
            with contextlib.suppress(OSError):
                fcntl.flock(self._fd, fcntl.LOCK_UN)

    def _put(self, lines: list[bytes]) -> None:
        separator = self._separator
        torn = separator if self._ends_torn() else b""
        data = torn + separator.join(lines) + separator
        written = 0
        try:
            while written < len(data):
                more = os.write(self._fd, data[written:] if written else data)
                if not more:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                written += more
        except OSError:
            whole = data.rfind(separator, 0, written) + 1
            if written > whole:
                os.ftruncate(self._fd, os.fstat(self._fd).st_size - (written - whole))
            self.written += max(0, data.count(separator, 0, whole) - len(torn))
            raise
        self.written += len(lines)

    def _ends_torn(self) -> bool:
        size = os.fstat(self._fd).st_size
        return size > 0 and os.pread(self._fd, 1, size - 1) != self._separator

    def sync(self) -> None:
        """Make it durable.

        Raises:
            EngineError: That failed.
        """
        try:
            os.fsync(self._fd)
        except OSError as error:
            if error.errno != errno.EINVAL:  # a pipe or a device
                raise _unwritable(self._path, error, self.written) from error

    def close(self) -> None:
        """Close the file."""
        os.close(self._fd)


def _unwritable(path: str, error: Exception, written: int) -> EngineError:
    why = getattr(error, "strerror", None) or error
    return EngineError(f"cannot write params to {path}: {why} ({written} were put); check FILE_PATH")
