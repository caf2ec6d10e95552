"""Leases: renewed by the engine thread, and lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from minionize.engine import Delivery
from minionize.engines.memory import MemoryEngine, MemoryQueue
from minionize.worker.minion import Minion
from tests.worker.faulty import Faulty
from tests.worker.running import make, run, running, shell, until, words


def test_a_lease_is_renewed_while_the_run_lasts() -> None:
    ran = run(shell("sleep 0.6"), engine=Faulty(["p"], lease=0.15))
    assert (ran.code, ran.left) == (0, (1, 0, 0, 0))
    assert isinstance(ran.minion.engine, Faulty)
    assert ran.minion.engine.calls.count("extend") >= 5
    assert ran.counters == {"received": 1, "succeeded": 1}


class _Forgets(MemoryEngine):
    """Loses what it is told to lose, as if another minion had it."""

    def __init__(self, queue: MemoryQueue, lease: float = 0.3) -> None:
        super().__init__(queue, lease)
        self.lose = False
        self.taken: list[Delivery] = []

    def extend(self, deliveries: list[Delivery]) -> list[Delivery]:  # type: ignore[override]
        if not self.lose:
            return super().extend(deliveries)
        return list(deliveries)


class _Connected(_Forgets):
    """What it delivers is ours as long as the connection lasts."""

    features = replace(MemoryEngine.features, lease="connection")

    def receive(self, max_messages: int, timeout: float) -> list[Delivery]:
        return [replace(delivery, lease=None) for delivery in super().receive(max_messages, timeout)]


def _lost(tmp_path: Path, policy: str, kind: type[_Forgets] = _Forgets) -> tuple[Minion, MemoryQueue, list[str]]:
    """Lose the lease of a run; then let the run end."""
    queue = MemoryQueue(["p"])
    engine = kind(queue)
    script = f"echo $$ > {tmp_path}/pid; while [ ! -e {tmp_path}/go ]; do sleep 0.01; done; touch {tmp_path}/end"
    minion, kept = make(shell(script), engine, on_lease_lost=policy, grace=0.2, max_params=1)
    with running(minion) as ends:
        until((tmp_path / "pid").exists)
        engine.lose = True
        until(lambda: minion.stats.snapshot()["lease_lost"] == 1)
        engine.lose = False
        if policy == "finish":
            (tmp_path / "go").touch()
        until(lambda: ends)
    assert ends == [0]
    return minion, queue, [record.settled for record in kept.records]


@pytest.mark.parametrize("kind", [_Forgets, _Connected])
def test_a_lost_lease_ends_the_run(tmp_path: Path, capfd: pytest.CaptureFixture[str], kind: type[_Forgets]) -> None:
    minion, _, settled = _lost(tmp_path, "kill", kind)
    assert not (tmp_path / "end").exists()
    assert settled == []
    assert {k: v for k, v in minion.stats.snapshot().items() if v} == {"received": 1, "lease_lost": 1}
    assert "the lease of param 1 is lost" in capfd.readouterr().err


def test_a_lost_lease_may_let_the_run_finish(tmp_path: Path) -> None:
    minion, queue, settled = _lost(tmp_path, "finish")
    assert (tmp_path / "end").exists()
    assert settled == []
    assert {k: v for k, v in minion.stats.snapshot().items() if v} == {"received": 1, "lease_lost": 1}
    assert queue.backlog().done == 0


def test_what_is_lost_before_it_began_is_not_run(tmp_path: Path) -> None:
    """Taken ahead, and lost while it waited for the slot."""
    queue = MemoryQueue(["quick"] * 5 + ["long"] + ["lost"] * 5)
    engine = _Forgets(queue)
    script = f"echo $1 >> {tmp_path}/log; [ $1 != long ] || while [ ! -e {tmp_path}/go ]; do sleep 0.01; done"
    minion, _ = make(shell(script), engine, on_lease_lost="finish", max_params=8)
    with running(minion) as ends:
        loop = minion.loop
        assert loop is not None
        until(lambda: "long" in (tmp_path / "log").read_text() if (tmp_path / "log").exists() else False)
        engine.lose = True
        until(lambda: minion.stats.snapshot()["lease_lost"] >= 1)
        loop.drain()
        (tmp_path / "go").touch()
        until(lambda: ends)
    assert (tmp_path / "log").read_text().split() == ["quick"] * 5 + ["long"]
    assert minion.stats.snapshot()["in_flight"] == 0


def test_a_delivery_of_what_is_held_ends_the_former_one(tmp_path: Path) -> None:
    clock = [0.0]
    queue = MemoryQueue(["p"], clock=lambda: clock[0])
    engine = MemoryEngine(queue, lease=60.0)
    minion, _ = make(shell(f"while [ ! -e {tmp_path}/go ]; do sleep 0.01; done"), engine, slots=2)
    with running(minion) as ends:
        until(lambda: minion.loop is not None and minion.loop.busy == 1)
        clock[0] += 100.0  # the queue's clock, not the minion's
        until(lambda: minion.stats.snapshot()["lease_lost"] == 1)
        (tmp_path / "go").touch()
        until(lambda: ends)
    assert ends == [0]
    counters = {k: v for k, v in minion.stats.snapshot().items() if v}
    assert counters == {"received": 2, "redelivered": 1, "crashed": 1, "lease_lost": 1, "succeeded": 1}
    assert queue.backlog().done == 1


def test_a_param_that_kills_its_minions_is_given_up() -> None:
    clock = [0.0]
    queue = MemoryQueue(["p"], clock=lambda: clock[0])
    for _ in range(3):
        engine = MemoryEngine(queue, lease=1.0)
        engine.open()
        assert len(engine.receive(1, 0.0)) == 1
        clock[0] += 2.0
    ran = run(words("true"), engine=MemoryEngine(queue, lease=60.0), max_crashes=3)
    assert (ran.code, ran.left) == (1, (0, 1, 0, 0))
    assert ran.counters == {"received": 1, "redelivered": 1, "crashed": 1, "failed": 1, "dead": 1}
    assert queue.dead()[0].reason == "its minion died 3 times while running it"
    assert ran.record.task.slot == 0


def test_crashes_eat_no_retries() -> None:
    clock = [0.0]
    queue = MemoryQueue(["p"], clock=lambda: clock[0])
    engine = MemoryEngine(queue, lease=1.0)
    engine.open()
    engine.receive(1, 0.0)
    clock[0] += 2.0
    ran = run(words("false"), engine=MemoryEngine(queue), retries=1, retry_delay=0.0)
    assert [(r.task.attempt, r.settled) for r in ran.records] == [(2, "nack"), (3, "dead")]


class _OneId(MemoryEngine):
    """Delivers messages of somebody who has given all of them one id."""

    def receive(self, max_messages: int, timeout: float) -> list[Delivery]:
        return [replace(delivery, id="same") for delivery in super().receive(2 if max_messages else 0, timeout)]

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        super().ack([replace(delivery, id=str("ab".index(delivery.param) + 1)) for delivery in deliveries])


def test_two_of_one_id_at_once_are_one_and_a_lost_one() -> None:
    """The books are right; the other comes again when its lease is over."""
    ran = run(shell("true"), engine=_OneId(["a", "b"]), max_params=1)
    assert ran.counters == {"received": 2, "succeeded": 1, "lease_lost": 1}
    assert ran.minion.stats.snapshot()["in_flight"] == 0
