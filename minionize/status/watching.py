"""``--watch``: the summary again and again, until Ctrl-C."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["interrupted", "watched"]


def watched(show: Callable[[bool], None], ended: Callable[[float], bool], every: float) -> None:
    """Show the state now and every few seconds; at the end once more, for good.

    Args:
        show: Shows it; told whether it is for the last time.
        ended: Waits for so many seconds; tells whether it is to end.
        every: Seconds between two states.
    """
    while not ended(every):
        show(False)
    show(True)


@contextmanager
def interrupted() -> Iterator[Callable[[float], bool]]:
    """Give a function that waits, and tells whether Ctrl-C was pressed then or before.

    The signal waits meanwhile: in the midst of counting it would leave some runs uncounted.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield lambda seconds: signal.sigtimedwait({signal.SIGINT}, seconds) is not None
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
