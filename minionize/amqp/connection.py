"""A connection that no message can end: headers that pika cannot read are left out.

Else one message, of a producer that writes a time in milliseconds, say, would end the connection of each minion that
is given it, again and again, and with it all that they hold.
"""

from __future__ import annotations

import struct
from typing import Any

from pika import BasicProperties, spec
from pika.adapters.select_connection import SelectConnection
from pika.exceptions import AMQPError
from pika.frame import Header

__all__ = ["Connection"]

_SIZES = 12
"""Bytes of a frame of properties before these."""


class Connection(SelectConnection):  # type: ignore[misc]
    """As pika's own."""

    def _read_frame(self) -> Any:
        try:
            return super()._read_frame()
        except (ValueError, TypeError, LookupError, ArithmeticError, OSError, struct.error, AMQPError):
            # What values that are out of range lead to.
            data: bytes = self._frame_buffer
            if data[0] != spec.FRAME_HEADER:
                raise
        _, channel, size = struct.unpack_from(">BHL", data)
        content = data[spec.FRAME_HEADER_SIZE : spec.FRAME_HEADER_SIZE + size]
        properties: Any = BasicProperties()
        properties.decode(_without_headers(content[_SIZES:]))
        body_size = struct.unpack_from(">HHQ", content)[2]
        return spec.FRAME_HEADER_SIZE + size + spec.FRAME_END_SIZE, Header(channel, body_size, properties)


def _without_headers(data: bytes) -> bytes:
    """Cut the table of headers out of encoded properties."""
    flags, at = struct.unpack_from(">H", data)[0], 2
    for before in (BasicProperties.FLAG_CONTENT_TYPE, BasicProperties.FLAG_CONTENT_ENCODING):
        if flags & before:
            at += 1 + data[at]
    if not flags & BasicProperties.FLAG_HEADERS:
        return data
    size = struct.unpack_from(">L", data, at)[0]
    return struct.pack(">H", flags & ~BasicProperties.FLAG_HEADERS) + data[2:at] + data[at + 4 + size :]
