"""The id of a param: a short hash of its value, the same in every process and on every host."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

from minionize.sweepdir.pickles import dump, load_first


def param_id(param: Any) -> str:
    """Return the id: 16 hexadecimal digits. Equal params have equal ids, as they are one entry of a set."""
    return blake2b(encode(param), digest_size=8).hexdigest()


def encode(value: Any) -> bytes:
    """Write a value so that equal values, and only these, give equal bytes."""
    kind = value.__class__
    if kind is str:
        return b"s" + value.encode("utf-8", "surrogatepass")  # type: ignore[no-any-return]
    if kind is int:
        return b"n%d" % value
    return b"0" if value is None else _encode_other(value)


def _encode_other(value: object) -> bytes:
    if isinstance(value, (int, float, complex)):
        return _number(value)
    if isinstance(value, str):
        return b"s" + str.encode(value, "utf-8", "surrogatepass")
    if isinstance(value, bytes):
        return b"b" + value
    return _container(value)


def _number(value: int | float | complex) -> bytes:
    """1, 1.0 and True are equal, so they are one param."""
    if isinstance(value, complex):
        return b"c" + _part(value.real) + _part(value.imag) if value.imag else _number(value.real)
    if isinstance(value, float):
        return b"n%d" % int(value) if value.is_integer() else b"f" + float.hex(value).encode()
    return b"n%d" % int(value)


def _container(value: Any) -> bytes:
    if isinstance(value, (tuple, list)):
        return b"t" + b"".join(_part(item) for item in value)
    if isinstance(value, (frozenset, set)):
        return b"z" + b"".join(sorted(_part(item) for item in value))
    if isinstance(value, dict):
        return b"d" + b"".join(sorted(_part(key) + _part(item) for key, item in value.items()))
    # Once through a pickle: what was loaded shares its parts in another way than what was made here.
    return b"p" + dump(load_first(dump(value), "")[0])


def _part(value: Any) -> bytes:
    """Write a part of a value with its length, so that two parts cannot be taken for two others."""
    data = encode(value)
    return b"%d:" % len(data) + data
