"""Reads what is sent as ``minionize.stats.wire`` says, with no trust in who sent it."""

from __future__ import annotations

import re
from collections.abc import Callable
from types import UnionType
from typing import Annotated, Any, Literal, TypedDict, Union, get_args, get_origin, get_type_hints, is_typeddict

__all__ = ["bounded_decoder", "refusals"]

_BIG = 2**53

# Whole pairs, which are one character, and halves; behind backslashes that stand for themselves.
_SURROGATES = re.compile(
    rb"(?<!\\)((?:\\\\)*)\\u[dD](?:[89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|([89a-fA-F][0-9a-fA-F]{2}))"
)


def bounded_decoder(kind: Any) -> Callable[[bytes], Any]:
    """Make a function that reads JSON of a type of the wire, in which no number is so large that arithmetic fails.

    Args:
        kind: A TypedDict. Names that it does not know are passed over.

    Returns:
        The function. For anything else it raises one of ``refusals()``. Bytes of a param or a path that are no UTF-8
        are sent as half a surrogate pair, which it reads as U+FFFD.
    """
    import msgspec

    decode: Callable[[bytes], Any] = msgspec.json.Decoder(_bounded(kind, msgspec.Meta(gt=-_BIG, lt=_BIG))).decode

    def read(data: bytes) -> Any:
        try:
            return decode(data)
        except msgspec.DecodeError:
            whole = _SURROGATES.sub(lambda found: found[0] if found[2] is None else found[1] + rb"\ufffd", data)
            if whole == data:
                raise
            return decode(whole)

    return read


def refusals() -> tuple[type[Exception], ...]:
    """Return the errors of what cannot be read."""
    import msgspec

    return (msgspec.MsgspecError, ValueError, RecursionError)


def _bounded(kind: Any, bounds: Any) -> Any:
    """Return a type of the wire in which each number has its bounds."""
    if is_typeddict(kind):
        hints = get_type_hints(kind)
        return TypedDict(kind.__name__, {name: _bounded(each, bounds) for name, each in hints.items()})  # type: ignore[operator]
    if kind in (int, float):
        return Annotated[kind, bounds]
    origin, parts = get_origin(kind), get_args(kind)
    if not parts or origin is Literal:
        return kind
    inner = tuple(_bounded(each, bounds) for each in parts)
    return Union[inner] if origin in (UnionType, Union) else origin[inner]  # noqa: UP007 - made of a tuple
