"""Who is in the fleet, and what becomes of what is heard of them."""

from __future__ import annotations

import pytest

from minionize.registry import Announcement
from minionize.stats.wire import StatsWire
from mtop.model.fleet import Fleet
from mtop.model.minion import APART
from tests.mtop.model.minions import HERE, USER, announces, says, seen, tombstone

NOW = 1_000.0
URL = "http://127.0.0.1:8000"
OTHER = "http://10.0.0.9:8000"


@pytest.fixture
def fleet() -> Fleet:
    return Fleet(USER, NOW, HERE)


def announce(fleet: Fleet, *found: Announcement, place: str = "registry", now: float = NOW, age: float = 0.0) -> None:
    fleet.announced(place, seen(*found, age=age), now)


def answer(fleet: Fleet, key: str, said: StatsWire | None, now: float = NOW) -> None:
    fleet.answered(key, said, now, 0.01)


def states(fleet: Fleet, now: float = NOW) -> dict[str, str]:
    fleet.advance(now, now)
    return {minion.key: minion.state for minion in fleet}


class TestAnnounced:
    def test_what_a_registry_holds_is_shown_and_polled(self, fleet: Fleet) -> None:
        announce(fleet, announces("a"), announces("b", url=None, token=None), tombstone("c"))
        assert states(fleet) == {"a": "running", "b": "running", "c": "stopped"}
        assert fleet.targets() == {"a": "http://a:1"}

    def test_what_was_announced_before_our_clock_began_is_shown(self) -> None:
        young = Fleet(USER, 5.0, HERE)
        announce(young, announces("a"), now=5.0, age=60.0)
        assert list(states(young, 5.0)) == ["a"]

    def test_what_it_holds_no_more_is_forgotten(self, fleet: Fleet) -> None:
        announce(fleet, announces("a"), announces("b"))
        announce(fleet, announces("b"))
        assert list(states(fleet)) == ["b"]

    def test_what_another_one_holds_stays(self, fleet: Fleet) -> None:
        announce(fleet, announces("a"), place="one")
        announce(fleet, announces("a"), place="two")
        announce(fleet, place="one")
        assert list(states(fleet)) == ["a"]
        announce(fleet, place="two")
        assert not len(fleet)

    def test_whose_process_is_gone_is_lost(self, fleet: Fleet) -> None:
        fleet.announced("registry", seen(announces("a"), announces("b")), NOW, gone={"a"})
        assert states(fleet) == {"a": "lost", "b": "running"}
        assert list(fleet.targets()) == ["b"]

    def test_a_second_registry_takes_no_minion_from_the_first(self, fleet: Fleet) -> None:
        announce(fleet, announces("a"), place="mine")
        announce(fleet, announces("a", url="http://evil:1", token="t", state="paused"), place="shared")
        assert (fleet.minions["a"].url, fleet.minions["a"].token) == ("http://a:1", "token-of-a")
        assert states(fleet) == {"a": "running"}
        announce(fleet, place="mine")
        announce(fleet, announces("a", url="http://moved:1"), place="shared")
        assert fleet.minions["a"].url == "http://moved:1"

    def test_a_minion_of_another_user_is_shown_without_its_token(self, fleet: Fleet) -> None:
        announce(fleet, announces("a", user="eve"))
        (minion,) = fleet
        assert (minion.token, fleet.why_not(minion)) == (None, "it belongs to eve")
        answer(fleet, "a", says("a", user=USER))
        assert (minion.token, fleet.why_not(minion)) == (None, "its token is not known")

    def test_loopback_of_another_host_is_not_asked(self, fleet: Fleet) -> None:
        for url in ("http://127.0.0.1:9", "http://[::1]:9", "HTTP://LocalHost", "https://a:b@127.1/x"):
            announce(fleet, announces("a", url=url))
            assert fleet.targets() == {}
            assert fleet.why_not(fleet.minions["a"]) == APART
        announce(fleet, announces("a", url="http://127.0.0.1:9", process=(HERE, "b", "n", 1, 1)))
        assert fleet.targets() == {"a": "http://127.0.0.1:9"}
        for url in (
            "http://afar:9",
            "http://127.example.org",
            "http://localhost.example.org",
            "http://[",
            "http://x/@127.1",
        ):
            announce(fleet, announces("a", url=url))
            assert fleet.targets() == {"a": url}

    def test_it_moves_and_its_token_with_it(self, fleet: Fleet) -> None:
        announce(fleet, announces("a"))
        announce(fleet, announces("a", url="http://new:2", token=None))
        assert (fleet.minions["a"].url, fleet.minions["a"].token) == ("http://new:2", None)


class TestForgotten:
    def test_it_stays_away_until_a_new_sign_of_life(self, fleet: Fleet) -> None:
        announce(fleet, announces("a"))
        fleet.forget(["a"], NOW + 5.0)
        announce(fleet, announces("a"), now=NOW + 10.0, age=8.0)
        assert not len(fleet)
        announce(fleet, announces("a"), now=NOW + 12.0, age=1.0)
        assert list(states(fleet)) == ["a"]

    def test_a_late_answer_does_not_bring_it_back(self, fleet: Fleet) -> None:
        announce(fleet, announces("a"))
        fleet.forget(["a"], NOW)
        answer(fleet, "a", says("a"))
        fleet.unanswered("a", "refused", NOW)
        assert not len(fleet)

    def test_an_url_is_still_polled(self, fleet: Fleet) -> None:
        fleet.looked_up([URL], NOW)
        fleet.forget([URL], NOW)
        assert states(fleet) == {}
        assert fleet.targets() == {URL: URL}
        answer(fleet, URL, says("a"), NOW + 60.0)
        assert states(fleet, NOW + 60.0) == {URL: "running"}

    def test_an_url_comes_back_with_what_it_said_before(self, fleet: Fleet) -> None:
        fleet.looked_up([URL], NOW)
        answer(fleet, URL, says("a", busy=1))
        fleet.forget([URL], NOW + 50.0)
        answer(fleet, URL, None, NOW + 60.0)
        assert states(fleet, NOW + 60.0) == {URL: "running"}
        assert fleet.minions[URL].said["busy"] == 1


class TestPolled:
    def test_no_change_is_an_answer_too(self, fleet: Fleet) -> None:
        announce(fleet, announces("a"))
        answer(fleet, "a", says("a", busy=1))
        answer(fleet, "a", None, NOW + 50.0)
        minion = fleet.minions["a"]
        assert states(fleet, NOW + 51.0) == {"a": "running"}
        assert (minion.age, minion.uptime) == (1.0, 1_051.0)

    def test_no_change_since_the_last_answer_undoes_a_heartbeat(self, fleet: Fleet) -> None:
        announce(fleet, announces("a"))
        answer(fleet, "a", says("a", busy=1))
        fleet.unanswered("a", "no answer", NOW + 1.0)
        announce(fleet, announces("a", busy=2), now=NOW + 10.0)
        minion = fleet.minions["a"]
        assert (minion.via, minion.said["busy"]) == ("heartbeat", 2)
        answer(fleet, "a", None, NOW + 11.0)
        fleet.advance(NOW + 11.0, NOW)
        assert (minion.via, minion.said["busy"], minion.uptime) == ("http", 1, 1_011.0)

    def test_another_minion_at_its_place_is_none_of_it(self, fleet: Fleet) -> None:
        announce(fleet, announces("a"))
        answer(fleet, "a", says("b", state="paused"))
        (minion,) = fleet
        assert (minion.state, minion.via, minion.trouble) == ("unknown", "heartbeat", "another minion answers there: b")
        answer(fleet, "a", None)
        assert (minion.via, minion.trouble, minion.reachable) == ("heartbeat", "another minion answers there: b", False)

    def test_who_has_taken_its_place_is_told_nothing(self, fleet: Fleet) -> None:
        announce(fleet, announces("a"))
        answer(fleet, "a", says("b"))
        fleet.unanswered("a", "refused", NOW)
        minion = fleet.minions["a"]
        assert fleet.why_not(minion) == "another minion answers at its place"
        answer(fleet, "a", says("a"))
        assert fleet.why_not(minion) is None
        answer(fleet, "a", says("b"))
        announce(fleet, announces("a", url="http://new:1"))
        assert fleet.why_not(minion) is None

    def test_unreachable_with_a_fresh_heartbeat(self, fleet: Fleet) -> None:
        announce(fleet, announces("a", slots=3))
        fleet.unanswered("a", "refused", NOW)
        assert states(fleet) == {"a": "running"}
        assert (fleet.minions["a"].via, fleet.totals.unreachable, fleet.totals.slots) == ("heartbeat", 1, 3)


class TestLookedUp:
    def test_it_is_unknown_until_it_answers_and_lost_if_it_never_does(self, fleet: Fleet) -> None:
        fleet.looked_up([URL, OTHER], NOW)
        assert states(fleet) == {URL: "unknown", OTHER: "unknown"}
        answer(fleet, URL, says("a"))
        fleet.unanswered(OTHER, "refused", NOW)
        assert states(fleet) == {URL: "running", OTHER: "lost"}
        assert (fleet.minions[URL].id, fleet.minions[OTHER].id) == ("a", "10.0.0.9:8000")

    def test_what_is_no_more_in_the_list_is_forgotten(self, fleet: Fleet) -> None:
        fleet.looked_up([URL, OTHER], NOW)
        answer(fleet, URL, says("a"))
        fleet.looked_up([URL], NOW)
        assert (states(fleet), fleet.minions[URL].id) == ({URL: "running"}, "a")

    def test_its_token_is_the_one_that_was_given(self, fleet: Fleet) -> None:
        fleet.looked_up([URL], NOW, "hush")
        assert (fleet.minions[URL].token, fleet.minions[URL].url) == ("hush", URL)
        answer(fleet, URL, says("a", user="eve"))
        fleet.advance(NOW, NOW)
        assert fleet.why_not(fleet.minions[URL]) is None, "who gives the token may use it"
        fleet.looked_up([OTHER], NOW)
        answer(fleet, OTHER, says("b", user="eve"))
        fleet.advance(NOW, NOW)
        assert fleet.why_not(fleet.minions[OTHER]) == "it belongs to eve"

    def test_answers_count_as_heartbeats_however_rarely_they_are_asked_for(self, fleet: Fleet) -> None:
        fleet.looked_up([URL], NOW, None, 60.0)
        answer(fleet, URL, says("a"))
        assert states(fleet, NOW + 100.0) == {URL: "running"}
        fleet.looked_up([URL], NOW, None, 1.0)
        assert states(fleet, NOW + 28.0) == {URL: "stale"}
        assert states(fleet, NOW + 31.0) == {URL: "lost"}

    def test_a_new_minion_there_has_a_past_of_its_own(self, fleet: Fleet) -> None:
        fleet.looked_up([URL], NOW)
        answer(fleet, URL, says("a", rates={"window": 10.0, "succeeded": 9.0, "failed": 0.0, "redelivered": 0.0}))
        states(fleet)
        answer(fleet, URL, says("b"), NOW + 6.0)
        states(fleet, NOW + 6.0)
        assert (fleet.minions[URL].id, fleet.minions[URL].history.values()) == ("b", [0.0])
        assert [event.what for event in fleet.events] == ["a seen, running", "b seen, running"]


class TestTwins:
    """A minion that is known in several ways is shown once, and nobody gets its token who only has its name."""

    def both(self, fleet: Fleet, announced_first: bool = True) -> None:
        if announced_first:
            announce(fleet, announces("a"))
        fleet.looked_up([OTHER], NOW, "url-token")
        answer(fleet, OTHER, says("a", busy=7))
        if not announced_first:
            announce(fleet, announces("a"))

    @pytest.mark.parametrize("announced_first", [True, False])
    def test_it_is_shown_once_and_its_token_stays_where_it_is_announced(
        self, fleet: Fleet, announced_first: bool
    ) -> None:
        self.both(fleet, announced_first)
        assert states(fleet) == {"a": "running"}
        assert (fleet.minions["a"].url, fleet.minions["a"].token) == ("http://a:1", "token-of-a")
        assert fleet.targets() == {"a": "http://a:1", OTHER: OTHER}

    def test_what_is_said_elsewhere_counts_only_where_it_does_not_answer_itself(self, fleet: Fleet) -> None:
        self.both(fleet)
        minion = fleet.minions["a"]
        assert (minion.said["busy"], minion.via) == (7, "http"), "nobody has answered at its own place yet"
        answer(fleet, "a", says("a", busy=1))
        answer(fleet, OTHER, says("a", busy=7))
        fleet.unanswered(OTHER, "refused", NOW)
        assert (minion.said["busy"], minion.trouble) == (1, None)
        fleet.unanswered("a", "no answer", NOW)
        answer(fleet, OTHER, says("a", busy=8))
        fleet.unanswered("a", "no answer", NOW)
        assert (minion.said["busy"], minion.trouble, minion.via) == (8, None, "http")
        fleet.unanswered(OTHER, "refused", NOW)
        assert minion.trouble == "refused"

    def test_the_same_place_is_polled_once(self, fleet: Fleet) -> None:
        announce(fleet, announces("a", url=OTHER))
        fleet.looked_up([OTHER], NOW)
        answer(fleet, OTHER, says("a"))
        assert (states(fleet), fleet.targets()) == ({"a": "running"}, {"a": OTHER})

    def test_who_follows_there_is_shown(self, fleet: Fleet) -> None:
        announce(fleet, announces("a", url=OTHER))
        fleet.looked_up([OTHER], NOW)
        answer(fleet, OTHER, says("a"))
        answer(fleet, "a", says("b"))
        assert fleet.targets() == {"a": OTHER, OTHER: OTHER}
        answer(fleet, OTHER, says("b", state="idle"))
        answer(fleet, "a", says("b"))
        assert (fleet.minions[OTHER].id, fleet.minions[OTHER].said["state"]) == ("b", "idle")

    def test_an_url_is_shown_again_when_it_leads_to_another(self, fleet: Fleet) -> None:
        self.both(fleet)
        answer(fleet, OTHER, says("b", state="idle"))
        assert states(fleet) == {"a": "running", OTHER: "idle"}
        assert fleet.minions[OTHER].token == "url-token"

    def test_an_url_is_shown_again_when_the_other_is_forgotten(self, fleet: Fleet) -> None:
        self.both(fleet)
        announce(fleet)
        assert list(states(fleet)) == [OTHER]
        answer(fleet, OTHER, None)
        assert states(fleet) == {OTHER: "running"}

    def test_two_urls_of_one_minion(self, fleet: Fleet) -> None:
        fleet.looked_up([URL, OTHER], NOW)
        answer(fleet, URL, says("a"))
        answer(fleet, OTHER, says("a"))
        assert states(fleet) == {URL: "running"}
        fleet.looked_up([OTHER], NOW)
        answer(fleet, OTHER, says("a"))
        assert states(fleet) == {OTHER: "running"}

    def test_an_id_that_is_an_url_of_another_confuses_nobody(self, fleet: Fleet) -> None:
        fleet.looked_up([URL, OTHER], NOW)
        answer(fleet, OTHER, says(URL))
        answer(fleet, URL, says("a"))
        assert {minion.key: minion.id for minion in fleet} == {URL: "a", OTHER: URL}
