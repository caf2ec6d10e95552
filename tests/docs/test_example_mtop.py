"""The column, the meter and the key in CONTRIBUTING work where they are said to be put."""

from __future__ import annotations

import ast
from importlib import import_module
from typing import Any

import pytest

from docs.tables import ROOT
from mtop.feed import Cost
from mtop.model.fleet import Fleet
from mtop.model.minion import Minion
from tests.docs.blocks import blocks
from tests.mtop.model.minions import says

SHOWN = {block.title: block.text for block in blocks((ROOT / "CONTRIBUTING.md").read_text()) if block.title}


def put_into(path: str) -> tuple[Any, dict[str, Any]]:
    """Run what is shown for a module with the names that it has; return its last value, and all names."""
    names = dict(vars(import_module(path.removesuffix(".py").replace("/", "."))))
    *first, last = ast.parse(SHOWN[path]).body
    exec(compile(ast.Module(first, []), path, "exec"), names)
    if not isinstance(last, ast.Expr):
        exec(compile(ast.Module([last], []), path, "exec"), names)
        return None, names
    return eval(compile(ast.Expression(last.value), path, "eval"), names), names


def fleet() -> Fleet:
    fleet = Fleet("fred", 0.0)
    fleet.minions["a"] = Minion("a", says(counters={"crashed": 3}), 0.0)
    fleet.advance(1.0, 1.0)
    return fleet


def test_column() -> None:
    column, _ = put_into("mtop/columns.py")
    value = column.value(fleet().minions["a"])
    assert (column.key, value, column.show(value), column.sum([3, 4])) == ("crashed", 3, "3", 7)


def test_meter() -> None:
    meter, _ = put_into("mtop/meters.py")
    assert meter.read(fleet(), Cost(), 0.0).text == [("    3", "warn")]


def test_key() -> None:
    action, _ = put_into("mtop/actions.py")
    _, names = put_into("mtop/screens/moves.py")
    asked: list[str] = []
    screen = type("Screen", (), {"apply_filter": lambda self, text: asked.append(text)})()
    names[f"action_{action.name}"](screen)
    assert asked == ["crashed>0"]
    taken = {key for each in import_module("mtop.actions").ACTIONS for key in each.keys}
    assert not taken.intersection(action.keys)


@pytest.mark.parametrize("path", sorted(SHOWN))
def test_place_exists(path: str) -> None:
    assert (ROOT / path).exists()
