"""What comes back: counts, delays, logs with damaged lines, dead params, and params that are put later."""

from __future__ import annotations

import json
import os
import pickle
from dataclasses import replace
from pathlib import Path

import pytest

from minionize.engine import EndOfQueue
from minionize.engines import execo
from minionize.errors import EngineError
from minionize.sweepdir import HashableDict
from tests.sweepdir.helpers import MovedClock, contents, engine_on, make_sweep, opened


def test_counts_outlive_all_minions(tmp_path: Path) -> None:
    """They are in the side-car, for whoever comes next."""
    make_sweep(tmp_path, {HashableDict(arg1=1)})
    for attempt, charge in ((1, True), (2, False), (2, True), (3, False)):
        engine = opened(tmp_path)
        (taken,) = engine.receive(1, 0.0)
        assert (taken.attempt, taken.crashes, taken.redelivered) == (attempt, 0, attempt > 1)
        engine.nack([taken], charge=charge)
        engine.close()
    assert opened(tmp_path).receive(1, 0.0)[0].attempt == 3


def test_a_delay_holds_for_all_minions(tmp_path: Path) -> None:
    """By the file system's time; meanwhile it counts as ready, and the queue has not ended."""
    make_sweep(tmp_path, {0, 1})
    clock = MovedClock()
    engine = opened(tmp_path, clock=clock)
    first, second = engine.receive(2, 0.0)
    engine.nack([first], delay=40.0)
    engine.ack([second])
    other = opened(tmp_path, "m2", clock)
    assert other.receive(2, 0.0) == []
    backlog = other.backlog()
    assert (backlog.ready, backlog.delayed, backlog.in_flight) == (1, 1, 0)
    assert list(other.peek()) == []
    clock.advance(tmp_path, 39.0)
    assert other.receive(2, 0.0) == []
    clock.advance(tmp_path, 1.5)
    assert list(other.peek()) == [first.param]
    (again,) = other.receive(2, 0.0)
    other.ack([again])
    with pytest.raises(EndOfQueue):
        other.receive(1, 0.0)


def test_a_long_walk_passes_over_the_delayed(tmp_path: Path) -> None:
    """A param that another minion gave back for later is not taken in its turn."""
    make_sweep(tmp_path, set(range(6)))
    clock = MovedClock()
    one, two = opened(tmp_path, "m1", clock), opened(tmp_path, "m2", clock)
    two.receive(1, 0.0)
    taken = one.receive(2, 0.0)
    one.nack(taken, delay=30.0)
    assert [d.param for d in two.receive(9, 0.0)] == [3, 4, 5]
    clock.advance(tmp_path, 31.0)
    assert [d.param for d in two.receive(1, 0.0)] == [1]
    assert [d.param for d in one.receive(9, 0.0)] == [2]


def test_receive_waits_for_a_delayed_one(tmp_path: Path) -> None:
    """It comes within the time-out, without having been looked for all the time."""

    class Counting(MovedClock):
        sleeps = 0

        def sleep(self, seconds: float) -> None:
            self.moved += seconds
            self.sleeps += 1

    make_sweep(tmp_path, {0})
    clock = Counting()
    engine = opened(tmp_path, clock=clock)
    engine.nack(engine.receive(1, 0.0), delay=10.0)
    assert len(engine.receive(1, 20.0)) == 1
    assert 9.9 <= clock.moved < 10.2
    assert clock.sleeps < 50


def test_an_idle_minion_hardly_disturbs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While nothing changes it locks nothing but once in seconds."""

    class Passing(MovedClock):
        def sleep(self, seconds: float) -> None:
            self.moved += seconds

    make_sweep(tmp_path, {0})
    (tmp_path / "inprogress").write_bytes(pickle.dumps({0}))
    engine = opened(tmp_path, clock=Passing())
    opens: list[str] = []
    true = os.open

    def count(path: str, *rest: int) -> int:
        opens.append(path)
        return true(path, *rest)

    monkeypatch.setattr(os, "open", count)
    for _ in range(240):
        assert engine.receive(2, 0.25) == []
    assert sum(path.endswith("/done") for path in opens) < 90


def test_torn_and_damaged_lines(tmp_path: Path) -> None:
    """They are passed over, and the next line begins on a line of its own."""
    make_sweep(tmp_path, {0, 1})
    engine = opened(tmp_path)
    engine.nack(engine.receive(2, 0.0))
    log = tmp_path / "minionize" / "returns.jsonl"
    with log.open("ab") as file:
        file.write(b'\n[]\n{"id": 3}\nnonsense\n{"id":"x","kind":"retry","param":"%%%"}\n{"id":"torn')
    other = opened(tmp_path, "m2")
    taken = other.receive(2, 0.0)
    assert [d.attempt for d in taken] == [2, 2]
    other.nack(taken[:1])
    assert json.loads(log.read_bytes().splitlines()[-1])["id"] == taken[0].id
    (again,) = engine.receive(2, 0.0)
    assert again.attempt == 3


def test_dead_letters(tmp_path: Path) -> None:
    """With evidence, for whoever looks; torn lines are passed over."""
    make_sweep(tmp_path, {HashableDict(arg1=1), ("a", b"\xff"), "odd \udcff"})
    engine = opened(tmp_path)
    taken = engine.receive(3, 0.0)
    engine.dead_letter(taken, "it failed", [{"exit_code": n, "stderr": "odd \udcff"} for n in range(3)])
    with (tmp_path / "minionize" / "dead.jsonl").open("ab") as file:
        file.write(b'{"id":"torn","pick')
    letters = {letter.id: letter for letter in engine_on(tmp_path).dead()}
    assert {id: letter.param for id, letter in letters.items()} == {d.id: d.param for d in taken}
    assert sorted(letter.evidence["exit_code"] for letter in letters.values()) == [0, 1, 2]
    assert {letter.reason for letter in letters.values()} == {"it failed"}
    backlog = engine.backlog()
    assert (backlog.ready, backlog.in_flight, backlog.dead, backlog.done) == (0, 0, 3, 0)
    with pytest.raises(EndOfQueue):
        engine.receive(1, 0.0)


def test_requeue(tmp_path: Path) -> None:
    """Ready again for everybody, with attempt 1; other minions notice; done params stay done."""
    make_sweep(tmp_path, set(range(4)))
    engine, other = opened(tmp_path, "m1"), opened(tmp_path, "m2")
    first, second, *rest = engine.receive(4, 0.0)
    engine.nack([first])
    (first,) = engine.receive(1, 0.0)
    assert first.attempt == 2
    engine.dead_letter([first, second], "failed", [{}, {}])
    engine.ack(rest)
    with pytest.raises(EndOfQueue):
        other.receive(1, 0.0)
    assert engine_on(tmp_path).requeue([first.id, rest[0].id, "unknown"]) == 1
    assert engine_on(tmp_path).requeue([first.id]) == 0
    (again,) = other.receive(9, 0.0)
    assert (again.param, again.attempt, again.crashes) == (first.param, 1, 0)
    assert [letter.id for letter in engine.dead()] == [second.id]
    assert engine.receive(9, 0.0) == []
    other.ack([again])
    backlog = engine.backlog()
    assert (backlog.ready, backlog.in_flight, backlog.dead, backlog.done) == (0, 0, 1, 3)
    # Who comes later reads the holes, the old records and the new ones alike.
    assert replace(opened(tmp_path, "m3").backlog(), as_of=backlog.as_of) == backlog


def test_who_is_at_work_does_not_read_everything_anew_to_list_the_dead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A minion is asked for them between two params."""
    make_sweep(tmp_path, set(range(3)))
    engine, other = opened(tmp_path, "m1"), opened(tmp_path, "m2")
    taken = {delivery.param: delivery for delivery in other.receive(3, 0.0)}
    other.dead_letter([taken[0], taken[1]], "failed", [{}, {}])
    expected = {letter.id: letter for letter in engine_on(tmp_path).dead()}
    monkeypatch.setattr(execo, "read_only", None)
    assert {letter.id: letter for letter in engine.dead()} == expected
    other.requeue([taken[0].id])
    assert [letter.param for letter in engine.dead()] == [1]
    assert engine.requeue([letter.id for letter in engine.dead()]) == 1
    assert list(other.dead()) == []


def test_start_over(tmp_path: Path) -> None:
    """Users may remove ``done`` to run everything again; what was dead then is not."""
    make_sweep(tmp_path, {0, 1})
    engine = opened(tmp_path)
    first, second = engine.receive(2, 0.0)
    engine.dead_letter([first], "failed", [{}])
    engine.ack([second])
    (tmp_path / "done").unlink()
    taken = engine.receive(9, 0.5)
    assert len(taken) == 2
    assert list(engine.dead()) == []
    engine.ack(taken)
    backlog = engine.backlog()
    assert (backlog.dead, backlog.done) == (0, 2)


def test_put(tmp_path: Path) -> None:
    """It makes what is missing, adds what is new, and leaves a damaged file alone."""
    folder = tmp_path / "a" / "sweeps"
    engine = engine_on(folder)
    assert engine.put(n for n in (1, 2, 2)) == 2
    assert engine.put([2, 3, {"a": [1]}]) == 2
    engine.open()
    assert len(engine.receive(9, 0.0)) == 4
    with pytest.raises(EngineError, match="hashable"):
        engine.put([bytearray(b"x")])
    (folder / "sweeps").write_bytes(b"garbage")
    before = contents(folder)
    with pytest.raises(EngineError, match="damaged"):
        engine.put([4])
    assert contents(folder) == before


def test_params_that_come_later(tmp_path: Path) -> None:
    """Minions notice what others put, and what ParamSweeper writes anew."""
    make_sweep(tmp_path, {1})
    engine = opened(tmp_path)
    engine.ack(engine.receive(9, 0.0))
    with pytest.raises(EndOfQueue):
        engine.receive(9, 0.0)
    engine_on(tmp_path).put([2])
    assert [d.param for d in engine.receive(9, 0.0)] == [2]
    make_sweep(tmp_path, {1, 7, 8})
    assert sorted(d.param for d in engine.receive(9, 0.5)) == [7, 8]
    assert engine.backlog().ready == 0
