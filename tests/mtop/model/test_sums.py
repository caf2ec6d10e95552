"""Totals, black holes, events, histories: what follows from all minions together."""

from __future__ import annotations

from typing import Any

import pytest

from mtop.model.events import Event
from mtop.model.fleet import Fleet
from mtop.model.history import History
from tests.mtop.model.minions import HERE, USER, announces, backlog, seen, tombstone

NOW = 1_000.0


@pytest.fixture
def fleet() -> Fleet:
    return Fleet(USER, NOW, HERE)


def rates(succeeded: float, failed: float = 0.0) -> dict[str, float]:
    return {"window": 10.0, "succeeded": succeeded, "failed": failed, "redelivered": 0.5}


def tell(fleet: Fleet, *found: Any, now: float = NOW, age: float = 0.0) -> list[Event]:
    fleet.announced("registry", seen(*found, age=age), now)
    return fleet.advance(now, now)


class TestTotals:
    def test_those_that_live_are_summed_up(self, fleet: Fleet) -> None:
        one = announces("a", slots=4, busy=3, rates=rates(1.0, 0.25), counters={**announces()["counters"], "dead": 2})
        two = announces("b", slots=2, busy=0, rates=rates(2.0), state="paused")
        tell(fleet, one, two)
        sums = fleet.totals
        assert (sums.minions, sums.live, sums.slots, sums.busy) == (2, 2, 6, 3)
        assert (sums.done, sums.failed, sums.redelivered, sums.counters["dead"]) == (3.0, 0.25, 1.0, 2)
        assert dict(sums.states) == {"running": 1, "paused": 1}

    def test_what_is_no_more_still_counts_what_it_did(self, fleet: Fleet) -> None:
        counters = {**announces()["counters"], "succeeded": 5}
        held = {"count": 3, "oldest": 1.0}
        lost = announces("a", slots=4, busy=3, rates=rates(9.0), counters=counters, in_flight=held)
        left = tombstone("b", slots=4, rates=rates(9.0), counters=counters, in_flight=held)
        fleet.announced("registry", seen(lost, left), NOW, gone={"a"})
        fleet.advance(NOW, NOW)
        sums = fleet.totals
        assert (sums.minions, sums.live, sums.slots, sums.busy, sums.done) == (2, 0, 0, 0, 0.0)
        assert (sums.counters["succeeded"], sums.lost_params) == (10, 3)

    def test_queues_are_added_and_the_slowest_counts(self, fleet: Fleet) -> None:
        tell(
            fleet,
            announces("a", queue="one", rates=rates(1.0), backlog=backlog(10, dead=None)),
            announces("b", queue="two", rates=rates(1.0), backlog=backlog(30, exact=False)),
        )
        sums = fleet.totals
        assert (sums.ready, sums.dead, sums.exact, sums.eta, sums.stalled) == (40, 0, False, 30.0, False)

    def test_no_eta_where_one_queue_stands(self, fleet: Fleet) -> None:
        tell(
            fleet,
            announces("a", queue="one", rates=rates(1.0), backlog=backlog(10)),
            announces("b", queue="two", rates=rates(0.0), backlog=backlog(30)),
        )
        assert (fleet.totals.eta, fleet.totals.stalled) == (None, True)

    def test_a_fleet_of_nobody(self, fleet: Fleet) -> None:
        fleet.advance(NOW, NOW)
        sums = fleet.totals
        assert (sums.minions, sums.ready, sums.eta, sums.stalled) == (0, None, None, False)


class TestBlackHoles:
    def minion(self, id: str, host: str, succeeded: int, failed: int, uptime: float = 100.0) -> Any:
        counters = {**announces()["counters"], "succeeded": succeeded, "failed": failed}
        return announces(id, host=host, counters=counters, uptime=uptime)

    def suspects(self, fleet: Fleet, *found: Any) -> dict[str, str]:
        tell(fleet, *found)
        return {minion.key: minion.suspect for minion in fleet if minion.suspect}

    def test_a_host_that_fails_much_faster_than_others_work(self, fleet: Fleet) -> None:
        good = [self.minion(f"g{number}", f"g{number}", 100, 1) for number in range(3)]
        found = self.suspects(fleet, *good, self.minion("h", "hole", 0, 1000), self.minion("i", "hole", 0, 1000))
        assert found == dict.fromkeys("hi", "100% of its runs fail (1% elsewhere), 10 x as fast")
        assert fleet.totals.suspects == 2

    def test_not_where_runs_fail_everywhere(self, fleet: Fleet) -> None:
        assert not self.suspects(fleet, self.minion("a", "a", 1, 100), self.minion("h", "hole", 0, 1000))

    def test_not_where_it_fails_as_slowly_as_others_work(self, fleet: Fleet) -> None:
        assert not self.suspects(fleet, self.minion("a", "a", 100, 0), self.minion("h", "h", 0, 100))

    def test_not_by_a_few(self, fleet: Fleet) -> None:
        assert not self.suspects(fleet, self.minion("a", "a", 1, 0), self.minion("h", "h", 0, 4, uptime=1.0))

    def test_not_where_there_is_no_other(self, fleet: Fleet) -> None:
        assert not self.suspects(fleet, self.minion("h", "hole", 0, 1000))


class TestEvents:
    def words(self, events: list[Event]) -> list[tuple[str, str, bool]]:
        return [(event.what, event.severity, event.loud) for event in events]

    def test_who_is_seen_first_has_not_just_happened(self, fleet: Fleet) -> None:
        assert self.words(tell(fleet, announces("a"))) == [("a seen, running", "information", False)]
        assert tell(fleet, announces("a")) == []

    def test_lost_is_loud_and_says_what_was_lost(self, fleet: Fleet) -> None:
        tell(fleet, announces("a", in_flight={"count": 2, "oldest": 1.0}))
        assert self.words(fleet.advance(NOW + 40.0, NOW)) == [("a was running, is stale", "warning", False)]
        assert self.words(fleet.advance(NOW + 101.0, NOW)) == [("a is lost, with 2 params in flight", "error", True)]
        assert [event.what for event in fleet.events.of("a")][-1] == "a is lost, with 2 params in flight"

    def test_work_that_comes_and_goes_is_no_event(self, fleet: Fleet) -> None:
        tell(fleet, announces("a", state="starting"))
        for state in ("running", "idle", "running"):
            assert tell(fleet, announces("a", state=state)) == []
        assert self.words(tell(fleet, announces("a", state="paused"))) == [
            ("a was running, is paused", "information", False)
        ]

    def test_failures_are_told_once_until_they_end(self, fleet: Fleet) -> None:
        tell(fleet, announces("a", rates=rates(9.0, 1.0)))
        failing = announces("a", rates=rates(1.0, 1.0))
        assert self.words(tell(fleet, failing)) == [("50% of all runs fail (1/s)", "warning", True)]
        assert tell(fleet, failing) == []
        assert tell(fleet, announces("a", rates=rates(8.0, 1.0))) == []
        (calm,) = tell(fleet, announces("a", rates=rates(9.5, 0.5)))
        assert not calm.loud

    def test_one_failure_is_no_rate(self, fleet: Fleet) -> None:
        tell(fleet, announces("a"))
        assert tell(fleet, announces("a", rates=rates(0.0, 0.2))) == []

    def test_an_empty_backlog_is_loud_but_not_every_minute(self, fleet: Fleet) -> None:
        full, empty = (announces("a", backlog=backlog(ready), rates=rates(1.0)) for ready in (5, 0))
        loud = []
        for now in (NOW, NOW + 60.0, NOW + 400.0):
            tell(fleet, full, now=now)
            loud += [(event.what, event.loud) for event in tell(fleet, empty, now=now + 1.0)]
        assert loud == [("the backlog is empty", each) for each in (True, False, True)]

    def test_the_last_two_thousand_are_kept(self, fleet: Fleet) -> None:
        tell(fleet, *(announces(f"m{number}") for number in range(2_100)))
        kept = list(fleet.events)
        assert (len(kept), kept[-1].minion) == (2_000, "m2099")

    def test_who_is_forgotten_and_found_again_is_seen_again(self, fleet: Fleet) -> None:
        tell(fleet, announces("a"))
        tell(fleet)
        assert self.words(tell(fleet, announces("a"), now=NOW + 1.0)) == [("a seen, running", "information", False)]


class TestHistory:
    def test_one_value_for_each_step_and_the_last_is_the_present_one(self) -> None:
        history = History(3, 0.0, 5.0)
        assert history.values() == []
        for now, value in ((0.0, 1.0), (1.0, 2.0), (4.9, 3.0), (5.0, 4.0)):
            history.note(value, now)
        assert history.values() == [3.0, 4.0]

    def test_it_forgets_the_oldest(self) -> None:
        history = History(3, 0.0, 1.0)
        for now in range(10):
            history.note(float(now), float(now))
        assert history.values() == [7.0, 8.0, 9.0]

    def test_the_past_of_the_fleet(self, fleet: Fleet) -> None:
        tell(fleet, announces("a", rates=rates(2.0, 1.0)))
        tell(fleet, announces("a", rates=rates(3.0, 1.0)), now=NOW + 1.0)
        assert {name: past.values() for name, past in fleet.past.items()} == {
            "done": [2.0, 3.0],
            "failed": [1.0, 1.0],
            "redelivered": [0.5, 0.5],
        }
