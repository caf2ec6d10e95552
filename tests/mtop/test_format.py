from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtop.format import Glyphs, age, bar, count, duration, fit, percent, rate, safe, size, sparkline, width

NICE, PLAIN = Glyphs(), Glyphs(ascii=True)
numbers = st.none() | st.floats(0, 1e15) | st.integers(0, 10**15)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, "-"), (float("nan"), "-"), (-3, "0s"), (0, "0s"), (0.00095, "950us"),
        (0.0123, "12.3ms"), (0.9994, "999ms"),
        (0.9996, "1s"), (4.56, "4.56s"), (59.9, "59.9s"), (59.96, "1m00s"), (65, "1m05s"), (3599.6, "1h00m"),
        (11_220, "3h07m"), (359_940, "99h59m"),
        (360_000, "4d04h"), (1_051_200, "12d04h"), (1e9, "11574d"), (1e12, ">270y"),
    ],
)  # fmt: skip
def test_durations(seconds: float | None, words: str) -> None:
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("seconds", "words"), [(None, "-"), (-1, "0s"), (0.4, "0s"), (59.4, "59s"), (59.6, "59.6s"), (61, "1m01s")]
)
def test_ages(seconds: float | None, words: str) -> None:
    assert age(seconds) == words


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (None, "-"),
        (0, "0"),
        (99_999, "99999"),
        (100_000, "100k"),
        (1_234_567, "1.23M"),
        (123_456_789, "123M"),
        (10**15, "1P"),
        (10**22, "1e+22"),
    ],
)
def test_counts(number: float | None, words: str) -> None:
    assert count(number) == words


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (None, "-"),
        (0, "0"),
        (-1, "0"),
        (0.001, "<.01"),
        (0.05, "0.05"),
        (9.996, "10.0"),
        (99.96, "100"),
        (9999, "9999"),
    ],
)
def test_rates(number: float | None, words: str) -> None:
    assert rate(number) == words


@pytest.mark.parametrize(
    ("number", "words"), [(None, "-"), (0, "0"), (999, "999"), (1024, "1.0K"), (50_000_000, "47.7M"), (2**40, "1.0T")]
)
def test_sizes(number: float | None, words: str) -> None:
    assert size(number) == words


@given(numbers)
def test_numbers_keep_to_their_cells(number: float | None) -> None:
    assert len(duration(number)) <= 6
    assert len(age(number)) <= 6
    assert len(count(number)) <= 6
    assert len(rate(number)) <= 6
    assert len(size(number)) <= 5


@given(st.text(max_size=40), st.integers(0, 30), st.booleans())
def test_fit_is_exact(text: str, cells: int, right: bool) -> None:
    assert width(fit(safe(text), cells, right)) == cells


@given(st.text())
def test_safe_is_one_line_that_a_terminal_shows(text: str) -> None:
    assert safe(text).isprintable()
    assert len(safe(text, 10)) <= 10 * len("\\U00000000") + 3


def test_safe_shows_what_it_makes_harmless() -> None:
    assert safe("\x1b[2J\n\u202e") == "\\x1b[2J\\n\\u202e"


def test_a_sparkline_ends_at_the_right() -> None:
    assert sparkline([0, 4, 8], 5, NICE) == "  ▁▄█"
    assert sparkline([0, 4, 8], 5, PLAIN) == "  .=#"
    assert sparkline([1, 2, 3], 2, NICE) == "▅█"
    assert sparkline([0, 0], 3, NICE) == " ▁▁"
    assert sparkline([], 3, NICE) == "   "
    assert sparkline([5], 1, NICE, top=10) == "▄"


@given(st.lists(st.floats(0, 1e300), max_size=20), st.integers(0, 20))
def test_a_sparkline_is_as_wide_as_it_is_asked_to_be(values: list[float], cells: int) -> None:
    assert width(sparkline(values, cells, NICE)) == cells
    assert sparkline(values, cells, PLAIN).isascii()


@given(st.floats(-1, 3), st.integers(0, 30), st.booleans())
def test_a_bar_is_as_wide_as_it_is_asked_to_be(share: float, cells: int, ascii: bool) -> None:
    assert width(bar(share, cells, Glyphs(ascii))) == cells


def test_bars() -> None:
    assert bar(0.5, 4, NICE) == "██  "
    assert bar(0.3, 2, NICE) == "▌ "
    assert bar(2, 2, NICE) == "██"
    assert bar(0.5, 4, PLAIN) == "||  "
    assert percent(0.256) == "26%"
    assert percent(None) == "-"


def test_ascii_is_ascii() -> None:
    assert PLAIN.text("naïve 日") == "na\\xefve \\u65e5"
    assert NICE.text("naïve") == "naïve"
    assert (NICE("…", "..."), PLAIN("…", "...")) == ("…", "...")
