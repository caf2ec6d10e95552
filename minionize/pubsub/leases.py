"""Leases of one subscription, by our own clock and by what the service says of them."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakValueDictionary

from minionize.errors import NotConnected
from minionize.pubsub.link import Answers, Link

__all__ = ["Leases", "Receipt", "now"]


_REMEMBERED = 10_000


def now() -> float:
    """Return the time by a clock that goes on while the machine sleeps: leases do too."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


@dataclass(slots=True, eq=False, weakref_slot=True)
class Receipt:
    """One delivery, as the service knows it.

    Attributes:
        lease: Its ack id.
        message: What was delivered.
        until: When the lease is over, by our clock.
        times: How often it was delivered; 0 where the service does not count.
        anew: The param has been put anew, or among the dead: this message is only to be removed.
        settled: Nothing is left to do.
        unsure: It was to be settled, and the answer was lost.
    """

    lease: str
    message: Any
    until: float
    times: int = 0
    anew: bool = False
    settled: bool = False
    unsure: bool = False

    def is_ours(self, at: float) -> bool:
        """Tell whether we hold it at that time, by our clock."""
        return not self.settled and self.until > at


class Leases:
    """Begins, renews and ends leases.

    A subscription without exactly-once delivery says yes to whoever has lost a lease. So our own clock decides first:
    what was not renewed in time is lost, and is not asked for.

    It also delivers now and then what is held, or done. That is seen here, and is run by nobody again.
    """

    def __init__(self, link: Link, subscription: str) -> None:
        self._link, self._subscription = link, subscription
        self._held: WeakValueDictionary[str, Receipt] = WeakValueDictionary()
        self._named: WeakValueDictionary[str, Receipt] = WeakValueDictionary()
        self._done: OrderedDict[str, None] = OrderedDict()  # the latest messages, oldest first

    def begin(self, received: Sequence[Any], until: float) -> list[Receipt]:
        """Make receipts of what was received, and is neither held nor done.

        Args:
            received: As the service sent it.
            until: When these leases are over.
        """
        fresh, again, at = [], [], now()
        for each in received:
            key = _key(each.message)
            held = self._held.get(key)
            if key in self._done:
                again.append(each.ack_id)
            elif held is not None and held.is_ours(at):
                # The latest lease counts.
                held.lease = each.ack_id
            else:
                receipt = Receipt(each.ack_id, each.message, until, each.delivery_attempt)
                self._held[key] = receipt
                fresh.append(receipt)
        if again:
            self._link.acknowledge(self._subscription, again)
        return fresh

    def name(self, receipt: Receipt, id: str) -> str:
        """Return what a delivery is called: as its param, unless we hold another message of that id.

        Messages that others have given one id are params all the same.
        """
        at = now()
        while (other := self._named.get(id)) is not None and other is not receipt and other.is_ours(at):
            id += "~"
        self._named[id] = receipt
        return id

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
        chosen = list(receipts)
        lost = self._end(chosen, lambda ids: self._link.acknowledge(self._subscription, ids))
        self._done.update((_key(each.message), None) for each in chosen if each.settled)
        while len(self._done) > _REMEMBERED:
            self._done.popitem(last=False)
        return lost

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


def _key(message: Any) -> str:
    # An emulator that was started anew counts anew.
    return f"{message.message_id} {message.publish_time.ToNanoseconds()}"


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
