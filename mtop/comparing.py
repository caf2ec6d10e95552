"""Comparisons of filters: a column, a sign and a value become a question that is asked of each minion. Pure."""

from __future__ import annotations

import operator
import re
import warnings
from collections.abc import Callable
from fnmatch import translate
from typing import Any, TypeAlias

from mtop.columns import Column
from mtop.model.minion import Minion

__all__ = ["SIGNS", "Keep", "compare"]

Keep: TypeAlias = Callable[[Minion], bool]
"""Tells whether a minion is shown."""

SIGNS = ("<=", ">=", "!=", "!~", "==", "=", "<", ">", "~")
"""What can stand between a column and a value; longer ones first."""

_ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
_NUMBERS = {"=": operator.eq, "!=": operator.ne, **_ORDERS}

_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?", re.IGNORECASE | re.ASCII)
_PART = re.compile(r"(\d+\.?\d*|\.\d+)([a-z]+)", re.IGNORECASE | re.ASCII)
_SIZE = re.compile(r"([kmgtpe]?)i?b?", re.IGNORECASE)
_POWERS = ["", *"kmgtpe"]
_SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_FORMS = {"s": "a time, such as 250ms, 90, 10m, 1h30m", "B": "a size, such as 512, 100M, 1.5G"}

_STEPS = 10_000_000
"""So many steps, at most, may a pattern take with one text."""

_LEAST_SEEN = 200
"""Characters of a text that any pattern sees; one that would have to see fewer is refused."""


def compare(column: Column, sign: str, word: str) -> Keep:
    """Make a question. What a minion does not know is neither equal nor unequal to anything.

    Args:
        column: Of which column.
        sign: One of SIGNS.
        word: What its value is compared with.

    Raises:
        ValueError: That makes no sense; the message says what would.
    """
    sign = sign.replace("==", "=")
    # Numbers stand at the right.
    if column.right:
        return _numbers(column, sign, word)
    of = column.value
    if sign in _ORDERS:
        place, orders = _natural(word), _ORDERS[sign]
        return lambda minion: (value := of(minion)) is not None and orders(_natural(str(value)), place)
    found = _pattern(word) if "~" in sign else re.compile(translate(word), re.IGNORECASE).match
    wanted = "!" not in sign
    return lambda minion: (value := of(minion)) is not None and (found(str(value)) is not None) is wanted


def _natural(text: str) -> list[tuple[int, int, str]]:
    """Sort node2 before node10."""
    parts = re.split(r"(\d{1,50})", text[:_LEAST_SEEN].lower(), flags=re.ASCII)
    return [(0, int(part), "") if part[0] in "0123456789" else (1, 0, part) for part in parts if part]


# Numbers.


def _numbers(column: Column, sign: str, word: str) -> Keep:
    if sign not in _NUMBERS:
        raise ValueError(f"{column.key} is a number; compare it with {' '.join(_NUMBERS)}")
    number = _number(word, column.unit)
    if number is None:
        form = _FORMS.get(column.unit, "a number, such as 3, 0.5, 10k")
        raise ValueError(f"{column.key} is {form}; {word!r} is none")
    of, holds = column.value, _NUMBERS[sign]
    return lambda minion: isinstance(value := of(minion), int | float) and holds(value, number)


def _number(word: str, unit: str) -> float | None:
    """Read a number, with or without a unit; None if it is none."""
    if _NUMBER.fullmatch(word):
        return float(word)
    parts = [(float(number), of) for number, of in _PART.findall(word)]
    if not parts or _PART.sub("", word):
        return None
    if unit == "s":
        # 1h30m is written with two.
        return sum(number * _SECONDS[of] for number, of in parts) if all(of in _SECONDS for _, of in parts) else None
    size = _SIZE.fullmatch(parts[0][1])
    if size is None or len(parts) > 1:
        return None
    return parts[0][0] * float(1024 if unit == "B" else 1000) ** _POWERS.index(size[1].lower())


# Patterns.


def _pattern(word: str) -> Callable[[str], re.Match[str] | None]:
    """Compile a regular expression that takes a bounded time, whatever a minion has written."""
    try:
        with warnings.catch_warnings():
            # Of what a later Python may read in another way.
            warnings.simplefilter("ignore")
            search = re.compile(word, re.IGNORECASE).search
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"no regular expression: {error}") from None
    signs = re.sub(r"\\\D|\[\^?\]?[^\]]*\]", "x", word, flags=re.DOTALL)
    if re.search(r"\)\s*[*+{]|\(\?(?!:)|\\\d", signs):
        raise ValueError("a group cannot be repeated, referred to, or have a meaning of its own; (a|b) is possible")
    # The more ways a pattern can try, the less it may see of a text.
    repeats, choices = len(re.findall(r"[*+{]", signs)), len(re.findall(r"[?|]", signs))
    seen = int((_STEPS / 2.0 ** min(choices, 50)) ** (1 / (repeats + 1)))
    if seen < _LEAST_SEEN:
        raise ValueError("this pattern could take very long; in a=x*y*z there may be any number of *")
    return lambda text: search(text, 0, seen)
