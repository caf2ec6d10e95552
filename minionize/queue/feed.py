"""Params on their way into a queue: counted, shown, and stopped between two of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress

from minionize.engine import Engine
from minionize.errors import MinionizeError
from minionize.queue.stopping import Stopped, Stopper
from minionize.task import Param

__all__ = ["Feed", "put"]


class Feed:
    """Hands params on. When it is stopped, or its source turns out to be wrong, it just ends.

    So ``Engine.put`` ends well, with what it was given until then, and what is in the queue is whole.

    Args:
        params: Where they come from; only the wait for the next one is interrupted.
        stopper: Tells when to stop.
        tick: Told the count, after each param.

    Attributes:
        count: How many were handed on.
        error: What was wrong with the source.
    """

    def __init__(
        self, params: Iterable[Param], stopper: Stopper, tick: Callable[[int], None] = lambda count: None
    ) -> None:
        self._params = iter(params)
        self._stopper = stopper
        self._tick = tick
        self._first: list[Param] = []
        self.count = 0
        self.error: MinionizeError | None = None

    def begin(self) -> None:
        """Wait for the first param; the queue need not be touched if there is nothing but a fault.

        Raises:
            MinionizeError: The source is wrong from its beginning.
        """
        with suppress(Stopped, StopIteration):
            self._first.append(self._next())

    def _next(self) -> Param:
        try:
            self._stopper.waiting = True
            return next(self._params)
        finally:
            self._stopper.waiting = False

    def __iter__(self) -> Iterator[Param]:
        try:
            yield from self._all()
        except Stopped:
            return
        except MinionizeError as error:
            self.error = error

    def _all(self) -> Iterator[Param]:
        while self._first or self._stopper.signal is None:
            try:
                param = self._first.pop() if self._first else self._next()
            except StopIteration:
                return
            self.count += 1
            self._tick(self.count)
            yield param


def put(engine: Engine, feed: Feed, stopper: Stopper) -> int:
    """Put what a feed hands on; return how many the queue did not have already.

    Raises:
        MinionizeError: The queue cannot be used, or refuses a param; the message tells what was put.
    """
    with stopper.listening():
        feed.begin()
        return 0 if stopper.signal is not None else engine.put(feed)
