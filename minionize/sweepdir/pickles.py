"""Pickles as ParamSweeper writes and reads them, without its habit of cutting off what it cannot read."""

from __future__ import annotations

import binascii
import pickle
from importlib import import_module
from io import BufferedReader, BytesIO
from typing import IO, Any

from minionize.errors import EngineError

AnySet = set[Any] | frozenset[Any]

PROTOCOL = 4
"""Every Python since 3.4 reads it, so scripts of other versions may share the directory."""


_PROTO = 0x80  # the first byte of every record that a Python 3 wrote


class Damage(Exception):  # noqa: N818 - never leaves the package
    """Bytes that are no pickle."""


def dump(value: Any) -> bytes:
    """Pickle a value."""
    return pickle.dumps(value, PROTOCOL)


def to_text(value: Any) -> str:
    """Pickle a value as text, for a line of JSON."""
    return binascii.b2a_base64(dump(value), newline=False).decode("ascii")


def from_text(text: str, path: str) -> Any:
    """Load what ``to_text`` made."""
    return load_first(binascii.a2b_base64(text), path)[0]


def load_first(data: bytes, path: str) -> tuple[Any, int]:
    """Load the first pickle of some bytes; return it and where it ends.

    Raises:
        Damage: It is none.
        EngineError: It holds objects of a module that is not installed here.
    """
    stream = BufferedReader(BytesIO(data))
    return _load(stream, path), stream.tell()


def load_all(
    data: bytes, path: str, spans: list[tuple[int, int]] | None = None
) -> tuple[list[Any], int, Damage | None]:
    """Load one pickle after the other, as far as they are good.

    Args:
        data: The bytes.
        path: Where they are from, for messages.
        spans: Gets where each value begins and ends.

    Returns:
        The values, holes left out; where the good records end; what is wrong there, or None.
    """
    stream = BufferedReader(BytesIO(data))
    values: list[Any] = []
    end, size = 0, len(data)
    load, tell = pickle.load, stream.tell
    try:
        while end < size:
            value = load(stream)
            begin, end = end, tell()
            if data[begin] != _PROTO and data[begin:end] == hole(end - begin):
                continue
            values.append(value)
            if spans is not None:
                spans.append((begin, end))
    except Exception as error:
        return values, end, _damage(error, path)
    return values, end, None


def _load(stream: IO[bytes], path: str) -> Any:
    try:
        return pickle.load(stream)
    except Exception as error:
        raise _damage(error, path) from error


def _damage(error: Exception, path: str) -> Damage:
    """Tell a missing module, which is nobody's damage, from bytes that are no pickle."""
    if isinstance(error, ImportError):
        name = error.name or ""
        if name.partition(".")[0] in ("execo", "execo_engine"):
            raise needs_execo(path) from error
        raise EngineError(
            f"{path} holds objects of the Python module {name!r}, which cannot be imported here: "
            "install it or add its directory to PYTHONPATH"
        ) from error
    if isinstance(error, AttributeError) and "get attribute" in str(error):
        raise EngineError(
            f"{path} holds objects of a class that cannot be found here ({error}): "
            "define it in a module that can be imported, not in a script"
        ) from error
    return Damage(str(error) or type(error).__name__)


def needs_execo(path: str) -> EngineError:
    """Make the error for params that only execo can represent."""
    return EngineError(f"{path} holds mappings (HashableDict), which need execo: pip install 'minionize[execo]'")


def hole(length: int) -> bytes:
    """Return a pickle of exactly ``length`` bytes (2 or more) that stands for nothing.

    It is what a record of ``done`` is overwritten with when its param becomes ready again: others remember
    offsets in that file, so no byte may move. It loads to NUL bytes, which nobody has for a param, and
    unlike a record it does not begin with a protocol opcode.
    """
    if length == 2:
        return b"N."
    if length <= 258:
        return b"C" + bytes([length - 3]) + bytes(length - 3) + b"."
    size = length - 6
    return b"B" + size.to_bytes(4, "little") + bytes(size) + b"."


def freeze(value: Any, path: str) -> Any:
    """Make a param of any JSON value: mappings become HashableDict, lists tuples.

    Raises:
        EngineError: execo is missing, or the value cannot be a param.
    """
    if isinstance(value, dict):
        try:
            kind = import_module("execo_engine.sweep").HashableDict
        except ImportError as error:
            raise needs_execo(path) from error
        return kind({key: freeze(item, path) for key, item in value.items()})
    if isinstance(value, (list, tuple)) and value.__class__ in (list, tuple):
        return tuple(freeze(item, path) for item in value)
    if isinstance(value, set):
        return frozenset(value)
    return value
