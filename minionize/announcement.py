"""Announcements as bytes: written small, and read back with no trust in who wrote them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import chain, compress
from math import hypot
from operator import contains, itemgetter
from types import NoneType, UnionType
from typing import Any, Literal, Union, cast, get_args, get_origin, get_type_hints, is_typeddict

from minionize.errors import RegistryError
from minionize.registry import SCHEMA, Announcement

__all__ = ["LARGEST", "Decoder", "encode", "is_id", "uncollected"]

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


@contextmanager
def uncollected() -> Iterator[None]:
    """Let Python look for no garbage meanwhile: a thousand announcements hold none, and it takes a tenth longer."""
    import gc

    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


class Decoder:
    """Reads announcements. The checks are made from the types in ``Announcement``, once."""

    def __init__(self) -> None:
        from minionize.stats import wire

        self._json = json.JSONDecoder(parse_constant=_refuse)
        self._whole = _Mapping(Announcement, {"StatsWire": wire.StatsWire})
        self._known: dict[tuple[type, ...], list[bool]] = {}
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

    def _fits(self, value: Any) -> bool:
        """Tell whether all is there, and of the right types."""
        values: list[Any] = []
        try:
            if not self._whole.values(value, values):
                return False
        except KeyError:
            return False
        types = tuple(map(type, values))
        numeric = self._known.get(types)
        if numeric is None:
            kinds: list[frozenset[Any]] = []
            self._whole.kinds(value, kinds)
            if len(types) != len(kinds) or not all(map(contains, kinds, types)):
                return False
            numeric = [each in _NUMBERS for each in types]
            # A fleet has few combinations of types; a liar may have many.
            if len(self._known) < 1_000:
                self._known[types] = numeric
        return _small(compress(values, numeric))


def _refuse(word: str) -> None:
    raise ValueError(f"{word} is not JSON")


class _Mapping:
    """Lays out the values of a TypedDict side by side, those of mappings in it too, so that all are checked at once."""

    def __init__(self, kind: Any, names: dict[str, Any] | None = None) -> None:
        hints = get_type_hints(kind, localns=names)
        leaves = {name: _leaf(each) for name, each in hints.items()}
        self._kinds = [each for each in leaves.values() if each]
        self._simple = itemgetter(*(name for name, each in leaves.items() if each))
        parts = {name: _part(each) for name, each in hints.items() if not leaves[name]}
        self._parts = [(name, each) for name, each in parts.items() if isinstance(each, _Mapping | _Row | _Optional)]
        self._others = [
            (name, each) for name, each in parts.items() if not isinstance(each, _Mapping | _Row | _Optional)
        ]

    def values(self, value: Any, out: list[Any]) -> bool:
        """Add the values of a mapping; False if it has not the right form. Raises KeyError if one is missing."""
        if type(value) is not dict:
            return False
        out += self._simple(value)
        for name, part in self._parts:
            if not part.values(value[name], out):
                return False
        return all(fits(value[name]) for name, fits in self._others)

    def kinds(self, value: Any, out: list[frozenset[Any]]) -> None:
        """Add what types each of these values may have."""
        out += self._kinds
        for name, part in self._parts:
            part.kinds(value[name], out)


class _Row:
    """The same for a tuple."""

    def __init__(self, kinds: list[frozenset[Any]]) -> None:
        self._kinds = kinds

    def values(self, value: Any, out: list[Any]) -> bool:
        if type(value) is not list:
            return False
        out += value
        return True

    def kinds(self, value: Any, out: list[frozenset[Any]]) -> None:
        out += self._kinds


class _Optional:
    """The same for a mapping or null. A value of its own says which, so that the types tell all."""

    def __init__(self, part: _Mapping) -> None:
        self._part = part

    def values(self, value: Any, out: list[Any]) -> bool:
        out.append(None if value is None else "")
        return value is None or self._part.values(value, out)

    def kinds(self, value: Any, out: list[frozenset[Any]]) -> None:
        out.append(frozenset({NoneType if value is None else str}))
        if value is not None:
            self._part.kinds(value, out)


def _part(kind: Any) -> _Mapping | _Row | _Optional | Check:
    """Make what lays out or checks a type of the wire that is not simple."""
    if is_typeddict(kind):
        return _Mapping(kind)
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Literal:
        return lambda value: type(value) is str and value in parts
    if origin is list:
        return _pairs(*map(_leaf, get_args(parts[0])))
    if origin is tuple:
        return _Row([_leaf(part) for part in parts])
    if origin is dict:
        return lambda value: type(value) is dict and all(type(each) is parts[1] for each in value.values())
    (mapping,) = (part for part in parts if part is not NoneType)
    return _Optional(_Mapping(mapping))


def _leaf(kind: Any) -> frozenset[Any]:
    """Return the types of JSON that stand for a simple type of the wire; none for any other."""
    parts = get_args(kind) if get_origin(kind) in (UnionType, Union) else (kind,)
    if all(part in (str, int, float, bool, NoneType) for part in parts):
        return frozenset(parts) | (_NUMBERS if float in parts else frozenset())
    return frozenset()


def _pairs(first: frozenset[Any], second: frozenset[Any]) -> Check:
    """Make the check for a list of pairs. There are many of them: nothing is faster than a plain loop."""

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
