"""What the author of an engine says about it, and the few moves of which all cases are made."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, ClassVar

import pytest

from minionize.engine import Backlog, Delivery, EndOfQueue, Engine, Features
from minionize.task import Param, to_json


class EngineHooks(ABC):
    """How a suite reaches the engine under test. Only ``make_engine`` must be written.

    Attributes:
        holds_json: The queue holds any JSON value; False: it may refuse what is no text.
        patience: Seconds to wait for what must come.
        quiet: Seconds to wait before something counts as absent.
        slack: Seconds by which ``receive`` may be late.
        delay: Seconds for which the cases hold a param back; ``advance`` must be able to pass them.
    """

    holds_json: ClassVar[bool] = True
    patience: ClassVar[float] = 5.0
    quiet: ClassVar[float] = 0.02
    slack: ClassVar[float] = 2.0
    delay: ClassVar[float] = 1.0

    @abstractmethod
    def make_engine(self) -> Engine:
        """Make a NEW engine, not opened, on the SAME queue at each call (a shared one: another minion's).

        A fresh queue for each case, and not yet declared. Give it a short lease, or a clock that ``advance`` moves.
        """

    def advance(self, seconds: float) -> None:
        """Let time pass for the queue. Write it where the clock is injected."""
        time.sleep(seconds)

    def kill(self, engine: Engine) -> None:
        """Let the minion of ``engine`` die: it is not closed, and nothing is given back by it.

        By default it is never used again, and a connection is cut. Leases run out later, by ``advance``.
        """
        if engine.features.lease == "connection":
            engine.close()

    def corrupt(self) -> None:
        """Put one param that cannot be decoded into the queue, behind the engine's back."""
        raise NotImplementedError(f"{type(self).__name__}: write corrupt(), or say decodes=False in the features")

    # The moves.

    @pytest.fixture(autouse=True)
    def _engines_are_closed(self) -> Iterator[None]:
        yield
        self.close_all()

    def close_all(self) -> None:
        """Close every engine of this case."""
        for engine in self.__dict__.pop("made", []):
            engine.close()

    def fresh(self) -> Engine:
        """Make an engine that will be closed at the end of the case."""
        engine = self.make_engine()
        made: list[Engine] = self.__dict__.setdefault("made", [])
        engine.minion = f"minion-{len(made) + 1}"
        made.append(engine)
        return engine

    def opened(self) -> Engine:
        """Make an engine and open it."""
        engine = self.fresh()
        engine.open()
        return engine

    def filled(self, params: Iterable[Param]) -> Engine:
        """Put params, and open the engine that did."""
        engine = self.fresh()
        engine.put(params)
        engine.open()
        return engine

    def features(self) -> Features:
        """Return the features of the engine under test."""
        return self.fresh().features

    def need(self, condition: bool, feature: str) -> None:
        """Skip the case where the features exclude it."""
        if not condition:
            pytest.skip(f"the engine declares {feature}")

    def need_shared(self) -> Features:
        """Skip the case where the queue has one minion only."""
        features = self.features()
        self.need(features.shared, "shared=False")
        return features

    def need_spread(self) -> Features:
        """Skip the case where what one minion does not want is not there for another."""
        features = self.need_shared()
        self.need(features.spread, "spread=False")
        return features

    def need_deadline(self) -> Features:
        """Skip the case where leases do not run out."""
        features = self.need_shared()
        self.need(features.lease == "deadline", f"lease={features.lease!r}")
        return features

    def need_reclaim(self) -> Features:
        """Skip the case where nobody takes over from the dead."""
        features = self.need_shared()
        self.need(features.lease != "none", "lease='none'")
        return features

    def take(self, engine: Engine, count: int) -> list[Delivery]:
        """Receive exactly ``count`` params; fail when they do not come in time."""
        taken: list[Delivery] = []
        end = time.monotonic() + self.patience
        try:
            while len(taken) < count:
                more = engine.receive(count - len(taken), self.quiet)
                taken += more
                if not more and time.monotonic() > end:
                    break
        except EndOfQueue:
            pass
        assert len(taken) == count, f"{len(taken)} of {count} params came: {[d.id for d in taken]}"
        return taken

    def rest(self, engine: Engine) -> list[Delivery]:
        """Receive all that is ready, leaving it unsettled."""
        taken: dict[str, Delivery] = {}
        while True:
            try:
                more = engine.receive(100, self.quiet)
            except EndOfQueue:
                more = []
            if not more:
                return list(taken.values())
            for delivery in more:
                assert delivery.id not in taken, f"{delivery.id} came again while it was held"
                taken[delivery.id] = delivery

    def drain(self, engine: Engine) -> list[Delivery]:
        """Receive and ack all that is ready."""
        taken: dict[str, Delivery] = {}
        while more := self.rest(engine):
            engine.ack(more)
            for delivery in more:
                assert delivery.id not in taken, f"{delivery.id} came again after it was acked"
                taken[delivery.id] = delivery
        return list(taken.values())

    def successor(self, engine: Engine) -> Engine:
        """Return who works on after ``engine`` was closed: another minion, or itself where there is one only."""
        if engine.features.shared:
            return self.opened()
        engine.open()
        return engine

    def another(self, engine: Engine) -> Engine:
        """Return who can get what ``engine`` does not hold: another minion, or itself where each has its share."""
        return self.opened() if engine.features.shared and engine.features.spread else engine

    def lapse(self, deliveries: Sequence[Delivery]) -> None:
        """Let the leases of deliveries run out."""
        self.advance(max((delivery.lease or 0.0 for delivery in deliveries), default=0.0) * 1.5)

    def orphan(self, engine: Engine, deliveries: Sequence[Delivery]) -> None:
        """Kill the minion that runs these deliveries, and wait until they are free."""
        engine.started(deliveries)
        self.kill(engine)
        self.lapse(deliveries)


def params_of(deliveries: Iterable[Delivery]) -> list[Any]:
    """Return the params of deliveries."""
    return [delivery.param for delivery in deliveries]


def ids_of(deliveries: Iterable[Delivery]) -> list[str]:
    """Return the ids of deliveries."""
    return [delivery.id for delivery in deliveries]


def same(one: Param, other: Param) -> bool:
    """Tell whether two params are the same value, whatever type of mapping or list holds it."""
    return to_json(one) == to_json(other)


def counted(backlog: Backlog | None) -> int:
    """Add up all that a backlog counts as not done."""
    assert backlog is not None, "the features declare a backlog"
    return (backlog.ready or 0) + (backlog.in_flight or 0) + (backlog.dead or 0)
