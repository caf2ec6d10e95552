from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtop.columns import COLUMNS, DEFAULT, Column, by_key, cell, fitting
from mtop.format import Glyphs, width
from mtop.view import View
from tests.mtop.screens.house import HOSTILE, fleet_of

FIXED = (
    "id", "host", "job", "user", "state", "slots", "busy", "done", "failed", "redelivered", "retried",
    "preempted", "dead", "rate", "p50", "p95", "oldest", "cpu", "mem", "uptime", "heartbeat", "engine", "queue",
    "command", "version",
)  # fmt: skip
"""Scripts read these from --json: they are never taken away."""


def text(key: str, ascii: bool = False, tree: bool = False, **changes: object) -> str:
    """What stands in a cell."""
    fleet = fleet_of({"id": "a-1-x", **changes}, {"id": "b-1-x", **changes})
    line = View(tree="host" if tree else "flat").lines(fleet)[0]
    return cell(by_key()[key], line.values(dict(by_key())), line.history, Glyphs(ascii))


def test_no_name_is_taken_away_or_there_twice() -> None:
    keys = [column.key for column in COLUMNS]
    assert set(FIXED) <= set(keys)
    assert len(keys) == len(set(keys))
    assert set(DEFAULT) <= set(keys)


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: column.key)
def test_a_column_is_whole(column: Column) -> None:
    assert width(column.title) <= column.width
    assert column.help
    assert not column.help.endswith(".")
    (minion,) = fleet_of({})
    assert json.loads(json.dumps(column.value(minion))) == column.value(minion)
    assert isinstance(column.show(column.value(minion)), str)
    assert isinstance(column.show(None), str)
    assert column.role(minion) is not None


@pytest.mark.parametrize("column", [each for each in COLUMNS if each.right], ids=lambda column: column.key)
def test_numbers_fit_in(column: Column) -> None:
    for shown in (text(column.key), text(column.key, busy=10**5, slots=10**5), text(column.key, tree=True)):
        assert width(shown) <= max(column.width, len("100000/100000"))


def test_what_is_special_about_a_cell() -> None:
    assert text("slots", slots=4, busy=3) == "3/4"
    assert text("slots", slots=4, busy=3, age=500.0) == "lost 2", "what was in flight is lost, and not running"
    assert text("busy", busy=3, age=500.0) == "0"
    assert text("slots", tree=True, slots=4, busy=3) == "6/8"
    assert text("state") == "running≈", "known by its heartbeat only"
    assert text("state", ascii=True) == "running~"
    assert text("state", age=31.0) == "stale≈"
    assert text("rate").startswith(" 0.40 ")
    assert text("job") == "1287856"
    assert text("job", labels={}) == ""
    assert text("mem") == "47.7M"


def test_hostile_texts_are_harmless() -> None:
    for key in ("host", "job", "user", "queue", "command", "engine", "version"):
        changes = {key: HOSTILE} if key != "job" else {"labels": {"job": HOSTILE}}
        assert text(key, **changes).isprintable()
        assert "\\x1b" in text(key, **changes)


def test_on_a_narrow_screen_the_highest_ranks_are_left_out() -> None:
    assert [column.key for column in fitting(COLUMNS, 60)][:2] == ["id", "state"]
    assert len(fitting(COLUMNS, 10_000)) == len(COLUMNS)
    for key in ("id", "state", "done", "failed"):
        assert key in [column.key for column in fitting(COLUMNS, 60)]


@given(st.integers(0, 400), st.lists(st.sampled_from(COLUMNS), min_size=1, unique_by=lambda column: column.key))
def test_what_is_chosen_fits_and_keeps_its_order(cells: int, columns: list[Column]) -> None:
    chosen = fitting(columns, cells)
    assert chosen
    assert [columns.index(column) for column in chosen] == sorted(columns.index(column) for column in chosen)
    assert len(chosen) == 1 or sum(column.width + 1 for column in chosen) <= cells
