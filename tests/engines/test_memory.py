"""The memory engine: the contract, and what is its own."""

from __future__ import annotations

import threading
from contextlib import suppress
from functools import cached_property

import pytest

from minionize.engine import Delivery, EndOfQueue, Engine, LeaseLost, NotConnected, Undecodable
from minionize.engines.memory import MemoryEngine, MemoryQueue
from minionize.testing import EngineContract, ManualClock


class TestMemory(EngineContract):
    quiet = 0.002

    @cached_property
    def clock(self) -> ManualClock:
        return ManualClock()

    @cached_property
    def queue(self) -> MemoryQueue:
        return MemoryQueue(clock=self.clock)

    def make_engine(self) -> Engine:
        return MemoryEngine(self.queue, lease=30.0)

    def advance(self, seconds: float) -> None:
        self.clock.advance(seconds)

    def corrupt(self) -> None:
        self.queue.put([Undecodable("\x00", "not a param")])


def test_it_needs_no_arguments() -> None:
    engine = MemoryEngine()
    engine.open()
    with pytest.raises(EndOfQueue):
        engine.receive(1, 0.0)


def test_it_takes_params() -> None:
    engine = MemoryEngine(range(3))
    engine.open()
    assert [delivery.param for delivery in engine.receive(9, 0.0)] == [0, 1, 2]


def test_any_python_object_comes_as_it_is() -> None:
    thing = object()
    engine = MemoryEngine([thing])
    engine.open()
    assert engine.receive(1, 0.0)[0].param is thing


def test_a_closed_engine_says_so() -> None:
    with pytest.raises(NotConnected, match="open"):
        MemoryEngine(["a"]).receive(1, 0.0)


def test_the_receipt_of_an_earlier_delivery_settles_nothing() -> None:
    engine = MemoryEngine(["a"])
    engine.open()
    old = engine.receive(1, 0.0)
    engine.nack(old)
    new = engine.receive(1, 0.0)
    with pytest.raises(LeaseLost):
        engine.ack(old)
    engine.ack(new)


def test_evidence_belongs_to_each_delivery() -> None:
    engine = MemoryEngine(["a", "b"])
    engine.open()
    with pytest.raises(ValueError, match="shorter"):
        engine.dead_letter(engine.receive(2, 0.0), "failed", [{}])


def test_a_waiting_receive_is_woken_by_a_put() -> None:
    queue = MemoryQueue(["held"])
    holder, waiting = MemoryEngine(queue), MemoryEngine(queue)
    holder.open()
    waiting.open()
    holder.receive(1, 0.0)
    got: list[Delivery] = []
    thread = threading.Thread(target=lambda: got.extend(waiting.receive(1, 30.0)))
    thread.start()
    queue.put(["late"])
    thread.join(10.0)
    assert [delivery.param for delivery in got] == ["late"]


def test_a_waiting_receive_sees_the_end() -> None:
    queue = MemoryQueue(["held"])
    holder, waiting = MemoryEngine(queue), MemoryEngine(queue)
    holder.open()
    waiting.open()
    held = holder.receive(1, 0.0)
    ended = threading.Event()

    def wait() -> None:
        with pytest.raises(EndOfQueue):
            waiting.receive(1, 30.0)
        ended.set()

    thread = threading.Thread(target=wait)
    thread.start()
    holder.ack(held)
    thread.join(10.0)
    assert ended.is_set()


def test_threads_share_one_queue() -> None:
    queue = MemoryQueue(range(2000))
    taken: list[list[int]] = [[] for _ in range(4)]

    def work(mine: list[int]) -> None:
        engine = MemoryEngine(queue)
        engine.open()
        with suppress(EndOfQueue):
            while True:
                deliveries = engine.receive(7, 1.0)
                mine.extend(delivery.param for delivery in deliveries)
                engine.ack(deliveries)

    threads = [threading.Thread(target=work, args=(mine,)) for mine in taken]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30.0)
    assert sorted(number for mine in taken for number in mine) == list(range(2000))
    assert queue.backlog().done == 2000
