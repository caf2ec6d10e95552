"""Pause, resume, drain and resize, from another thread."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from minionize.engines.memory import MemoryEngine, MemoryQueue
from minionize.worker.loop import Loop
from minionize.worker.minion import Minion
from tests.worker.running import Ran, adds_up, make, running, shell, until


def _loop(minion: Minion) -> Loop:
    assert minion.loop is not None
    return minion.loop


def _state(minion: Minion) -> str:
    return _loop(minion).state


def _counter(minion: Minion, name: str) -> int:
    return minion.stats.snapshot()[name]


@pytest.fixture
def only_woken(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop looks at nothing by itself: what does not wake it is not seen."""
    monkeypatch.setattr("minionize.worker.loop._NAP", 3600.0)


@pytest.mark.usefixtures("only_woken")
def test_pause_takes_no_more_and_resume_goes_on(tmp_path: Path) -> None:
    queue = MemoryQueue(range(6))
    minion, _ = make(
        shell(f"touch {tmp_path}/$1; while [ -e {tmp_path}/$1 ]; do sleep 0.005; done"), MemoryEngine(queue)
    )
    with running(minion) as ends:
        loop = _loop(minion)
        until(lambda: (tmp_path / "0").exists())
        loop.pause()
        assert _state(minion) == "paused"
        (tmp_path / "0").unlink()
        until(lambda: _counter(minion, "succeeded") == 1)
        until(lambda: queue.backlog().in_flight == 0)
        assert queue.backlog().ready == 5
        assert loop.busy == 0
        loop.resume()
        until(lambda: (tmp_path / "1").exists(), what="resume wakes the loop")
        assert _state(minion) == "running"
        for param in range(1, 6):
            until((tmp_path / str(param)).exists)
            (tmp_path / str(param)).unlink()
    assert ends == [0]


def test_drain_finishes_what_runs_and_gives_back_the_rest(tmp_path: Path) -> None:
    queue = MemoryQueue(range(20))
    flag = tmp_path / "go"
    minion, kept = make(shell(f"while [ ! -e {flag} ]; do sleep 0.005; done"), MemoryEngine(queue), slots=2)
    with running(minion) as ends:
        until(lambda: _loop(minion).busy == 2)
        _loop(minion).drain()
        assert _state(minion) == "draining"
        flag.touch()
    ran = Ran(0, minion, queue, kept.records)
    assert ends == [0]
    assert ran.left == (2, 0, 18, 0)
    assert _state(minion) == "stopped"


@pytest.mark.usefixtures("only_woken")
def test_drain_wakes_an_idle_minion() -> None:
    queue = MemoryQueue(["held elsewhere"])
    other = MemoryEngine(queue)
    other.open()
    held = other.receive(1, 0.0)
    minion, _ = make(shell(":"), MemoryEngine(queue), exit_when_empty=60)
    with running(minion) as ends:
        until(lambda: _state(minion) == "idle")
        _loop(minion).drain()
        until(lambda: ends, what="drain wakes the loop")
    other.nack(held)


def test_resize_up_and_down_while_it_runs(tmp_path: Path) -> None:
    queue = MemoryQueue(range(300))
    minion, _ = make(shell("exit 0"), MemoryEngine(queue), slots=2, results=None)
    with running(minion) as ends:
        loop = _loop(minion)
        for number in range(400):
            if ends:
                break
            loop.resize(1 + number % 8)
            assert adds_up(minion.stats.snapshot())
            time.sleep(0.001)
        loop.resize(3)
    assert ends == [0]
    assert queue.backlog().done == 300
    assert loop.slots == 3


@pytest.mark.usefixtures("only_woken")
def test_resize_up_starts_more_at_once(tmp_path: Path) -> None:
    queue = MemoryQueue(range(8))
    flag = tmp_path / "go"
    minion, _ = make(shell(f"while [ ! -e {flag} ]; do sleep 0.005; done"), MemoryEngine(queue))
    with running(minion) as ends:
        until(lambda: _loop(minion).busy == 1)
        _loop(minion).resize(4)
        until(lambda: _loop(minion).busy == 4, what="four at a time")
        _loop(minion).resize(2)
        flag.touch()
    assert ends == [0]
    assert queue.backlog().done == 8


def test_max_params_leaves_the_rest() -> None:
    queue = MemoryQueue(range(10))
    minion, _ = make(shell(":"), MemoryEngine(queue), slots=3, max_params=4)
    assert minion.run() == 0
    backlog = queue.backlog()
    assert (backlog.done, backlog.ready, backlog.in_flight) == (4, 6, 0)
    assert minion.stats.snapshot()["received"] == 4


def test_a_minion_that_is_to_linger_takes_what_is_put_later() -> None:
    queue = MemoryQueue(["first"])
    minion, _ = make(shell(":"), MemoryEngine(queue), exit_when_empty=60)
    with running(minion) as ends:
        until(lambda: queue.backlog().done == 1)
        queue.put(["second"])
        until(lambda: queue.backlog().done == 2, what="it lingers though all is settled")
        _loop(minion).drain()
    assert ends == [0]
