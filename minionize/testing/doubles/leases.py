"""Broken engines: attempts, delays, leases and fences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from minionize.engine import Delivery, LeaseLost
from minionize.testing.doubles.engines import BrokenEngine


class AttemptNotCounted(BrokenEngine):
    """Every delivery is the first."""

    def receive(self, max_messages: int, timeout: float) -> list[Delivery]:
        """Tell attempt 1."""
        return [replace(each, attempt=1) for each in super().receive(max_messages, timeout)]


class AttemptFromZero(BrokenEngine):
    """Counts redeliveries, not deliveries."""

    def receive(self, max_messages: int, timeout: float) -> list[Delivery]:
        """Begin at 0."""
        return [replace(each, attempt=(each.attempt or 1) - 1) for each in super().receive(max_messages, timeout)]


class AlwaysCharges(BrokenEngine):
    """Counts a preempted run as an attempt."""

    def nack(self, deliveries: Sequence[Delivery], delay: float = 0.0, charge: bool = True) -> None:
        """Charge whatever was said."""
        super().nack(deliveries, delay, True)


class NeverCharges(BrokenEngine):
    """Counts no failure as an attempt."""

    def nack(self, deliveries: Sequence[Delivery], delay: float = 0.0, charge: bool = True) -> None:
        """Charge nothing."""
        super().nack(deliveries, delay, False)


class DelayedNackIsFree(BrokenEngine):
    """Counts no attempt where there is a delay."""

    def nack(self, deliveries: Sequence[Delivery], delay: float = 0.0, charge: bool = True) -> None:
        """Charge only what comes back at once."""
        super().nack(deliveries, delay, charge and not delay)


class NeverRedelivered(BrokenEngine):
    """Claims that every delivery is the first."""

    def receive(self, max_messages: int, timeout: float) -> list[Delivery]:
        """Tell False."""
        return [replace(each, redelivered=False) for each in super().receive(max_messages, timeout)]


class RedeliveredByAttempt(BrokenEngine):
    """Takes what was given back uncharged for new."""

    def receive(self, max_messages: int, timeout: float) -> list[Delivery]:
        """Tell by the attempt."""
        return [replace(each, redelivered=(each.attempt or 1) > 1) for each in super().receive(max_messages, timeout)]


class IgnoresDelay(BrokenEngine):
    """Gives back at once, whatever the delay."""

    def nack(self, deliveries: Sequence[Delivery], delay: float = 0.0, charge: bool = True) -> None:
        """Take no notice of the delay."""
        super().nack(deliveries, 0.0, charge)


class DelayedForEver(BrokenEngine):
    """What is given back for later never comes."""

    def nack(self, deliveries: Sequence[Delivery], delay: float = 0.0, charge: bool = True) -> None:
        """Wait for an hour instead of a second."""
        super().nack(deliveries, delay * 3600, charge)


class DelayStopsAll(BrokenEngine):
    """Sleeps instead of delaying one param: nothing comes meanwhile."""

    until = 0.0

    def nack(self, deliveries: Sequence[Delivery], delay: float = 0.0, charge: bool = True) -> None:
        """Remember until when."""
        super().nack(deliveries, delay, charge)
        self.until = self.queue._clock() + delay

    def receive(self, max_messages: int, timeout: float) -> list[Delivery]:
        """Take nothing before."""
        return super().receive(max_messages, timeout) if self.queue._clock() >= self.until else []


class CountsNackAsCrash(BrokenEngine):
    """Takes every redelivery for a crash."""

    def receive(self, max_messages: int, timeout: float) -> list[Delivery]:
        """Tell all earlier deliveries."""
        return [replace(each, crashes=int(each.redelivered or 0)) for each in super().receive(max_messages, timeout)]


class CrashNotCounted(BrokenEngine):
    """Forgets a run that died: neither attempt nor crash."""

    def receive(self, max_messages: int, timeout: float) -> list[Delivery]:
        """Take the crashes off both counts."""
        return [
            replace(each, attempt=(each.attempt or 1) - (each.crashes or 0), crashes=0)
            for each in super().receive(max_messages, timeout)
        ]


class NeverReclaims(BrokenEngine):
    """What a dead minion held is lost."""

    def receive(self, max_messages: int, timeout: float) -> list[Delivery]:
        """Lease for a year, and tell 30 s."""
        lease, self.lease = self.lease, 3e7
        try:
            return [replace(each, lease=lease) for each in super().receive(max_messages, timeout)]
        finally:
            self.lease = lease


class ForgetsTheUnstarted(NeverReclaims):
    """Reclaims runs, and loses what was only waiting for one."""

    def started(self, deliveries: Sequence[Delivery]) -> None:
        """Make true the lease that was told."""
        self.queue.extend(deliveries, self.lease)
        self.queue._expiry = 0.0


class ReclaimsAtOpenOnly(BrokenEngine):
    """Looks for what the dead held when it is opened, and never again."""

    def open(self) -> None:
        """Remember the time."""
        super().open()
        self.at = self.queue._clock()

    def receive(self, max_messages: int, timeout: float) -> list[Delivery]:
        """See the queue as it was then."""
        clock = self.queue._clock
        if self.queue._expiry > self.at:
            self.queue._clock = lambda: min(clock(), max(self.at, self.queue._expiry - 1.0))
        try:
            return super().receive(max_messages, timeout)
        finally:
            self.queue._clock = clock


class LeaseIsShorterThanTold(BrokenEngine):
    """Tells 30 s and grants ten."""

    def receive(self, max_messages: int, timeout: float) -> list[Delivery]:
        """Lease for a third."""
        lease, self.lease = self.lease, self.lease / 3
        try:
            return [replace(each, lease=lease) for each in super().receive(max_messages, timeout)]
        finally:
            self.lease = lease


class TellsNoLease(BrokenEngine):
    """Has deadlines and keeps quiet about them, so that nobody renews."""

    def receive(self, max_messages: int, timeout: float) -> list[Delivery]:
        """Tell None."""
        return [replace(each, lease=None) for each in super().receive(max_messages, timeout)]


class ExtendDoesNothing(BrokenEngine):
    """Claims to renew."""

    def extend(self, deliveries: Sequence[Delivery]) -> list[Delivery]:
        """Do nothing."""
        return []


class ExtendsOnlyTheFirst(BrokenEngine):
    """Renews one of a batch."""

    def extend(self, deliveries: Sequence[Delivery]) -> list[Delivery]:
        """Leave the others out."""
        return super().extend(deliveries[:1])


class ExtendTellsNoLoss(BrokenEngine):
    """Renews, and keeps quiet about what is lost."""

    def extend(self, deliveries: Sequence[Delivery]) -> list[Delivery]:
        """Return nothing."""
        super().extend(deliveries)
        return []


class ExtendLosesTheHeld(BrokenEngine):
    """Renews, and calls it lost."""

    def extend(self, deliveries: Sequence[Delivery]) -> list[Delivery]:
        """Return all."""
        super().extend(deliveries)
        return list(deliveries)


class ExtendLosesAll(BrokenEngine):
    """Calls all lost when one is."""

    def extend(self, deliveries: Sequence[Delivery]) -> list[Delivery]:
        """Return the whole batch."""
        return list(deliveries) if super().extend(deliveries) else []


class ExtendStealsBack(BrokenEngine):
    """Renews what another minion holds by now, for itself."""

    def extend(self, deliveries: Sequence[Delivery]) -> list[Delivery]:
        """Take it over."""
        lost = super().extend(deliveries)
        for each in lost:
            if each.id in self.queue._held:
                self.queue._held[each.id].token = each.receipt
        return lost


class AcceptsStaleAcks(BrokenEngine):
    """No fence: who lost a param settles it all the same."""

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        """Settle whoever holds it."""
        held = self.queue._held
        super().ack([replace(each, receipt=held[each.id].token) if each.id in held else each for each in deliveries])


class AcceptsStaleNacks(BrokenEngine):
    """Takes a param from its new holder when the old one gives it back."""

    def nack(self, deliveries: Sequence[Delivery], delay: float = 0.0, charge: bool = True) -> None:
        """Give back whoever holds it."""
        held = self.queue._held
        current = [replace(each, receipt=held[each.id].token) if each.id in held else each for each in deliveries]
        super().nack(current, delay, charge)


class BuriesWhatOthersHold(BrokenEngine):
    """Gives up a param that another minion has by now."""

    def dead_letter(self, deliveries: Sequence[Delivery], reason: str, evidence: Sequence[Mapping[str, Any]]) -> None:
        """Give up whoever holds it."""
        held = self.queue._held
        current = [replace(each, receipt=held[each.id].token) if each.id in held else each for each in deliveries]
        super().dead_letter(current, reason, evidence)


class HidesLoss(BrokenEngine):
    """Refuses stale acks without a word."""

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        """Raise nothing."""
        with suppress(LeaseLost):
            super().ack(deliveries)


class StopsAtTheFirstLoss(BrokenEngine):
    """Leaves the rest of a batch unsettled when one was lost."""

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        """Settle one by one, up to the lost."""
        for each in deliveries:
            super().ack([each])


class BlamesTheWholeBatch(BrokenEngine):
    """Names deliveries lost that were settled."""

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        """Raise with all."""
        try:
            super().ack(deliveries)
        except LeaseLost as error:
            raise LeaseLost(deliveries) from error


class KeepsNacksToItself(BrokenEngine):
    """Retries in its own process: no other minion gets what it gives back."""

    def receive(self, max_messages: int, timeout: float) -> list[Delivery]:
        """Put back what others gave back."""
        taken = super().receive(max_messages, timeout)
        mine = [
            each for each in taken if each.crashes or not each.redelivered or each.id in self.__dict__.get("own", ())
        ]
        super().nack([each for each in taken if each not in mine], charge=False)
        return mine

    def nack(self, deliveries: Sequence[Delivery], delay: float = 0.0, charge: bool = True) -> None:
        """Remember that it was ours."""
        self.__dict__.setdefault("own", set()).update(each.id for each in deliveries)
        super().nack(deliveries, delay, charge)
