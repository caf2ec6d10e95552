"""What holds whatever minions say, in whatever order it is heard."""

from __future__ import annotations

from typing import get_args

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from minionize.registry import Announcement, Seen
from minionize.stats.wire import StatsWire
from mtop.columns import COLUMNS, cell
from mtop.format import Glyphs
from mtop.model.fleet import Fleet
from mtop.model.minion import Shown
from mtop.view import TREES, View
from tests.mtop.model.minions import HERE, USER, any_announcements, any_stats, ids

URLS = ("http://u:1", "http://v:2/deep", "https://[::1]:3")
keys = ids | st.sampled_from(URLS)
seconds = st.floats(0.0, 200.0)
places = st.sampled_from(["one", "two"])


class Hearing(RuleBasedStateMachine):
    """A fleet that is told anything."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1_000.0
        self.fleet = Fleet(USER, self.now, HERE)

    @rule(place=places, found=st.lists(any_announcements(), max_size=3), age=seconds, gone=st.sets(ids))
    def announced(self, place: str, found: list[Announcement], age: float, gone: set[str]) -> None:
        self.fleet.announced(place, [Seen(each, age) for each in found], self.now, gone)

    @rule(urls=st.sets(st.sampled_from(URLS)), every=seconds)
    def looked_up(self, urls: set[str], every: float) -> None:
        self.fleet.looked_up(urls, self.now, "url-token", every)

    @rule(key=keys, said=st.none() | any_stats(), took=seconds)
    def answered(self, key: str, said: StatsWire | None, took: float) -> None:
        self.fleet.answered(key, said, self.now, took)

    @rule(key=keys, trouble=st.text(max_size=3))
    def unanswered(self, key: str, trouble: str) -> None:
        self.fleet.unanswered(key, trouble, self.now)

    @rule(which=st.sets(keys))
    def forget(self, which: set[str]) -> None:
        self.fleet.forget(which, self.now)

    @rule(by=seconds)
    def advance(self, by: float) -> None:
        self.now += by
        self.fleet.advance(self.now, self.now)

    @invariant()
    def keys_are_right(self) -> None:
        assert all(key == minion.key for key, minion in self.fleet.minions.items())

    @invariant()
    def a_token_stays_with_the_place_that_it_came_with(self) -> None:
        for minion in self.fleet:
            if minion.key in URLS:
                assert (minion.url, minion.token) == (minion.key, "url-token")
            else:
                assert minion.token in (None, "hush")
                assert minion.url not in URLS
            assert "hush" not in repr(minion) + repr(minion.trouble)

    @invariant()
    def targets_have_a_place(self) -> None:
        assert self.fleet.targets() == self.fleet._find_targets()
        for key, url in self.fleet.targets().items():
            assert url
            assert key == url or self.fleet.minions[key].pollable

    @invariant()
    def sums_add_up(self) -> None:
        self.fleet.advance(self.now, self.now)
        sums, minions = self.fleet.totals, list(self.fleet)
        assert {minion.state for minion in minions} <= set(get_args(Shown))
        assert sums.minions == len(minions) == sum(sums.states.values())
        assert sums.slots == sum(minion.said["slots"] for minion in minions if not minion.ended)
        assert sums.counters["dead"] == sum(minion.said["counters"]["dead"] for minion in minions)
        assert 0 <= sums.live <= sums.minions
        assert sums.ready is None or sums.ready == sum(queue.ready or 0 for queue in sums.queues)
        assert sums.eta is None or not sums.stalled
        assert sum(queue.minions for queue in sums.queues) <= sum(not minion.ended for minion in minions)
        assert all(minion.age is None or minion.age >= 0.0 for minion in minions)

    @invariant()
    def all_of_it_can_be_shown(self) -> None:
        for tree in TREES:
            for line in View(tree=tree, sort="rate").lines(self.fleet):
                value = line.values({column.key: column for column in COLUMNS})
                drawn = [cell(column, value, line.history, Glyphs()) for column in COLUMNS]
                assert all(text.isprintable() for text in drawn), drawn


TestHearing = Hearing.TestCase
TestHearing.settings = settings(max_examples=15, stateful_step_count=20)


@given(any_stats(), seconds, seconds)
def test_it_grows_older_and_never_better(said: StatsWire, first: float, more: float) -> None:
    fleet = Fleet(USER, 0.0, HERE)
    fleet.looked_up(URLS[:1], 0.0)
    fleet.answered(URLS[0], said, 0.0, 0.1)
    (minion,) = fleet
    ages = []
    for now in (first, first + more):
        fleet.advance(now, now)
        ages.append(("stale", "lost").index(minion.state) if minion.state in ("stale", "lost") else -1)
    assert ages == sorted(ages)
