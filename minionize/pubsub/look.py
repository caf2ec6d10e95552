"""A look at what waits in a subscription: taken for a moment, and given back."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any

from minionize.errors import EngineError
from minionize.pubsub.link import MOST, Link

__all__ = ["Look"]

_PAUSE = 0.05


class Look:
    """Takes all that is ready, batch by batch; at its end it gives back what is still held.

    Args:
        link: The connection.
        subscription: Where.
        lease: Seconds for which what is shown is kept from others, again and again while the look lasts.
        patience: Seconds without anything after which there is nothing: one empty answer does not mean that.
        sleep: Waits.
    """

    def __init__(
        self, link: Link, subscription: str, lease: int, patience: float, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._link, self._subscription, self._lease = link, subscription, lease
        self._patience, self._sleep = patience, sleep
        self._held: dict[str, str] = {}
        self._renewed = time.monotonic()

    def __enter__(self) -> Look:
        return self

    def __exit__(self, *_: object) -> None:
        # If that fails, it comes back when the lease is over.
        with suppress(EngineError):
            self._link.renew(self._subscription, list(self._held.values()), 0)

    def batches(self, size: int = MOST) -> Iterator[list[Any]]:
        """Yield messages, each once."""
        while received := self._pull(size):
            new = [each.message for each in received if each.message.message_id not in self._held]
            self._held.update((each.message.message_id, each.ack_id) for each in received)
            if new:
                yield new
            self._renew()

    def _pull(self, most: int) -> list[Any]:
        until = time.monotonic() + self._patience
        while True:
            received = self._link.pull(self._subscription, most)
            if received:
                self._link.renew(self._subscription, [each.ack_id for each in received], self._lease)
                return received
            if time.monotonic() >= until:
                return []
            self._sleep(_PAUSE)

    def _renew(self) -> None:
        if time.monotonic() - self._renewed > self._lease / 3:
            self._renewed = time.monotonic()
            self._link.renew(self._subscription, list(self._held.values()), self._lease)

    def settle(self, messages: Sequence[Any]) -> None:
        """Take messages out of the subscription for ever."""
        self._link.acknowledge(self._subscription, [self._held[each.message_id] for each in messages])
        for each in messages:
            del self._held[each.message_id]
