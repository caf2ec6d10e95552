"""How much there is, counted anew only when something has changed: it is asked every few seconds."""

from __future__ import annotations

import time
from dataclasses import replace

from minionize.engine import Backlog
from minionize.sweepdir.clock import Clock
from minionize.sweepdir.fsio import signature
from minionize.sweepdir.upkeep import backlog
from minionize.sweepdir.view import View


class Counts:
    """The numbers of one view.

    Args:
        view: What is known of the directory.
        clock: The time.
    """

    def __init__(self, view: View, clock: Clock) -> None:
        self._view, self._clock = view, clock
        self._key: object = None
        self._until = 0.0
        self._last: Backlog | None = None

    def backlog(self) -> Backlog:
        """Count; under the locks, with the view up to date."""
        layout, now = self._view.layout, self._clock.monotonic()
        paths = (layout.sweeps, layout.done, layout.inprogress, layout.returns, layout.dead)
        key = tuple([signature(path) for path in paths])
        if self._last is None or key != self._key or now >= self._until:
            self._view.dead.refresh()
            self._last, self._key = backlog(self._view), key
            self._until = now + self._view.until_due()  # then a delayed param is one no longer
        return replace(self._last, as_of=time.time())
