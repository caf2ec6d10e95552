"""How much has been read: one line on a terminal's stderr, only where it takes a while."""

from __future__ import annotations

from collections.abc import Callable
from typing import TextIO

__all__ = ["Progress"]

_PATIENCE = 0.5
_EVERY = 0.1
_MEGABYTE = 1e6


class Progress:
    """Writes the line.

    Args:
        stream: Standard error; nothing is written unless it is a terminal.
        clock: Seconds, that only go forward.
    """

    def __init__(self, stream: TextIO | None, clock: Callable[[], float]) -> None:
        self._stream = stream if stream is not None and stream.isatty() else None
        self._clock = clock
        self._next = clock() + _PATIENCE
        self._shown = False

    def tell(self, read: int, size: int) -> None:
        """Say how many bytes of how many have been read."""
        if self._stream is None or self._clock() < self._next:
            return
        self._next = self._clock() + _EVERY
        self._shown = True
        share = (
            f"{min(100, 100 * read // size)} % of {size / _MEGABYTE:,.0f} MB" if size else f"{read / _MEGABYTE:,.0f} MB"
        )
        self._write(f"\r\x1b[Kreading records: {share}")

    def end(self) -> None:
        """Take the line away."""
        if self._shown:
            self._shown = False
            self._write("\r\x1b[K")
        self._next = self._clock() + _PATIENCE

    def _write(self, text: str) -> None:
        assert self._stream is not None
        try:
            self._stream.write(text)
            self._stream.flush()
        except OSError:
            self._stream = None
