"""How much the queue holds: asked by the engine thread, seldom enough to cost next to nothing."""

from __future__ import annotations

import time
from collections.abc import Callable

from minionize.engine import Backlog, Engine
from minionize.errors import EngineError, NotConnected

_EVERY = 3.0
_SHARE = 100  # asking may take one part in so many of the engine thread's time
_AFTER_FAILURE = 60.0


class BacklogWatch:
    """Keeps what the queue last said.

    Attributes:
        latest: That; None if it was not asked yet, or cannot tell.
        always: Whether it is asked whenever it is time, and not only when somebody wished it.
    """

    def __init__(self, engine: Engine, clock: Callable[[], float] = time.monotonic) -> None:
        self._engine, self._clock = engine, clock
        self.latest: Backlog | None = None
        self.always = False
        self._wished = False
        self._due = 0.0

    def wish(self) -> None:
        """Have the queue asked when it is time: for whoever looks next. Any thread may call; nobody waits."""
        self._wished = True

    def look(self) -> None:
        """Ask if it is time and somebody wants to know; the engine thread calls this.

        Raises:
            NotConnected: The queue cannot be reached now.
        """
        now = self._clock()
        if now < self._due or not (self.always or self._wished):
            return
        self._wished = False
        try:
            self.latest = self._engine.backlog()
        except NotConnected:
            raise
        except EngineError:
            # It can be worked from, but not be counted: that must end no minion.
            self.latest, self._due = None, now + _AFTER_FAILURE
            return
        done = self._clock()
        self._due = done + max(_EVERY, _SHARE * (done - now))

    def look_last(self) -> None:
        """See what is left, now that all is settled. Not worth a failure.

        Of a finite queue these are the minion's last words: what it held a moment ago would look like work for nobody.
        """
        if self.always or (self.latest is not None and self._engine.features.finite):
            try:
                self.latest = self._engine.backlog()
            except EngineError:
                return
