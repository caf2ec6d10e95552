"""Reading and writing so that neither a kill nor a full disk leaves anything half done."""

from __future__ import annotations

import contextlib
import errno
import os

PAGE = 4096
"""A write inside one page is done wholly or not at all, whatever kills the process."""


def make_folder(path: str) -> None:
    """Make a directory, unless it is there."""
    with contextlib.suppress(FileExistsError):
        os.mkdir(path)


def open_for_change(path: str) -> int:
    """Open a file to read and write, making it if need be.

    Not in append mode: Linux would then append whatever offset is asked for.
    """
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)


def read_from(fd: int, offset: int, size: int) -> bytes:
    """Read a file from ``offset`` to ``size``."""
    data = os.pread(fd, size - offset, offset) if size > offset else b""
    while offset + len(data) < size:
        more = os.pread(fd, size - offset - len(data), offset + len(data))
        if not more:
            break
        data += more
    return data


def read_file(path: str) -> bytes | None:
    """Read a whole file; None if there is none."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        return read_from(fd, 0, os.fstat(fd).st_size)
    finally:
        os.close(fd)


def write_at(fd: int, data: bytes, offset: int) -> None:
    """Write all of ``data`` at ``offset``."""
    written = os.pwrite(fd, data, offset)
    while written < len(data):
        more = os.pwrite(fd, data[written:], offset + written)
        if not more:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written += more


def append(fd: int, data: bytes, size: int, sync: bool) -> None:
    """Write at the end of a file, all or nothing.

    Args:
        fd: The file.
        data: What to write.
        size: The size of the file now.
        sync: Return only when it is durable.
    """
    try:
        write_at(fd, data, size)
        if sync:
            os.fsync(fd)
    except BaseException:
        with contextlib.suppress(OSError):
            os.ftruncate(fd, size)
        raise


def reserve(fd: int, size: int) -> None:
    """Make sure that ``size`` bytes will fit into a file, without changing what it holds."""
    try:
        os.posix_fallocate(fd, 0, size)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO):
            raise
        # This file system cannot reserve; the write itself will tell.


def replace(path: str, data: bytes, sync: bool = False) -> None:
    """Put a file in the place of ``path`` in one step."""
    temporary = f"{path}.tmp"
    try:
        fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)
        try:
            write_at(fd, data, 0)
            if sync:
                os.fsync(fd)
        finally:
            os.close(fd)
        os.rename(temporary, path)
    except BaseException:
        remove(temporary)
        raise


def remove(path: str) -> None:
    """Remove a file, if it can be."""
    with contextlib.suppress(OSError):
        os.unlink(path)


def signature(path: str) -> tuple[int, int, int] | None:
    """Return what changes when a file changes; None if there is none."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns
