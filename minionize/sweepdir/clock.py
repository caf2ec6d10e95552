"""Time: this process's own, and the file system's, by which ages in the directory are told."""

from __future__ import annotations

import os
import time


class Clock:
    """The clocks of this host and of the file system. Hosts' clocks are never compared with each other."""

    def __init__(self) -> None:
        self._offset = time.time() - time.monotonic()

    def monotonic(self) -> float:
        """Seconds that only grow."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)

    def touch(self, path: str) -> float:
        """Touch a file, learn the file system's time from that, and return it as Unix seconds."""
        os.utime(path)
        touched = os.stat(path).st_mtime
        self._offset = touched - time.monotonic()
        return touched

    def now(self) -> float:
        """Return the file system's time, as Unix seconds."""
        return time.monotonic() + self._offset
