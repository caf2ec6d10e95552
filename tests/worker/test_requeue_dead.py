"""A minion at work makes dead params of its queue ready again: asked as its stats server does, without HTTP."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from minionize.engine import DeadLetter, Delivery, EndOfQueue
from minionize.engines.file import FileEngine
from minionize.engines.memory import MemoryEngine, MemoryQueue
from minionize.errors import EngineError, NotConnected
from minionize.settle import Nack
from minionize.stats import Stats
from minionize.task import OutcomeKind
from minionize.worker.minion import Minion
from minionize.worker.pump import Pump
from minionize.worker.requeues import FIRST
from minionize.worker.served import ServedMinion
from minionize.worker.settlement import Settlement
from tests.worker.faulty import Faulty
from tests.worker.running import Kept, adds_up, make, running, shell, until, words

STAYS = '[ "$1" = stay ] || exit 0; until [ -e go ]; do sleep 0.005; done'
"""One param stays until it may go."""


class Care(Faulty):
    """Its faults are of ``dead`` and ``requeue`` too."""

    def dead(self) -> Iterator[DeadLetter]:
        self._call("dead")
        return super().dead()

    def requeue(self, ids: Iterable[str]) -> int:
        self._call("requeue")
        return super().requeue(ids)


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@contextmanager
def with_dead(engine: Care, dead: int = 2) -> Iterator[tuple[ServedMinion, Minion, Kept, list[int | BaseException]]]:
    """A minion that stays at a queue in which so many params are dead."""
    queue = engine.queue
    queue.put(range(dead))
    queue.dead_letter(queue.take(dead, 60.0, 0.0), "exit code 1", [{}] * dead)
    queue.put(["stay"])
    minion, kept = make(shell(STAYS), engine, slots=2)
    with running(minion) as ends:
        assert minion.served is not None
        view = minion.served()
        until(lambda: view.control()["busy"] == 1)
        yield view, minion, kept, ends
        Path("go").touch()


def test_dead_params_run_again() -> None:
    engine = Care(())
    with with_dead(engine) as (view, minion, kept, ends):
        assert view.requeue_dead().result(10) == 2
        until(lambda: engine.queue.backlog().done == 2)
        assert view.requeue_dead().result(10) == 0
    assert ends == [0]
    assert (engine.queue.backlog().done, engine.queue.backlog().dead) == (3, 0)
    assert [record.task.attempt for record in kept.records] == [1] * 3
    assert adds_up(minion.stats.snapshot())


def test_one_of_them_runs_again() -> None:
    engine = Care(())
    with with_dead(engine) as (view, _, _, _):
        (first, _) = engine.queue.dead()
        assert view.requeue_dead([first.id, "no such id"]).result(10) == 1
        until(lambda: engine.queue.backlog().done == 1)
        assert [letter.id for letter in engine.queue.dead()] != [first.id]
    assert engine.queue.backlog().dead == 1


def test_many_are_asked_for_one_after_the_other() -> None:
    """While there is something to do the engine thread does not rest, also where no slot is free."""
    with with_dead(Care(()), 40) as (view, _, _, _):
        view.pause()
        asked = [view.requeue_dead() for _ in range(40)]
        assert not wait(asked, 5).not_done
        assert sum(each.result(0) for each in asked) == 40
        view.resume()


def test_the_engine_thread_does_it() -> None:
    threads: list[str] = []

    def seen(name: str) -> None:
        if name in ("dead", "requeue"):
            threads.append(threading.current_thread().name)

    with with_dead(Care((), seen)) as (view, _, _, _):
        view.requeue_dead().result(10)
    assert threads == ["engine"] * 2


def test_a_paused_minion_does_it_too() -> None:
    engine = Care(())
    with with_dead(engine, 3 * FIRST) as (view, _, _, _):
        view.pause()
        assert view.requeue_dead().result(10) == 3 * FIRST
        until(lambda: engine.queue.backlog().ready == 3 * FIRST)
        assert view.control()["state"] == "paused"
        view.resume()


class Short(Care):
    """Its leases, so it says, have to be extended all the time."""

    def receive(self, max_messages: int, timeout: float) -> list[Delivery]:
        return [replace(delivery, lease=1e-6) for delivery in super().receive(max_messages, timeout)]


def test_leases_are_extended_and_params_come_between_two_pieces() -> None:
    engine = Short(())
    with with_dead(engine, 3 * FIRST) as (view, minion, _, _):
        del engine.calls[:]
        assert view.requeue_dead().result(10) == 3 * FIRST
        first = engine.calls.index("requeue")
        between = engine.calls[first : engine.calls.index("requeue", first + 1)]
        assert {"extend", "receive"} <= set(between)
        until(lambda: engine.queue.backlog().done == 3 * FIRST)
    assert adds_up(minion.stats.snapshot())


@pytest.mark.parametrize("method", ["dead", "requeue"])
@pytest.mark.parametrize("error", [EngineError("it is damaged"), ZeroDivisionError("it is damaged")])
def test_an_error_is_the_answer_and_params_run_on(method: str, error: Exception) -> None:
    engine = Care(())
    with with_dead(engine) as (view, minion, _, ends):
        armed = [True]

        def fault(name: str) -> None:
            if name == method and armed[0]:
                raise error

        engine.fault = fault
        with pytest.raises(EngineError, match="it is damaged"):
            view.requeue_dead().result(10)
        assert not ends
        armed[0] = False
        assert view.requeue_dead().result(10) == 2
        until(lambda: engine.queue.backlog().done == 2)
    assert ends == [0]
    assert adds_up(minion.stats.snapshot())


def test_a_queue_that_is_lost_meanwhile_is_reached_again_and_nothing_is_lost(
    capfd: pytest.CaptureFixture[str],
) -> None:
    engine, away = Care(()), [1]

    def fault(name: str) -> None:
        if (name == "requeue" or "requeue" in engine.calls) and away[0]:
            raise NotConnected("the queue is away")

    with with_dead(engine) as (view, minion, _, ends):
        engine.fault = fault
        for _ in range(2):
            with pytest.raises(EngineError, match="cannot be reached now: the queue is away; ask again"):
                view.requeue_dead().result(10)
        assert engine.queue.backlog().dead == 2
        away[0] = 0
        until(lambda: "is back" in capfd.readouterr().err)
        assert view.requeue_dead().result(10) == 2
    assert ends == [0]
    assert engine.queue.backlog().done == 3
    assert adds_up(minion.stats.snapshot())


def test_before_the_queue_is_reached() -> None:
    reached = threading.Event()

    def fault(name: str) -> None:
        if name == "open" and not reached.is_set():
            raise NotConnected("not yet")

    engine = Care(["a"], fault)
    minion, _ = make(words("true"), engine)
    with running(minion) as ends:
        assert minion.served is not None
        with pytest.raises(EngineError, match="is connecting to its queue"):
            minion.served().requeue_dead().result(10)
        reached.set()
    assert ends == [0]


def test_a_minion_that_leaves_refuses() -> None:
    engine = Care(())
    with with_dead(engine) as (view, _, _, _):
        view.drain()
        with pytest.raises(EngineError, match="is leaving: ask another one of its queue, or use minion-queue requeue"):
            view.requeue_dead().result(10)
    with pytest.raises(EngineError, match="is leaving"):
        view.requeue_dead().result(10)
    assert engine.queue.backlog().dead == 2


def test_a_minion_whose_queue_has_ended_refuses() -> None:
    minion, _ = make(words("true"), MemoryEngine(["a"]))
    with running(minion) as ends:
        assert minion.served is not None
        view = minion.served()
    assert ends == [0]
    with pytest.raises(EngineError, match="is leaving"):
        view.requeue_dead().result(10)


@pytest.mark.parametrize("settles", [False, True])
def test_what_the_end_finds_undone_is_refused(settles: bool) -> None:
    """Also where there is still something to settle."""
    held, closing = threading.Event(), threading.Event()

    def fault(name: str) -> None:
        if name == "receive":
            held.set()
            closing.wait(20)

    def hurry() -> bool:
        closing.set()
        return False

    engine = Care(["a"], fault)
    pump = Pump(engine, Stats(), lambda: None, lambda words: None, None, None)
    pump.open(lambda: False)
    assert held.wait(10)
    asked = pump.requeues.ask(None)
    if settles:
        pump.settle(Settlement(Delivery("b", "b"), Nack(charge=False), OutcomeKind.PREEMPTED))
    pump.close(hurry)
    with pytest.raises(EngineError, match="is leaving"):
        asked.result(0)
    assert "requeue" not in engine.calls


class Silent(Care):
    """It does not say that it has ended."""

    def receive(self, max_messages: int, timeout: float) -> list[Delivery]:
        try:
            return super().receive(max_messages, timeout)
        except EndOfQueue:
            return []


@pytest.mark.parametrize("kind", [Care, Silent])
def test_a_queue_that_ends_meanwhile_goes_on(kind: type[Care]) -> None:
    """What is asked for between the last param and the end of the queue comes in time."""
    queue = MemoryQueue(["a"])
    engine = kind(queue)
    asked: list[Future[int]] = []
    minion, kept = make(shell("[ -e mended ]"), engine)

    def fault(name: str) -> None:
        if name == "receive" and queue.backlog().dead and not asked and minion.served is not None:
            Path("mended").touch()
            asked.append(minion.served().requeue_dead())

    engine.fault = fault
    with running(minion) as ends:
        until(lambda: ends)
    assert asked[0].result(0) == 1
    assert [record.settled for record in kept.records] == ["dead", "ack"]


def test_a_file_keeps_none() -> None:
    Path("params").write_text("a\n")
    minion, _ = make(shell("until [ -e go ]; do sleep 0.005; done"), FileEngine(path="params"), dead="the dead.jsonl")
    with running(minion) as ends:
        assert minion.served is not None
        view = minion.served()
        remedy = "in the dead.jsonl; minion-queue -e file requeue --all --dead 'the dead.jsonl' puts them back"
        with pytest.raises(EngineError, match=remedy):
            view.requeue_dead().result(10)
        view.drain()
        with pytest.raises(EngineError, match=remedy):
            view.requeue_dead().result(10)
        Path("go").touch()
    assert ends == [0]
