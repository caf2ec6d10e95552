"""The words of ``--sweep``: ``x=1:10 y=a,b z=log:1e-3:1:7`` -> one mapping for each combination (pure).

NAME=ITEM[,ITEM]...

1:10            1, 2, ..., 10: both ends belong to it; 10:1 counts down
0:1:0.25        0.0, 0.25, 0.5, 0.75, 1.0: with a step
lin:0:1:5       5 numbers from 0 to 1, evenly spaced
log:1e-3:1:4    0.001, 0.01, 0.1, 1.0: evenly spaced on a logarithmic scale
7  1.5  1e-3    a number
"7"  "a,b"      a text, as JSON writes it
anything else   a text, as it stands
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from minionize.errors import SettingsError

__all__ = ["Sweep"]

_INTEGER = re.compile(r"[-+]?\d+")
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d{1,3})?")
_LEADING_ZERO = re.compile(r"[-+]?0\d")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_MOST = 10_000_000
_MOST_WHOLE = 1 << 60
_DIGITS = 300


class Sweep:
    """A cartesian product; its last name varies fastest. Nothing of it is made before it is asked for.

    Args:
        axes: What stands behind each ``--sweep``.

    Raises:
        SettingsError: One of them cannot be read.
    """

    def __init__(self, axes: Sequence[str]) -> None:
        self._axes: dict[str, Sequence[Any]] = {}
        for words in axes:
            name, equals, items = words.partition("=")
            if not equals or not name:
                raise SettingsError(f"--sweep {words}: must be NAME=VALUES, such as x=1:10 or y=a,b")
            if name in self._axes:
                raise SettingsError(f"--sweep {words}: {name} is swept already; separate its values by commas")
            try:
                self._axes[name] = values(items)
            except ValueError as error:
                raise SettingsError(f"--sweep {words}: {error}") from None

    @property
    def total(self) -> int:
        """How many combinations there are."""
        product = 1
        for each in self._axes.values():
            product *= len(each)
        return product

    def __iter__(self) -> Iterator[dict[str, Any]]:
        names = list(self._axes)
        lists = list(self._axes.values())
        at = [0] * len(names)
        while True:
            yield {name: list[index] for name, list, index in zip(names, lists, at, strict=True)}
            for axis in range(len(names) - 1, -1, -1):
                at[axis] += 1
                if at[axis] < len(lists[axis]):
                    break
                at[axis] = 0
            else:
                return


def values(items: str) -> Sequence[Any]:
    """Return the values of one name; one that stands there twice counts once.

    Raises:
        ValueError: It cannot be read; the message says what would be right.
    """
    parts = _parts(items)
    if len(parts) == 1:
        return _item(parts[0])
    found: dict[tuple[type, Any], None] = {}
    for part in parts:
        more = _item(part)
        if len(found) + len(more) > _MOST:
            raise ValueError(_too_many(len(found) + len(more)))
        found.update(((type(value), value), None) for value in more)
    return [value for _, value in found]


def _parts(items: str) -> list[str]:
    """Cut at the commas that are not in a text in double quotes."""
    parts: list[str] = []
    while True:
        part = items.partition(",")[0]
        if part.startswith('"'):
            quoted = _QUOTED.match(items)
            if quoted is None:
                raise ValueError("a text that begins with a double quote must end with one")
            part = quoted.group()
        parts.append(part)
        items = items[len(part) :]
        if not items:
            return parts
        if items[0] != ",":
            raise ValueError(f"{part} must be followed by a comma")
        items = items[1:]


def _item(text: str) -> Sequence[Any]:
    if not text:
        raise ValueError('there is a value missing; an empty text is ""')
    if text.startswith('"'):
        try:
            return [json.loads(text)]
        except ValueError:
            raise ValueError(f"{text} is no text as JSON writes it") from None
    kind, *parts = text.split(":")
    if kind in ("lin", "log") and parts:
        return _spaced(kind, parts)
    if parts and len(parts) <= 2 and all(map(_is_number, (kind, *parts))):
        return _range(kind, *parts)
    return [_literal(text)]


def _is_number(text: str) -> bool:
    return len(text) <= _DIGITS and _NUMBER.fullmatch(text) is not None and math.isfinite(float(text))


def _literal(text: str) -> Any:
    if len(text) > _DIGITS or _LEADING_ZERO.match(text):
        return text  # 007 is a name
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _is_number(text) else text


def _range(first: str, last: str, step: str = "") -> Sequence[Any]:
    start, end = Decimal(first), Decimal(last)
    by = Decimal(step) if step else Decimal(1 if end >= start else -1)
    if by == 0 or (end - start) * by < 0:
        raise ValueError(f"{first}:{last}:{step} never gets to its end")
    whole = all(map(_INTEGER.fullmatch, (first, last, step or "1")))
    count = int((end - start) / by) + 1
    if count > (_MOST_WHOLE if whole else _MOST):
        raise ValueError(_too_many(count))
    if whole:
        return range(int(first), int(last) + (1 if by > 0 else -1), int(by))
    # Decimals: 0:1:0.1 has 0.3, and not 0.30000000000000004.
    return [float(start + by * number) for number in range(count)]


def _spaced(kind: str, parts: Sequence[str]) -> Sequence[float]:
    if len(parts) != 3 or not all(map(_is_number, parts[:2])) or not parts[2].isdecimal() or len(parts[2]) > 9:
        raise ValueError(f"must be {kind}:FIRST:LAST:COUNT, such as {kind}:{'0:1:5' if kind == 'lin' else '1e-3:1:7'}")
    first, last, count = Decimal(parts[0]), Decimal(parts[1]), int(parts[2])
    if count < 2:
        raise ValueError(f"{kind}: COUNT must be 2 or more: both ends belong to it")
    if count > _MOST:
        raise ValueError(_too_many(count))
    if kind == "lin":
        inner = (first + (last - first) * number / (count - 1) for number in range(1, count - 1))
    elif first * last > 0:
        ratio = (last / first).ln()
        inner = (first * (ratio * number / (count - 1)).exp() for number in range(1, count - 1))
    else:
        raise ValueError("log: FIRST and LAST must both be more than 0, or both less")
    return [float(first), *map(float, inner), float(last)]


def _too_many(count: int) -> str:
    shown = f"{count:,} values" if count < 1 << 60 else "far too many values"
    return f"{shown}: {_MOST:,} is the most (a plain range of whole numbers may have more)"
