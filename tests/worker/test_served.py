"""What the stats server sees of a minion and does to it: without HTTP."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from minionize.callback import Callback
from minionize.callbacks.function import FuncCallback
from minionize.engines.memory import MemoryEngine, MemoryQueue
from minionize.server.served import Refused, Served
from minionize.stats.wire import StatsWire
from minionize.worker.minion import Minion
from minionize.worker.served import ServedMinion
from tests.worker.running import Kept, make, running, shell, until

SLEEPS = 'echo "out $1"; echo "err $1" >&2; while [ ! -e go ]; do sleep 0.005; done'


@contextmanager
def served(
    callback: Callback, queue: MemoryQueue, **settings: Any
) -> Iterator[tuple[ServedMinion, Minion, Kept, list[int | BaseException]]]:
    minion, kept = make(callback, MemoryEngine(queue), **settings)
    with running(minion) as ends:
        assert minion.served is not None
        yield minion.served(), minion, kept, ends


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_it_fulfils_the_contract() -> None:
    with served(shell(":"), MemoryQueue(["p"])) as (view, _, _, _):
        contract: Served = view
        assert len(contract.token) > 30


def test_numbers_of_a_minion_at_work() -> None:
    queue = MemoryQueue(["a", "b", "c"])
    with served(shell(SLEEPS), queue, slots=2, label={"run": "7"}) as (view, minion, _, _):
        until(lambda: view.stats()["busy"] == 2)
        found = view.stats(30.0)
        assert (found["id"], found["state"], found["why"]) == (minion.id, "running", "all slots are busy")
        assert (found["engine"], found["slots"], found["labels"]) == ("memory", 2, {"run": "7"})
        assert (found["counters"]["received"], found["in_flight"]["count"]) in ((2, 2), (3, 3))
        assert found["in_flight"]["oldest"] is not None
        assert found["rates"]["window"] == 30.0
        assert found["command"].startswith("/bin/sh -c")
        until(lambda: view.stats()["backlog"])
        backlog = view.stats()["backlog"]
        assert backlog is not None
        assert (backlog["exact"], backlog["dead"]) == (True, 0)
        Path("go").touch()
    after = view.stats()
    assert after["state"] == "stopped"
    assert _adds_up(after)
    assert after["latency"]["count"] == 3


def _adds_up(found: StatsWire) -> bool:
    counters = found["counters"]
    ends = (counters["succeeded"], counters["failed"], counters["timed_out"], counters["could_not_start"])
    rest = (counters["preempted"], counters["lease_lost"], found["in_flight"]["count"])
    return counters["received"] == sum(ends) + sum(rest)


@pytest.mark.parametrize("output", ["group", "line"])
def test_tasks_and_their_output_while_they_run(output: str) -> None:
    with served(shell(SLEEPS), MemoryQueue(["a", "b"]), slots=2, output=output) as (view, _, _, _):
        until(lambda: len(view.tasks()) == 2 and all(task["pid"] for task in view.tasks()))
        first, second = view.tasks()
        assert (first["slot"], second["slot"]) == (1, 2)
        assert {first["param"], second["param"]} == {"a", "b"}
        assert (first["attempt"], first["redelivered"]) == (1, False)
        assert 0.0 <= first["age"] < 60.0
        assert abs(first["started"] + first["age"] - time.time()) < 5.0
        until(lambda: (view.tasks()[0]["rss"] or 0) > 0)
        until(lambda: _stderr(view, first["id"]) == f"err {first['param']}\n")
        found = view.output(first["id"])
        assert found is not None
        assert found["stdout"] == f"out {first['param']}\n"
        assert view.output("no such id") is None
        Path("go").touch()


def test_a_stdout_that_is_the_minions_own_is_not_seen() -> None:
    with served(shell(SLEEPS), MemoryQueue(["a"])) as (view, _, _, _):
        until(lambda: view.tasks() and view.tasks()[0]["pid"])
        until(lambda: _stderr(view, "1") == "err a\n")
        found = view.output("1")
        assert found is not None
        assert found["stdout"] is None
        Path("go").touch()


def test_a_killed_run_has_failed() -> None:
    queue = MemoryQueue(["a"])
    with served(shell("sleep 60"), queue, slots=2) as (view, _, kept, ends):
        until(lambda: view.tasks() and view.tasks()[0]["pid"])
        assert not view.kill("no such id")
        assert view.kill(view.tasks()[0]["id"])
    assert ends == [1]
    (record,) = kept.records
    assert (record.outcome.kind, record.outcome.reason, record.settled) == ("failed", "killed on request", "dead")
    (cause,) = view.failures()["causes"]
    assert cause["cause"] == "killed by SIGTERM"


def test_a_requeued_run_is_given_back_uncharged() -> None:
    queue = MemoryQueue(["a"])
    script = "[ -e once ] && exit 0; touch once; sleep 60"
    with served(shell(script), queue, slots=2) as (view, _, kept, ends):
        until(lambda: Path("once").exists() and view.tasks() and view.tasks()[0]["pid"])
        assert view.requeue(view.tasks()[0]["id"])
    assert ends == [0]
    first, second = kept.records
    assert (first.outcome.kind, first.outcome.reason, first.settled) == ("preempted", "given back on request", "nack")
    assert (second.task.attempt, second.settled) == (1, "ack")


def test_functions_in_several_slots_can_be_ended() -> None:
    with served(FuncCallback(_sleep), MemoryQueue(["a"]), slots=2) as (view, _, kept, ends):
        until(lambda: view.tasks() and view.tasks()[0]["pid"])
        assert view.kill(view.tasks()[0]["id"])
    assert ends == [1]
    assert kept.records[0].outcome.reason == "killed on request"


def test_a_function_in_the_minion_itself_cannot() -> None:
    with served(FuncCallback(_until_go), MemoryQueue(["a"])) as (view, _, _, ends):
        until(lambda: view.tasks())
        with pytest.raises(Refused, match="two slots"):
            view.kill(view.tasks()[0]["id"])
        with pytest.raises(Refused, match="1 slot"):
            view.resize(2)
        assert view.stats()["command"].endswith("_until_go")
        Path("go").touch()
    assert ends == [0]


def test_pause_resume_resize_drain() -> None:
    queue = MemoryQueue(range(100))
    with served(shell(SLEEPS), queue) as (view, _, _, _):
        until(lambda: view.control()["busy"] == 1)
        view.pause()
        assert view.control()["state"] == "paused"
        assert "asked to pause" in view.stats()["why"]
        view.resume()
        view.resize(3)
        until(lambda: view.control()["busy"] == 3)
        view.drain()
        assert view.control()["state"] == "draining"
        assert view.stats()["why"] == "it was asked to drain"
        Path("go").touch()
    assert view.control()["state"] == "stopped"
    assert queue.backlog().done == 3


def _stderr(view: ServedMinion, id: str) -> str | None:
    found = view.output(id)
    return None if found is None else found["stderr"]


def _sleep(param: str) -> None:
    time.sleep(60)


def _until_go(param: str) -> None:
    until(Path("go").exists)
