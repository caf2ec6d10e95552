"""Reads what is sent as ``minionize.stats.wire`` says, with no trust in who sent it."""

from __future__ import annotations

from collections.abc import Callable
from types import UnionType
from typing import Annotated, Any, Literal, TypedDict, Union, get_args, get_origin, get_type_hints, is_typeddict

__all__ = ["bounded_decoder", "refusals"]

_BIG = 2**53


def bounded_decoder(kind: Any) -> Callable[[bytes], Any]:
    """Make a function that reads JSON of a type of the wire, in which no number is so large that arithmetic fails.

    Args:
        kind: A TypedDict. Names that it does not know are passed over.

    Returns:
        The function. For anything else it raises one of ``refusals()``.
    """
    import msgspec

    read: Callable[[bytes], Any] = msgspec.json.Decoder(_bounded(kind, msgspec.Meta(gt=-_BIG, lt=_BIG))).decode
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
