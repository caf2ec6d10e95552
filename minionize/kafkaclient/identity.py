"""Which topic it is that has our topic's name: of one that was made anew nothing is done."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from minionize.kafkaclient.client import ANSWER, Client

__all__ = ["Identity"]

_EVERY = 1.0


class Identity:
    """Asks once a second which topic it is; brokers before 2.8 do not know.

    The client itself goes on in a new topic at the offset where it was in the former one, and says nothing.

    Args:
        client: Makes the connection.
        check: Raises EngineError if there is no such topic.
    """

    def __init__(self, client: Client, check: Callable[[], object]) -> None:
        self._client, self._check = client, check
        self._id: str | None = None
        self._answer: Any = None
        self._next = 0.0
        self._missing: float | None = None

    def is_new(self, patience: float = 0.0) -> bool:
        """Tell whether it is another topic than when last asked.

        Args:
            patience: Seconds to wait for an answer; else that of an earlier call counts.

        Raises:
            EngineError: There is no such topic.
        """
        from confluent_kafka import KafkaException

        if self._answer is None and (patience or time.monotonic() >= self._next):
            self._ask()
        if self._answer is None or not (patience or self._answer.done()):
            return False
        answer, self._answer = self._answer, None
        # If brokers do not answer others will notice.
        with suppress(TimeoutError):
            try:
                known, self._id = self._id, str(answer.result(patience).topic_id)
            except KafkaException as error:
                if error.args[0].name() == "UNKNOWN_TOPIC_OR_PART":
                    self._miss()
            else:
                self._missing = None
                return known not in (None, self._id)
        return False

    def _miss(self) -> None:
        # It may be about to be made anew.
        now = time.monotonic()
        self._missing = now if self._missing is None else self._missing
        if now - self._missing >= ANSWER:
            self._check()

    def _ask(self) -> None:
        from confluent_kafka import TopicCollection

        self._next = time.monotonic() + _EVERY
        topics = TopicCollection([self._client.topic])
        (self._answer,) = self._client.admin().describe_topics(topics, request_timeout=ANSWER).values()
