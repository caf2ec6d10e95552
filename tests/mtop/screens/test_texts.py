from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtop.format import Glyphs
from mtop.screens.texts import block, clean, clock_time, date_time, param_words, plural, without_userinfo
from tests.mtop.screens.house import HOSTILE

NICE, PLAIN = Glyphs(), Glyphs(ascii=True)


@given(st.text())
def test_nothing_that_a_terminal_obeys_is_left(text: str) -> None:
    assert clean(text, NICE).isprintable()
    assert all(line.isprintable() for line in block(text, NICE))
    assert clean(text, PLAIN).isascii()


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists, max_leaves=9))
def test_any_param_becomes_one_line(param: object) -> None:
    assert param_words(param, NICE).isprintable()


@pytest.mark.parametrize(
    ("param", "words"),
    [("a b", "a b"), ({"x": [1, None]}, '{"x":[1,null]}'), (3, "3"), ("é", "é"), ({"é": "ü"}, '{"é":"ü"}')],
)
def test_a_string_stays_and_all_else_is_json(param: object, words: str) -> None:
    assert param_words(param, NICE) == words


def test_a_param_that_is_nested_too_deeply_is_shown_all_the_same() -> None:
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    assert param_words(deep, NICE).startswith("[[[")


def test_colours_are_left_out_of_output_and_all_else_is_shown() -> None:
    assert block("\x1b[1;31mred\x1b[0m\x1b[2J\n\tnext\rover", NICE) == ["red\\x1b[2J", "        next", "over"]


def test_lines_and_their_number_are_bounded() -> None:
    lines = block("x" * 1_000_000 + "\n" + "y\n" * 100_000, NICE)
    assert len(lines) == 5_000
    assert max(map(len, block("x" * 1_000_000, NICE))) < 2_100


def test_escape_sequences_and_line_ends_are_written_out() -> None:
    assert clean(HOSTILE, NICE) == "\\x1b[31mred\\x1b[2J [bold]loud[/bold] 日本 two\\nlines \\u202e"


@pytest.mark.parametrize("at", [float("nan"), 2.0**53, -(2.0**53)])
def test_a_time_that_is_none_is_no_error(at: float) -> None:
    assert clock_time(at) == date_time(at) == "-"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://host:1/", "http://host:1/"),
        ("http://me:hush@host:1/x?token=hush", "http://host:1/x"),
        ("http://[bad", "(no URL)"),
    ],
)
def test_an_url_is_shown_without_secrets(url: str, shown: str) -> None:
    assert without_userinfo(url) == shown


def test_plural() -> None:
    assert (plural(1, "host"), plural(0, "host"), plural(2, "host")) == ("1 host", "0 hosts", "2 hosts")
