from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mtop.columns import COLUMNS
from mtop.model.fleet import Fleet
from mtop.view import TREES, View
from tests.mtop.screens.house import NOW, fleet_of


def shown(view: View, fleet: Fleet) -> list[str]:
    return [line.minion.id if line.minion is not None else line.key for line in view.lines(fleet)]


def with_counts(**counts: int) -> dict[str, Any]:
    names = ("received", "succeeded", "failed", "timed_out", "could_not_start", "retried", "preempted", "redelivered",
             "crashed", "dead", "lease_lost")  # fmt: skip
    return {"counters": {**dict.fromkeys(names, 0), **counts}}


def test_by_default_ids_stand_as_people_count() -> None:
    fleet = fleet_of(*({"id": f"node{number}-1-a"} for number in (10, 9, 1, 2)))
    assert shown(View(), fleet) == ["node1-1-a", "node2-1-a", "node9-1-a", "node10-1-a"]


def test_rows_do_not_jump_when_their_numbers_change() -> None:
    fleet = fleet_of({"id": "a-1-x", "busy": 1}, {"id": "b-1-x", "busy": 2})
    view = View()
    before = shown(view, fleet)
    fleet.answered("a-1-x", {**fleet.minions["a-1-x"].said, "busy": 9}, NOW, 0.1)
    fleet.advance(NOW, 0.0)
    assert shown(view, fleet) == before


def test_what_is_equal_keeps_its_place() -> None:
    fleet = fleet_of(
        *(
            {"id": f"{name}-1-x", **with_counts(succeeded=number)}
            for name, number in zip("abcd", (1, 2, 2, 3), strict=True)
        )
    )
    view = View()
    view.sort_by("done")
    assert shown(view, fleet) == ["d-1-x", "b-1-x", "c-1-x", "a-1-x"]
    view.sort_by("failed")
    assert shown(view, fleet) == ["d-1-x", "b-1-x", "c-1-x", "a-1-x"], "nobody failed: nothing moves"


def test_sorting_by_the_same_column_turns_the_order_round() -> None:
    view = View()
    falls = []
    for column in ("done", "done", "host"):
        view.sort_by(column)
        falls.append(view.falls)
    assert falls == [True, False, False]


def test_who_is_no_more_comes_last_lost_before_stopped() -> None:
    fleet = fleet_of({"id": "a-1-x", "left": 1.0}, {"id": "b-1-x", "age": 500.0}, {"id": "c-1-x"})
    view = View()
    for _ in range(2):
        assert shown(view, fleet) == ["c-1-x", "b-1-x", "a-1-x"]
        view.sort_by("id")


def test_what_has_no_value_comes_behind_what_has_one() -> None:
    nothing: dict[str, Any] = {
        "latency": {"count": 0, "sum": 0.0, "p50": None, "p95": None, "p99": None, "buckets": []}
    }
    fleet = fleet_of({"id": "a-1-x", **nothing}, {"id": "b-1-x"})
    view = View()
    view.sort_by("p50")
    assert shown(view, fleet) == ["b-1-x", "a-1-x"]
    view.sort_by("p50")
    assert shown(view, fleet) == ["b-1-x", "a-1-x"]


def test_frozen_nothing_moves_and_newcomers_come_last() -> None:
    fleet = fleet_of({"id": "b-1-x", "busy": 1}, {"id": "c-1-x", "busy": 2})
    view = View()
    view.sort_by("busy")
    assert shown(view, fleet) == ["c-1-x", "b-1-x"]
    view.frozen = True
    fleet = fleet_of({"id": "a-1-x", "busy": 7}, {"id": "b-1-x", "busy": 9}, {"id": "c-1-x", "busy": 2})
    assert shown(view, fleet) == ["c-1-x", "b-1-x", "a-1-x"]
    view.frozen = False
    assert shown(view, fleet) == ["b-1-x", "a-1-x", "c-1-x"]


def test_a_filter_keeps_what_it_keeps() -> None:
    fleet = fleet_of({"id": "a-1-x"}, {"id": "b-1-x"})
    assert shown(View(keep=lambda minion: minion.id == "b-1-x"), fleet) == ["b-1-x"]


def test_groups_have_sums_and_can_be_shut() -> None:
    fleet = fleet_of(
        {"id": "a-1-x", "host": "n2", **with_counts(succeeded=1)},
        {"id": "b-1-x", "host": "n10", **with_counts(succeeded=2)},
        {"id": "c-1-x", "host": "n2", **with_counts(succeeded=3)},
    )
    view = View(tree="host")
    assert shown(view, fleet) == ["group:n2", "a-1-x", "c-1-x", "group:n10", "b-1-x"]
    line = view.lines(fleet)[0]
    values = line.values({column.key: column for column in COLUMNS})
    assert (values("done"), values("host"), values("state"), values("id")) == (4, "n2", "running", "(2)")
    assert len(line.minions) == 2
    assert [each.last for each in view.lines(fleet)] == [False, False, True, False, True]
    view.shut.add("n2")
    assert shown(view, fleet) == ["group:n2", "group:n10", "b-1-x"]


def test_groups_stand_by_their_sums() -> None:
    fleet = fleet_of(
        *(
            {"id": f"{name}-1-x", "host": name, **with_counts(succeeded=number)}
            for name, number in zip("abc", (1, 5, 3), strict=True)
        )
    )
    view = View(tree="host")
    view.sort_by("done")
    assert [line.key for line in view.lines(fleet) if line.group] == ["group:b", "group:c", "group:a"]


def test_minions_without_what_groups_go_by_are_a_group() -> None:
    fleet = fleet_of({"id": "a-1-x", "labels": {}}, {"id": "b-1-x", "labels": {"job": "7"}})
    assert set(shown(View(tree="job"), fleet)) == {"group:7", "b-1-x", "group:(no job)", "a-1-x"}


def test_the_rates_of_a_group_are_summed() -> None:
    fleet = fleet_of({"id": "a-1-x"}, {"id": "b-1-x"})
    group = View(tree="host").lines(fleet)[0].group
    assert group is not None
    assert [round(value, 3) for value in group.history()] == [0.8]


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 3), st.floats(0, 200)), max_size=12),
    st.sampled_from(COLUMNS), st.sampled_from(TREES), st.booleans(), st.booleans(),
)  # fmt: skip
def test_each_minion_is_shown_once_in_every_view(
    minions: list[tuple[str, int, float]], column: Any, tree: str, falls: bool, frozen: bool
) -> None:
    fleet = fleet_of(
        *({"id": f"m-{at}-x", "host": host, "busy": busy, "age": age} for at, (host, busy, age) in enumerate(minions))
    )
    view = View(sort=column.key, falls=falls, tree=tree, frozen=frozen)
    for _ in range(2):
        ids = [line.minion.id for line in view.lines(fleet) if line.minion is not None]
        assert sorted(ids) == sorted(minion.id for minion in fleet)
    if tree == "flat" and not frozen:
        ended = [fleet.minions[id].ended for id in ids]
        assert ended == sorted(ended)
