from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minionize.status.words import duration, per_second, percent, plural, short


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, "-"), (0, "0 s"), (0.000025, "25 µs"), (0.0123, "12.3 ms"), (0.9996, "1 s"), (1.5, "1.5 s"),
        (59.94, "59.9 s"), (59.99, "1 min"), (61, "1 min 1 s"), (3599.9, "1 h"), (3661, "1 h 1 min"),
        (86399, "1 d"), (90000, "1 d 1 h"), (1e8, "1,157 d 10 h"),
    ],
)  # fmt: skip
def test_duration(seconds: float | None, words: str) -> None:
    assert duration(seconds) == words


@given(st.floats(0, 1e10))
def test_no_duration_has_sixty_of_anything(seconds: float) -> None:
    words = duration(seconds)
    assert "60 s" not in words
    assert " 60 min" not in words
    assert " 24 h" not in words


@pytest.mark.parametrize(
    ("share", "words"),
    [(None, "-"), (0, "0.0 %"), (1e-6, "<0.1 %"), (0.5, "50.0 %"), (0.99999, ">99.9 %"), (1, "100.0 %")],
)
def test_percent(share: float | None, words: str) -> None:
    assert percent(share) == words


@pytest.mark.parametrize(
    ("rate", "words"),
    [(None, "-"), (0, "0 per second"), (1234, "1,234 per second"), (2.5, "2.5 per second"), (0.1, "6.0 per minute"),
     (0.001, "3.6 per hour")],
)  # fmt: skip
def test_per_second(rate: float | None, words: str) -> None:
    assert per_second(rate) == words


def test_plural() -> None:
    assert [plural(number, "host") for number in (0, 1, 2000)] == ["0 hosts", "1 host", "2,000 hosts"]


@given(st.text(max_size=50), st.integers(0, 60))
def test_short_is_short(text: str, width: int) -> None:
    assert len(short(text, width)) <= max(width, 0)
    assert short(text, 50) == text
