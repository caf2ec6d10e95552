"""One channel of a connection to RabbitMQ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from minionize.amqp.faults import PRECONDITION, fault, reaching

if TYPE_CHECKING:
    from minionize.amqp.link import Link

__all__ = ["Arrival", "Channel"]


@dataclass(frozen=True, slots=True, eq=False)
class Arrival:
    """A message that has come, as pika tells it."""

    channel: Channel
    method: Any
    properties: Any
    body: bytes


class Channel:
    """One channel.

    Attributes:
        raw: That of pika.
        held: How many deliveries it carries.
        answered: Whether what was asked last has been answered.
        answer: That; None if it was that there is nothing.
    """

    def __init__(self, link: Link, connection: Any) -> None:
        from pika.spec import Basic

        self._link = link
        self._why: Any = None
        self.held = 0
        self.answered = False
        self.answer: Arrival | None = None
        self.raw: Any = connection.channel(on_open_callback=self._hear)
        self.raw.add_on_close_callback(self._closed)
        self.raw.add_callback(self._hear, [Basic.GetEmpty], one_shot=False)

    def _hear(self, *_: Any) -> None:
        self.answered = True

    def _closed(self, _: Any, why: Any) -> None:
        self._why, self.answered = why, True

    def _came(self, _: Any, method: Any, properties: Any, body: bytes) -> None:
        self.answered, self.answer = True, Arrival(self, method, properties, body)

    @property
    def is_open(self) -> bool:
        """Whether it can be used: the server closes it at an error, and when a delivery is held for too long."""
        return self._why is None and self._link.is_open and bool(self.raw.is_open)

    @property
    def was_held_too_long(self) -> bool:
        """Whether the server has closed it for a delivery that was not settled in time."""
        return getattr(self._why, "reply_code", 0) == PRECONDITION and "timed out" in str(self._why)

    def check(self) -> None:
        """Raise what has closed the channel."""
        if self._why is not None:
            raise fault(self._why, self._link.place) from self._why

    def ask(self, queue: str) -> None:
        """Ask for a message."""
        self.answered, self.answer = False, None
        self.raw.basic_get(queue, self._came)

    def call(self, method: str, *words: Any, **more: Any) -> Any:
        """Call a method of the server, and return its answer.

        Raises:
            EngineError: The server has closed the channel instead.
        """
        answers: list[Any] = []
        self.check()
        with reaching(self._link.place):
            getattr(self.raw, method)(*words, callback=answers.append, **more)
        self._link.wait(lambda: bool(answers) or self._why is not None)
        self.check()
        return answers[0].method

    def ack(self, tag: int) -> None:
        """Ack a delivery; ``Link.sync`` makes sure that the server hears it."""
        with reaching(self._link.place):
            self.raw.basic_ack(tag)

    def close(self) -> None:
        """Give back what it still carries."""
        if self.is_open:
            with reaching(self._link.place):
                self.raw.close()
            self._link.wait(lambda: self._why is not None)
