"""Pickles as ParamSweeper writes and reads them, without its habit of cutting off what it cannot read."""

from __future__ import annotations

import binascii
import pickle
from io import BufferedReader, BytesIO
from typing import IO, Any

from minionize.errors import EngineError
from minionize.sweepdir.hashable import HashableDict

PROTOCOL = 4
"""Every Python since 3.4 reads it, so scripts of other versions may share the directory."""

_EXECO = ("execo_engine.sweep", "HashableDict")
_PROTO = 0x80  # the first byte of every record that a Python 3 wrote

# How a pickle names a class. The two modules' names happen to have the same length, so one can take the
# place of the other without a change to anything else.
_OURS = b"\x8c\x12minionize.sweepdir\x94\x8c\x0cHashableDict\x94\x93"
_THEIRS = b"\x8c\x12execo_engine.sweep\x94\x8c\x0cHashableDict\x94\x93"
_OURS_BEFORE_4 = b"cminionize.sweepdir\nHashableDict\n"
_THEIRS_BEFORE_4 = b"cexeco_engine.sweep\nHashableDict\n"


class Damage(Exception):  # noqa: N818 - never leaves the package
    """Bytes that are no pickle."""


class _Unpickler(pickle.Unpickler):
    """Loads pickles of params without importing execo."""

    path = ""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == _EXECO:
            return HashableDict
        try:
            return super().find_class(module, name)
        except ImportError as error:
            raise EngineError(
                f"{self.path} holds objects of the Python module {module!r}, which cannot be imported here "
                f"({error}): install it or add its directory to PYTHONPATH"
            ) from error
        except AttributeError as error:
            raise EngineError(
                f"{self.path} holds objects of a class that cannot be found here ({error}): "
                "define it in a module that can be imported, not in a script"
            ) from error


def dump(value: Any, protocol: int = PROTOCOL) -> bytes:
    """Pickle a value, with mappings as execo's."""
    data = pickle.dumps(value, protocol)
    ours, theirs = (_OURS, _THEIRS) if protocol >= 4 else (_OURS_BEFORE_4, _THEIRS_BEFORE_4)
    if ours not in data:
        return data
    if _is_of_mappings(value) and data.count(ours) == 1:
        return data.replace(ours, theirs)
    return _replace_classes(data, ours, theirs)


def _is_of_mappings(value: Any) -> bool:
    """Tell, for what is pickled most, whether a class is named in the pickle; a pickle names it once."""
    kind = value.__class__
    return kind is HashableDict or (kind is set and any(each.__class__ is HashableDict for each in value))


def _replace_classes(data: bytes, ours: bytes, theirs: bytes) -> bytes:
    """Replace the name of the class where it is one, not where a param of bytes holds the same."""
    import pickletools

    changed = bytearray(data)
    for _, _, position in pickletools.genops(data):
        if position is not None and data.startswith(ours, position):
            changed[position : position + len(ours)] = theirs
    return bytes(changed)


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
        EngineError: It holds objects of a class that is not here.
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
    tell = stream.tell
    try:
        while end < size:
            value = _load(stream, path)
            begin, end = end, tell()
            if data[begin] != _PROTO and data[begin:end] == hole(end - begin):
                continue
            values.append(value)
            if spans is not None:
                spans.append((begin, end))
    except Damage as error:
        return values, end, error
    return values, end, None


def _load(stream: IO[bytes], path: str) -> Any:
    unpickler = _Unpickler(stream)
    unpickler.path = path
    try:
        return unpickler.load()
    except EngineError:
        raise
    except Exception as error:
        raise Damage(str(error) or type(error).__name__) from error


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


def freeze(value: Any) -> Any:
    """Make a param of any JSON value: mappings become HashableDict, lists tuples."""
    if value.__class__ is dict:
        return HashableDict({key: freeze(item) for key, item in value.items()})
    if value.__class__ in (list, tuple):
        return tuple([freeze(item) for item in value])
    return frozenset(value) if value.__class__ is set else value
