"""What dead minions held is set free; what anybody else holds is never touched."""

from __future__ import annotations

import json
import logging
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from minionize.engine import Delivery, EndOfQueue
from minionize.engines.execo import ExecoEngine
from tests.sweepdir.helpers import MovedClock, make_sweep, opened

DIES = """
import os, sys
from minionize.engines.execo import ExecoEngine
engine = ExecoEngine(persistence_dir=sys.argv[1])
engine.minion = "dead-1"
engine.open()
taken = engine.receive(3, 0.0)
engine.started(taken[:2])
if len(sys.argv) > 2:
    child = os.spawnve(
        os.P_NOWAIT, "/bin/sh", ["sh", "-c", "exec sleep 60 >/dev/null"], {**os.environ, "MINION_ID": "dead-1"}
    )
    print(child, flush=True)
os.kill(os.getpid(), 9)
"""


def _die(folder: Path, *words: str) -> str:
    """Let a minion take three params, start two, and be killed."""
    command = [sys.executable, "-c", DIES, str(folder), *words]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False).stdout


def _leases(folder: Path) -> list[str]:
    return sorted(os.listdir(folder / "minionize" / "leases"))


def _counts(taken: list[Delivery]) -> dict[Any, tuple[Any, ...]]:
    return {d.param: (d.attempt, d.crashes, d.redelivered) for d in taken}


def test_a_killed_minion_on_this_host(tmp_path: Path) -> None:
    """At the next open; what it had started is charged, what it had only fetched is not."""
    make_sweep(tmp_path, set(range(5)))
    _die(tmp_path)
    engine = opened(tmp_path)
    taken = engine.receive(9, 0.0)
    assert _counts(taken) == {
        0: (2, 1, True), 1: (2, 1, True), 2: (1, 0, True), 3: (1, 0, False), 4: (1, 0, False),
    }  # fmt: skip
    assert _leases(tmp_path) == ["m1.json"]
    assert not os.listdir(tmp_path / "minionize" / "started")


def test_a_waiting_minion_takes_over(tmp_path: Path) -> None:
    """Within about a second, without being opened anew."""
    make_sweep(tmp_path, {0, 1, 2})
    clock = MovedClock()
    engine = opened(tmp_path, clock=clock)
    _die(tmp_path)
    clock.moved += 2.0
    assert len(engine.receive(9, 0.0)) == 3


def test_children_of_the_dead_are_killed_first(tmp_path: Path) -> None:
    """So that no param runs twice at once."""
    make_sweep(tmp_path, {0, 1, 2})
    child = int(_die(tmp_path, "child"))
    assert _runs(child)
    opened(tmp_path)
    assert not _runs(child)


def _runs(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False


def _age(folder: Path, name: str, seconds: float) -> None:
    path = folder / "minionize" / "leases" / f"{name}.json"
    status = path.stat()
    os.utime(path, (status.st_atime - seconds, status.st_mtime - seconds))


def _abroad(folder: Path, name: str) -> None:
    """Make a lease that of a minion on another host."""
    path = folder / "minionize" / "leases" / f"{name}.json"
    lease = json.loads(path.read_text())
    lease["owner"][0] = "elsewhere"
    path.write_text(json.dumps(lease, separators=(",", ":")) + "\n")


@pytest.mark.parametrize("abroad", [True, False])
def test_by_age(tmp_path: Path, abroad: bool) -> None:
    """A minion elsewhere, or one that is stopped, loses its params when its lease has run out, not before."""
    make_sweep(tmp_path, {0, 1, 2})
    silent = opened(tmp_path, "m1")
    silent.started(silent.receive(1, 0.0))
    silent.receive(1, 0.0)
    if abroad:
        _abroad(tmp_path, "m1")
    _age(tmp_path, "m1", 110.0)
    assert len(opened(tmp_path, "m2").receive(9, 0.0)) == 1
    _age(tmp_path, "m1", 11.0)
    assert _counts(opened(tmp_path, "m3").receive(9, 0.0)) == {0: (2, 1, True), 1: (1, 0, True)}


def test_the_lease_time_is_its_holders(tmp_path: Path) -> None:
    """A minion with a shorter lease does not rob one with a longer."""
    make_sweep(tmp_path, {0})
    opened(tmp_path, "m1", lease=600.0).receive(1, 0.0)
    _age(tmp_path, "m1", 300.0)
    assert opened(tmp_path, "m2", lease=10.0).receive(1, 0.0) == []
    _age(tmp_path, "m1", 301.0)
    assert len(opened(tmp_path, "m3", lease=10.0).receive(1, 0.0)) == 1


def test_plain_entries_are_never_touched(tmp_path: Path) -> None:
    """Also when a dead minion's are set free."""
    make_sweep(tmp_path, set(range(5)))
    (tmp_path / "inprogress").write_bytes(pickle.dumps({4, "another script's"}))
    _die(tmp_path)
    engine = opened(tmp_path)
    engine.ack(engine.receive(9, 0.0))
    assert engine.receive(9, 0.0) == []
    assert pickle.loads((tmp_path / "inprogress").read_bytes()) == {4, "another script's"}
    backlog = engine.backlog()
    assert (backlog.ready, backlog.in_flight, backlog.done) == (0, 1, 4)


def test_reset_does_not_rob_the_living(tmp_path: Path) -> None:
    """Users may remove or empty ``inprogress``: what a living minion holds stays its own."""
    for number, reset in enumerate(("remove", "empty", "script")):
        folder = make_sweep(tmp_path / str(number), set(range(6)))
        holder = opened(folder, "m1")
        held = holder.receive(3, 0.0)
        waiting = opened(folder, "m2")
        mine = waiting.receive(1, 0.0)
        if reset == "remove":
            (folder / "inprogress").unlink()
        else:
            (folder / "inprogress").write_bytes(pickle.dumps({5}) if reset == "script" else b"")
        rest = [*waiting.receive(9, 0.0), *waiting.receive(9, 0.0)]
        assert {d.param for d in rest} == {4, 5} - ({5} if reset == "script" else set())
        third = opened(folder, "m3")
        assert third.receive(9, 0.0) == []
        holder.ack(held)
        waiting.ack([*mine, *rest])
        assert pickle.loads((folder / "inprogress").read_bytes()) == ({5} if reset == "script" else set())


def test_reset_sets_free_what_nobody_holds(tmp_path: Path) -> None:
    """That is what users do it for."""
    make_sweep(tmp_path, set(range(4)))
    (tmp_path / "inprogress").write_bytes(pickle.dumps({0, 1}))
    engine = opened(tmp_path)
    held = engine.receive(9, 0.0)
    (tmp_path / "inprogress").unlink()
    taken = engine.receive(9, 0.5)
    assert {d.param for d in taken} == {0, 1}
    engine.ack([*held, *taken])
    with pytest.raises(EndOfQueue):
        engine.receive(1, 0.0)


def test_a_damaged_lease_is_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Nobody knows what it holds, so nothing of it is reclaimed."""
    make_sweep(tmp_path, {0, 1})
    opened(tmp_path, "m1").receive(1, 0.0)
    for bad in ("", "{", "{}\n", "[]\n", '{"minion":1,"owner":[1,2]}\n'):
        (tmp_path / "minionize" / "leases" / "m1.json").write_text(bad)
        _age(tmp_path, "m1", 1000.0)
        caplog.clear()
        with caplog.at_level(logging.WARNING, "minionize.execo"):
            engine = opened(tmp_path, "m2")
            assert [d.param for d in engine.receive(1, 0.0)] == [1]
            assert engine.receive(1, 0.1) == []
        assert len(caplog.records) == 1
        assert "m1.json" in caplog.text
        engine.nack(engine_held(engine), charge=False)
        engine.close()


def engine_held(engine: ExecoEngine) -> list[Delivery]:
    """Return what an engine holds, as deliveries."""
    queue = engine._queue
    assert queue is not None
    return [Delivery(each.param, each.id, receipt=each) for each in queue.stake._held.values()]


def test_scraps_are_removed_when_they_are_old(tmp_path: Path) -> None:
    """A minion may be killed while making its lease."""
    make_sweep(tmp_path, {0})
    opened(tmp_path, "m1")
    scrap = tmp_path / "minionize" / "leases" / "m2.json.tmp"
    scrap.write_text("{")
    opened(tmp_path, "m3")
    assert scrap.exists()
    os.utime(scrap, (0, 0))
    opened(tmp_path, "m4")
    assert not scrap.exists()


def test_a_minion_that_died_between_its_two_writes(tmp_path: Path) -> None:
    """Done but still in progress: it does not run again."""
    make_sweep(tmp_path, {0, 1, 2})
    _die(tmp_path)
    (tmp_path / "done").write_bytes(pickle.dumps(0))
    engine = opened(tmp_path)
    assert {d.param for d in engine.receive(9, 0.0)} == {1, 2}
    assert 0 not in pickle.loads((tmp_path / "inprogress").read_bytes())


def test_a_minion_that_died_while_giving_up(tmp_path: Path) -> None:
    """Its evidence is on the dead list: the param is dead, not run again."""
    make_sweep(tmp_path, {0, 1, 2})
    (tmp_path / "scratch").mkdir()
    scratch = opened(make_sweep(tmp_path / "scratch", {0, 1, 2}), "dead-1")
    scratch.dead_letter(scratch.receive(1, 0.0), "failed", [{"exit_code": 1}])
    _die(tmp_path)
    (tmp_path / "minionize" / "dead.jsonl").write_bytes(
        (tmp_path / "scratch" / "minionize" / "dead.jsonl").read_bytes()
    )
    engine = opened(tmp_path)
    assert {d.param for d in engine.receive(9, 0.0)} == {1, 2}
    assert [letter.param for letter in engine.dead()] == [0]
    backlog = engine.backlog()
    assert (backlog.ready, backlog.in_flight, backlog.dead, backlog.done) == (0, 2, 1, 0)
