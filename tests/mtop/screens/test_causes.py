from __future__ import annotations

from itertools import permutations

import pytest

from mtop.causes import Group, merge, own_time
from mtop.model.minion import Minion
from tests.mtop.screens.house import failure, failures, fleet_of

NOW = 1_700_001_234.75  # by the clock of a minion that was heard one second ago


def two() -> list[Minion]:
    """Two minions on two hosts, whose clocks are five hours apart."""
    late = {"id": "b", "host": "nancy-2", "started": 1_700_018_000.25}
    return list(fleet_of({"id": "a", "host": "nancy-1"}, late))


def test_ages_are_told_by_each_minions_own_clock() -> None:
    early, late = two()
    (group,) = merge([
        (early, failures(failure(at=own_time(early) - 60))),
        (late, failures(failure(at=own_time(late) - 30))),
    ])  # fmt: skip
    assert (group.first, group.last) == pytest.approx((60, 30))


def test_what_has_the_same_cause_is_one_group() -> None:
    early, late = two()
    told = [
        (early, failures(failure("1", "timed out"), failure("2", "timed out"), failure("3", "exit code 1"))),
        (late, failures(failure("4", "exit code 1"), failure("5", "exit code 1"))),
    ]
    groups = merge(told)
    assert [(each.cause, each.count, each.hosts) for each in groups] == [
        ("exit code 1", 3, {"nancy-1", "nancy-2"}),
        ("timed out", 2, {"nancy-1"}),
    ]
    assert groups[0].minions == {"a", "b"}


def test_it_does_not_matter_who_tells_first() -> None:
    early, late = two()
    told = [(early, failures(failure("1", "x"), failure("2", "y"))), (late, failures(failure("3", "y")))]

    def facts(groups: list[Group]) -> list[tuple[object, ...]]:
        return [(each.cause, each.count, each.first, each.last, sorted(each.minions)) for each in groups]

    assert len({str(facts(merge(order))) for order in permutations(told)}) == 1


def test_samples_come_the_last_one_first_and_ids_without_evidence_at_the_end() -> None:
    minion = two()[0]
    old, new = failure("old", at=NOW - 90), failure("new", at=NOW - 5)
    cause = {"cause": old["cause"], "count": 7, "first": NOW - 99, "last": NOW - 5, "samples": ["older", "old", "new"]}
    (group,) = merge([(minion, failures(old, new, causes=[cause]))])  # type: ignore[list-item]
    assert [sample.id for sample in group.samples] == ["new", "old", "older"]
    assert group.samples[-1].failure is None
    assert group.count == 7


def test_no_more_samples_are_kept_than_can_be_looked_at() -> None:
    minion = two()[0]
    (group,) = merge([(minion, failures(*(failure(str(number)) for number in range(500))))])
    assert len(group.samples) == 100
    assert group.count == 500


def test_a_minion_that_counts_downwards_takes_nothing_from_the_others() -> None:
    early, late = two()
    wrong = {"cause": "timed out", "count": -1_000, "first": 1e15, "last": 1e15, "samples": []}
    groups = merge([(early, failures(failure("1", "timed out"))), (late, failures(causes=[wrong]))])  # type: ignore[list-item]
    assert groups[0].count == 1
    assert groups[0].last == 0.0


def test_the_clock_of_a_minion_that_is_lost_goes_on() -> None:
    minion = next(iter(fleet_of({"age": 500.0})))
    assert minion.ended
    assert own_time(minion) == pytest.approx(1_700_000_000.25 + 1234.5 + 500)
