"""The file into which a recording is written: segments, each with its mark, readable up to the last flush."""

from __future__ import annotations

import os
import stat
from contextlib import suppress

from minionize.errors import SettingsError
from mtop.recording.codecs import Compressor, by_name

__all__ = ["Sink"]


class Sink:
    """A new file. Only its owner can read it.

    Args:
        path: The file; it is zstd if its name ends in .zst, else gzip.
        header: The first line.

    Attributes:
        size: Bytes that it has by now.

    Raises:
        SettingsError: There is such a file, with something in it; or it cannot be made.
    """

    def __init__(self, path: str, header: bytes) -> None:
        self._codec = by_name(path)
        self._fd = _new(path)
        self._segment: Compressor | None = self._codec.compressor()
        self.size = 0
        try:
            self.write(header)
            self.flush()
        except OSError as error:
            self.drop()
            with suppress(OSError):
                os.unlink(path)
            raise SettingsError(f"--record {path}: {error.strerror or error}") from error

    def begin(self, at: float) -> None:
        """Begin a segment, at this second.

        Raises:
            OSError: It cannot be written. So do ``write``, ``flush`` and ``close``.
        """
        if self._segment is not None:
            self._put(self._segment.finish())
        self._put(self._codec.mark(at))
        self._segment = self._codec.compressor()

    def write(self, line: bytes) -> None:
        """Add a line to the segment."""
        if self._segment is not None:
            self._put(self._segment.write(line))

    def flush(self) -> None:
        """Write all, so that it can be read even if nothing comes after it."""
        if self._segment is not None:
            self._put(self._segment.flush())

    def close(self) -> None:
        """End the last segment and close the file. Idempotent."""
        segment, self._segment = self._segment, None
        try:
            if segment is not None:
                self._put(segment.finish())
        finally:
            self.drop()

    def drop(self) -> None:
        """Close the file as it is."""
        self._segment = None
        if self._fd >= 0:
            fd, self._fd = self._fd, -1
            os.close(fd)

    def _put(self, data: bytes) -> None:
        self.size += len(data)
        while data:
            data = data[os.write(self._fd, data) :]


def _new(path: str) -> int:
    """Open a file for what is new.

    Raises:
        SettingsError: It is not new, or cannot be.
    """
    try:
        # Not opened for long if it turns out to be a pipe without a reader.
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK, 0o600)
    except (OSError, ValueError) as error:
        raise SettingsError(f"--record {path}: {getattr(error, 'strerror', None) or error}") from None
    status = os.fstat(fd)
    if stat.S_ISREG(status.st_mode) and not status.st_size:
        with suppress(OSError):
            os.fchmod(fd, 0o600)
        return fd
    os.close(fd)
    if stat.S_ISREG(status.st_mode):
        raise SettingsError(f"--record {path}: there is such a file; give another name, or remove it")
    raise SettingsError(f"--record {path}: that is no file; give the name of a new one")
