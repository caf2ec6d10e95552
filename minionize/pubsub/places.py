"""Topics and subscriptions: seen to, and made where they are missing."""

from __future__ import annotations

from contextlib import suppress
from typing import NamedTuple

from minionize.errors import EngineError
from minionize.notice import notice
from minionize.pubsub.faults import DeniedError, ExistsError, MissingError
from minionize.pubsub.link import Link

__all__ = ["SHORTEST", "Place"]

SHORTEST = 10
"""Seconds of the shortest lease with which messages of a subscription can come."""

_DELETED = "_deleted-topic_"


class Place(NamedTuple):
    """A topic, and the subscription by which it is read; by their whole names."""

    topic: str
    subscription: str

    def declare(self, link: Link, lease: int) -> None:
        """Create both. Idempotent.

        Args:
            link: The connection.
            lease: Seconds.
        """
        # Who may only publish relies on somebody else having made it.
        with suppress(ExistsError, DeniedError):
            link.call("CreateTopic", name=self.topic)
        self.find(link) or self._create(link, lease)

    def enter(self, link: Link, lease: int) -> int:
        """Create the subscription where it is missing, and say so.

        Returns:
            With which lease its messages come, in seconds; 0 if we may not know.

        Raises:
            EngineError: There is no such topic, or the subscription is of another one.
        """
        found = self.find(link)
        if found is None:
            found = self._create(link, lease)
            words = "made %s, which was not there: it gets what is put into %s from now on"
            notice("google", words, self.subscription, self.topic)
        return found

    def find(self, link: Link) -> int | None:
        """Return the lease of the subscription, 0 if we may not know; None where there is no subscription."""
        try:
            found = link.call("GetSubscription", subscription=self.subscription)
        except MissingError:
            return None
        except DeniedError:
            # Who may only consume, or only publish, may not ask. If something is wrong, that will be seen then.
            return 0
        if found.topic == _DELETED:
            raise EngineError(
                f"the topic of {self.subscription} was deleted: it gets nothing more, not even from a new topic of "
                "that name; use another subscription, or delete this one with all that it holds"
            )
        if found.topic != self.topic:
            raise EngineError(
                f"{self.subscription} gets what is put into {found.topic}, not {self.topic}: "
                "check GOOGLE_TOPIC_ID, GOOGLE_SUBSCRIPTION and GOOGLE_DEAD_TOPIC"
            )
        return int(found.ack_deadline_seconds)

    def _create(self, link: Link, lease: int) -> int:
        lease = max(SHORTEST, lease)
        fields = {"name": self.subscription, "topic": self.topic, "ack_deadline_seconds": lease}
        try:
            # An empty policy: it stays, though nobody works for a month.
            link.call("CreateSubscription", **fields, expiration_policy={})
        except ExistsError:
            # Another one was quicker.
            return self.find(link) or 0
        except MissingError as error:
            words = f"there is no {self.topic}: create it (minion-queue fill does), or check its name"
            raise MissingError(words) from error
        return lease
