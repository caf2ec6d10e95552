"""Dead params that are to be made ready again: asked for by any thread, done by the engine thread, piece by piece."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from minionize.engine import Engine
from minionize.errors import EngineError, NotConnected
from minionize.worker.runner import describe

if TYPE_CHECKING:
    from concurrent.futures import Future

LEAVES = "this minion is leaving: ask another one of its queue, or use minion-queue requeue"
"""Why it is asked too late."""

FIRST = 100
"""How many are made ready by the first call; by the next ones more, as long as that takes hardly longer."""

_MOST = 25_600
_GROWTH = 4
_BRIEF = 0.25


class Requeues:
    """What was asked for and is not done yet; true if there is something.

    Between two pieces the engine thread settles, extends leases and receives as always.
    """

    def __init__(
        self,
        engine: Engine,
        dead_place: Path | None,
        wake: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin with nothing; until ``accept`` nothing can be asked for.

        Args:
            engine: The queue.
            dead_place: Where this minion writes dead params, if its queue keeps none.
            wake: Wakes the engine thread.
            clock: Seconds; to see how long a piece takes.
        """
        self._engine, self._dead_place, self._wake, self._clock = engine, dead_place, wake, clock
        self._orders: deque[_Order] = deque()
        self._lock = threading.Lock()
        self._refusal: str | None = "this minion is connecting to its queue: ask again in a moment"
        self._size = FIRST
        self._most = _MOST
        self._quickest = float("inf")

    def __bool__(self) -> bool:
        return bool(self._orders)

    # Any thread's side.

    def ask(self, ids: Iterable[str] | None, leaves: bool = False) -> Future[int]:
        """Have dead params made ready again; nobody waits here.

        Args:
            ids: Which; None: all.
            leaves: Whether this minion is leaving, so that it is refused.

        Returns:
            How many, once it is done; or an EngineError that says why it was not. Cancelled, it is not gone on with.
        """
        order = _Order(ids)
        with self._lock:
            refusal = self._why_not(leaves)
            if refusal is None:
                self._orders.append(order)
        if refusal is None:
            self._wake()
        else:
            order.fail(EngineError(refusal))
        return order.asked

    def _why_not(self, leaves: bool) -> str | None:
        if self._engine.features.dead_letter:
            return LEAVES if leaves else self._refusal
        from minionize.quoting import shell_word

        name, place = self._engine.name, str(self._dead_place)
        return (
            f"engine {name} keeps no dead params: those of this minion stand in {place}; "
            f"minion-queue -e {name} requeue --all --dead {shell_word(place)} puts them back"
        )

    # The engine thread's side.

    def accept(self) -> None:
        """Let be asked: the engine is open."""
        with self._lock:
            self._refusal = None

    def refuse(self, why: str) -> None:
        """Answer all that was asked for, and all that will be until ``accept``: not now, and why."""
        with self._lock:
            self._refusal = why
            orders, self._orders = self._orders, deque()
        for order in orders:
            order.fail(EngineError(why))

    def look(self) -> bool:
        """Do one piece of what was asked for first; return whether there is more to do.

        Raises:
            NotConnected: The queue cannot be reached now; nothing is answered yet.
        """
        if not self._orders:
            return False
        order = self._orders[0]
        try:
            over = order.asked.cancelled() or self._work(order)
        except NotConnected:
            raise
        except EngineError as error:
            over = order.fail(error)
        except Exception as error:  # engines may be anybody's, and the params that run have nothing to do with it
            over = order.fail(EngineError(f"engine {self._engine.name} failed: {describe(error)}"), error)
        if over:
            self._orders.popleft()
        return bool(self._orders)

    def _work(self, order: _Order) -> bool:
        """Do one piece; return whether it was the last one."""
        if order.ids is None:
            order.ids = [letter.id for letter in self._engine.dead()]
        if not order.begun:
            self._most = _MOST
        piece = order.ids[order.begun : order.begun + self._size]
        if piece:
            began = self._clock()
            order.done += self._engine.requeue(piece)
            order.begun += len(piece)
            if len(piece) == self._size:
                self._learn(self._clock() - began)
        return order.begun >= len(order.ids) and order.end()

    def _learn(self, took: float) -> None:
        """Choose the size of the next piece: larger where that costs little, for some queues read all for each."""
        self._quickest = min(self._quickest, took)
        if took < max(_BRIEF, 2.0 * self._quickest):
            self._size = min(_GROWTH * self._size, self._most)
        elif self._size > FIRST:
            self._size = self._most = self._size // _GROWTH


class _Order:
    """What was asked for at one time.

    Attributes:
        ids: Which; None: all, not looked up yet.
        begun: How many of them the queue was told.
        done: How many it made ready.
        asked: What whoever asked waits for.
    """

    def __init__(self, ids: Iterable[str] | None) -> None:
        # Not before the first one: a minion that is not asked does without.
        from concurrent.futures import Future

        self.ids = None if ids is None else list(dict.fromkeys(ids))
        self.begun = self.done = 0
        self.asked: Future[int] = Future()

    def end(self) -> bool:
        """Answer that it is done."""
        if self.asked.set_running_or_notify_cancel():
            self.asked.set_result(self.done)
        return True

    def fail(self, error: EngineError, cause: Exception | None = None) -> bool:
        """Answer that it is not done, and how far it was."""
        if self.done and self.ids is not None:
            words = f"{error}; {self.done:,} of {len(self.ids):,} are ready again"
            error, cause = EngineError(words), cause or error
        error.__cause__ = cause
        if self.asked.set_running_or_notify_cancel():
            self.asked.set_exception(error)
        return True
