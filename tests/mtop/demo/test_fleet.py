from __future__ import annotations

import time
from collections import Counter

import pytest

from minionize.stats.decoding import bounded_decoder
from minionize.stats.wire import StatsWire
from mtop.demo.feed import DemoFeed
from mtop.model.fleet import Fleet
from tests.mtop.demo.watching import Watch

ENDED = ("succeeded", "failed", "timed_out", "could_not_start", "preempted", "lease_lost")


def picture(watch: Watch) -> dict[str, object]:
    """All that is known of a fleet."""
    return {minion.key: (minion.said, minion.state, minion.age, minion.history.values()) for minion in watch.fleet}


def test_it_is_always_the_same() -> None:
    one, other = Watch(60), Watch(60)
    for watch in (one, other):
        watch.watch(30)
    assert picture(one) == picture(other)
    assert one.happened == other.happened
    assert one.feed.wall() == other.feed.wall()
    assert picture(Watch(60, seed=1)).keys() != picture(one).keys()


def test_it_does_not_matter_how_often_somebody_looked() -> None:
    often, once = Watch(60), Watch(60)
    often.watch(100)
    once.look(100.0)
    often_said = {minion.key: minion.said for minion in often.fleet if minion.reachable}
    assert often_said == {minion.key: minion.said for minion in once.fleet if minion.reachable}


@pytest.mark.parametrize("count", [1, 2, 3, 5, 12, 40, 1_000])
def test_there_are_as_many_as_wanted(count: int) -> None:
    watch = Watch(count)
    watch.watch(40)
    assert len(watch.fleet) == count
    alive = watch.fleet.totals.states
    assert alive["running"] >= count * 0.6
    assert watch.fleet.totals.done > 0


def test_counters_add_up_and_only_grow() -> None:
    watch = Watch(120)
    before: dict[str, dict[str, int]] = {}
    for _ in range(150):
        watch.look(1.0)
        for minion in watch.fleet:
            said = minion.said
            counters: dict[str, int] = dict(said["counters"])  # type: ignore[arg-type]
            assert counters["received"] == sum(counters[name] for name in ENDED) + said["in_flight"]["count"]
            assert said["busy"] == said["in_flight"]["count"] <= said["slots"]
            assert counters["retried"] + counters["dead"] <= counters["failed"] + counters["timed_out"]
            assert all(counters[name] >= number for name, number in before.get(minion.key, {}).items()), minion
            before[minion.key] = counters
            assert [number for _, number in said["latency"]["buckets"]] == sorted(
                number for _, number in said["latency"]["buckets"]
            )
            if said["latency"]["buckets"]:
                assert said["latency"]["buckets"][-1] == (None, said["latency"]["count"])


def test_rates_are_those_of_the_counters() -> None:
    watch = Watch(60, interval=1.0)
    watch.watch(12)
    then = {minion.key: minion.said for minion in watch.fleet}
    watch.look(10.0)
    for minion in watch.fleet:
        if minion.reachable and minion.said["state"] == "running" and minion.uptime > 60:
            grown = minion.said["counters"]["succeeded"] - then[minion.key]["counters"]["succeeded"]
            assert minion.said["rates"]["succeeded"] == pytest.approx(grown / 10.0)


def test_all_sorts_of_things_are_seen() -> None:
    totals = Watch(40).fleet.totals
    seen = {"running", "idle", "starting", "paused", "draining", "stopped", "stale", "lost"}
    assert seen <= {state for state, number in totals.states.items() if number}
    assert totals.states["running"] >= 28
    # Who is stale cannot be reached either.
    assert (totals.suspects, totals.stragglers, totals.unreachable) == (1, 1, 2)
    assert totals.counters["redelivered"] > 0
    assert totals.lost_params > 0
    assert totals.ready
    assert totals.eta
    assert {queue.engine for queue in totals.queues} == {"execo", "redis", "rabbitmq", "file"}


def test_most_are_mine_and_a_few_are_not() -> None:
    watch = Watch(40)
    users = Counter(minion.said["user"] for minion in watch.fleet)
    assert users[watch.feed.user] > 20
    assert len(users) == 2
    for minion in watch.fleet:
        if minion.said["user"] != watch.feed.user:
            assert minion.token is None
            assert not watch.fleet.mine(minion)


def test_what_is_lost_and_what_leaves_while_somebody_looks() -> None:
    watch = Watch(40)
    watch.happened.clear()
    watch.watch(120)
    assert sum("is lost, with" in what for what in watch.happened) == 1
    assert sum(what.endswith("is stopped") for what in watch.happened) == 2
    assert sum(what.endswith("was stale, is running") for what in watch.happened) >= 2
    assert any(what.endswith("seen, starting") for what in watch.happened)


def test_backlogs_go_down_by_what_is_taken() -> None:
    watch = Watch(40)
    ready = watch.fleet.totals.ready
    received = watch.fleet.totals.counters["received"]
    watch.watch(100)
    assert ready is not None
    assert watch.fleet.totals.ready is not None
    taken = watch.fleet.totals.counters["received"] - received
    assert ready - watch.fleet.totals.ready == pytest.approx(taken, rel=0.05)


def test_not_all_change_at_the_same_time() -> None:
    watch = Watch(100)
    watch.watch(2)
    changed = []
    for _ in range(10):
        before = {minion.key: id(minion.said) for minion in watch.fleet}
        watch.look(0.1)
        changed.append(sum(before[minion.key] != id(minion.said) for minion in watch.fleet))
    assert 60 <= sum(changed) <= 130
    assert max(changed) < 40


def test_a_new_fleet_has_been_looked_at_for_a_while() -> None:
    watch = Watch(40)
    assert len(watch.one().history.values()) == 12
    done = watch.fleet.past["done"].values()
    assert len(done) > 100
    assert min(done) > 0.3 * max(done)


def test_what_is_said_is_what_minions_may_say() -> None:
    import msgspec

    read = bounded_decoder(StatsWire)
    for minion in Watch(60).fleet:
        assert read(msgspec.json.encode(minion.said))["id"] == minion.id


def test_who_is_purged_does_not_come_back() -> None:
    watch = Watch(40)
    gone = [minion for minion in watch.fleet if minion.ended]
    watch.feed.purge(gone)
    watch.fleet.forget([minion.key for minion in gone], watch.now)
    watch.watch(10)
    assert not {minion.key for minion in gone} & watch.fleet.minions.keys()


def test_it_costs_what_it_says() -> None:
    watch = Watch(100)
    watch.feed.set_interval(2.0)
    assert watch.feed.cost().polls == 50.0
    failing = sum(not minion.reachable and minion.state != "stopped" for minion in watch.fleet)
    assert watch.feed.cost().failing == failing


@pytest.mark.slow
def test_ten_thousand_cost_little() -> None:
    now = [0.0]
    feed = DemoFeed(10_000, clock=lambda: now[0])
    fleet = Fleet(feed.user, 0.0)
    feed.tell(fleet)
    began = time.process_time()
    for _ in range(10):
        now[0] += 1.0
        feed.tell(fleet)
    # 0.15 on the machine where it was made; that of whoever runs the tests may be slow and busy.
    assert (time.process_time() - began) / 10 < 0.6
