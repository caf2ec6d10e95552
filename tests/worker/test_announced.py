"""A param that came back runs only when the queue has been told of it; all others do not wait for that."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

from minionize.engine import Delivery
from minionize.engines.memory import MemoryQueue
from minionize.errors import NotConnected
from tests.worker.faulty import Faulty
from tests.worker.running import make, run, running, shell, until, words


class Told(Faulty):
    """Is told of starts, when it lets itself be told."""

    def __init__(self, queue: MemoryQueue) -> None:
        super().__init__(queue)
        self.begun: list[str] = []
        self.may = threading.Event()
        self.may.set()

    def started(self, deliveries: Sequence[Delivery]) -> None:
        if not self.may.is_set():
            raise NotConnected("cannot be told now")
        self.begun.extend(delivery.id for delivery in deliveries)


def _came_back(count: int, *more: str) -> MemoryQueue:
    queue = MemoryQueue(f"back {n}" for n in range(count))
    first = Faulty(queue)
    first.open()
    first.nack(first.receive(count, 0.0), charge=False)
    queue.put(more)
    return queue


def test_every_run_is_told_once() -> None:
    engine = Told(_came_back(3, *(f"new {n}" for n in range(40))))
    ran = run(words("true"), engine=engine, slots=3)
    assert (ran.code, ran.left) == (0, (43, 0, 0, 0))
    assert sorted(engine.begun) == sorted(record.task.id for record in ran.records)


def test_what_came_back_waits_to_be_told(tmp_path: Path) -> None:
    engine = Told(_came_back(1, "new"))
    engine.may.clear()
    minion, kept = make(shell(f'echo "$1" >> {tmp_path}/log'), engine, slots=2)
    with running(minion) as ends:
        until(lambda: [record.task.param for record in kept.records] == ["new"])
        assert (tmp_path / "log").read_text() == "new\n"
        engine.may.set()
        until(lambda: ends)
    assert ends == [0]
    assert (tmp_path / "log").read_text() == "new\nback 0\n"


def test_a_stop_gives_back_what_waits() -> None:
    engine = Told(_came_back(2))
    engine.may.clear()
    minion, kept = make(words("true"), engine, slots=2)
    with running(minion) as ends:
        loop = minion.loop
        assert loop is not None
        until(lambda: len(loop._announced) == 2)
        engine.may.set()
        loop.stop(15)
        until(lambda: ends)
    backlog = engine.queue.backlog()
    assert (backlog.done or 0) + (backlog.ready or 0) == 2
    assert backlog.in_flight == 0
    assert len(kept.records) == backlog.done


def test_max_params_counts_what_waits() -> None:
    engine = Told(_came_back(6))
    ran = run(words("true"), engine=engine, slots=3, max_params=4)
    assert (ran.code, ran.left) == (0, (4, 0, 2, 0))


def test_fewer_slots_meanwhile() -> None:
    engine = Told(_came_back(4))
    engine.may.clear()
    minion, _ = make(words("true"), engine, slots=4)
    with running(minion) as ends:
        loop = minion.loop
        assert loop is not None
        until(lambda: len(loop._announced) == 4)
        loop.resize(1)
        engine.may.set()
        until(lambda: ends)
    assert ends == [0]
    assert engine.queue.backlog().done == 4
