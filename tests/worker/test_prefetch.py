"""How much is taken ahead, and when it is given back."""

from __future__ import annotations

import os
from pathlib import Path

from minionize.engines.memory import MemoryEngine, MemoryQueue
from minionize.testing import ManualClock
from minionize.worker.pace import Ahead, SlowDown
from tests.worker.running import make, running, shell, until


def test_nothing_is_taken_ahead_of_long_runs() -> None:
    ahead = Ahead()
    assert ahead.number(4) == 0
    ahead.ran(60.0)
    assert ahead.number(4) == 0


def test_short_runs_are_taken_ahead_within_a_bound() -> None:
    ahead = Ahead()
    ahead.ran(0.01)
    assert 0 < ahead.number(1) <= 25
    assert ahead.number(1000) == 256
    for _ in range(100):
        ahead.ran(0.0)
    assert ahead.number(4) == 256


def test_runs_that_become_long_are_noticed_while_they_run() -> None:
    ahead = Ahead()
    ahead.ran(0.001)
    assert ahead.number(2) > 100
    ahead.stuck(1.0)
    assert ahead.number(2) == 0


def test_the_first_long_run_holds_no_other_param(tmp_path: Path) -> None:
    queue = MemoryQueue(range(3))
    flag = tmp_path / "go"
    minion, _ = make(shell(f"while [ ! -e {flag} ]; do sleep 0.005; done"), MemoryEngine(queue))
    with running(minion):
        until(lambda: minion.loop is not None and minion.loop.busy == 1)
        most = 0
        for _ in range(40):
            most = max(most, queue.backlog().in_flight or 0)
            os.sched_yield()
        flag.touch()
    assert most == 1


def test_what_was_taken_ahead_goes_back_when_runs_become_long(tmp_path: Path) -> None:
    queue = MemoryQueue(["short"] * 20 + ["long"] * 20)
    flag = tmp_path / "go"
    script = f'[ "$1" = short ] || while [ ! -e {flag} ]; do sleep 0.01; done'
    minion, _ = make(shell(script), MemoryEngine(queue))
    with running(minion) as ends:
        until(lambda: minion.stats.snapshot()["succeeded"] == 20)
        until(lambda: queue.backlog().in_flight == 1, what="only what runs is held")
        flag.touch()
    assert ends == [0]
    assert queue.backlog().done == 40


def test_slow_down_after_quick_failures() -> None:
    clock, said = ManualClock(), list[str]()
    slow = SlowDown(3, clock, said.append)
    for _ in range(2):
        slow.ended(True, 0.01)
    assert (slow.waits(), slow.active, said) == (False, False, [])
    slow.ended(True, 0.01)
    assert slow.waits()
    assert slow.active
    assert len(said) == 1
    assert "slowing down" in said[0]
    first = slow.until - clock()
    clock.advance(first)
    assert not slow.waits()
    for _ in range(50):
        slow.ended(True, 0.01)
        assert slow.until - clock() <= 10.0
    assert slow.until - clock() == 10.0
    assert len(said) == 1
    slow.ended(False, 0.01)
    assert (slow.waits(), slow.active) == (False, False)
    assert "full speed" in said[-1]


def test_a_slow_failure_is_no_blink() -> None:
    slow = SlowDown(2, ManualClock(), lambda _: None)
    for _ in range(10):
        slow.ended(True, 0.01)
        slow.ended(True, 1.0)
    assert not slow.active


def test_zero_turns_it_off() -> None:
    slow = SlowDown(0, ManualClock(), lambda _: None)
    for _ in range(100):
        slow.ended(True, 0.0)
    assert not slow.waits()


def test_a_broken_node_keeps_nothing_while_it_waits() -> None:
    queue = MemoryQueue(range(100))
    minion, _ = make(shell("exit 1"), MemoryEngine(queue), slow_down=3)
    with running(minion):
        loop = minion.loop
        assert loop is not None
        until(lambda: loop._slow.until - loop._slow._clock() > 0.2)
        until(lambda: queue.backlog().in_flight == 0, what="all given back")
        assert (queue.backlog().ready or 0) > 80
        loop.stop(15)
