"""Throwing away what is ready, while minions and plain scripts are at work; and who holds what."""

from __future__ import annotations

from pathlib import Path

import pytest

from minionize.engine import EndOfQueue, EngineError
from tests.sweepdir.helpers import MovedClock, contents, engine_on, make_sweep, opened
from tests.sweepdir.plain import plain


def test_what_is_ready_goes_and_all_else_stays(tmp_path: Path) -> None:
    engine = opened(make_sweep(tmp_path / "s", set(range(10))))
    done, dead, held = engine.receive(3, 1.0)
    engine.ack([done])
    engine.dead_letter([dead], "failed", [{}])
    other = engine_on(tmp_path / "s", "m2")
    assert other.purge() == 7
    backlog = engine.backlog()
    assert (backlog.ready, backlog.in_flight, backlog.dead, backlog.done) == (0, 1, 1, 1)
    engine.ack([held])
    with pytest.raises(EndOfQueue):
        engine.receive(1, 1.0)


def test_what_is_put_again_is_new(tmp_path: Path) -> None:
    clock = MovedClock()
    engine = opened(make_sweep(tmp_path / "s", {"a"}), clock=clock)
    engine.nack(engine.receive(1, 1.0), delay=1000.0)
    assert engine.purge() == 1
    assert engine.backlog().delayed == 0
    assert engine.put(["a"]) == 1
    (again,) = engine.receive(1, 1.0)
    assert (again.attempt, again.redelivered) == (1, False)


def test_what_a_minion_holds_by_its_lease_alone_stays(tmp_path: Path) -> None:
    engine = opened(make_sweep(tmp_path / "s", {1, 2, 3}))
    held = engine.receive(2, 1.0)
    (tmp_path / "s" / "inprogress").write_bytes(b"")
    assert engine_on(tmp_path / "s", "m2").purge() == 1
    engine.ack(held)
    assert engine.backlog().done == 2


def test_a_plain_script_keeps_what_it_holds(tmp_path: Path) -> None:
    with plain(tmp_path / "s", list(range(5))) as script:
        held = script.call("get_next")
        assert engine_on(tmp_path / "s").purge() == 4
        script.call("done", held)
    with plain(tmp_path / "s") as script:
        assert script.call("get_done") == [held]
        assert script.call("get_remaining") == []


def test_nothing_ready_changes_nothing(tmp_path: Path) -> None:
    engine = opened(make_sweep(tmp_path / "s", {1}))
    engine.ack(engine.receive(1, 1.0))
    engine.close()
    before = contents(tmp_path / "s")
    assert engine_on(tmp_path / "s").purge() == 0
    assert contents(tmp_path / "s") == before


def test_what_is_damaged_stays_as_it_is(tmp_path: Path) -> None:
    folder = make_sweep(tmp_path / "s", {1})
    (folder / "sweeps").write_bytes(b"no pickle")
    with pytest.raises(EngineError, match="damaged"):
        engine_on(folder).purge()
    assert (folder / "sweeps").read_bytes() == b"no pickle"


def test_who_holds_what(tmp_path: Path) -> None:
    folder = make_sweep(tmp_path / "s", set(range(10)))
    one, two = opened(folder, "m1"), opened(folder, "m2")
    one.ack(one.receive(5, 1.0)[:2])
    two.receive(1, 1.0)
    (folder / "minionize" / "leases" / "damaged.json").write_text("{")
    holders = engine_on(folder, "m3").holders()
    assert [(each.minion, each.in_flight, each.gone) for each in holders] == [("m1", 3, False), ("m2", 1, False)]
    assert all(each.idle is not None and each.idle < 10.0 for each in holders)


def test_a_look_makes_nothing(tmp_path: Path) -> None:
    folder = make_sweep(tmp_path / "s", {1})
    engine = engine_on(folder)
    engine.visit()
    engine.backlog()
    assert engine.holders() == []
    assert list(engine.peek()) == [1]
    engine.close()
    assert [path.name for path in folder.iterdir()] == ["sweeps"]


def test_the_backlog_is_right_whatever_changes(tmp_path: Path) -> None:
    clock = MovedClock()
    folder = make_sweep(tmp_path / "s", set(range(6)))
    engine, other = opened(folder, "m1", clock), opened(folder, "m2", clock)
    assert engine.backlog().ready == 6
    taken = other.receive(3, 1.0)
    assert (engine.backlog().ready, engine.backlog().in_flight) == (3, 3)
    other.dead_letter(taken[:1], "failed", [{}])
    assert (engine.backlog().dead, engine.backlog().in_flight) == (1, 2)
    other.requeue([taken[0].id])
    assert (engine.backlog().dead, engine.backlog().ready) == (0, 4)
    other.nack(taken[1:2], delay=50.0)
    assert (engine.backlog().delayed, engine.backlog().ready) == (1, 5)
    clock.advance(folder, 60.0)
    assert (engine.backlog().delayed, engine.backlog().ready) == (0, 5)
    other.put([99])
    assert engine.backlog().ready == 6
