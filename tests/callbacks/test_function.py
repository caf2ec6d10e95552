"""FuncCallback and the decorator: how params fill arguments, and the callback contract."""

from __future__ import annotations

from typing import Any

import pytest

from minionize import minionize
from minionize.callback import Callback, Context
from minionize.callbacks.function import FuncCallback, Minionized
from minionize.engines.memory import MemoryEngine
from minionize.task import Param
from minionize.testing.callback import CallbackContract, make_task


def reciprocal(param: Param) -> float:
    return 1 / float(param)


class TestFunction(CallbackContract):
    """A function of one argument."""

    good = (1, 2.5, "4")
    bad = (0, "x", None)

    def make_callback(self) -> Callback:
        """Make one that passes the param as it is."""
        return FuncCallback(reciprocal)


class TestSpread(CallbackContract):
    """A function whose arguments a param fills."""

    good = ({"base": 2, "power": 3}, [2, 3], (2, 3), 2)
    bad = ({"base": 2, "other": 3}, [1, 2, 3], "x")

    def make_callback(self) -> Callback:
        """Make one that spreads the param."""
        return FuncCallback(power, spread=True)


def power(base: int, power: int = 2) -> int:
    return int(base**power)


@pytest.mark.parametrize(
    ("param", "seen"),
    [({"a": 1}, ((), {"a": 1})), ([1, 2], ((1, 2), {})), ("x", (("x",), {})), (None, ((None,), {}))],
)
def test_a_mapping_fills_keywords_a_list_positions(param: Param, seen: Any) -> None:
    callback = FuncCallback(lambda *args, **kwargs: (args, kwargs), spread=True)
    assert callback.process(param, Context(make_task(param))) == seen


def test_without_spread_the_param_is_the_argument() -> None:
    assert FuncCallback(lambda param: param).process({"a": 1}, Context(make_task({}))) == {"a": 1}


def test_a_decorated_function_stays_callable() -> None:
    @minionize
    def double(x: int) -> int:
        """Twice."""
        return 2 * x

    assert isinstance(double, Minionized)
    assert (double(2), vars(double)["__name__"], double.__doc__) == (4, "double", "Twice.")


def test_a_decorated_function_runs_over_a_queue(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.chdir(tmp_path)
    seen = []

    @minionize(retries=0)
    def note(x: int, y: int = 0) -> None:
        seen.append((x, y))

    assert note.run(engine=MemoryEngine([{"x": 1, "y": 2}, [3], 4])) == 0
    assert seen == [(1, 2), (3, 0), (4, 0)]
    assert note.settings == {"retries": 0}
