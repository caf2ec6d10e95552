"""Runs that begin only when the queue knows that they do.

The queue hears of starts a moment late, many at a time. A param that kills its minion at once would never be
counted that way. So what has come back before waits until the queue has been told; all else does not.
"""

from __future__ import annotations

from minionize.engine import Delivery
from minionize.worker.pump import Pump
from minionize.worker.settlement import drain


class Announced:
    """Deliveries that wait for that, each with a slot kept free for it."""

    def __init__(self, pump: Pump) -> None:
        self._pump = pump
        self._waiting: list[Delivery] = []

    def __len__(self) -> int:
        """How many wait."""
        return len(self._waiting)

    def put(self, delivery: Delivery) -> None:
        """Have the queue told."""
        self._waiting.append(delivery)
        self._pump.begun(delivery, wait=True)
        self._pump.flush()

    def take(self) -> list[Delivery]:
        """Return those of which the queue has been told; what was lost meanwhile falls out."""
        ready = []
        for delivery in drain(self._pump.told):
            if any(delivery is each for each in self._waiting):
                self._waiting = [each for each in self._waiting if each is not delivery]
                if self._pump.holds(delivery):
                    ready.append(delivery)
        return ready

    def clear(self) -> list[Delivery]:
        """Return all that wait, to be given back."""
        waiting, self._waiting = self._waiting, []
        return waiting
