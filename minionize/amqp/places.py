"""The queues that belong to one queue of params: it, its dead params, and those that wait for their time."""

from __future__ import annotations

import math
from typing import Any

from minionize.amqp.faults import ACCESS_REFUSED, PRECONDITION, code_of
from minionize.amqp.link import Link
from minionize.engine import EngineError
from minionize.notice import notice

__all__ = ["Places"]

_LIMIT = 1000
"""After so many deliveries without an outcome the server itself gives a message up; minions do long before."""

_LOOKS = 1_000_000
"""A look at the dead takes them for a moment, and servers from 4.0 on would drop them at the 20th."""

_PATIENCE = 45 * 86_400 * 1000
"""Milliseconds for which a delivery may be held."""

_OTHER_PARAMS = (
    "runs that die with their minion are counted by quorum queues only, and what the server gives up may be lost"
)
_OTHER_DEAD = "a limit of its length or of deliveries may cost dead params, for each look at the dead is a delivery"

_KNOWS_PATIENCE = (3, 12)
_LEVELS = 13


class Places:
    """Makes them, and knows their names.

    Messages that wait for their time expire in a delay queue and so move to the queue of params. They expire only at
    its head: so each holds delays between half its time and all of it, and none waits for a much longer one.

    Args:
        queue: Its name.
        dead: Name of the queue of the dead.
    """

    def __init__(self, queue: str, dead: str) -> None:
        self.queue, self.dead = queue, dead
        self._levels = 0
        self._looked_at = False

    def open(self, link: Link) -> None:
        """Make what is missing, say what is made and what differs from what we would have made."""
        self._levels = 0
        if link.count(self.queue) is None:
            self.declare(link)
            notice("rabbitmq", "queue %s was not there: it is made now", self.queue)
        elif not self._looked_at:
            self._compare(link)
        else:
            self.declare(link)
        if not self._looked_at and () < link.version < _KNOWS_PATIENCE:
            notice(
                "rabbitmq",
                "RabbitMQ %s gives a param to another minion when its run takes longer than consumer_timeout, 30 min "
                "unless raised by consumer_timeout = 864000000 (milliseconds) in rabbitmq.conf",
                ".".join(map(str, link.version)),
            )
        self._looked_at = True

    def declare(self, link: Link) -> None:
        """Make the queue and that of the dead. Idempotent; what is there with other arguments is used as it is."""
        for queue, arguments in ((self.dead, self._of_the_dead()), (self.queue, self._of_params(link.version))):
            if link.count(queue) is None:
                link.declare(queue, arguments)

    def _compare(self, link: Link) -> None:
        for queue, arguments, cost in (
            (self.dead, self._of_the_dead(), _OTHER_DEAD),
            (self.queue, self._of_params(link.version), _OTHER_PARAMS),
        ):
            try:
                link.declare(queue, arguments)
            except EngineError as error:
                if code_of(error) == PRECONDITION:
                    words = str(getattr(error.__cause__, "reply_text", "")).partition(" - ")[2]
                    notice(
                        "rabbitmq",
                        "queue %s is used as it is, not as minionize makes it: %s (%s)",
                        queue,
                        cost,
                        words,
                    )
                elif code_of(error) != ACCESS_REFUSED or link.count(queue) is None:
                    raise

    def _of_params(self, version: tuple[int, ...]) -> dict[str, Any]:
        patience = {"x-consumer-timeout": _PATIENCE} if version >= _KNOWS_PATIENCE else {}
        return {**_to(self.dead), "x-delivery-limit": _LIMIT, **patience}

    def _of_the_dead(self) -> dict[str, Any]:
        return {"x-queue-type": "quorum", "x-delivery-limit": _LOOKS}

    # Delays.

    def delayed(self, link: Link, delay: float) -> str:
        """Name the queue in which messages wait for so many seconds; it is made if need be.

        All below it are made too: so how many there are is found out by asking for one that is not there.
        """
        level = min(max(0, math.ceil(math.log2(delay))), _LEVELS - 1)
        while self._levels <= level:
            link.declare(self._name(self._levels), {**_to(self.queue), "x-delivery-limit": _LOOKS})
            self._levels += 1
        return self._name(level)

    def delays(self, link: Link, anew: bool) -> list[str]:
        """Name the delay queues that are there.

        Args:
            link: The connection.
            anew: Whether to look for those that others may have made meanwhile.
        """
        while anew and self._levels < _LEVELS and link.count(self._name(self._levels)) is not None:
            self._levels += 1
        return [self._name(level) for level in range(self._levels)]

    def _name(self, level: int) -> str:
        return f"{self.queue}.delay.{2**level}s"


def _to(queue: str) -> dict[str, Any]:
    """Arguments of a queue whose messages move on to another one, and are lost on the way by no crash."""
    return {
        "x-queue-type": "quorum",
        "x-dead-letter-exchange": "",
        "x-dead-letter-routing-key": queue,
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
    }
