from __future__ import annotations

import asyncio
from collections import defaultdict

import pytest

from minionize.cause import cause_of
from minionize.task import param_text
from mtop.feed import Unanswered
from mtop.format import safe
from mtop.model.minion import Minion
from tests.mtop.demo.watching import Watch


def answering(watch: Watch) -> list[Minion]:
    """The minions that can be asked."""
    return [minion for minion in watch.fleet if watch.fleet.mine(minion) and minion.reachable]


def test_what_runs_is_what_is_counted() -> None:
    watch = Watch(60, interval=1.0)
    for seconds in (0.0, 1.0, 33.0):
        watch.look(seconds)
        for minion in answering(watch):
            runs = asyncio.run(watch.feed.tasks(minion))
            assert len(runs) == minion.said["in_flight"]["count"]
            assert len({run["id"] for run in runs}) == len({run["slot"] for run in runs}) == len(runs)
            assert max((run["age"] for run in runs), default=None) == pytest.approx(minion.oldest)


def test_a_run_stays_the_same_while_it_runs() -> None:
    watch = Watch(40)
    minion = watch.one()
    before = {run["id"]: run for run in asyncio.run(watch.feed.tasks(minion))}
    watch.look(4.0)
    after = {run["id"]: run for run in asyncio.run(watch.feed.tasks(minion))}
    stayed = before.keys() & after.keys()
    assert stayed
    assert all(before[id]["param"] == after[id]["param"] for id in stayed)


def test_failures_are_those_that_are_counted() -> None:
    watch = Watch(60)
    watch.watch(5)
    for minion in answering(watch):
        found = asyncio.run(watch.feed.failures(minion))
        counters = minion.said["counters"]
        assert abs(found["total"] - counters["failed"] - counters["timed_out"]) <= 3
        times = [failure["at"] for failure in found["failures"]]
        assert times == sorted(times, reverse=True)
        assert all(at <= watch.feed.wall() for at in times)
        assert all(failure["cause"] == cause_of(failure) for failure in found["failures"])
        assert {cause["cause"] for cause in found["causes"]} == {failure["cause"] for failure in found["failures"]}
        assert all(cause["first"] <= cause["last"] for cause in found["causes"])


def test_causes_are_shared_by_hosts() -> None:
    watch = Watch(60)
    hosts: dict[str, set[str]] = defaultdict(set)
    for minion in answering(watch):
        for cause in asyncio.run(watch.feed.failures(minion))["causes"]:
            hosts[cause["cause"]].add(minion.said["host"])
    assert len(hosts) >= 6
    assert sum(len(some) > 5 for some in hosts.values()) >= 3


def test_output_grows() -> None:
    watch = Watch(40)
    minion = next(minion for minion in answering(watch) if "train" in minion.said["command"])
    run = min(asyncio.run(watch.feed.tasks(minion)), key=lambda run: run["age"])
    before = asyncio.run(watch.feed.output(minion, run["id"]))
    watch.look(20.0)
    after = asyncio.run(watch.feed.output(minion, run["id"]))
    assert before["stdout"]
    assert after["stdout"]
    assert after["stdout"].startswith(before["stdout"].rstrip("\n"))
    assert len(after["stdout"]) > len(before["stdout"])


def test_some_params_would_do_harm_if_they_could() -> None:
    watch = Watch(200)
    texts = [
        param_text(run["param"]) for minion in answering(watch) for run in asyncio.run(watch.feed.tasks(minion))
    ]  # fmt: skip
    assert any("\\u001b" in text for text in texts)
    assert any("\\u6e2f" in text for text in texts)
    assert all(safe(text).isprintable() for text in texts)


@pytest.mark.parametrize("state", ["lost", "stopped", "stale"])
def test_who_does_not_answer_says_why(state: str) -> None:
    watch = Watch(40)
    minion = next(minion for minion in watch.fleet if minion.state == state)
    with pytest.raises(Unanswered, match=r"refused|left|no answer"):
        asyncio.run(watch.feed.failures(minion))


def test_others_do_not_answer() -> None:
    watch = Watch(40)
    minion = next(minion for minion in watch.fleet if minion.said["user"] != watch.feed.user)
    with pytest.raises(Unanswered, match="belongs to"):
        asyncio.run(watch.feed.tasks(minion))


def test_there_is_no_output_of_what_does_not_run() -> None:
    watch = Watch(10)
    with pytest.raises(Unanswered, match="nothing"):
        asyncio.run(watch.feed.output(watch.one(), "nothing"))
