"""What a minion is shown as, by what was heard of it and by time alone."""

from __future__ import annotations

from typing import Any

import pytest

from minionize.registry import Seen
from minionize.stats.wire import StatsWire
from mtop.model.minion import APART, Minion
from tests.mtop.model.minions import EVERY, USER, announces, says, tombstone

NOW = 1_000.0


def heard_of(**changes: Any) -> Minion:
    """A minion whose heartbeat has just come."""
    announcement = announces(**changes)
    minion = Minion(announcement["id"], announcement, NOW)
    minion.announced(Seen(announcement, 0.0), NOW)
    return minion


def answers(minion: Minion, said: StatsWire, now: float, by: str | None = None) -> None:
    minion.answered(said, now, 0.01, by or minion.key, now)


@pytest.mark.parametrize(
    ("missing", "state"),
    [(0.0, "running"), (2.9, "running"), (3.1, "stale"), (9.9, "stale"), (10.1, "lost"), (1e6, "lost")],
)
def test_without_a_sign_of_life_it_becomes_stale_then_lost(missing: float, state: str) -> None:
    minion = heard_of()
    minion.advance(NOW + missing * EVERY)
    assert minion.state == state
    assert minion.ended == (state == "lost")


@pytest.mark.parametrize(("missing", "state"), [(3.0, "running"), (3.3, "stale"), (6.1, "stale"), (6.3, "lost")])
def test_however_short_its_heartbeats_it_is_looked_at_first(missing: float, state: str) -> None:
    minion = heard_of(every=0.2)
    minion.advance(NOW + missing)
    assert minion.state == state


def test_the_age_of_a_heartbeat_counts_from_when_it_was_written() -> None:
    minion = heard_of()
    minion.announced(Seen(announces(), 3.1 * EVERY), NOW)
    minion.advance(NOW)
    assert minion.state == "stale"
    assert minion.beat == minion.age == pytest.approx(3.1 * EVERY)


def test_clocks_of_hosts_do_not_matter() -> None:
    minion = heard_of(started=NOW + 1e8, heartbeat=-1e8)
    minion.advance(NOW + 1.0)
    assert minion.state == "running"
    assert minion.uptime == 1_001.0


def test_a_process_that_is_gone_is_lost_at_once() -> None:
    minion = heard_of()
    minion.announced(Seen(announces(), 1.0), NOW + 1.0, gone=True)
    minion.advance(NOW + 1.0)
    assert minion.state == "lost"
    assert not minion.pollable


def test_a_tombstone_says_that_it_has_stopped_with_its_final_numbers() -> None:
    minion = heard_of(rates={"window": 10.0, "succeeded": 5.0, "failed": 1.0, "redelivered": 1.0})
    answers(minion, says(busy=1), NOW + 5.0)
    minion.announced(Seen(tombstone(uptime=1_010.0), 2.0), NOW + 12.0, gone=True)
    minion.advance(NOW + 500.0)
    assert (minion.state, minion.via, minion.uptime) == ("stopped", "final", 1_010.0)
    assert (minion.rate, minion.failed_rate, minion.redelivered_rate, minion.oldest) == (0.0, 0.0, 0.0, None)


def test_an_answer_that_was_on_its_way_does_not_undo_a_tombstone() -> None:
    minion = heard_of()
    minion.announced(Seen(tombstone(), 0.0), NOW + 1.0)
    answers(minion, says(state="running"), NOW + 1.5)
    minion.advance(NOW + 2.0)
    assert (minion.state, minion.via) == ("stopped", "final")


def test_an_answer_is_a_sign_of_life_where_heartbeats_are_missing() -> None:
    minion = heard_of()
    answers(minion, says(), NOW + 200.0)
    minion.advance(NOW + 201.0)
    assert (minion.state, minion.age, minion.beat) == ("running", 1.0, 201.0)


def test_numbers_move_to_heartbeats_and_back_without_flicker() -> None:
    minion = heard_of(busy=1)
    assert (minion.via, minion.said["busy"]) == ("heartbeat", 1)
    answers(minion, says(busy=2), NOW + 1.0)
    # A heartbeat is older than an answer, and tells less, even the next one.
    minion.announced(Seen(announces(busy=1), 3.0), NOW + 3.0)
    minion.announced(Seen(announces(busy=3), 1.0), NOW + 11.0)
    assert (minion.via, minion.said["busy"]) == ("http", 2)
    # It fails, but what it said last is still the newest.
    answers(minion, says(busy=4), NOW + 12.0)
    minion.unanswered("no answer", NOW + 13.0)
    minion.announced(Seen(announces(busy=3), 3.0), NOW + 13.0)
    assert (minion.via, minion.said["busy"], minion.reachable) == ("http", 4, False)
    # The next heartbeat is newer.
    minion.announced(Seen(announces(busy=5), 0.5), NOW + 21.5)
    assert (minion.via, minion.said["busy"], minion.trouble) == ("heartbeat", 5, "no answer")
    answers(minion, says(busy=6), NOW + 22.0)
    assert (minion.via, minion.said["busy"], minion.trouble) == ("http", 6, None)


def test_numbers_grow_old_only_until_an_end() -> None:
    minion = heard_of(in_flight={"count": 1, "oldest": 5.0})
    minion.advance(NOW + 7.0)
    assert (minion.uptime, minion.oldest) == (1_007.0, 12.0)
    minion.advance(NOW + 1e6)
    assert (minion.state, minion.uptime, minion.oldest) == ("lost", 1_000.0, 5.0)


def test_a_new_url_is_not_known_to_answer() -> None:
    minion = heard_of()
    answers(minion, says(), NOW)
    minion.unanswered("refused", NOW)
    minion.announced(Seen(announces(url="http://elsewhere:1", token="new"), 0.0), NOW + 1.0)
    assert (minion.url, minion.token, minion.trouble, minion.by) == ("http://elsewhere:1", "new", None, None)
    assert not minion.reachable


def test_a_server_that_has_gone_leaves_the_heartbeats() -> None:
    minion = heard_of()
    answers(minion, says(busy=1), NOW + 1.0)
    minion.announced(Seen(announces(url=None, token=None, busy=2), 0.0), NOW + 10.0)
    assert (minion.via, minion.said["busy"], minion.pollable) == ("heartbeat", 2, False)


def test_the_server_of_another_host_that_listens_there_only_is_not_asked() -> None:
    minion = heard_of()
    minion.announced(Seen(announces(), 0.0), NOW, apart=True)
    assert (minion.pollable, minion.trouble, minion.why_not(USER)) == (False, APART, APART)


def test_stragglers_are_told_from_twenty_runs_on() -> None:
    latency = {"count": 19, "sum": 1.0, "p50": 1.0, "p95": 2.0, "p99": 2.0, "buckets": []}
    flying = {"count": 1, "oldest": 6.1}
    minion = heard_of(latency=latency, in_flight=flying)
    minion.advance(NOW)
    assert not minion.straggles
    minion = heard_of(latency={**latency, "count": 20}, in_flight=flying)
    minion.advance(NOW)
    assert minion.straggles
    minion.advance(NOW + 1e6)
    assert not minion.straggles, "what is lost does not run"


def test_a_short_run_that_was_heard_of_long_ago_is_no_straggler() -> None:
    latency = {"count": 20, "sum": 1.0, "p50": 1.0, "p95": 2.0, "p99": 2.0, "buckets": []}
    minion = heard_of(latency=latency, in_flight={"count": 1, "oldest": 5.9})
    minion.advance(NOW + EVERY)
    assert (minion.oldest, minion.straggles) == (5.9, False), "it should have ended since then"
    minion = heard_of(latency=latency, in_flight={"count": 1, "oldest": 1.0})
    minion.advance(NOW + 0.5)
    assert minion.oldest == 1.5
    minion.advance(NOW + 1.5)
    assert minion.oldest == 2.0, "no older than most"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, None),
        ({"user": ""}, None),
        ({"user": "eve"}, "it belongs to eve"),
        ({"url": None, "token": None}, "it has no stats server (--no-server)"),
        ({"token": None}, "its token is not known"),
    ],
)
def test_who_can_be_controlled(changes: dict[str, Any], words: str | None) -> None:
    minion = heard_of(**changes)
    minion.advance(NOW)
    assert minion.why_not(USER) == words
    minion.advance(NOW + 1e6)
    assert minion.why_not(USER) == "it is lost"


def test_no_token_in_its_repr() -> None:
    assert "token-of" not in repr(heard_of())


def test_it_can_be_made_again_from_its_signs() -> None:
    minion = heard_of(busy=1)
    answers(minion, says(busy=2), NOW + 1.0)
    minion.unanswered("refused", NOW + 2.0)
    twin = Minion(minion.key, says(), NOW)
    twin.recall(minion.said, minion.signs())
    for each in (minion, twin):
        each.advance(NOW + 40.0)
    shown = ("state", "via", "age", "beat", "uptime", "trouble", "took", "ended", "rate", "oldest")
    assert [getattr(minion, name) for name in shown] == [getattr(twin, name) for name in shown]
    assert twin.state == "stale"
