"""How long a minion stays at a queue that gives it nothing."""

from __future__ import annotations

import time
from collections.abc import Callable

from minionize.engine import Engine


class Patience:
    """Sees when there was something to do, and when the queue was asked in vain.

    Attributes:
        asked: When the queue last answered, by the clock.
        busy: When there last was something to do.
    """

    def __init__(
        self, engine: Engine, exit_when_empty: float | None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._engine, self._exit_when_empty, self._clock = engine, exit_when_empty, clock
        self.asked = self.busy = clock()

    def works(self) -> None:
        """Hear that deliveries are held."""
        self.busy = self._clock()

    def hears(self, got: bool) -> None:
        """Hear that the queue has answered, and whether by deliveries."""
        self.asked = self._clock()
        if got:
            self.busy = self.asked

    def lingers(self) -> bool:
        """Tell whether to stay at a queue that has ended: somebody may fill it again."""
        patience = self._exit_when_empty or 0.0
        return self._engine.features.shared and self._clock() - self.busy < patience

    def is_over(self) -> bool:
        """Tell whether this minion should leave an empty queue.

        Raises:
            NotConnected: The queue cannot be reached now.
        """
        features, patience = self._engine.features, self._exit_when_empty
        if features.finite and not features.shared and not patience:
            # Nobody else works here: a queue of our own says itself when it ends, and until then it is only slow.
            return False
        if patience is None:
            if not features.finite:
                return False
            patience = 0.0
        if self.asked - self.busy < patience:
            return False
        backlog = self._engine.backlog()
        # An estimate may never say 0; but what waits for its time will come.
        return backlog is None or not backlog.ready or not (backlog.exact or backlog.delayed)
