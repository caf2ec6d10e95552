"""The two locks of a sweep directory: ``done`` first, then ``inprogress``, as ParamSweeper takes them.

POSIX locks belong to the process: closing any descriptor of a locked file drops its lock. So both files
are opened once for each operation and never a second time while it lasts. They are opened anew each time
because users may delete them at any time, and because NFS makes others' changes visible at an open.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from minionize.errors import NotConnected
from minionize.sweepdir.clock import Clock
from minionize.sweepdir.fsio import open_for_change
from minionize.sweepdir.layout import Layout

UNSUPPORTED = (errno.ENOLCK, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS)
_BUSY = (errno.EAGAIN, errno.EACCES)
# Asking often makes short waits short; asking less and less often spares the server of a file system.
_FIRST_WAIT = 0.0001
_MOST_WAIT = 0.02
_PATIENT = 1 / 16


@dataclass(slots=True)
class Files:
    """The locked files.

    Attributes:
        done, inprogress: Their descriptors; -1 where a file is missing and was only to be read.
        sync: ``done`` was written to: make that durable as soon as the locks are let go.
    """

    done: int
    inprogress: int
    sync: bool = False


class Locks:
    """Takes the locks of one directory.

    Attributes:
        patience: For how many seconds to wait for somebody else's lock.
    """

    def __init__(self, layout: Layout, clock: Clock, patience: float = 60.0) -> None:
        self._layout, self._clock = layout, clock
        self.patience = patience
        self._unsynced = False

    @contextmanager
    def hold(self) -> Iterator[Files]:
        """Hold both locks; on return what was written to ``done`` is durable.

        Raises:
            NotConnected: Somebody has held a lock for too long.
            OSError: A file cannot be opened, locked or synced.
        """
        done = self._lock(self._layout.done)
        try:
            inprogress = self._lock(self._layout.inprogress)
            try:
                files = Files(done, inprogress)
                yield files
            finally:
                os.close(inprogress)
            if files.sync or self._unsynced:
                # The others need not wait for the disk. Should it fail, the next operation tries again.
                fcntl.lockf(done, fcntl.LOCK_UN)
                self._unsynced = True
                os.fsync(done)
                self._unsynced = False
        finally:
            os.close(done)

    @contextmanager
    def look(self) -> Iterator[Files]:
        """Hold shared locks where that is possible, making and changing nothing; -1 for a missing file."""
        opened: list[int] = []
        try:
            for path in (self._layout.done, self._layout.inprogress):
                try:
                    opened.append(os.open(path, os.O_RDONLY | os.O_CLOEXEC))
                except FileNotFoundError:
                    opened.append(-1)
                    continue
                # Where locks do not work, read without.
                with suppress(OSError):
                    self.wait_for(opened[-1], path, fcntl.LOCK_SH)
            yield Files(opened[0], opened[1])
        finally:
            for fd in reversed(opened):
                if fd >= 0:
                    os.close(fd)

    def _lock(self, path: str) -> int:
        while True:
            fd = open_for_change(path)
            try:
                self.wait_for(fd, path, fcntl.LOCK_EX)
                if self._is_still(fd, path):
                    return fd
            except BaseException:
                os.close(fd)
                raise
            os.close(fd)

    @staticmethod
    def _is_still(fd: int, path: str) -> bool:
        """Tell whether the file was not deleted between being opened and being locked."""
        try:
            return os.stat(path).st_ino == os.fstat(fd).st_ino
        except FileNotFoundError:
            return False

    def wait_for(self, fd: int, path: str, kind: int) -> None:
        """Lock one file; asks again and again, so that a holder that is stopped cannot hang us for ever.

        Raises:
            NotConnected: Somebody has held it for too long.
            OSError: It cannot be locked.
        """
        begin = None
        while True:
            try:
                fcntl.lockf(fd, kind | fcntl.LOCK_NB)
                return
            except OSError as error:
                if error.errno not in _BUSY:
                    raise
            now = self._clock.monotonic()
            begin = now if begin is None else begin
            if now - begin >= self.patience:
                raise NotConnected(f"{path} has been locked for {self.patience:g} s by {_holder(fd)}")
            self._clock.sleep(min(max(_FIRST_WAIT, (now - begin) * _PATIENT), _MOST_WAIT))


def _holder(fd: int) -> str:
    """Name who holds the lock of a file, as far as the system tells."""
    form = "hhqqi4x"
    ask = struct.pack(form, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
    try:
        kind, _, _, _, pid = struct.unpack(form, fcntl.fcntl(fd, fcntl.F_GETLK, ask))
    except (OSError, struct.error):
        return "somebody"
    return f"pid {pid}" if kind != fcntl.F_UNLCK and pid > 0 else "somebody on another host"
