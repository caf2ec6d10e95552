"""One line on a terminal that tells how far something is."""

from __future__ import annotations

import os
import time

__all__ = ["Progress"]

_EVERY = 0.2
_AFTER = 0.5


class Progress:
    """Counts, on stderr, if that is a terminal and it takes long.

    Args:
        what: What is counted, in words.
        total: How many there will be, if that is known.
    """

    def __init__(self, what: str, total: int | None = None, fd: int = 2) -> None:
        self._what, self._total, self._fd = what, total, fd
        self._began = time.monotonic()
        self._next = self._began + _AFTER if _is_terminal(fd) else float("inf")
        self._shown = False

    def tick(self, count: int) -> None:
        """Tell the count."""
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + _EVERY
        of = f" of {self._total:,}" if self._total is not None else ""
        self._draw(f"{count:,}{of} {self._what} ({count / (now - self._began):,.0f}/s)")

    def _draw(self, words: str) -> None:
        self._shown = True
        try:
            os.write(self._fd, f"\r\x1b[2K{words}".encode())
        except OSError:
            self._next = float("inf")

    def close(self) -> None:
        """Take the line away."""
        if self._shown:
            self._draw("")
            self._shown = False


def _is_terminal(fd: int) -> bool:
    try:
        return os.isatty(fd)
    except OSError:
        return False
