"""What is told of queues: the newest word counts, whatever the clocks of hosts show."""

from __future__ import annotations

from typing import Any

import pytest

from minionize.registry import Seen
from mtop.model.minion import Minion
from mtop.model.queues import Queue, queues_of
from tests.mtop.model.minions import announces, backlog, tombstone

NOW = 1_000.0
HOURS = 36_000.0


def minion(id: str = "a", *, now: float = NOW, tomb: bool = False, **changes: Any) -> Minion:
    found = (tombstone if tomb else announces)(id, **changes)
    made = Minion(id, found, NOW)
    made.announced(Seen(found, 0.0), NOW)
    made.advance(now)
    return made


def rates(succeeded: float, failed: float = 0.0) -> dict[str, float]:
    return {"window": 10.0, "succeeded": succeeded, "failed": failed, "redelivered": 0.0}


def slow(oldest: float, count: int = 20) -> dict[str, Any]:
    """A run of this age, where nearly all before took ten seconds."""
    latency = {"count": count, "sum": 1.0, "p50": 10.0, "p95": 10.0, "p99": 10.0, "buckets": []}
    return {"busy": 1, "in_flight": {"count": 1, "oldest": oldest}, "latency": latency}


def only(*minions: Minion) -> Queue:
    (queue,) = queues_of(minions)
    return queue


def test_the_newest_word_counts_though_clocks_differ_by_hours() -> None:
    old = minion("a", started=5_000.0 + HOURS, backlog=backlog(100, 5_990.0 + HOURS))
    new = minion("b", started=5_000.0 - HOURS, backlog=backlog(50, 5_999.0 - HOURS, dead=3, exact=False))
    for order in ((old, new), (new, old)):
        queue = only(*order)
        assert (queue.ready, queue.dead, queue.exact) == (50, 3, False)


def test_a_word_grows_old_while_its_minion_is_silent() -> None:
    silent = minion("a", backlog=backlog(100, 6_000.0), now=NOW + 20.0)
    talks = minion("b", uptime=1_020.0, backlog=backlog(50, 6_015.0))
    assert only(silent, talks).ready == 50


def test_a_word_of_the_future_is_no_newer_than_one_of_now() -> None:
    liar = minion("b", backlog=backlog(7, 1e12))
    assert only(minion("a", backlog=backlog(50)), liar).ready == 50


def test_the_last_word_of_a_minion_that_left_is_as_old_as_it_is() -> None:
    gone = minion("a", tomb=True, backlog=backlog(100), now=NOW + 600.0)
    present = minion("b", uptime=1_600.0, backlog=backlog(50, 6_500.0))
    assert only(gone, present).ready == 50


def test_private_queues_are_told_apart_and_end_with_their_minion() -> None:
    one, two = (minion(id, engine="file", backlog=backlog(ready)) for id, ready in (("a", 10), ("b", 20)))
    gone = minion("c", tomb=True, engine="file", backlog=backlog(40))
    assert sorted(queue.ready or 0 for queue in queues_of([one, two, gone])) == [10, 20]


def test_queues_without_minions_count_only_where_there_is_no_other() -> None:
    left = minion("a", tomb=True, queue="old", backlog=backlog(9))
    assert only(left, minion("b", queue="new")).name == "new"
    assert only(left).ready == 9


def test_who_has_said_nothing_works_at_no_queue() -> None:
    assert queues_of([Minion("http://a:1", announces(), NOW)]) == []


class TestEta:
    def test_by_all_that_leaves_the_queue(self) -> None:
        two = [
            minion("a", rates=rates(3.0, 1.0), backlog=backlog(60)),
            minion("b", rates=rates(2.0), backlog=backlog(60)),
        ]
        assert only(*two).eta == 10.0

    def test_none_where_the_queue_cannot_tell(self) -> None:
        assert only(minion(rates=rates(1.0), backlog=backlog(None))).eta is None
        assert only(minion(rates=rates(1.0))).eta is None

    def test_an_empty_queue_takes_no_time(self) -> None:
        assert only(minion(backlog=backlog(0))).eta == 0.0


class TestStalled:
    @pytest.mark.parametrize(
        ("changes", "stalled"),
        [
            ({"state": "paused"}, True),
            ({"state": "idle"}, True),
            ({"state": "idle", "uptime": 5.0, "backlog": backlog(9, 5_005.0)}, False),
            ({"state": "paused", "uptime": 5.0, "backlog": backlog(9, 5_005.0)}, True),
            ({"rates": rates(0.1)}, False),
            ({"rates": rates(0.0, 0.1)}, False),
            (slow(29.0), False),
            (slow(31.0), True),
            (slow(HOURS, count=19), False),
            (slow(HOURS) | {"latency": {**slow(1.0)["latency"], "p95": HOURS}}, False),
        ],
    )
    def test_params_are_ready_and_nobody_works_them_off(self, changes: dict[str, Any], stalled: bool) -> None:
        queue = only(minion(**{"backlog": backlog(9), **changes}))
        assert queue.stalled is stalled
        assert queue.eta is None or not stalled

    def test_one_that_works_is_enough(self) -> None:
        assert not only(minion("a", state="paused", backlog=backlog(9)), minion("b", **slow(1.0))).stalled

    def test_all_are_lost(self) -> None:
        assert only(minion(rates=rates(1.0), backlog=backlog(9), now=NOW + HOURS)).stalled

    def test_an_empty_queue_is_not(self) -> None:
        assert not only(minion(state="idle", backlog=backlog(0))).stalled
