from __future__ import annotations

import itertools
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as some

from minionize.errors import SettingsError
from minionize.queue.sweep import Sweep, values


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("1:4", [1, 2, 3, 4]),
        ("4:1", [4, 3, 2, 1]),
        ("01:03", [1, 2, 3]),
        ("1:10:3", [1, 4, 7, 10]),
        ("10:1:-4", [10, 6, 2]),
        ("-1:1", [-1, 0, 1]),
        ("3:3", [3]),
        ("0:1:0.25", [0.0, 0.25, 0.5, 0.75, 1.0]),
        ("0:0.5:0.1", [0.0, 0.1, 0.2, 0.3, 0.4, 0.5]),
        ("1:0:-0.4", [1.0, 0.6, 0.2]),
        ("1.5:3", [1.5, 2.5]),
        ("lin:0:1:5", [0.0, 0.25, 0.5, 0.75, 1.0]),
        ("lin:1:0:2", [1.0, 0.0]),
        ("log:1e-3:1:4", [0.001, 0.01, 0.1, 1.0]),
        ("log:-1:-100:3", [-1.0, -10.0, -100.0]),
        ("a", ["a"]),
        ("a,b", ["a", "b"]),
        ("1,1.0,one,1", [1, 1.0, "one"]),
        ("1:3,7,2", [1, 2, 3, 7]),
        ("1e-3,+5,-.5", [0.001, 5, -0.5]),
        ("007,0,1_000,nan,inf,1e999", ["007", 0, "1_000", "nan", "inf", "1e999"]),
        ('"7","a,b","\\"",""', ["7", "a,b", '"', ""]),
        ("10:30:x,a:b,http://x:80/", ["10:30:x", "a:b", "http://x:80/"]),
        ("line,log", ["line", "log"]),
    ],
)
def test_values(words: str, expected: list[object]) -> None:
    found = list(values(words))
    assert (found, list(map(type, found))) == (expected, list(map(type, expected)))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("", "a value missing"),
        ("a,", "a value missing"),
        (",a", "a value missing"),
        ('"a', "must end with one"),
        ('"a"b', "followed by a comma"),
        ('"\\x"', "no text as JSON writes it"),
        ("1:10:0", "never gets to its end"),
        ("1:10:-1", "never gets to its end"),
        ("lin:1:2", "must be lin:FIRST:LAST:COUNT"),
        ("log:1:x:3", "must be log:FIRST:LAST:COUNT"),
        ("log:1:2:-3", "must be log:FIRST:LAST:COUNT"),
        ("lin:1:2:1", "COUNT must be 2 or more"),
        ("log:0:1:3", "must both be more than 0"),
        ("log:-1:1:3", "must both be more than 0"),
        ("0:1:1e-12", "is the most"),
        ("1:1e300", "is the most"),
        ("1:99999999999999999999999", "is the most"),
        ("1:20000000,7", "is the most"),
        ("lin:0:1:999999999", "is the most"),
    ],
)
def test_what_cannot_be_read_says_what_would_be_right(words: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        values(words)


def test_the_last_name_varies_fastest() -> None:
    sweep = Sweep(["x=1:2", "y=a,b"])
    assert sweep.total == 4
    assert list(sweep) == [{"x": 1, "y": "a"}, {"x": 1, "y": "b"}, {"x": 2, "y": "a"}, {"x": 2, "y": "b"}]


def test_one_name_makes_mappings_too() -> None:
    assert list(Sweep(["x=7"])) == [{"x": 7}]


def test_nothing_is_made_before_it_is_asked_for() -> None:
    sweep = Sweep(["x=1:1000000000000", "y=1:1000000000000"])
    assert sweep.total == 10**24
    assert list(itertools.islice(sweep, 2)) == [{"x": 1, "y": 1}, {"x": 1, "y": 2}]


@pytest.mark.parametrize("axes", [["x"], ["=1"], ["x=1", "x=2"], ["x=1", "y="]])
def test_a_wrong_axis_is_named(axes: list[str]) -> None:
    with pytest.raises(SettingsError, match=f"--sweep {axes[-1]}"):
        Sweep(axes)


@given(some.integers(-1000, 1000), some.integers(-1000, 1000), some.integers(1, 50))
def test_a_range_holds_both_ends(first: int, last: int, step: int) -> None:
    by = step if last >= first else -step
    found = values(f"{first}:{last}:{by}")
    assert found[0] == first
    assert 0 <= abs(last - found[-1]) < step
    assert {b - a for a, b in itertools.pairwise(found)} <= {by}


_FLOATS = some.floats(1e-100, 1e100)


@given(_FLOATS, _FLOATS, some.integers(2, 40), some.sampled_from(["lin", "log"]))
def test_spaced_numbers_hold_both_ends_and_are_ordered(first: float, last: float, count: int, kind: str) -> None:
    found = values(f"{kind}:{first!r}:{last!r}:{count}")
    assert (len(found), found[0], found[-1]) == (count, first, last)
    assert list(found) == sorted(found, reverse=first > last)
    assert all(math.isfinite(value) for value in found)


@given(some.lists(some.one_of(some.integers(), some.text(), some.floats(allow_nan=False, allow_infinity=False))))
def test_any_values_can_be_written(wanted: list[object]) -> None:
    if not wanted:
        return
    words = ",".join(json.dumps(value) for value in wanted)
    unique = list({(type(value), value): value for value in wanted}.values())
    assert [value for value in values(words) if value != 0] == [value for value in unique if value != 0]


@given(some.text())
def test_nonsense_is_refused_or_read_and_never_crashes(words: str) -> None:
    try:
        found = values(words)
    except ValueError:
        return
    assert len(found) > 0
    json.dumps(list(found[:100]), allow_nan=False)


@given(some.lists(some.integers(1, 4), min_size=1, max_size=5))
def test_the_product_is_that_of_itertools(sizes: list[int]) -> None:
    names = "abcde"[: len(sizes)]
    sweep = Sweep([f"{name}=1:{size}" for name, size in zip(names, sizes, strict=True)])
    expected = itertools.product(*(range(1, size + 1) for size in sizes))
    assert list(sweep) == [dict(zip(names, each, strict=True)) for each in expected]
    assert sweep.total == math.prod(sizes)
