from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtop.feed import Cost
from mtop.format import Glyphs, width
from mtop.meters import METERS, MODES, Meter, draw
from mtop.model.fleet import Fleet
from tests.mtop.screens.house import NOW, fleet_of

BY_KEY = {meter.key: meter for meter in METERS}


def words(
    key: str,
    *minions: dict[str, Any],
    cells: int = 100,
    cost: Cost | None = None,
    mode: str = "text",
    ascii: bool = False,
) -> str:
    return drawn(key, fleet_of(*minions), cells, cost, mode, ascii)


def drawn(
    key: str, fleet: Fleet, cells: int = 100, cost: Cost | None = None, mode: str = "text", ascii: bool = False
) -> str:
    meter = BY_KEY[key]
    parts = draw(meter, mode, meter.read(fleet, cost or Cost(), 0.25), cells, Glyphs(ascii))
    return " ".join("".join(words for words, _ in parts).split())


def holds(ready: int | None, **changes: Any) -> dict[str, Any]:
    return {"backlog": {"ready": ready, "in_flight": 2, "dead": 0, "exact": True, "as_of": 1_700_001_200.0, **changes}}


def test_rates() -> None:
    assert words("done", {}, {"id": "b-1-x"}) == "Done/s 0.80 8 in all"
    assert words("failed", {}) == "Failed/s 0.20 2 in all, 1 dead"
    assert words("redelivered", {}) == "Redeliv/s 0 1 in all"


def test_slots_of_those_that_live() -> None:
    assert words("slots", {"slots": 4, "busy": 1}, {"id": "b-1-x", "age": 500.0}) == "Slots 1/4 25% busy"
    assert words("slots", {"slots": 4, "busy": 1}, mode="bar", cells=40) == "Slots [██████ ] 1/4"
    assert words("slots", {"slots": 4, "busy": 2}, mode="bar", cells=40, ascii=True) == "Slots [|||||||||||| ] 2/4"


def test_a_backlog_with_its_end_in_sight() -> None:
    rates = {"rates": {"window": 10.0, "succeeded": 2.0, "failed": 0.0, "redelivered": 0.0}}
    assert words("backlog", {**holds(120), **rates}) == "Backlog 120 ready ETA 1m00s, 2 in flight"
    assert words("backlog", {**holds(120, exact=False), **rates}) == "Backlog ~120 ready ETA 1m00s, 2 in flight"
    assert words("backlog", holds(0)) == "Backlog 0 ready, 2 in flight"


def test_a_backlog_that_nobody_works_off() -> None:
    still = {
        "rates": {"window": 10.0, "succeeded": 0.0, "failed": 0.0, "redelivered": 0.0},
        "busy": 0,
        "state": "paused",
    }
    assert words("backlog", {**holds(120), **still}) == "Backlog 120 ready stalled, 2 in flight"


def test_a_backlog_that_cannot_be_told() -> None:
    assert words("backlog", {"backlog": None}) == "Backlog ?"
    assert words("backlog") == "Backlog ?"


def test_minions_by_what_they_are() -> None:
    assert words(
        "minions", {}, {"id": "b-1-x", "age": 31.0}, {"id": "c-1-x", "age": 500.0}, {"id": "d-1-x", "left": 1.0}
    ) == ("Minions 1 live, 1 lost with 2 params, 1 stale, 1 stopped")


def test_what_mtop_costs() -> None:
    assert (
        words("cost", cost=Cost(polls=12.0, failing=3, took=0.0021))
        == "mtop 25% of a core, 12.0 polls/s of 2.1ms, 3 fail"
    )
    assert words("cost") == "mtop 25% of a core"


def test_history_is_drawn() -> None:
    fleet = fleet_of({})
    for second in range(5):
        fleet.advance(NOW + second, 0.0)
    assert "█████" in drawn("done", fleet, mode="graph")
    assert "#####" in drawn("done", fleet, mode="graph", ascii=True)


@pytest.mark.parametrize("meter", METERS, ids=lambda meter: meter.key)
def test_a_meter_is_whole(meter: Meter) -> None:
    assert meter.mode in MODES
    assert meter.mode != "off"
    assert len(meter.title) <= 9
    assert meter.help


@given(st.sampled_from(METERS), st.sampled_from(MODES), st.integers(30, 200), st.booleans(), st.integers(0, 3))
def test_a_meter_keeps_to_its_room(meter: Meter, mode: str, cells: int, ascii: bool, number: int) -> None:
    fleet = fleet_of(*({"id": f"m-{at}-x"} for at in range(number)))
    parts = draw(meter, mode, meter.read(fleet, Cost(), 1.0), cells, Glyphs(ascii))
    text = "".join(words for words, _ in parts)
    assert text.isascii() or not ascii
    assert width(text) <= max(cells, 60)
