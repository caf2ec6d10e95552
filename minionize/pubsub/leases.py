"""Leases of one subscription, by our own clock and by what the service says of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from minionize.errors import NotConnected
from minionize.pubsub.link import Answers, Link

__all__ = ["Leases", "Receipt", "now"]


def now() -> float:
    """Return the time by a clock that goes on while the machine sleeps: leases do too."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


@dataclass(slots=True, eq=False)
class Receipt:
    """One delivery, as the service knows it.

    Attributes:
        lease: Its ack id.
        message: What was delivered.
        until: When the lease is over, by our clock.
        anew: The param has been put anew, or among the dead: this message is only to be removed.
        settled: Nothing is left to do.
        unsure: It was to be settled, and the answer was lost.
    """

    lease: str
    message: Any
    until: float
    anew: bool = False
    settled: bool = False
    unsure: bool = False


class Leases:
    """Renews and ends leases.

    A subscription without exactly-once delivery says yes to whoever has lost a lease. So our own clock decides first:
    what was not renewed in time is lost, and is not asked for.
    """

    def __init__(self, link: Link, subscription: str) -> None:
        self._link, self._subscription = link, subscription

    def renew(self, receipts: Iterable[Receipt], seconds: int) -> set[Receipt]:
        """Let leases last so long from now; return those that are lost."""
        asked = now()
        live, lost = _split(receipts, asked)
        answers = self._link.renew(self._subscription, _ids(live), seconds)
        for each in live:
            if each.lease in answers.lost:
                lost.add(each)
            elif each.lease not in answers.again:
                each.until = asked + seconds
        return lost

    def acknowledge(self, receipts: Iterable[Receipt]) -> set[Receipt]:
        """Remove for ever what is not settled; return what is lost."""
        return self._end(receipts, lambda ids: self._link.acknowledge(self._subscription, ids))

    def give_back(self, receipts: Iterable[Receipt]) -> set[Receipt]:
        """Let others have at once what is not settled; return what is lost."""
        return self._end(receipts, lambda ids: self._link.renew(self._subscription, ids, 0))

    def _end(self, receipts: Iterable[Receipt], settle: Callable[[list[str]], Answers]) -> set[Receipt]:
        live, lost = _split((each for each in receipts if not each.settled), now())
        try:
            answers = settle(_ids(live))
        except NotConnected:
            for each in live:
                each.unsure = True
            raise
        for each in live:
            # Refused after an answer was lost: it was settled then.
            if each.lease in answers.lost and not each.unsure and not each.anew:
                lost.add(each)
            elif each.lease not in answers.again:
                each.settled = True
        if answers.again:
            raise NotConnected(f"{self._subscription} cannot settle {len(answers.again)} params now")
        return lost

    # For what nobody has a delivery of.

    def drop(self, receipts: Sequence[Receipt]) -> None:
        """Remove messages that are not for us."""
        self._link.acknowledge(self._subscription, _ids(receipts))

    def hold_back(self, receipts: Sequence[Receipt], seconds: int) -> None:
        """Let messages come again only after so many seconds."""
        self._link.renew(self._subscription, _ids(receipts), seconds)


def _ids(receipts: Sequence[Receipt]) -> list[str]:
    return [each.lease for each in receipts]


def _split(receipts: Iterable[Receipt], at: float) -> tuple[list[Receipt], set[Receipt]]:
    """Part what we hold from what we have lost. What has been put anew is only to be removed, whoever holds it."""
    live: list[Receipt] = []
    lost: set[Receipt] = set()
    for each in receipts:
        if each.until > at or each.anew:
            live.append(each)
        else:
            lost.add(each)
    return live, lost
