"""Dead params are made ready again by the engine thread, piece by piece, whatever the queue says to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import CancelledError
from pathlib import Path

import pytest

from minionize.engine import DeadLetter
from minionize.engines.memory import MemoryEngine
from minionize.errors import EngineError, NotConnected
from minionize.worker.requeues import FIRST, Requeues


class Slow(MemoryEngine):
    """A queue with dead params; a call takes ``each`` seconds for every id, and ``base`` whatever it is asked for."""

    def __init__(self, dead: int = 0) -> None:
        super().__init__([f"p{number}" for number in range(dead)])
        self.now, self.base, self.each = 100.0, 0.0, 0.0
        self.pieces: list[int] = []
        self.wakes = 0
        self.error: BaseException | None = None
        self.open()
        got = self.receive(dead, 0.0) if dead else []
        self.dead_letter(got, "exit code 1", [{}] * dead)
        self.ids = [delivery.id for delivery in got]

    def clock(self) -> float:
        return self.now

    def wake(self) -> None:
        self.wakes += 1

    def dead(self) -> Iterator[DeadLetter]:
        if self.error is not None:
            raise self.error
        return super().dead()

    def requeue(self, ids: Iterable[str]) -> int:
        if self.error is not None:
            raise self.error
        ids = list(ids)
        self.pieces.append(len(ids))
        self.now += self.base + self.each * len(ids)
        return super().requeue(ids)

    @property
    def counts(self) -> tuple[int | None, int | None]:
        """Ready and dead."""
        backlog = self.queue.backlog()
        return backlog.ready, backlog.dead


def requeues(engine: Slow, place: Path | None = None) -> Requeues:
    """As they are once the engine is open."""
    made = Requeues(engine, place, engine.wake, engine.clock)
    made.accept()
    return made


def all_done(made: Requeues) -> None:
    while made:
        made.look()


def test_nothing_is_asked_for() -> None:
    engine = Slow(3)
    made = requeues(engine)
    assert not made.look()
    assert (engine.pieces, engine.wakes, engine.counts) == ([], 0, (0, 3))


def test_all_that_are_dead() -> None:
    engine = Slow(5)
    made = requeues(engine)
    asked = made.ask(None)
    assert (engine.wakes, engine.counts, asked.done()) == (1, (0, 5), False), "whoever asks does nothing itself"
    assert not made.look(), "there is no more to do"
    assert (asked.result(0), engine.counts) == (5, (5, 0))


def test_some_that_are_dead() -> None:
    engine = Slow(5)
    made = requeues(engine)
    asked = made.ask([engine.ids[1], "no such id", engine.ids[1], engine.ids[3]])
    all_done(made)
    assert (asked.result(0), engine.counts, engine.pieces) == (2, (2, 3), [3])


@pytest.mark.parametrize("ids", [None, []])
def test_none_that_is_dead(ids: list[str] | None) -> None:
    engine = Slow(0 if ids is None else 2)
    made = requeues(engine)
    asked = made.ask(ids)
    all_done(made)
    assert (asked.result(0), engine.pieces) == (0, [])


def test_one_after_the_other() -> None:
    engine = Slow(4)
    made = requeues(engine)
    first, second, third = made.ask(engine.ids[:1]), made.ask(None), made.ask(None)
    assert made.look()
    assert (first.result(0), second.done()) == (1, False)
    all_done(made)
    assert (second.result(0), third.result(0)) == (3, 0)


def test_many_are_done_in_pieces_that_grow_while_they_are_quick() -> None:
    engine = Slow(20_000)
    made = requeues(engine)
    asked = made.ask(None)
    assert made.look()
    assert (engine.pieces, asked.done()) == ([FIRST], False)
    all_done(made)
    assert (asked.result(0), engine.counts) == (20_000, (20_000, 0))
    assert len(engine.pieces) < 8


def test_what_takes_long_for_few_already_is_asked_for_many() -> None:
    """A long queue is read as a whole each time."""
    engine = Slow(10_000)
    engine.base, engine.each = 1.0, 0.000_05
    made = requeues(engine)
    made.ask(None)
    all_done(made)
    assert len(engine.pieces) < 6


def test_what_takes_long_for_each_keeps_nobody_waiting() -> None:
    engine = Slow(2_000)
    engine.each = 0.005
    made = requeues(engine)
    made.ask(None)
    longest = 0.0
    while made:
        before = engine.now
        made.look()
        longest = max(longest, engine.now - before)
    assert longest <= 4 * FIRST * engine.each
    assert engine.pieces.count(FIRST) > 2, "too large a piece is not made again at once"


def test_few_say_nothing_of_many() -> None:
    engine = Slow(2 * FIRST)
    engine.each = 0.04
    made = requeues(engine)
    for id in engine.ids[:3]:
        made.ask([id])
    made.ask(None)
    all_done(made)
    assert engine.pieces[:4] == [1, 1, 1, FIRST]


def test_an_error_is_the_answer() -> None:
    engine = Slow(2)
    made = requeues(engine)
    asked, other = made.ask(None), made.ask(None)
    engine.error = EngineError("the queue is damaged")
    assert made.look()
    with pytest.raises(EngineError, match=r"^the queue is damaged$"):
        asked.result(0)
    engine.error = None
    all_done(made)
    assert other.result(0) == 2


def test_an_error_on_the_way_tells_how_far_it_was() -> None:
    engine = Slow(FIRST + 50)
    made = requeues(engine)
    asked = made.ask(None)
    made.look()
    engine.error = EngineError("the disk is full")
    all_done(made)
    with pytest.raises(EngineError, match=rf"^the disk is full; {FIRST} of {FIRST + 50} are ready again$"):
        asked.result(0)
    assert engine.counts == (FIRST, 50)


def test_an_engine_that_breaks_here_ends_nothing() -> None:
    engine = Slow(2)
    made = requeues(engine)
    asked = made.ask(None)
    engine.error = ZeroDivisionError("oh")
    all_done(made)
    with pytest.raises(EngineError, match=r"engine memory failed: ZeroDivisionError: oh") as raised:
        asked.result(0)
    assert raised.value.__cause__ is engine.error


def test_a_queue_out_of_reach_is_the_engine_threads_business() -> None:
    engine = Slow(2)
    made = requeues(engine)
    asked = made.ask(None)
    engine.error = NotConnected("gone")
    with pytest.raises(NotConnected, match="gone"):
        made.look()
    made.refuse("the queue is gone; try again")
    with pytest.raises(EngineError, match=r"^the queue is gone; try again$"):
        asked.result(0)
    engine.error = None
    with pytest.raises(EngineError, match="try again"):
        made.ask(None).result(0)
    assert not made.look()
    made.accept()
    again = made.ask(None)
    all_done(made)
    assert again.result(0) == 2


def test_before_the_queue_is_open() -> None:
    engine = Slow(1)
    made = Requeues(engine, None, engine.wake, engine.clock)
    with pytest.raises(EngineError, match="is connecting to its queue: ask again"):
        made.ask(None).result(0)
    assert (bool(made), engine.counts) == (False, (0, 1))


def test_who_waits_no_longer_is_not_served() -> None:
    engine = Slow(FIRST + 50)
    made = requeues(engine)
    asked, late = made.ask(None), made.ask(None)
    made.look()
    assert asked.cancel()
    assert late.cancel()
    all_done(made)
    assert engine.counts == (FIRST, 50), "what is ready again stays so"
    with pytest.raises(CancelledError):
        asked.result(0)


def test_who_waits_no_longer_hears_of_no_error() -> None:
    engine = Slow(2)
    made = requeues(engine)
    made.ask(None).cancel()
    made.refuse("it is leaving")
    assert not made.look()


class Lines(Slow):
    name = "lines"
    features = MemoryEngine.features.__class__(
        lease="none", attempts=True, nack_delay=True, dead_letter=False, backlog="exact", finite=True, shared=False,
        fenced=False, ordered=True,
    )  # fmt: skip


def test_a_queue_that_keeps_none() -> None:
    made = requeues(Lines(), Path("/state/dead.jsonl"))
    with pytest.raises(EngineError) as raised:
        made.ask(None).result(0)
    assert str(raised.value) == (
        "engine lines keeps no dead params: those of this minion stand in /state/dead.jsonl; "
        "minion-queue -e lines requeue --all --dead /state/dead.jsonl puts them back"
    )
    assert not made.look()
