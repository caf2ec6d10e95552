"""Records as JSON Lines: made strict, appended whole, read back."""

from __future__ import annotations

import errno
import json
import math
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from minionize.errors import ReporterError
from minionize.task import Record, plain

_ENCODER = json.JSONEncoder(default=plain, separators=(",", ":"), allow_nan=False)
_DEPTH = 100  # levels of nesting that are kept where a value needs mending
_BITS = 10_000  # of a whole number; Python refuses to write longer ones


def record_line(record: Record, labels: Mapping[str, str] | None = None) -> bytes:
    """Write a record as one line of strict JSON, its line end included; ``labels`` stand behind its fields."""
    fields = record.fields()
    return encode({**fields, "labels": labels} if labels else fields).encode() + b"\n"


def encode(value: Any) -> str:
    """Write any value as strict JSON in ASCII: no NaN, no control character, no odd key."""
    try:
        return _ENCODER.encode(value)
    except (TypeError, ValueError, RecursionError):
        return _ENCODER.encode(strict(value))


def strict(value: Any, depth: int = 0) -> Any:
    """Make a value that strict JSON has a form for: NaN becomes null, what is endless or too deep becomes text."""
    if isinstance(value, float):
        if math.isfinite(value):
            return float(value)
        return None if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
    if isinstance(value, int) and value.bit_length() > _BITS:
        return hex(value)
    if value is None or isinstance(value, (str, int)):
        return value
    if depth > _DEPTH:
        return f"({type(value).__name__}, nested too deeply)"
    if isinstance(value, Mapping):
        return {key if isinstance(key, str) else str(key): strict(each, depth + 1) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [strict(each, depth + 1) for each in value]
    return strict(plain(value), depth + 1)


def read_records(path: str | os.PathLike[str]) -> Iterator[dict[str, Any]]:
    """Yield the records of a file of JSON Lines, or of all ``*.jsonl`` in a directory.

    A line that is no record is skipped: the last one may be torn by a crash, and so may one that was last before.
    """
    place = Path(path)
    for file in sorted(place.glob("*.jsonl")) if place.is_dir() else [place]:
        with file.open("rb") as lines:
            for line in lines:
                try:
                    record = json.loads(line)
                except ValueError:
                    continue
                if isinstance(record, dict):
                    yield record


def line_end(fd: int) -> bytes:
    """Return what a file of lines needs before the next one: a line end, if its last line is torn."""
    size = os.fstat(fd).st_size
    return b"\n" if size and os.pread(fd, 1, size - 1) != b"\n" else b""


class AppendFile:
    """A file that only grows, by one write for each record.

    When the disk is full the part of a record that was written is cut off again, so that what was
    written before and what comes later stays readable.

    Args:
        path: The file. It is made when it is first opened.
        mend: Told the descriptor, what must be written before anything else.
    """

    def __init__(self, path: str | os.PathLike[str], mend: Callable[[int], bytes] = line_end) -> None:
        self.path = os.fspath(path)
        self._mend = mend
        self._fd = -1
        self._prefix: bytes | None = None

    def open(self) -> int:
        """Open the file if it is not, and return its descriptor.

        Raises:
            OSError: It cannot be opened.
        """
        if self._fd < 0:
            self._fd = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o666)
            self._prefix = None
        return self._fd

    def write(self, data: bytes) -> None:
        """Append one record.

        Raises:
            ReporterError: It could not be written.
        """
        try:
            fd = self.open()
            if self._prefix is None:
                self._prefix = self._mend(fd)
            whole = self._prefix + data
            self._prefix = None
            written = os.write(fd, whole)
            if written < len(whole):
                if written:
                    os.ftruncate(fd, os.lseek(fd, 0, os.SEEK_CUR) - written)
                raise OSError(errno.ENOSPC, "no space left for it")
            self._prefix = b""
        except OSError as error:
            if error.errno in (errno.ESTALE, errno.EBADF):
                self.close()
            raise ReporterError(f"cannot write a record to {self.path}: {error.strerror or error}") from error

    def close(self) -> None:
        """Close the file. Idempotent."""
        if self._fd >= 0:
            fd, self._fd = self._fd, -1
            os.close(fd)


def make_directory(path: str | os.PathLike[str], remedy: str) -> None:
    """Make a directory to write in, unless there is one.

    Raises:
        ReporterError: It cannot be made or written; the message names it and ``remedy``.
    """
    try:
        os.makedirs(path, exist_ok=True)
        if not os.access(path, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, "not writable")
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise ReporterError(f"cannot write records in {os.fspath(path)}: {why}; {remedy}") from error
