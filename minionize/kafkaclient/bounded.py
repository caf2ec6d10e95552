"""Calls of the client library that know no time-out, given one: in a thread that is left behind when it hangs."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Any

__all__ = ["Bounded"]


class Bounded:
    """Makes calls, one at a time."""

    def __init__(self) -> None:
        self._calls: queue.SimpleQueue[tuple[Callable[[], Any], queue.SimpleQueue[Any]] | None] | None = None

    def call(self, function: Callable[[], Any], seconds: float) -> Any:
        """Return what a function returns, or raise what it raises.

        Raises:
            TimeoutError: It takes longer; it goes on all the same.
        """
        if self._calls is None:
            self._calls = queue.SimpleQueue()
            threading.Thread(target=_serve, args=(self._calls,), name="kafka", daemon=True).start()
        answer: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._calls.put((function, answer))
        try:
            value, error = answer.get(timeout=seconds)
        except queue.Empty:
            self.close()
            raise TimeoutError from None
        if error is not None:
            raise error
        return value

    def close(self) -> None:
        """Let the thread end when it has nothing more to do."""
        calls, self._calls = self._calls, None
        if calls is not None:
            calls.put(None)


def _serve(calls: queue.SimpleQueue[Any]) -> None:
    while (order := calls.get()) is not None:
        function, answer = order
        try:
            answer.put((function(), None))
        except Exception as error:  # it is raised where the call was made
            answer.put((None, error))
        # It must not live on in here while nobody calls.
        del order, function, answer
