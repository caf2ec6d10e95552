"""Announcements as bytes: written small, and read back with no trust in who wrote them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import chain, compress
from math import hypot
from operator import contains, itemgetter
from types import NoneType, UnionType
from typing import Any, Literal, Union, cast, get_args, get_origin, get_type_hints, is_typeddict

from minionize.errors import RegistryError
from minionize.registry import SCHEMA, Announcement

__all__ = ["LARGEST", "Decoder", "encode", "is_id"]

LARGEST = 65_536
"""Bytes of an announcement; anything larger is none."""

LONGEST = 1_000
"""Characters of one text, where an announcement would be too large otherwise."""

_BIG = 2.0**63
_NUMBERS = frozenset({int, float})

Check = Callable[[Any], bool]


def is_id(id: str) -> bool:
    """Tell whether a text can be the id of a minion, and so a file name."""
    return not id.startswith(".") and len(id) <= 200 and id.replace("-", "").replace(".", "").replace("_", "").isalnum()


def encode(announcement: Announcement) -> bytes:
    """Write an announcement as one line of JSON in ASCII. Texts are cut where it would be too large.

    Raises:
        RegistryError: It is no announcement that a reader would take.
    """
    if not is_id(announcement["id"]):
        raise RegistryError(f"the minion's id {announcement['id'][:100]!r} is no file name, so it cannot be announced")
    try:
        data = _dumps(announcement)
        if len(data) > LARGEST:
            data = _dumps({**announcement, "stats": _cut(announcement["stats"])})
    except (TypeError, ValueError, RecursionError) as error:
        raise RegistryError(f"the minion's numbers cannot be announced: {error}") from error
    if len(data) > LARGEST:
        raise RegistryError(f"an announcement of {len(data)} bytes is too large ({LARGEST}): give fewer labels")
    return data


def _dumps(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()


def _cut(value: Any) -> Any:
    if isinstance(value, str) and len(value) > LONGEST:
        return value[:LONGEST] + "..."
    return {key: _cut(each) for key, each in value.items()} if isinstance(value, dict) else value


class Decoder:
    """Reads announcements. The checks are made from the types in ``Announcement``, once."""

    def __init__(self) -> None:
        from minionize.stats import wire

        self._json = json.JSONDecoder(parse_constant=_refuse)
        self._fits = _of_mapping(Announcement, {"StatsWire": wire.StatsWire})
        self._version = wire.SCHEMA
        # These go into requests: nothing that could end a header, nothing that is no HTTP.
        self._url = re.compile(r"https?://[!-~]{1,2000}").fullmatch
        self._token = re.compile(r"[!-~]{1,500}").fullmatch

    def __call__(self, id: str, data: bytes) -> Announcement | None:
        """Read one announcement; None if it is none, or not that of ``id``."""
        try:
            text = data.decode()
            value, end = self._json.raw_decode(text)
            if text[end:].strip() or not self._fits(value):
                return None
        except (ValueError, RecursionError, OverflowError):
            return None
        if value["id"] != id or not is_id(id):
            return None
        if value["schema"] != SCHEMA or value["stats"]["schema"] != self._version:
            return None
        url, token, pid = value["url"], value["token"], value["process"][3]
        if (url is not None and not self._url(url)) or (token is not None and not self._token(token)):
            return None
        return cast(Announcement, value) if pid > 0 and 0 < value["every"] <= 86_400 else None


def _refuse(word: str) -> None:
    raise ValueError(f"{word} is not JSON")


def _check(kind: Any) -> Check:
    """Make the check for one type of the wire."""
    if is_typeddict(kind):
        return _of_mapping(kind)
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Literal:
        return lambda value: type(value) is str and value in parts
    if origin is list and get_origin(parts[0]) is tuple:
        return _of_pairs(*map(_leaf, get_args(parts[0])))
    if origin is tuple:
        row = _of_values([_leaf(part) for part in parts])
        return lambda value: type(value) is list and row(value)
    if origin is dict:
        column = _of_column(_leaf(parts[1]))
        return lambda value: type(value) is dict and column(value.values())
    (one,) = (_check(part) for part in parts if part is not NoneType)
    return lambda value: value is None or one(value)


def _leaf(kind: Any) -> frozenset[Any]:
    """Return the types of JSON that stand for a simple type of the wire; none for any other."""
    parts = get_args(kind) if get_origin(kind) in (UnionType, Union) else (kind,)
    if all(part in (str, int, float, bool, NoneType) for part in parts):
        return frozenset(parts) | (_NUMBERS if float in parts else frozenset())
    return frozenset()


def _of_mapping(kind: Any, names: dict[str, Any] | None = None) -> Check:
    hints = get_type_hints(kind, localns=names)
    kinds = {name: _leaf(each) for name, each in hints.items()}
    simple = {name: each for name, each in kinds.items() if each}
    values, fits = itemgetter(*simple), _of_values(list(simple.values()))
    deep = [(name, _check(each)) for name, each in hints.items() if not kinds[name]]

    def check(value: Any) -> bool:
        try:
            if type(value) is not dict or not fits(values(value)):
                return False
            for name, fit in deep:
                if not fit(value[name]):
                    return False
        except KeyError:
            return False
        return True

    return check


def _of_values(kinds: Sequence[frozenset[Any]]) -> Callable[[Sequence[Any]], bool]:
    """Make the check for so many values, each of its kind."""
    numeric = [bool(each & _NUMBERS) for each in kinds]
    seen = set()  # few: combinations of types that fit

    def check(values: Sequence[Any]) -> bool:
        types = tuple(map(type, values))
        if types not in seen:
            if len(types) != len(kinds) or not all(map(contains, kinds, types)):
                return False
            seen.add(types)
        return _small(compress(values, numeric))

    return check


def _of_column(kinds: frozenset[Any]) -> Callable[[Collection[Any]], bool]:
    """Make the check for any number of values of one kind."""
    if kinds & _NUMBERS:
        return lambda values: kinds.issuperset(map(type, values)) and _small(values)
    return lambda values: kinds.issuperset(map(type, values))


def _of_pairs(first: frozenset[Any], second: frozenset[Any]) -> Check:
    """Make the check for a list of pairs. There are many of them, so this is a plain loop: the fastest."""

    def check(value: Any) -> bool:
        if type(value) is not list:
            return False
        try:
            for one, other in value:
                if type(one) not in first or type(other) not in second:
                    return False
        except (TypeError, ValueError):
            return False
        return _small(chain.from_iterable(value))

    return check


def _small(numbers: Iterable[Any]) -> bool:
    """Tell whether all numbers are finite, and none so large that arithmetic with it fails. None counts as 0."""
    return hypot(*filter(None, numbers)) < _BIG
