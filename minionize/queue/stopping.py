"""Stop signals that wait until what is under way is whole."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["STOPPING", "Stopped", "Stopper"]

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(BaseException):
    """A wait is over, because a stop signal came."""


class Stopper:
    """Notes the first stop signal; the second one ends everything at once.

    Attributes:
        signal: Number of the signal that came.
        waiting: Nothing is under way: the signal raises Stopped.
    """

    def __init__(self) -> None:
        self.signal: int | None = None
        self.waiting = False

    @property
    def name(self) -> str | None:
        """The signal's name."""
        return None if self.signal is None else signal.Signals(self.signal).name

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Listen, for as long as this is entered; what the user had set to be ignored stays ignored."""
        before = {number: signal.getsignal(number) for number in STOPPING}
        try:
            for number, handler in before.items():
                if handler is not signal.SIG_IGN:
                    signal.signal(number, self._note)
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.signal is not None:
            raise KeyboardInterrupt
        self.signal = number
        if self.waiting:
            raise Stopped
