"""Who has lost its lease can settle nothing; a settlement that failed can be repeated."""

from __future__ import annotations

import errno
import os
import pickle
import shutil
from pathlib import Path
from typing import Any

import pytest

from minionize.engine import Delivery
from minionize.engines.execo import ExecoEngine
from minionize.errors import LeaseLost, NotConnected
from tests.sweepdir.helpers import MovedClock, make_sweep, opened


def _lost(folder: Path) -> tuple[ExecoEngine, list[Delivery], ExecoEngine]:
    """Let a minion sleep over its lease while another reclaims."""
    make_sweep(folder, {0, 1, 2})
    clock = MovedClock()
    slow = opened(folder, "slow", clock)
    taken = slow.receive(2, 0.0)
    slow.started(taken)
    clock.advance(folder, 130.0)
    return slow, taken, opened(folder, "quick", clock)


def test_every_settlement_is_refused(tmp_path: Path) -> None:
    """Whatever it is, it names what is lost, and leaves it to its new holder."""
    for number, settle in enumerate(("ack", "nack", "dead_letter")):
        slow, taken, quick = _lost(tmp_path / str(number))
        again = quick.receive(2, 0.0)
        assert {d.param for d in again} == {0, 1}
        words = ["failed", [{}, {}]] if settle == "dead_letter" else []
        with pytest.raises(LeaseLost) as caught:
            getattr(slow, settle)(taken, *words)
        assert list(caught.value.lost) == taken
        assert quick.backlog().in_flight == 2
        assert list(quick.dead()) == []
        quick.ack(again)
        with pytest.raises(LeaseLost):
            slow.ack(taken)


def test_the_pump_finds_out(tmp_path: Path) -> None:
    """``extend`` tells it before anything is settled, and the minion goes on with a new lease."""
    slow, taken, quick = _lost(tmp_path)
    assert slow.extend(taken) == taken
    third = slow.receive(1, 0.0)
    assert len(third) == 1
    assert slow.extend([*taken, *third]) == taken
    slow.ack(third)
    assert quick.backlog().done == 1


def test_the_same_param_again(tmp_path: Path) -> None:
    """A minion that gets again what it lost can settle the new delivery, not the old one."""
    slow, old, quick = _lost(tmp_path)
    quick.nack(quick.receive(2, 0.0))
    new = slow.receive(3, 0.0)
    assert {d.id for d in old} < {d.id for d in new}
    with pytest.raises(LeaseLost) as caught:
        slow.ack([*old, *new])
    assert list(caught.value.lost) == old
    assert slow.backlog().done == 3


def test_side_car_deleted(tmp_path: Path) -> None:
    """Everything held is lost, but nothing is stuck: it is ready again."""
    make_sweep(tmp_path, {0, 1, 2})
    engine = opened(tmp_path)
    taken = engine.receive(2, 0.0)
    engine.nack(taken[:1])
    taken = [*taken[1:], *engine.receive(1, 0.0)]
    engine.started(taken)
    shutil.rmtree(tmp_path / "minionize")
    assert engine.extend(taken) == taken
    again = engine.receive(9, 0.0)
    assert {d.param for d in again} == {0, 1, 2}
    engine.ack(again)
    assert engine.backlog().done == 3


def test_another_minion_of_the_same_name(tmp_path: Path) -> None:
    """Each keeps its own lease."""
    make_sweep(tmp_path, {0, 1})
    one, two = opened(tmp_path, "m"), opened(tmp_path, "m")
    first, second = one.receive(1, 0.0), two.receive(1, 0.0)
    one.ack(first)
    two.ack(second)
    assert one.backlog().done == 2


def test_what_another_engine_holds_cannot_be_settled(tmp_path: Path) -> None:
    """Even in the same process."""
    make_sweep(tmp_path, {0, 1})
    one, two = opened(tmp_path, "m1"), opened(tmp_path, "m2")
    taken = one.receive(1, 0.0)
    with pytest.raises(LeaseLost):
        two.ack(taken)
    one.ack(taken)


def test_held_over_close_and_open(tmp_path: Path) -> None:
    """After a reconnection a run is settled, not repeated."""
    make_sweep(tmp_path, {0, 1})
    engine = opened(tmp_path)
    taken = engine.receive(2, 0.0)
    engine.close()
    with pytest.raises(NotConnected):
        engine.ack(taken)
    engine.open()
    assert engine.receive(2, 0.0) == []
    engine.ack(taken)
    assert engine.backlog().done == 2
    engine.close()
    assert os.listdir(tmp_path / "minionize" / "leases") == []


class _Fails:
    """Lets the n-th of some calls of the system fail, as a disk does."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, name: str, nth: int, code: int = errno.EIO) -> None:
        self._left, self._code, self._true = nth, code, getattr(os, name)
        self.hit = False
        monkeypatch.setattr(os, name, self)

    def __call__(self, *arguments: Any) -> Any:
        self._left -= 1
        if self._left == 0:
            self.hit = True
            raise OSError(self._code, os.strerror(self._code))
        return self._true(*arguments)


CALLS = ["pwrite", "fsync", "ftruncate", "posix_fallocate", "open", "rename"]


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("action", ["ack", "nack", "dead_letter", "receive"])
def test_a_failed_operation_can_be_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, action: str, call: str
) -> None:
    """Whichever call of the system fails: it is NotConnected, nothing is lost or doubled, and it works next time."""
    nth = 1
    while True:
        folder = make_sweep(tmp_path / f"{nth}", {f"a long param {n} " + "x" * 50 for n in range(300)})
        engine = opened(folder)
        taken = engine.receive(150, 0.0)
        with monkeypatch.context() as patch:
            fails = _Fails(patch, call, nth)
            more = _try(engine, action, taken)
        if more is None:
            more = _do(engine, action, taken)
        _check(folder, engine, action, taken, more)
        if not fails.hit:
            break
        nth += 1
    assert nth > 1 or call in ("fsync", "posix_fallocate", "rename", "ftruncate")


def _try(engine: ExecoEngine, action: str, taken: list[Delivery]) -> list[Delivery] | None:
    try:
        return _do(engine, action, taken)
    except NotConnected as error:
        if os.strerror(errno.EIO) not in str(error):
            raise
        return None


def _do(engine: ExecoEngine, action: str, taken: list[Delivery]) -> list[Delivery]:
    if action == "receive":
        return engine.receive(100, 0.0)
    if action == "dead_letter":
        engine.dead_letter(taken[:70], "failed", [{}] * 70)
    else:
        getattr(engine, action)(taken[:70])
    return []


def _check(folder: Path, engine: ExecoEngine, action: str, taken: list[Delivery], more: list[Delivery]) -> None:
    """Count what there is, ours and everybody's, and that each is where it belongs just once."""
    backlog = engine.backlog()
    assert backlog is not None
    assert (backlog.ready, backlog.in_flight, backlog.dead, backlog.done) == {
        "ack": (150, 80, 0, 70),
        "nack": (220, 80, 0, 0),
        "dead_letter": (150, 80, 70, 0),
        "receive": (50, 250, 0, 0),
    }[action]
    with (folder / "done").open("rb") as file:
        records = []
        while file.peek(1):
            records.append(pickle.load(file))
    assert len(records) == len(set(records)) == (70 if action in ("ack", "dead_letter") else 0)
    other = opened(folder, "m2")
    rest = other.receive(999, 0.0)
    held = [*taken[70:], *more] if action != "receive" else [*taken, *more]
    assert not {d.id for d in rest} & {d.id for d in held}
    assert len(rest) == backlog.ready
    if action == "nack":
        assert {d.attempt for d in rest if d.redelivered} == {2}
    engine.ack(held)
    other.ack(rest)
    assert engine.backlog().in_flight == 0
