"""The queue is asked how much it holds seldom, and never for nothing."""

from __future__ import annotations

import pytest

from minionize.engine import Backlog, EngineError, NotConnected
from minionize.engines.memory import MemoryEngine
from minionize.worker.backlog import BacklogWatch


class Asked(MemoryEngine):
    def __init__(self) -> None:
        super().__init__(["p"])
        self.now = 100.0
        self.times: list[float] = []
        self.takes = 0.0
        self.error: Exception | None = None

    def clock(self) -> float:
        return self.now

    def backlog(self) -> Backlog | None:
        self.times.append(self.now)
        self.now += self.takes
        if self.error is not None:
            raise self.error
        return super().backlog()


def watched(seconds: int, engine: Asked, watch: BacklogWatch, wish: bool = True) -> list[float]:
    for _ in range(seconds * 10):
        if wish:
            watch.wish()
        watch.look()
        engine.now += 0.1
    return [round(time - 100.0, 1) for time in engine.times]


def test_nobody_wants_to_know() -> None:
    engine = Asked()
    watch = BacklogWatch(engine, engine.clock)
    assert watched(60, engine, watch, wish=False) == []
    assert watch.latest is None


def test_at_most_every_few_seconds() -> None:
    engine = Asked()
    watch = BacklogWatch(engine, engine.clock)
    times = watched(12, engine, watch)
    assert times[0] == 0.0
    assert 4 <= len(times) <= 5
    assert watch.latest is not None
    assert watch.latest.ready == 1


def test_a_queue_that_takes_long_is_asked_less() -> None:
    engine = Asked()
    engine.takes = 0.5
    assert len(watched(60, engine, BacklogWatch(engine, engine.clock))) <= 2


def test_a_queue_that_cannot_be_counted_ends_nothing() -> None:
    engine = Asked()
    engine.error = EngineError("not for you")
    watch = BacklogWatch(engine, engine.clock)
    assert len(watched(50, engine, watch)) == 1
    assert watch.latest is None


def test_a_queue_out_of_reach_is_the_engine_threads_business() -> None:
    engine = Asked()
    engine.error = NotConnected("gone")
    watch = BacklogWatch(engine, engine.clock)
    watch.wish()
    with pytest.raises(NotConnected):
        watch.look()


def test_the_last_words_on_a_finite_queue_are_true() -> None:
    engine = Asked()
    watch = BacklogWatch(engine, engine.clock)
    watch.look_last()
    assert engine.times == [], "nobody wanted to know before"
    watched(1, engine, watch)
    engine.open()
    engine.ack(engine.receive(1, 0.0))
    watch.look_last()
    engine.error = EngineError("gone")
    watch.look_last()
    assert watch.latest is not None
    assert (watch.latest.ready, watch.latest.in_flight) == (0, 0)
