"""A long-lived process, a notebook say, is as it was after a run: no child, no descriptor, no thread, no handler."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable as Function
from collections.abc import Iterator
from pathlib import Path

import pytest

from minionize.callback import Callback
from minionize.callbacks.function import FuncCallback
from minionize.engines.memory import MemoryEngine, MemoryQueue
from minionize.errors import EngineError, ReporterError
from minionize.reporter import Reporter
from minionize.task import Record
from tests.worker.faulty import Faulty, times
from tests.worker.running import make, run, running, shell, until, words


def _descriptors() -> set[str]:
    found = set()
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            found.add(f"{name} {os.readlink(f'/proc/self/fd/{name}')}")
    return {each for each in found if "/proc/" not in each}


def _children() -> list[str]:
    me = os.getpid()
    found: list[str] = []
    for task in os.listdir("/proc/self/task"):
        # Another test's thread may end just now; its children are its heir's then.
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            found += Path(f"/proc/{me}/task/{task}/children").read_text().split()
    return found


@contextlib.contextmanager
def _unchanged() -> Iterator[None]:
    fds, children, threads = _descriptors(), _children(), set(threading.enumerate())
    handlers = {number: signal.getsignal(number) for number in (1, 2, 12, 15)}
    variables = dict(os.environ)
    yield
    assert _children() == children
    assert _descriptors() == fds
    assert set(threading.enumerate()) == threads
    assert {number: signal.getsignal(number) for number in (1, 2, 12, 15)} == handlers
    assert signal.set_wakeup_fd(-1) == -1
    assert dict(os.environ) == variables


def _double(param: int) -> int:
    return 2 * param


@pytest.mark.parametrize("slots", [1, 3])
@pytest.mark.parametrize(
    "make_callback", [lambda: words("true"), lambda: FuncCallback(_double)], ids=["process", "function"]
)
def test_nothing_is_left(slots: int, make_callback: Function[[], Callback]) -> None:
    run(make_callback(), range(3), slots=slots)
    with _unchanged():
        for _ in range(2):
            assert run(make_callback(), range(10), slots=slots).code == 0


def test_nothing_is_left_of_failures_and_time_outs() -> None:
    with _unchanged():
        run(shell("[ $1 = 1 ] && sleep 60; exit 1"), range(4), slots=2, timeout=0.1, grace=0.05, slow_down=0)


def test_nothing_is_left_of_functions_that_die() -> None:
    with _unchanged():
        assert run(FuncCallback(os._exit), [3, 4], slots=2).left == (0, 2, 0, 0)


def test_nothing_is_left_where_the_engine_breaks() -> None:
    with _unchanged():
        minion, _ = make(
            shell("sleep 60"), Faulty([""], times(1, "extend", EngineError("gone")), lease=0.1), grace=0.05
        )
        with pytest.raises(EngineError):
            minion.run()


class _Bad(Reporter):
    name = "bad"

    def open(self) -> None:
        raise ReporterError("cannot be written")

    def report(self, record: Record) -> None:
        raise AssertionError


@pytest.mark.parametrize("slots", [1, 2])
def test_nothing_is_left_where_it_does_not_even_start(slots: int) -> None:
    with _unchanged():
        minion, _ = make(FuncCallback(_double), MemoryEngine([1]), slots=slots)
        minion._reporters = [_Bad()]
        with pytest.raises(ReporterError):
            minion.run()


def test_it_runs_in_another_thread() -> None:
    with _unchanged():
        queue = MemoryQueue(range(5))
        minion, _ = make(shell("exit 0"), MemoryEngine(queue), slots=2)
        with running(minion) as ends:
            until(lambda: ends)
        assert ends == [0]
        assert queue.backlog().done == 5


def test_two_minions_share_a_queue_in_one_process() -> None:
    with _unchanged():
        queue = MemoryQueue(range(40))
        minions = [make(shell("exit 0"), MemoryEngine(queue), slots=2)[0] for _ in range(2)]
        with running(minions[0]) as first, running(minions[1]) as second:
            until(lambda: first and second)
        assert first == second == [0]
        assert queue.backlog().done == 40
        assert sum(minion.stats.snapshot()["received"] for minion in minions) >= 40


def test_controls_of_a_minion_that_has_ended_do_nothing() -> None:
    ran = run(words("true"))
    loop = ran.minion.loop
    assert loop is not None
    taken = [os.open(os.devnull, os.O_RDWR) for _ in range(40)]
    loop.drain()
    loop.pause()
    loop.resume()
    loop.resize(4)
    loop.stop(15)
    for fd in taken:
        os.close(fd)


class _Unexpected(BaseException):
    pass


class _Breaks(Reporter):
    name = "breaks"

    def report(self, record: Record) -> None:
        raise _Unexpected


@pytest.mark.parametrize("make_callback", [lambda: shell("[ $1 = 0 ] || sleep 60"), lambda: FuncCallback(_slow)])
def test_what_nobody_expects_leaves_nothing_running_and_nothing_held(make_callback: Function[[], Callback]) -> None:
    queue = MemoryQueue(range(6))
    with _unchanged():
        minion, _ = make(make_callback(), MemoryEngine(queue), slots=3)
        minion._reporters = [_Breaks()]
        with pytest.raises(_Unexpected):
            minion.run()
    backlog = queue.backlog()
    assert (backlog.in_flight, backlog.dead) == (0, 0)
    assert (backlog.ready or 0) + (backlog.done or 0) == 6


def _slow(param: int) -> None:
    if param:
        time.sleep(60)
