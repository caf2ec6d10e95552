"""Append lines to a file."""

from __future__ import annotations

import os
from collections.abc import Iterable

from minionize.engine import EngineError

_CHUNK = 1 << 20


def append(path: str, lines: Iterable[bytes], separator: bytes) -> int:
    """Append lines, each with its separator, making the file if there is none; return how many.

    Raises:
        EngineError: The file cannot be written; the message tells how many lines it holds by now.
    """
    count = written = 0
    chunk = bytearray()
    try:
        with open(path, "ab", buffering=0) as file:
            if _ends_torn(path, separator):
                chunk += separator
            try:
                for line in lines:
                    chunk += line + separator
                    count += 1
                    if len(chunk) >= _CHUNK:
                        _write(file.fileno(), chunk)
                        written = count
            except EngineError as error:
                _write(file.fileno(), chunk)
                raise EngineError(f"{error} ({count} params were put before it)") from error
            _write(file.fileno(), chunk)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise EngineError(f"cannot write params to {path}: {why} ({written} were put); check FILE_PATH") from error
    return count


def _write(fd: int, chunk: bytearray) -> None:
    while chunk:
        del chunk[: os.write(fd, chunk)]


def _ends_torn(path: str, separator: bytes) -> bool:
    with open(path, "rb") as file:
        size = file.seek(0, os.SEEK_END)
        if not size:
            return False
        file.seek(size - 1)
        return file.read(1) != separator
