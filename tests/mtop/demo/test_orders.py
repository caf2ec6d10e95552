from __future__ import annotations

import asyncio

import pytest

from mtop.feed import Unanswered
from mtop.model.minion import Minion
from mtop.orders import DRAIN, PAUSE, REQUEUE_DEAD, RESUME, Order, kill, requeue, slots
from tests.mtop.demo.watching import Watch


def order(watch: Watch, minion: Minion, what: Order) -> str:
    """Give an order, and look what came of it."""
    words = asyncio.run(watch.feed.order(minion, what))
    watch.look(0.1)
    return words


def shown(minion: Minion) -> str:
    return minion.state


def adds_up(minion: Minion) -> bool:
    counters: dict[str, int] = dict(minion.said["counters"])  # type: ignore[arg-type]
    names = ("succeeded", "failed", "timed_out", "could_not_start", "preempted", "lease_lost")
    return counters["received"] == sum(counters[name] for name in names) + minion.said["busy"]


def test_pause_and_resume() -> None:
    watch = Watch(40)
    minion = watch.one(engine="rabbitmq")
    assert order(watch, minion, PAUSE) == "paused"
    assert shown(minion) == "paused"
    watch.watch(10)
    assert minion.said["busy"] == 0
    done = minion.said["counters"]["succeeded"]
    assert order(watch, minion, RESUME) == "running"
    watch.watch(30)
    assert shown(minion) == "running"
    assert minion.said["counters"]["succeeded"] > done
    assert adds_up(minion)


def test_drain() -> None:
    watch = Watch(40)
    minion = watch.one(engine="rabbitmq")
    assert order(watch, minion, DRAIN) == "draining"
    assert minion.state == "draining"
    with pytest.raises(Unanswered, match="leaves"):
        order(watch, minion, RESUME)
    watch.watch(15)
    assert (minion.state, minion.via, minion.said["busy"]) == ("stopped", "final", 0)
    assert adds_up(minion)


@pytest.mark.parametrize("number", [1, 3, 30])
def test_slots(number: int) -> None:
    watch = Watch(10)
    minion = watch.one()
    assert order(watch, minion, slots(number)) == f"slots {number}"
    assert (minion.said["slots"], minion.said["busy"]) == (number, number)
    assert adds_up(minion)


@pytest.mark.parametrize("body", [None, {"slots": 0}, {"slots": "many"}])
def test_slots_that_are_none(body: dict[str, object] | None) -> None:
    watch = Watch(10)
    with pytest.raises(Unanswered, match="one slot"):
        order(watch, watch.one(), Order("slots", "/slots", body))


@pytest.mark.parametrize("paused", [False, True])
@pytest.mark.parametrize(
    ("what", "counter", "answer"), [(kill, "failed", "killed"), (requeue, "preempted", "requeued")]
)
def test_runs_are_ended(paused: bool, what: object, counter: str, answer: str) -> None:
    watch = Watch(10)
    minion = watch.one()
    if paused:
        order(watch, minion, PAUSE)
    runs = asyncio.run(watch.feed.tasks(minion))
    before = dict(minion.said["counters"])
    assert callable(what)
    assert order(watch, minion, what(runs[1]["id"])) == answer
    assert minion.said["counters"][counter] == before[counter] + 1  # type: ignore[literal-required, operator]
    left = {run["id"] for run in asyncio.run(watch.feed.tasks(minion))}
    assert runs[1]["id"] not in left
    assert {run["id"] for run in runs[2:]} <= left
    assert len(left) == len(runs) - paused == minion.said["busy"]
    assert adds_up(minion)
    with pytest.raises(Unanswered, match="is running here"):
        order(watch, minion, what(runs[1]["id"]))


def test_what_is_killed_is_a_failure() -> None:
    watch = Watch(10)
    minion = watch.one()
    run = asyncio.run(watch.feed.tasks(minion))[0]
    order(watch, minion, kill(run["id"]))
    last = asyncio.run(watch.feed.failures(minion))["failures"][0]
    assert (last["id"], last["param"], last["cause"]) == (run["id"], run["param"], "killed by SIGTERM")


def test_a_straggler_is_one_no_more_when_its_run_is_killed() -> None:
    watch = Watch(40)
    minion = next(minion for minion in watch.fleet if minion.straggles)
    oldest = max(asyncio.run(watch.feed.tasks(minion)), key=lambda run: run["age"])
    order(watch, minion, kill(oldest["id"]))
    assert not minion.straggles
    assert minion.said["busy"] == len(asyncio.run(watch.feed.tasks(minion)))
    assert adds_up(minion)


def test_dead_params_are_made_ready_again() -> None:
    watch = Watch(10)
    minion = watch.one()
    queue = next(queue for queue in watch.fleet.totals.queues if queue.name == minion.said["queue"])
    assert queue.dead
    assert order(watch, minion, REQUEUE_DEAD) == f"requeued {queue.dead} dead params"
    watch.watch(6)
    after = next(queue for queue in watch.fleet.totals.queues if queue.name == minion.said["queue"])
    assert after.dead is not None
    assert after.dead < queue.dead / 2


def test_orders_to_one_change_no_other() -> None:
    told, untold = Watch(40), Watch(40)
    minion = told.one()
    order(told, minion, PAUSE)
    untold.look(0.1)
    for watch in (told, untold):
        watch.watch(20)
    others = {each.key: each.said["counters"] for each in told.fleet if each.key != minion.key}
    assert others == {each.key: each.said["counters"] for each in untold.fleet if each.key != minion.key}


def test_others_are_not_ordered_about() -> None:
    watch = Watch(40)
    minion = next(minion for minion in watch.fleet if minion.said["user"] != watch.feed.user)
    with pytest.raises(Unanswered, match="belongs to"):
        order(watch, minion, DRAIN)
