"""Broken engines: settling, opening and closing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from minionize.engine import Delivery, EndOfQueue, LeaseLost
from minionize.task import Param
from minionize.testing.doubles.engines import BrokenEngine


class LosesOnNack(BrokenEngine):
    """What is given back is gone."""

    def nack(self, deliveries: Sequence[Delivery], delay: float = 0.0, charge: bool = True) -> None:
        """Ack instead."""
        super().ack(deliveries)


class NacksTheWholeBatch(BrokenEngine):
    """Gives back all that it holds."""

    def open(self) -> None:
        """Hold nothing."""
        super().open()
        self.held: list[Delivery] = []

    def receive(self, max_messages: int, timeout: float) -> list[Delivery]:
        """Remember what is held."""
        taken = super().receive(max_messages, timeout)
        self.held += taken
        return taken

    def nack(self, deliveries: Sequence[Delivery], delay: float = 0.0, charge: bool = True) -> None:
        """Give back the others too."""
        super().nack(deliveries, delay, charge)
        if deliveries:
            with suppress(LeaseLost):
                super().nack(self.held, delay, charge)


class AcksTheWholeBatch(BrokenEngine):
    """Acks up to the highest: the offset of a log."""

    def open(self) -> None:
        """Hold nothing."""
        super().open()
        self.held: list[Delivery] = []

    def receive(self, max_messages: int, timeout: float) -> list[Delivery]:
        """Remember what is held."""
        taken = super().receive(max_messages, timeout)
        self.held += taken
        return taken

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        """Ack what came before, too."""
        super().ack(deliveries)
        ids = {each.id for each in deliveries}
        last = max((n for n, each in enumerate(self.held) if each.id in ids), default=-1)
        with suppress(LeaseLost):
            super().ack(self.held[:last])


class AcksLater(BrokenEngine):
    """Keeps acks to itself until it has three."""

    def open(self) -> None:
        """Keep none."""
        super().open()
        self.kept: list[Delivery] = []

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        """Ack at the third."""
        self.kept += deliveries
        if len(self.kept) > 3:
            kept, self.kept = self.kept, []
            super().ack(kept)


class CloseAcks(BrokenEngine):
    """Acks what it holds when it is closed."""

    held: Sequence[Delivery] = ()

    def receive(self, max_messages: int, timeout: float) -> list[Delivery]:
        """Remember what is held."""
        taken = super().receive(max_messages, timeout)
        self.held = [*self.held, *taken]
        return taken

    def close(self) -> None:
        """Ack it."""
        if self.held and self._open:
            with suppress(LeaseLost):
                super().ack(self.held)
        super().close()


class CannotReopen(BrokenEngine):
    """Is of no use after it was closed."""

    closed = False

    def open(self) -> None:
        """Open once."""
        if not self.closed:
            super().open()

    def close(self) -> None:
        """Close for good."""
        self.closed = self.closed or self._open
        super().close()


class DeclareEmpties(BrokenEngine):
    """Makes the queue anew each time it is declared."""

    def declare(self) -> None:
        """Take out what is there."""
        with suppress(EndOfQueue):
            self.queue.ack(self.queue.take(1000, 30.0, 0.0))


class PutNeedsOpen(BrokenEngine):
    """Cannot be filled before it is opened."""

    def put(self, params: Iterable[Param]) -> int:
        """Look for the connection first."""
        self._connected()
        return super().put(params)


class Nacks2(BrokenEngine):
    """Makes two of a param that is given back twice."""

    given: Any = ()

    def nack(self, deliveries: Sequence[Delivery], delay: float = 0.0, charge: bool = True) -> None:
        """Put it once more where it is not held."""
        try:
            super().nack(deliveries, delay, charge)
        except LeaseLost as error:
            self.queue.put([each.param for each in error.lost if each.receipt in self.given])
            raise
        finally:
            self.given = {*self.given, *(each.receipt for each in deliveries)}


class NackUndoesAck(BrokenEngine):
    """Brings back what was acked before."""

    def nack(self, deliveries: Sequence[Delivery], delay: float = 0.0, charge: bool = True) -> None:
        """Put it again where it is done."""
        try:
            super().nack(deliveries, delay, charge)
        except LeaseLost as error:
            waiting = {entry.id for _, _, entry in self.queue._back}
            gone = [each for each in error.lost if each.id not in waiting and each.id not in self.queue._held]
            self.queue.put([each.param for each in gone])
            raise


class SecondAckTakesAnother(BrokenEngine):
    """Acks by position: a second ack settles the next param."""

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        """Ack the next where it is none of ours."""
        try:
            super().ack(deliveries)
        except LeaseLost:
            with suppress(EndOfQueue):
                self.queue.ack(self.queue.take(1, 30.0, 0.0))
            raise


class RefusesNothing(BrokenEngine):
    """Cannot settle an empty list."""

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        """Look at the first."""
        assert deliveries[0]
        super().ack(deliveries)


class StartedAcks(BrokenEngine):
    """Acks when the run begins."""

    def started(self, deliveries: Sequence[Delivery]) -> None:
        """Ack early."""
        with suppress(LeaseLost):
            super().ack(deliveries)


class StartedCounts(BrokenEngine):
    """Counts each word of a start as an attempt."""

    def started(self, deliveries: Sequence[Delivery]) -> None:
        """Count."""
        for each in deliveries:
            self.queue._held[each.id].attempts += 1


class FlushesAcksAtClose(BrokenEngine):
    """Keeps acks until it is closed or receives again."""

    def open(self) -> None:
        """Keep none."""
        super().open()
        self.kept: list[Delivery] = []

    def flush(self) -> None:
        """Settle what was kept."""
        kept, self.kept = self.kept, []
        with suppress(LeaseLost):
            super().ack(kept)

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        """Look whether they are ours, and keep them."""
        lost = self.queue.extend(deliveries, self.lease)
        self.kept += [each for each in deliveries if each not in lost]
        if lost:
            raise LeaseLost(lost)

    def receive(self, max_messages: int, timeout: float) -> list[Delivery]:
        """Settle first."""
        self.flush()
        return super().receive(max_messages, timeout)

    def nack(self, deliveries: Sequence[Delivery], delay: float = 0.0, charge: bool = True) -> None:
        """Leave the acks for later."""
        super().nack([each for each in deliveries if each not in self.kept], delay, charge)

    def close(self) -> None:
        """Settle last."""
        if self._open:
            self.flush()
        super().close()


class KeepsDelaysToItself(BrokenEngine):
    """Holds delayed params in its process, and forgets them with it."""

    def open(self) -> None:
        """Keep none."""
        super().open()
        self.kept: list[tuple[float, Delivery, bool]] = []

    def nack(self, deliveries: Sequence[Delivery], delay: float = 0.0, charge: bool = True) -> None:
        """Keep what is delayed."""
        if delay:
            self.kept += [(self.queue._clock() + delay, each, charge) for each in deliveries]
        else:
            super().nack(deliveries, charge=charge)

    def receive(self, max_messages: int, timeout: float) -> list[Delivery]:
        """Give back what is due."""
        now = self.queue._clock()
        for due, each, charge in self.kept:
            if due <= now:
                super().nack([each], charge=charge)
        self.kept = [item for item in self.kept if item[0] > now]
        return super().receive(max_messages, timeout)


class DeadLettersInSilence(BrokenEngine):
    """Is declared to keep no dead params, and loses them instead of saying so."""

    features = replace(BrokenEngine.features, dead_letter=False)

    def dead_letter(self, deliveries: Sequence[Delivery], reason: str, evidence: Sequence[Mapping[str, Any]]) -> None:
        """Ack."""
        self.ack(deliveries)
