"""Broken engines: receiving, settling and closing."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace

from minionize.engine import Delivery, EndOfQueue, Engine
from minionize.engines.memory import MemoryEngine, MemoryQueue
from minionize.task import Param
from minionize.testing.clock import ManualClock
from minionize.testing.engine import EngineContract


class BrokenEngine(MemoryEngine):
    """The memory engine, with one fault in each subclass."""


class BrokenEngineSuite(EngineContract):
    """The contract for one of these: time is free, and nothing is waited for long."""

    patience = 0.01
    quiet = 0.0005
    slack = 0.1

    def __init__(self, kind: type[BrokenEngine]) -> None:
        self.kind = kind
        self.clock = ManualClock()
        self.queue = MemoryQueue(clock=self.clock)

    def make_engine(self) -> Engine:
        """Make the broken engine."""
        return self.kind(self.queue, lease=30.0)

    def advance(self, seconds: float) -> None:
        """Move the clock."""
        self.clock.advance(seconds)

    def corrupt(self) -> None:
        """Put what stands for an undecodable param."""
        from minionize.engine import Undecodable

        self.queue.put([Undecodable("\x00", "not a param")])


class AcksOnReceive(BrokenEngine):
    """At most once: a param is gone when it is delivered."""

    def receive(self, max_messages: int, timeout: float) -> list[Delivery]:
        """Ack at once."""
        taken = super().receive(max_messages, timeout)
        super().ack(taken)
        return taken


class TakesOneMore(BrokenEngine):
    """Returns more than it was asked for."""

    def receive(self, max_messages: int, timeout: float) -> list[Delivery]:
        """Ask for one more."""
        return super().receive(max_messages + 1 if max_messages else 0, timeout)


class Hoards(BrokenEngine):
    """Prefetches: holds params that nobody asked for."""

    def open(self) -> None:
        """Begin with nothing."""
        super().open()
        self.hoard: list[Delivery] = []

    def receive(self, max_messages: int, timeout: float) -> list[Delivery]:
        """Take three more than asked, for later."""
        if not max_messages:
            return []
        if len(self.hoard) < max_messages:
            try:
                self.hoard += super().receive(max_messages + 3, timeout)
            except EndOfQueue:
                if not self.hoard:
                    raise
        taken, self.hoard = self.hoard[:max_messages], self.hoard[max_messages:]
        return taken


class TakesAtOpen(BrokenEngine):
    """Holds a param before anything was asked for."""

    def open(self) -> None:
        """Take one."""
        super().open()
        with suppress(EndOfQueue):
            super().receive(1, 0.0)


class PumpEnds(BrokenEngine):
    """Takes a pump with nothing ready for the end."""

    def receive(self, max_messages: int, timeout: float) -> list[Delivery]:
        """Raise where nothing can be said."""
        if max_messages == 0 and not self.queue._ready:
            raise EndOfQueue
        return super().receive(max_messages, timeout)


class PumpTakes(BrokenEngine):
    """Takes a param when it should only pump."""

    def receive(self, max_messages: int, timeout: float) -> list[Delivery]:
        """Take one where none was asked for, and forget it."""
        if max_messages == 0:
            with suppress(EndOfQueue):
                super().receive(1, 0.0)
        return super().receive(max_messages, timeout)


class Spins(BrokenEngine):
    """Returns at once, whatever the time-out."""

    def receive(self, max_messages: int, timeout: float) -> list[Delivery]:
        """Do not wait."""
        return super().receive(max_messages, 0.0)


class Hangs(BrokenEngine):
    """Waits beyond the time-out where there is none."""

    def receive(self, max_messages: int, timeout: float) -> list[Delivery]:
        """Take 0 for a default."""
        taken = super().receive(max_messages, timeout)
        if max_messages and not taken and not timeout:
            time.sleep(0.12)
        return taken


class EndsTooEarly(BrokenEngine):
    """Takes "nothing is ready" for the end."""

    def receive(self, max_messages: int, timeout: float) -> list[Delivery]:
        """Raise where [] is right."""
        taken = super().receive(max_messages, timeout)
        if max_messages and not taken:
            raise EndOfQueue
        return taken


class NeverEnds(BrokenEngine):
    """Is declared finite, and does not end."""

    def receive(self, max_messages: int, timeout: float) -> list[Delivery]:
        """Return [] for ever."""
        try:
            return super().receive(max_messages, timeout)
        except EndOfQueue:
            return []


class EndsForGood(BrokenEngine):
    """Does not look again after the end."""

    ended = False

    def receive(self, max_messages: int, timeout: float) -> list[Delivery]:
        """Repeat the end."""
        if self.ended and max_messages:
            raise EndOfQueue
        try:
            return super().receive(max_messages, timeout)
        except EndOfQueue:
            self.ended = True
            raise


class EndsThoughEndless(BrokenEngine):
    """Is declared endless, and ends."""

    features = replace(BrokenEngine.features, finite=False)


class WaitsForAFullBatch(BrokenEngine):
    """Returns what is ready at the time-out only."""

    def receive(self, max_messages: int, timeout: float) -> list[Delivery]:
        """Wait for more."""
        taken = super().receive(max_messages, timeout)
        if 0 < len(taken) < max_messages:
            time.sleep(timeout)
        return taken


class RedeliversWhenIdle(BrokenEngine):
    """Hands out again what it holds when nothing else is ready."""

    held: Sequence[Delivery] = ()

    def receive(self, max_messages: int, timeout: float) -> list[Delivery]:
        """Repeat the last batch."""
        taken = super().receive(max_messages, timeout)
        if not taken and max_messages:
            return [each for each in self.held if each.id in self.queue._held][:max_messages]
        self.held = taken or self.held
        return taken


class EndsOnce(BrokenEngine):
    """Tells the end once only."""

    ended = False

    def receive(self, max_messages: int, timeout: float) -> list[Delivery]:
        """Return [] from the second time on."""
        try:
            return super().receive(max_messages, timeout)
        except EndOfQueue:
            if self.ended:
                return []
            self.ended = True
            raise


class DeliversTwice(BrokenEngine):
    """Delivers the first of each batch again at the next call."""

    again: Sequence[Delivery] = ()

    def receive(self, max_messages: int, timeout: float) -> list[Delivery]:
        """Add what was delivered before."""
        if not max_messages:
            return []
        again, self.again = list(self.again), ()
        if again:
            return again
        taken = super().receive(max_messages, timeout)
        self.again = taken[:1]
        return taken


class Renames(BrokenEngine):
    """Gives deliveries ids of its own."""

    def rename(self, delivery: Delivery) -> str:
        """Return the id to tell."""
        return delivery.id

    def receive(self, max_messages: int, timeout: float) -> list[Delivery]:
        """Tell another id."""
        taken = super().receive(max_messages, timeout)
        self.names: dict[int, str] = {**self.__dict__.get("names", {}), **{each.receipt: each.id for each in taken}}
        return [replace(each, id=self.rename(each)) for each in taken]

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        """Settle by the true id."""
        super().ack([self.true(each) for each in deliveries])

    def nack(self, deliveries: Sequence[Delivery], delay: float = 0.0, charge: bool = True) -> None:
        """Settle by the true id."""
        super().nack([self.true(each) for each in deliveries], delay, charge)

    def extend(self, deliveries: Sequence[Delivery]) -> list[Delivery]:
        """Renew by the true id."""
        lost = {each.receipt for each in super().extend([self.true(each) for each in deliveries])}
        return [each for each in deliveries if each.receipt in lost]

    def true(self, delivery: Delivery) -> Delivery:
        """Return the delivery with the id of the queue."""
        return replace(delivery, id=self.names.get(delivery.receipt, delivery.id))


class ChangesIds(Renames):
    """Gives a param a new id at each delivery."""

    def rename(self, delivery: Delivery) -> str:
        """Number the deliveries."""
        return f"{delivery.id}.{delivery.receipt}"


class RepeatsIds(Renames):
    """Has few ids, and uses each again."""

    def rename(self, delivery: Delivery) -> str:
        """Count to 40."""
        return str(int(delivery.id) % 40)


class LastInFirstOut(BrokenEngine):
    """Is declared ordered, and is a stack."""

    def put(self, params: Iterable[Param]) -> int:
        """Turn the order round."""
        return super().put(reversed(list(params)))


class DropsEqualParams(BrokenEngine):
    """Says that it put a param, and did not, because it had one like it."""

    def put(self, params: Iterable[Param]) -> int:
        """Put distinct params only."""
        params = list(params)
        super().put({repr(param): param for param in params}.values())
        return len(params)


class LosesLargeBatches(BrokenEngine):
    """Puts no more than a page of params, and claims to have put all."""

    def put(self, params: Iterable[Param]) -> int:
        """Put 20."""
        params = list(params)
        super().put(params[:20])
        return len(params)


class MiscountsPut(BrokenEngine):
    """Tells how many params there are, not how many were put."""

    def put(self, params: Iterable[Param]) -> int:
        """Tell the total."""
        super().put(params)
        return len(self.queue._ready)


class PutResets(BrokenEngine):
    """Makes a new list of what is to do when it is filled: what is held goes back."""

    def put(self, params: Iterable[Param]) -> int:
        """Give back what all hold."""
        for entry in self.queue._held.values():
            self.queue._give_back(entry, 0.0)
        self.queue._held.clear()
        return super().put(params)


class JoinsPuts(BrokenEngine):
    """Forgets the line end at the end of a put."""

    def put(self, params: Iterable[Param]) -> int:
        """Join the first text to the last."""
        params = list(params)
        ready = self.queue._ready
        if ready and params and isinstance(ready[-1].param, str) and isinstance(params[0], str):
            ready[-1].param += params[0]
            super().put(params[1:])
        else:
            super().put(params)
        return len(params)
