"""Commits: what is done of partitions is written down, and we wait for the answer, though not for ever."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from minionize.kafkaclient.client import ANSWER
from minionize.kafkaclient.progress import ROOM, Changes, Progress

__all__ = ["Commits"]

_TICK = 0.0005
_MOVING = frozenset(
    {
        "REBALANCE_IN_PROGRESS",
        "ILLEGAL_GENERATION",
        "UNKNOWN_MEMBER_ID",
        "FENCED_INSTANCE_ID",
        "_STATE",
        "_NO_OFFSET",
        "COORDINATOR_LOAD_IN_PROGRESS",
    }
)
"""The group is being shared out anew, or its broker has just started: soon it is clear what is still ours."""


def _check(error: Any, partitions: list[Any]) -> None:
    from confluent_kafka import KafkaException

    for each in (error, *(partition.error for partition in partitions)):
        if each:
            raise KafkaException(each)


class Commits:
    """Sends the commits of one consumer.

    Args:
        topic: The topic.
        listen: Lets the consumer hear what there is, for so many seconds.

    Attributes:
        consumer: The consumer, which must be made with ``hear`` as its ``on_commit``.
    """

    def __init__(self, topic: str, listen: Callable[[float], None]) -> None:
        self.consumer: Any = None
        self._topic, self._listen = topic, listen
        self._room = ROOM
        self._sent = self._answered = 0
        self._answer: tuple[Any, list[Any]] = (None, [])

    def commit(self, parts: Mapping[int, Progress], changes: Changes, now: bool = False) -> bool:
        """Commit what is done of partitions; return False if the group is being shared out anew.

        Args:
            parts: The partitions.
            changes: What is to be true then.
            now: We are being called by the client.

        Raises:
            TimeoutError: There is no answer.
        """
        from confluent_kafka import KafkaException, TopicPartition

        while parts:
            notes = [(number, *part.note(changes, self._room)) for number, part in sorted(parts.items())]
            wanted = [TopicPartition(self._topic, number, offset, metadata=text) for number, offset, text in notes]
            try:
                (self._send_now if now else self._send)(wanted)
            except KafkaException as error:
                name = error.args[0].name()
                if name == "OFFSET_METADATA_TOO_LARGE" and self._room:
                    self._room //= 2
                    continue
                if name in _MOVING:
                    return False
                raise
            break
        return True

    def _send(self, wanted: list[Any]) -> None:
        """Send a commit and wait for its answer; the client's own waiting would know no end."""
        self.consumer.commit(offsets=wanted, asynchronous=True)
        self._sent += 1
        until = time.monotonic() + ANSWER
        while self._answered < self._sent:
            if time.monotonic() > until:
                # What joins the group goes by the same connection, and is answered first.
                raise TimeoutError("no answer; where a minion was killed, the group waits for it")
            # A longer wait in there would go on after the answer, and end at each message that comes meanwhile.
            self._listen(0.0)
            time.sleep(_TICK)
        _check(*self._answer)

    def _send_now(self, wanted: list[Any]) -> None:
        """Send a commit while the client waits for us, and tells of no answer; the brokers have just spoken."""
        _check(None, self.consumer.commit(offsets=wanted, asynchronous=False))

    def hear(self, error: Any, partitions: list[Any]) -> None:
        """Hear an answer; there is one for each commit, in order."""
        self._answered += 1
        self._answer = (error, partitions)
