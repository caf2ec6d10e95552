"""The few bytes of Pulsar's own protocol that its client library does not show: protobuf, as much as is needed."""

from __future__ import annotations

__all__ = ["fields", "number", "text"]

_VARINT, _FIXED64, _TEXT, _FIXED32 = 0, 1, 2, 5


def number(field: int, value: int) -> bytes:
    """Write a whole number."""
    return bytes([field << 3 | _VARINT]) + _varint(value)


def text(field: int, value: bytes) -> bytes:
    """Write bytes, or a message in a message."""
    return bytes([field << 3 | _TEXT]) + _varint(len(value)) + value


def fields(data: bytes) -> dict[int, int | bytes]:
    """Read numbers and texts; of a repeated field the last one.

    Raises:
        ValueError: This is no such message.
    """
    found: dict[int, int | bytes] = {}
    at = 0
    while at < len(data):
        key, at = _read(data, at)
        kind = key & 7
        if kind == _VARINT:
            found[key >> 3], at = _read(data, at)
        elif kind == _TEXT:
            size, at = _read(data, at)
            found[key >> 3], at = data[at : at + size], at + size
        elif kind in (_FIXED64, _FIXED32):
            at += 8 if kind == _FIXED64 else 4
        else:
            raise ValueError("no message of Pulsar")
    return found


def _varint(value: int) -> bytes:
    parts = bytearray()
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*parts, value])


def _read(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(data):
        value |= (data[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if not data[at - 1] & 0x80:
            return value, at
    raise ValueError("no message of Pulsar")
