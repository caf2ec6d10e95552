"""Messages on their way to the server, until it confirms that it keeps them."""

from __future__ import annotations

from typing import Any

from minionize.amqp.faults import reaching
from minionize.amqp.hold import Held
from minionize.amqp.link import Link
from minionize.engine import NotConnected

__all__ = ["Outbox"]

_MANY, _MUCH = 1000, 4_000_000
"""So many messages, or bytes, may be under way."""

_LARGE = 1_000_000
"""A message of more bytes may be too large for the server, which then closes the channel and confirms no other."""


class Outbox:
    """Publishes to queues, by a connection of its own.

    A server that is short of memory or disk no longer listens to a connection that publishes. So whoever acks does it
    by another one.

    Attributes:
        link: The connection.
        put: How many messages the server has confirmed.
    """

    def __init__(self, link: Link) -> None:
        self.link, self.put = link, 0
        self._channel = link.channel()
        self._channel.call("confirm_delivery", self._confirmed)
        self._channel.raw.add_on_return_callback(self._returned)
        self._sent = 0
        self._waiting: dict[int, tuple[int, Held | None]] = {}
        self._size = 0
        self._refused = ""
        self._is_gone = False

    @property
    def is_open(self) -> bool:
        """Whether it can be used: not after a refusal, for then nobody knows what has come."""
        return self.link.is_open and self._channel.is_open and not self._refused

    def knock(self) -> None:
        """See whether the server listens, before anything is sent that it is to keep.

        One that is short of memory or disk takes one more message, stops listening, and keeps that message, though it
        says so to nobody. It must not be a param: whoever fills the queue would put it twice.

        Raises:
            NotNow: It does not.
        """
        before = self.put
        try:
            self._send("", b"", None, mandatory=False)
            self._channel.call("basic_qos", prefetch_count=0)
            self.confirm()
        finally:
            self.put = before

    def publish(self, queue: str, body: bytes, properties: Any, held: Held | None = None) -> None:
        """Send a message; ``confirm`` tells whether it has come.

        Args:
            queue: Where to.
            body: What it holds.
            properties: What is told of it.
            held: What it is put in place of; that learns when it is sent, and when it is confirmed.

        Raises:
            NotNow: The server does not take what was sent before now.
            NotConnected: The connection is lost, or the queue does not take messages that were sent before.
        """
        if len(body) > _LARGE:
            self.confirm()
        self._send(queue, body, properties, held)
        if len(self._waiting) > _MANY or self._size > _MUCH:
            self._drain(_MANY // 2, _MUCH // 2)

    def _send(self, queue: str, body: bytes, properties: Any, held: Held | None = None, mandatory: bool = True) -> None:
        self._channel.check()
        with reaching(self.link.place):
            self._channel.raw.basic_publish("", queue, body, properties, mandatory=mandatory)
        if held is not None:
            held.sent = self
        self._sent += 1
        self._waiting[self._sent] = len(body), held
        self._size += len(body)

    def confirm(self) -> None:
        """Wait until the server keeps all that was sent.

        Raises:
            NotNow: Not yet.
            NotConnected: It does not.
        """
        self._drain(0, 0)

    def flush(self) -> None:
        """Let what was sent go out."""
        self.link.linger(0.0)

    def _drain(self, messages: int, size: int) -> None:
        # As long as something moves, a slow line is no fault.
        while len(self._waiting) > messages or self._size > size:
            before = len(self._waiting)
            self.link.wait(lambda before=before: self._has_drained(messages, size, before), self._size)  # type: ignore[misc]
            self._channel.check()
        if self._refused:
            raise NotConnected(f"{self.link.place}: {self._refused}")

    def _has_drained(self, messages: int, size: int, before: int) -> bool:
        count = len(self._waiting)
        enough = (count <= messages and self._size <= size) or count <= before - 100
        return enough or not self._channel.is_open

    def _confirmed(self, frame: Any) -> None:
        from pika.spec import Basic

        last, kept = frame.method.delivery_tag, isinstance(frame.method, Basic.Ack)
        if not kept:
            self._refused = "the queue takes no more, for it is full or out of order"
        tags = [tag for tag in self._waiting if tag <= last] if frame.method.multiple else [last]
        for tag in tags:
            if tag in self._waiting:
                size, held = self._waiting.pop(tag)
                self._size -= size
                self.put += kept
                if held is not None and kept and not self._is_gone:
                    held.anew = True

    def _returned(self, _: Any, method: Any, *__: Any) -> None:
        # Its confirmation comes next, and means nothing.
        self.put -= 1
        self._is_gone = True
        self._refused = f"queue {method.routing_key} is gone"
