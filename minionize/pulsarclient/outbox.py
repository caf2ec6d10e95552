"""Messages on their way to the server, until it confirms that it keeps them."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from typing import Any

from minionize.engine import NotConnected
from minionize.pulsarclient.faults import OK, fault, reaching
from minionize.pulsarclient.hold import Held
from minionize.pulsarclient.link import Link
from minionize.pulsarclient.message import Message

__all__ = ["Outbox"]

_MANY, _MUCH = 1000, 8_000_000
"""So many messages, or bytes, may be under way."""

_PATIENCE = 10.0


class Outbox:
    """Publishes to topics.

    Attributes:
        put: How many messages the server has confirmed.
    """

    def __init__(self, link: Link) -> None:
        self._link, self.put = link, 0
        self._producers: dict[str, Any] = {}
        self._changed = threading.Condition()
        self._waiting, self._size = 0, 0
        self._refused: tuple[str, str] | None = None

    def publish(
        self,
        topic: str,
        body: bytes,
        properties: dict[str, str],
        delay: float = 0.0,
        like: Message | None = None,
        held: Held | None = None,
    ) -> None:
        """Send a message; ``confirm`` tells whether it has come.

        Args:
            topic: Where to.
            body: What it holds.
            properties: What is told of it.
            delay: Seconds for which the server holds it back.
            like: Whose keys it gets.
            held: What it is put in place of; that learns when it is confirmed.

        Raises:
            EngineError: What was sent before was not taken, or this cannot be.
        """
        self._drain(_MANY - 1, _MUCH)
        place = f"{self._link.place}, topic {topic}"

        def confirmed(result: Any, _: Any) -> None:
            self._confirmed(result, len(body), place, held)

        if topic not in self._producers:
            self._producers[topic] = self._link.producer(topic, _MANY)
        with self._changed:
            self._waiting, self._size = self._waiting + 1, self._size + len(body)
        try:
            with reaching(place):
                self._producers[topic].send_async(
                    body,
                    confirmed,
                    properties=properties,
                    partition_key=(like and like.partition_key) or None,
                    ordering_key=(like and like.ordering_key) or None,
                    deliver_after=timedelta(seconds=delay) if delay > 0 else None,
                )
        except BaseException:
            self._forget(len(body))
            raise

    def confirm(self) -> None:
        """Wait until the server keeps all that was sent.

        Raises:
            EngineError: It does not, or not now.
        """
        self._drain(0, 0)

    def _drain(self, most: int, size: int) -> None:
        with self._changed:
            # As long as something moves, a slow line is no fault.
            end = time.monotonic() + _PATIENCE
            while self._waiting > most or self._size > size:
                before = self._waiting
                if not self._changed.wait(end - time.monotonic()):
                    raise NotConnected(f"{self._link.place} confirms no message")
                if self._waiting < before:
                    end = time.monotonic() + _PATIENCE
            refused, self._refused = self._refused, None
        if refused is not None:
            raise fault(*refused)

    def _confirmed(self, result: Any, size: int, place: str, held: Held | None) -> None:
        """Hear of the server; a thread of the client library calls this."""
        kept = result.name == OK
        with self._changed:
            self.put += kept
            if kept and held is not None:
                held.anew = True
            if not kept:
                self._refused = (result.name, place)
        self._forget(size)

    def _forget(self, size: int) -> None:
        with self._changed:
            self._waiting, self._size = self._waiting - 1, self._size - size
            self._changed.notify_all()
